"""Differences separator two versions of a record, field by field and word by word."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, Literal, NamedTuple

from diff_match_patch import diff_match_patch
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from rlm_site import turns
from rlm_site.fields import ObjectField, RowsField
from rlm_site.text.alignment import gaps_between, unique_runs
from rlm_site.text.limits import MAX_TEXT

MAX_UNFOLDED = 240  # characters; longer unchanged passages are folded
MAX_STEPS = 1_000_000  # of comparing word by word: the squares of the numbers of words, added up
NEAR = 200  # words beside a change over which it may be moved to begin and end well
MAX_TOGETHER = 400  # runs of words that are made readable at a time

Names = dict[tuple[type[models.Model], Any], str]  # of rows, by their table and key
Kind = Literal["same", "removed", "added"]
_KINDS: dict[int, Kind] = {0: "same", -1: "removed", 1: "added"}
_SIDES: tuple[Kind, Kind] = ("added", "removed")  # what the text before does not have, and the text after
_TOKEN = re.compile(r"\n|[^\S\n]+|\w+(?:['’-]\w+)*|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_library = diff_match_patch()
_library.Diff_Timeout = 1e9  # seconds: our own bounds do not depend on what else the machine is doing
_INVISIBLE = str.maketrans({"\n": "¶\n", " ": "␣", "\N{NO-BREAK SPACE}": "⍽", "\t": "⇥"})


class Stretch(NamedTuple):
    kind: Kind
    text: str

    @property
    def shown(self) -> str:
        """Return the text with visible spaces if a change consists of nothing else."""
        return self.text.translate(_INVISIBLE) if self.kind != "same" and self.text.isspace() else self.text


class Whole(Stretch):
    """A passage that is too different to be compared word by word."""


class Row(NamedTuple):
    """Corresponding lines of both versions, or an unchanged text in `same`."""

    before: tuple[Stretch, ...] = ()
    after: tuple[Stretch, ...] = ()
    same: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Difference:
    name: str
    label: str
    parts: tuple[Stretch, ...]  # of both versions in one series, removed before added

    @property
    def before(self) -> tuple[Stretch, ...]:
        return tuple(part for part in self.parts if part.kind != "added")

    @property
    def after(self) -> tuple[Stretch, ...]:
        return tuple(part for part in self.parts if part.kind != "removed")

    @property
    def is_coarse(self) -> bool:
        return any(isinstance(part, Whole) for part in self.parts)

    @cached_property
    def rows(self) -> list[Row]:
        return list(_rows(self.parts))


def differences(model: type[models.Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the differences of two contents in fields, tags and lists: the text first, then immediate fields.

    Fields missing in one content are left out, because they do not change. Compared with an empty content everything
    is new. At most one query per related table.
    """
    before = before or dict.fromkeys(after)
    changed = [name for name, value in after.items() if name in before and before[name] != value]
    fields = {name: _field(model, name) for name in sorted(changed, key=_field_order(model))}
    names = _names((field, content[name]) for name, field in fields.items() for content in (before, after))
    found = []
    for name, field in fields.items():
        old, new = before[name], after[name]
        if isinstance(field, RowsField):
            parts = word_by_word(_rows_in_words(field, old), _rows_in_words(field, new))
        elif isinstance(field, ObjectField):
            parts = word_by_word(_object_in_words(old), _object_in_words(new))
        elif isinstance(old, list) or isinstance(new, list):
            parts = _items(old or [], new or [], ", " if name == "tags" else "\n")
        elif _is_prose(field, old, new):
            parts = word_by_word(old or "", new or "")
        else:
            parts = _values(_display_value(field, old, names), _display_value(field, new, names))
        if parts:
            found.append(Difference(name, _label(name, field), tuple(parts)))
    return found


def word_by_word(before: str, after: str) -> list[Stretch]:
    """Return both texts as runs of words that are the same, removed or added.

    Passages that are too different to be compared in a moment are removed and added as a `Whole`.
    """
    if not (before and after):
        return _values(before, after)
    if max(len(before), len(after)) > 2 * MAX_TEXT:  # another program has written them
        return [whole for whole in (Whole("removed", before), Whole("added", after)) if whole.text]
    chars: dict[str, str] = {}  # the library compares characters, so each token is encoded as one
    encoded = [
        "".join(chars.setdefault(token, chr(len(chars) + 1)) for token in _TOKEN.findall(text))
        for text in (before, after)
    ]
    tokens = ["", *chars]
    with turns.long_work(len(before) + len(after)):
        runs = [
            (Whole if is_whole else Stretch)(_KINDS[kind], "".join(tokens[ord(char)] for char in run))
            for kind, run, is_whole in _readable_runs(_runs(*encoded))
        ]
        return _align_to_lines(runs)


