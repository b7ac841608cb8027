"""Conflicts: what a form was opened with, what was sent and what is stored by now, and how the three are merged.

A form carries the state it was opened with, signed. When it is sent, the same state is computed from what is stored: if
they are equal, nobody has changed anything meanwhile. Otherwise the fields and rows that one side changed are taken
from it, long texts are merged passage by passage, and what both changed in different ways becomes a choice.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any, NamedTuple

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.db.models import Model
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from rlm_site import turns
from rlm_site.editor.concurrency.form_state import DELETE, FormSnapshot, FormState, Row, Value, bare_widget
from rlm_site.editor.forms import TagsField
from rlm_site.editor.rows import RowsFormField, merge_rows
from rlm_site.history.diff import Stretch, Whole, word_by_word
from rlm_site.history.models import Revision
from rlm_site.tags.models import Tag
from rlm_site.tags.parsing import format_tags, parse_tags
from rlm_site.text.folding import fold_name
from rlm_site.text.merge import Passage, join_passages, merge_names, three_way_merge

SALT = "rlm_site.editing.conflicts"


@dataclass(frozen=True)
class Choice:
    """A change that both have made in different ways: to a field, a passage of its text, or a whole row."""

    number: int
    prefix: str  # of the inline; empty: the form itself
    key: str  # of the row
    name: str  # of the field; empty: the whole row, which they have deleted
    base: Any
    mine: Any
    theirs: Any
    in_text: bool = False  # the passage stands in the field between marks

    @property
    def place(self) -> tuple[str, str, str]:
        return self.prefix, self.key, self.name


@dataclass(frozen=True)
class FormToken:
    """The state that a form was opened with; it goes to the browser and back."""

    what: str
    at: datetime
    state: FormState
    choices: Sequence[Choice] = ()

    @property
    def signed(self) -> str:
        return signing.dumps({**asdict(self), "at": self.at.isoformat()}, salt=SALT, compress=True)

    @classmethod
    def read(cls, text: str, what: str) -> "FormToken | None":
        """Return None where it was not signed here, or for another record."""
        try:
            told = signing.loads(text, salt=SALT)
            choices = [Choice(**choice) for choice in told["choices"]]
            opened = cls(told["what"], datetime.fromisoformat(told["at"]), FormState(**told["state"]), choices)
        except (signing.BadSignature, KeyError, TypeError):  # an older version of us may have signed it
            return None
        return opened if opened.what == what else None


def record_name(row: Model) -> str:
    return f"{row._meta.label_lower} {row.pk}"


# Bringing together


class Difference(NamedTuple):
    """One thing that they have changed, in words, and the choice it asks for if I have changed it too."""

    label: str
    base: str | None
    mine: str
    theirs: str
    choice: Choice | None = None

    def shortened(self) -> "Difference":
        """Return it with what all texts begin and end with cut, except near what differs."""
        texts = [text for text in (self.base, self.mine, self.theirs) if text is not None]
        start = _after_words(_common_start(texts))
        rest = [text[start:] for text in texts]
        end = len(_before_words(_common_start([text[::-1] for text in rest])[::-1]))
        cut = [("… " if start else "") + text[: len(text) - end] + (" …" if end else "") for text in rest]
        return Difference(self.label, cut[0] if self.base is not None else None, cut[-2], cut[-1], self.choice)

    @property
    def mine_marked(self) -> list[Stretch]:
        return [Stretch("same", self.mine)] if self.base is None else word_by_word(self.base, self.mine)

    @property
    def theirs_marked(self) -> list[Stretch]:
        return word_by_word(self.mine if self.base is None else self.base, self.theirs)

    @property
    def is_coarse(self) -> bool:
        return any(isinstance(part, Whole) for part in (*self.mine_marked, *self.theirs_marked))

    @property
    def can_be_both(self) -> bool:
        return self.choice is not None and self.choice.in_text


_NEAR = 120  # characters of what did not change that stand around what did


def _common_start(texts: Sequence[str]) -> str:
    same = takewhile(lambda characters: len(set(characters)) == 1, zip(*texts, strict=False))
    return "".join(characters[0] for characters in same)


def _after_words(common: str) -> int:
    """Return where to begin, so that about `_NEAR` characters of what is common stand before the rest."""
    far = common[: max(len(common) - _NEAR, 0)]
    return max(far.rfind(" "), far.rfind("\n")) + 1


def _before_words(common: str) -> str:
    """Return what can be left out of a common end."""
    ends = [place for place in (common.find(" ", _NEAR), common.find("\n", _NEAR)) if place >= 0]
    return common[min(ends) :] if ends else ""


@dataclass
class MergedForm:
    """The result: the state to go on with, what they have changed, and what is left to choose."""

    state: FormState
    differences: list[Difference] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    mine_alone: list[str] = field(default_factory=list)  # labels of what only I have changed


def merge_forms(
    sheet: FormSnapshot, base: FormState | None, mine: FormState, theirs: FormState, first_number: int = 1
) -> MergedForm:
    """Merge two versions of a form. Without a base whatever differs is a choice; nothing that was typed is lost."""
    with turns.long_work():
        return _FormMerge(sheet, base, mine, theirs, first_number).merge


class _FormMerge:
    def __init__(
        self, sheet: FormSnapshot, base: FormState | None, mine: FormState, theirs: FormState, first_number: int
    ) -> None:
        self.sheet = sheet
        self.next_number = first_number
        self.merge = MergedForm(FormState({}))
        before = base or FormState({})
        self.merge.state.fields = self._fields("", "", before.fields, mine.fields, theirs.fields)
        for prefix in sheet.formsets:
            rows = (before.rows.get(prefix), mine.rows.get(prefix, {}), theirs.rows.get(prefix, {}))
            self.merge.state.rows[prefix] = dict(self._rows(prefix, *rows))

    def _fields(self, prefix: str, key: str, base: Row, mine: Row, theirs: Row) -> Row:
        return {name: self._value(prefix, key, name, base.get(name), mine[name], theirs[name]) for name in mine}

    def _value(self, prefix: str, key: str, name: str, base: Value | None, mine: Value, theirs: Value) -> Value:
        if mine == theirs:
            return mine
        if isinstance(mine, str) and isinstance(theirs, str) and not isinstance(base, list):
            one = self.sheet.fields(prefix)[name]
            merge = _MERGES.get(type(one))
            if merge and (merged := merge(base, mine, theirs)) is not None:
                self._note(prefix, key, name, Passage(base, mine, theirs))
                return merged
            if isinstance(bare_widget(one.widget), forms.Textarea):
                return self._text(prefix, key, name, three_way_merge(base, mine, theirs))
        passage = Passage(base, mine, theirs)
        if passage.overlaps:
            self._ask(prefix, key, name, *_versions(passage))
        else:
            self._note(prefix, key, name, passage)
        return passage.merged

    def _text(self, prefix: str, key: str, name: str, passages: Sequence[Passage[str]]) -> str:
        marked = {}
        for passage in passages:
            if passage.overlaps:
                number = self._ask(prefix, key, name, *_versions(passage), in_text=True)
                marked[id(passage)] = with_conflict_marks(number, passage.mine, passage.theirs)
            elif passage.mine != passage.theirs:
                self._note(prefix, key, name, passage)
        return join_passages(passages, lambda passage: marked[id(passage)])

    def _rows(
        self, prefix: str, base: dict[str, Row] | None, mine: dict[str, Row], theirs: dict[str, Row]
    ) -> Iterator[tuple[str, Row]]:
        before = base or {}
        for key, row in theirs.items():
            if key not in mine:
                if row != before.get(key):
                    self._show(prefix, key, "", before.get(key, ""), before.get(key, ""), row)
                yield key, row
            elif mine[key].get(DELETE) and base is not None and row != before.get(key):
                self._ask(prefix, key, DELETE, before.get(key), mine[key][DELETE], row)
                yield key, {**row, DELETE: mine[key][DELETE]}
            else:
                yield key, self._fields(prefix, key, before.get(key, {}), mine[key], row)
        for key, row in mine.items():
            if key.startswith("+"):
                yield key, row
            elif key not in theirs and not row.get(DELETE):
                if row == before.get(key):
                    self._show(prefix, key, "", row, row, "")
                else:
                    self._ask(prefix, key, "", before.get(key), row, None)

    def _ask(self, prefix: str, key: str, name: str, base: Any, mine: Any, theirs: Any, in_text: bool = False) -> int:
        choice = Choice(self.next_number, prefix, key, name, base, mine, theirs, in_text)
        self.next_number += 1
        self.merge.choices.append(choice)
        self.merge.differences.append(describe_choice(self.sheet, choice))
        return choice.number

    def _note(self, prefix: str, key: str, name: str, passage: Passage[Any]) -> None:
        if passage.is_changed_by_them:
            self._show(prefix, key, name, *_versions(passage))
        elif (label := self.sheet.label(prefix, key, name)) not in self.merge.mine_alone:
            self.merge.mine_alone.append(label)

    def _show(self, prefix: str, key: str, name: str, *values: Any) -> None:
        base, mine, theirs = (self.sheet.words(prefix, name, value) for value in values)
        self.merge.differences.append(Difference(self.sheet.label(prefix, key, name), base, mine, theirs).shortened())


def _versions(passage: Passage[Any]) -> tuple[Any, Any, Any]:
    return passage.base, passage.mine, passage.theirs


def _merged_tags(base: str | None, mine: str, theirs: str) -> str | None:
    """Return None where somebody has typed what cannot be read."""
    try:
        lists = [None if text is None else parse_tags(text) for text in (base, mine, theirs)]
    except ValueError:
        return None
    spelling = {fold_name(name): name for names in lists for name in names or ()}
    folded = [None if names is None else [fold_name(name) for name in names] for names in lists]
    merged = merge_names(folded[0], folded[1] or [], folded[2] or [])
    return format_tags(Tag(name=spelling[name]) for name in merged)


# How the values of a field are merged where two sides changed them; None where somebody has to choose
_MERGES: dict[type[forms.Field], Callable[[str | None, str, str], str | None]] = {
    TagsField: _merged_tags,
    RowsFormField: merge_rows,
}


def describe_choice(sheet: FormSnapshot, choice: Choice) -> Difference:
    """Return the alternatives of a choice, in words."""
    base, mine, theirs = (
        (value or "").strip("\n") if choice.in_text else sheet.words(choice.prefix, choice.name, value)
        for value in (choice.base, choice.mine, choice.theirs)
    )
    if not choice.name:
        theirs = _("deleted")
    known = base if choice.base is not None else None
    return Difference(sheet.label(*choice.place), known, mine, theirs, choice).shortened()


# Choosing

_MARKS = "▼◆▲"
_MARK = re.compile(rf"([{_MARKS}]) \[([0-9]{{1,9}})\]")


def with_conflict_marks(number: int, mine: str, theirs: str) -> str:
    """Return both versions of some lines between marks, for somebody to keep the one or the other."""
    return "".join(
        [
            f"▼ [{number}] {_('Yours:')}\n{mine}",
            f"◆ [{number}] {_('Theirs:')}\n{theirs}",
            f"▲ [{number}] {_('End. Keep what you want and delete these three lines, or choose above.')}\n",
        ]
    )


def apply_choices(choices: Iterable[Choice], state: FormState, data: QueryDict) -> list[Choice]:
    """Write what was chosen into the state, whose fields may have been edited since; returns what is still open."""
    still_open: list[Choice] = []
    marked: dict[tuple[str, str, str], dict[Choice, str]] = {}
    for choice in sorted(choices, key=lambda choice: -choice.number):
        said = data.get(f"choice-{choice.number}", "")
        if choice.in_text:
            marked.setdefault(choice.place, {})[choice] = said
        elif not _apply_choice(choice, state, said):
            still_open.append(choice)
    for in_text in marked.values():
        still_open += _apply_to_field(in_text, state)
    return sorted(still_open, key=lambda choice: choice.number)


def _fields_of(choice: Choice, state: FormState) -> Row | None:
    """Return the fields among which the choice's stands, or None where its row was deleted since."""
    fields = state.rows.get(choice.prefix, {}).get(choice.key) if choice.prefix else state.fields
    return fields if fields is not None and choice.name in fields else None