_Run = tuple[int, str, bool]  # kind as in `_KINDS`, characters, whether it is shown whole


def _runs(a: str, b: str) -> Iterator[_Run]:
    """Yield the runs of two texts. What is unique in both parts them where they are too long to be compared at once."""
    steps = MAX_STEPS
    blocks = unique_runs(a, b) if (len(a) + len(b)) ** 2 > steps else []
    at = 0
    for gap in gaps_between(blocks, len(a), len(b)):
        if at < gap.start:
            yield 0, a[at : gap.start], False
        at = gap.end
        removed, added = a[gap.start : gap.end], b[gap.b_start : gap.b_end]
        taken = (len(removed) + len(added)) ** 2
        is_whole = bool(removed and added) and taken > steps
        if is_whole or not (removed and added):
            yield from ((kind, run, is_whole) for kind, run in ((-1, removed), (1, added)) if run)
        else:
            steps -= taken
            yield from ((kind, run, False) for kind, run in _library.diff_main(removed, added, checklines=False))
    if at < len(a):
        yield 0, a[at:], False


def _readable_runs(runs: Iterable[_Run]) -> Iterator[_Run]:
    """Join what changes for readers, as `a cat` into `a dog` and not `c` into `d`, some runs at a time."""
    together: list[tuple[int, str]] = []

    def joined() -> list[_Run]:
        _library.diff_cleanupSemantic(together)
        done = [(kind, run, False) for kind, run in together]
        together.clear()
        return done

    for kind, run, is_whole in runs:
        if is_whole:
            yield from joined()
            yield kind, run, True
        elif kind == 0 and (len(run) > 2 * NEAR or len(together) > MAX_TOGETHER):
            together.append((0, run[:NEAR]))
            yield from joined()
            yield 0, run[NEAR:-NEAR], False
            together.append((0, run[-NEAR:] if len(run) > NEAR else ""))
        else:
            together.append((kind, run))
    yield from joined()


def _align_to_lines(parts: list[Stretch]) -> list[Stretch]:
    """Move line breaks, so that an added or removed paragraph includes those after it, not those before."""
    parts = _joined(parts)
    for index in range(1, len(parts) - 1):
        before, change, after = parts[index - 1 : index + 2]
        breaks = change.text[: len(change.text) - len(change.text.lstrip("\n"))]
        is_isolated = change.kind != "same" and before.kind == after.kind == "same"
        if is_isolated and breaks and after.text.startswith(breaks):
            parts[index - 1 : index + 2] = [
                Stretch("same", before.text + breaks),
                change._replace(text=change.text.removeprefix(breaks) + breaks),
                Stretch("same", after.text.removeprefix(breaks)),
            ]
    return [part for part in parts if part.text]


def _joined(parts: Iterable[Stretch]) -> list[Stretch]:
    """Join neighbours of one kind."""
    groups = groupby((part for part in parts if part.text), key=lambda part: (type(part), part.kind))
    return [stretch(kind, "".join(part.text for part in group)) for (stretch, kind), group in groups]


def _items(before: Sequence[str], after: Sequence[str], separator: str) -> list[Stretch]:
    """Compare lists item by item: unchanged items first, then removed, then added ones."""
    common = {*before} & {*after}
    unchanged = [item for item in after if item in common]
    parts = [Stretch("same", separator.join(unchanged))] if unchanged else []
    removed, added = ([item for item in items if item not in common] for items in (before, after))
    changes: list[tuple[Kind, list[str]]] = [("removed", removed), ("added", added)]
    for kind, items in changes:
        for index, item in enumerate(items):
            parts.append(Stretch(kind, f"{separator}{item}" if unchanged or index else item))
    return parts


def _values(before: str, after: str) -> list[Stretch]:
    parts: list[Stretch] = [Stretch("removed", before), Stretch("added", after)]
    return [part for part in parts if part.text]


# Display of values


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None  # removed since, or a list from `related_snapshot`