def _apply_choice(choice: Choice, state: FormState, said: str) -> bool:
    if choice.prefix and not choice.name:
        if said == "mine":
            state.rows.setdefault(choice.prefix, {})[f"+again-{choice.key}"] = choice.mine
        return said in {"mine", "theirs"}
    fields = _fields_of(choice, state)
    if fields is None:
        return True
    if said == "theirs":
        fields[choice.name] = "" if choice.name == DELETE else choice.theirs
    # what was edited by hand since was chosen by hand
    return said in {"mine", "theirs"} or fields[choice.name] != choice.mine


def _apply_to_field(choices: dict[Choice, str], state: FormState) -> list[Choice]:
    """Write what was chosen for passages of one field, and return those that are still marked in it."""
    first = next(iter(choices))
    fields = _fields_of(first, state)
    if fields is None:
        return []
    chosen = {choice.number: said for choice, said in choices.items()}
    fields[first.name], still_marked = _apply_to_text(str(fields[first.name]), chosen)
    return [choice for choice in choices if choice.number in still_marked]


def _apply_to_text(text: str, chosen: Mapping[int, str]) -> tuple[str, set[int]]:
    """Return the text with what was chosen for its marked passages, by number, and the numbers still marked in it.

    A passage may stand in another one. Its lines are dropped as often as a choice says so, in one walk for all.
    """
    lines = text.split("\n")
    numbers = [int(match[2]) if (match := _MARK.match(line)) else 0 for line in lines]
    marks: dict[int, list[int]] = {}  # the lines of the three marks, as far as they are there
    for place, number in enumerate(numbers):
        found = marks.setdefault(number, [])
        if number and len(found) < len(_MARKS) and lines[place][0] == _MARKS[len(found)]:
            found.append(place)
    changes = Counter[int]()
    gaps = set()
    for number, said in chosen.items():
        found = marks.get(number, [])
        if said not in {"mine", "theirs", "both"} or len(found) < len(_MARKS):
            continue
        mine, theirs, end = found
        dropped = {"mine": (theirs, end), "theirs": (mine, theirs)}
        for start, stop in (*((place, place + 1) for place in found), dropped.get(said, (0, 0))):
            changes[start] += 1
            changes[stop] -= 1
        if said == "both" and "\n\n" in text and mine + 1 < theirs and theirs + 1 < end and lines[theirs + 1]:
            gaps.add(theirs)
    kept: list[str] = []
    still_marked = set()
    for place, times in enumerate(accumulate(changes[place] for place in range(len(lines)))):
        if not times:
            kept.append(lines[place])
            still_marked.add(numbers[place])
        elif times == 1 and place in gaps:  # a mark that gives way to an empty line
            kept.append("")
    return "\n".join(kept), still_marked


# Who it was


class Saver(NamedTuple):
    user: Any  # None: from outside of the desk
    at: datetime | None


def saved_since(row: Model, since: datetime) -> list[Saver]:
    """Return who has saved the record since, with their newest time; one without a user if nobody is known."""
    content_type = ContentType.objects.get_for_model(row)
    # a first publication that is scheduled is dated ahead
    revisions = Revision.objects.filter(
        content_type=content_type, object_id=row.pk, created__gte=since, created__lte=timezone.now()
    )
    entries = LogEntry.objects.filter(content_type=content_type, object_id=str(row.pk), action_time__gte=since)
    saved = [Saver(revision.author, revision.created) for revision in revisions.select_related("author")]
    saved += [Saver(entry.user, entry.action_time) for entry in entries.select_related("user")]
    newest = {saver.user: saver for saver in sorted(saved, key=lambda saver: saver.at or since)}
    return sorted(newest.values(), key=lambda saver: saver.at or since, reverse=True) or [Saver(None, None)]