def _field_order(model: type[models.Model]) -> Callable[[str], tuple[int, str]]:
    """Return a sort key for fields; databases do not preserve the order of JSON keys."""
    known = [*getattr(model, "versioned_fields", ()), "tags", *(field.name for field in model._meta.concrete_fields)]
    return lambda name: (known.index(name) if name in known else len(known), name)


def _label(name: str, field: Any) -> str:
    return capfirst(str(getattr(field, "verbose_name", "") or _(name.replace("_", " "))))


def _is_prose(field: Any, *values: Any) -> bool:
    is_text = field is None or (isinstance(field, models.CharField | models.TextField) and not field.choices)
    return is_text and all(isinstance(value, str | None) for value in values)


def _rows_in_words(field: RowsField, rows: Any) -> str:
    """Return rows of texts with one a line."""
    rows = rows if isinstance(rows, list) else []
    return "\n".join(
        " · ".join(field.words(name, row[name]) for name in field.columns if row.get(name))
        for row in rows
        if isinstance(row, dict)
    )


def _object_in_words(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) if value else ""


def _display_value(field: Any, value: Any, names: Names) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.ForeignKey):
        return names.get((field.related_model, value)) or _("deleted (id %(id)s)") % {"id": value}
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DateField):
        return _format_datetime(field, value)
    return str(value)


def _format_datetime(field: Any, value: str) -> str:
    try:
        moment = field.to_python(value)
    except ValidationError:
        return value
    if isinstance(moment, datetime):
        return formats.date_format(timezone.localtime(moment), "j F Y, H:i")
    return formats.date_format(moment, "j F Y")


def _names(values: Iterable[tuple[Any, Any]]) -> Names:
    """Return the names of rows that foreign keys refer to."""
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    for field, value in values:
        if isinstance(field, models.ForeignKey) and value is not None:
            wanted[field.related_model].add(value)
    names: Names = {}
    for model, keys in wanted.items():
        # str() of a row may include a related row, as that of a section includes its topic
        relations = [field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]
        rows = model._default_manager.select_related(*relations).in_bulk(keys)
        names |= {(model, key): str(row) for key, row in rows.items()}
    return names


# Side by side


def _rows(parts: Iterable[Stretch]) -> Iterable[Row]:
    """Split at line ends common to both texts, and group unchanged lines."""
    unchanged: list[str] = []
    at_start = True
    for line in _lines(parts):
        if all(part.kind == "same" for part in line):
            unchanged.append("".join(part.text for part in line))
            continue
        yield from _unchanged_rows(unchanged, at_start, False)
        before = [part for part in line if part.kind != "added"]
        after = [part for part in line if part.kind != "removed"]
        yield Row(_trimmed(before), _trimmed(after))
        unchanged, at_start = [], False
    yield from _unchanged_rows(unchanged, at_start, True)


def _lines(parts: Iterable[Stretch]) -> Iterable[list[Stretch]]:
    line: list[Stretch] = []
    ends: dict[Kind, str] = {}  # of the line in each text, as far as it goes
    for part in parts:
        for text in _LINE.findall(part.text) if part.kind == "same" else [part.text]:
            if line and part.kind == "same" and set(ends.values()) <= {"\n"}:
                yield line
                line, ends = [], {}
            line.append(Stretch(part.kind, text))
            ends |= {gone: text[-1] for gone in _SIDES if gone != part.kind}
            if part.kind == "same" and text.endswith("\n"):
                yield line
                line, ends = [], {}
    if line:
        yield line


def _trimmed(parts: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Strip line breaks from both ends, unless the change consists of nothing else."""
    if all(part.text.isspace() for part in parts):
        return tuple(parts)
    first, *others = parts
    parts = [Stretch(first.kind, first.text.lstrip("\n")), *others]
    *others, last = parts
    return tuple(part for part in [*others, Stretch(last.kind, last.text.rstrip("\n"))] if part.text)


def _unchanged_rows(lines: Sequence[str], at_start: bool, at_end: bool) -> Iterable[Row]:
    """Yield unchanged lines: those next to a change are shown, a long passage separator is folded."""
    text = "".join(lines).strip("\n")
    if len(text) <= MAX_UNFOLDED:
        shown = [(text, False)]
    else:
        rest = text.split("\n")
        first = "" if at_start else rest.pop(0)
        last = "" if at_end or not rest else rest.pop()
        shown = [(first, False), ("\n".join(rest).strip("\n"), True), (last, False)]
    for same, folded in shown:
        if same:
            yield Row(same=same, folded=folded)
