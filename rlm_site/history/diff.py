"""What is different between two versions of a record, field by field and word by word."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

from diff_match_patch import diff_match_patch
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

SHORT = 240  # characters of an unchanged stretch that need not be folded away

Names = dict[tuple[type[models.Model], Any], str]  # of rows, by their table and key
Kind = Literal["same", "removed", "added"]
_KINDS: dict[int, Kind] = {0: "same", -1: "removed", 1: "added"}
_TOKEN = re.compile(r"\n|[^\S\n]+|\w+(?:['’-]\w+)*|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_INVISIBLE = str.maketrans({"\n": "¶\n", " ": "␣", "\N{NO-BREAK SPACE}": "⍽", "\t": "⇥"})


class Stretch(NamedTuple):
    kind: Kind
    text: str

    @property
    def shown(self) -> str:
        """A change of nothing but spaces can be seen too."""
        return self.text.translate(_INVISIBLE) if self.kind != "same" and self.text.isspace() else self.text


class Row(NamedTuple):
    """Lines that answer each other, or an unchanged stretch: it stands once, in `same`."""

    before: tuple[Stretch, ...] = ()
    after: tuple[Stretch, ...] = ()
    same: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Difference:
    name: str
    label: str
    parts: tuple[Stretch, ...]  # in one series: where something was replaced, the removed part comes first

    @property
    def before(self) -> tuple[Stretch, ...]:
        return tuple(part for part in self.parts if part.kind != "added")

    @property
    def after(self) -> tuple[Stretch, ...]:
        return tuple(part for part in self.parts if part.kind != "removed")

    @cached_property
    def rows(self) -> list[Row]:
        return list(_rows(self.parts))


def differences(model: type[models.Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields, tags and lists in which two contents differ: the text first, then what acts at once.

    A field that one of them does not know is left out: it keeps what it has. Against an empty content everything is
    new. At most one query a related table.
    """
    before = before or dict.fromkeys(after)
    changed = [name for name, value in after.items() if name in before and before[name] != value]
    fields = {name: _field(model, name) for name in sorted(changed, key=_order(model))}
    names = _names((field, content[name]) for name, field in fields.items() for content in (before, after))
    found = []
    for name, field in fields.items():
        old, new = before[name], after[name]
        if isinstance(old, list) or isinstance(new, list):
            parts = _items(old or [], new or [], ", " if name == "tags" else "\n")
        elif _is_prose(field, old, new):
            parts = word_by_word(old or "", new or "")
        else:
            parts = _values(_in_words(field, old, names), _in_words(field, new, names))
        if parts:
            found.append(Difference(name, _label(name, field), tuple(parts)))
    return found


def word_by_word(before: str, after: str) -> list[Stretch]:
    """The whole text of both, as runs of words that are the same, removed or added."""
    known: dict[str, str] = {}  # token -> the character that stands for it: the library compares characters
    encoded = [
        "".join(known.setdefault(t, chr(len(known) + 1)) for t in _TOKEN.findall(text)) for text in (before, after)
    ]
    tokens = ["", *known]
    library = diff_match_patch()
    runs = library.diff_main(*encoded, checklines=False)
    library.diff_cleanupSemantic(runs)
    return _on_lines_of_their_own(
        [Stretch(_KINDS[kind], "".join(tokens[ord(char)] for char in run)) for kind, run in runs]
    )


def _on_lines_of_their_own(parts: list[Stretch]) -> list[Stretch]:
    """A paragraph that came or went takes the line breaks behind it along, not those before it."""
    for place in range(1, len(parts) - 1):
        before, change, after = parts[place - 1 : place + 2]
        breaks = change.text[: len(change.text) - len(change.text.lstrip("\n"))]
        alone = change.kind != "same" and before.kind == after.kind == "same"
        if alone and breaks and after.text.startswith(breaks):
            parts[place - 1 : place + 2] = [
                Stretch("same", before.text + breaks),
                Stretch(change.kind, change.text.removeprefix(breaks) + breaks),
                Stretch("same", after.text.removeprefix(breaks)),
            ]
    return [part for part in parts if part.text]


def _items(before: Sequence[str], after: Sequence[str], between: str) -> list[Stretch]:
    """Each item as a whole: what stayed first, then what went, then what came."""
    stayed = [item for item in after if item in before]
    parts = [Stretch("same", between.join(stayed))] if stayed else []
    went, came = ([item for item in items if item not in stayed] for items in (before, after))
    for kind, items in (("removed", went), ("added", came)):
        for place, item in enumerate(items):
            parts.append(Stretch(kind, f"{between}{item}" if stayed or place else item))  # type: ignore[arg-type]
    return parts


def _values(before: str, after: str) -> list[Stretch]:
    parts: list[Stretch] = [Stretch("removed", before), Stretch("added", after)]
    return [part for part in parts if part.text]


# Values in words


def _field(model: type[models.Model], name: str) -> Any:
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        return None  # it was removed since, or it is a list of what hangs on the record


def _order(model: type[models.Model]) -> Callable[[str], tuple[int, str]]:
    """A database may keep the names of a content in an order of its own."""
    known = [*getattr(model, "versioned_fields", ()), "tags", *(field.name for field in model._meta.concrete_fields)]
    return lambda name: (known.index(name) if name in known else len(known), name)


def _label(name: str, field: Any) -> str:
    return capfirst(str(getattr(field, "verbose_name", "") or _(name.replace("_", " "))))


def _is_prose(field: Any, *values: Any) -> bool:
    is_text = field is None or (isinstance(field, models.CharField | models.TextField) and not field.choices)
    return is_text and all(isinstance(value, str | None) for value in values)


def _in_words(field: Any, value: Any, names: Names) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(field, models.ForeignKey):
        return names.get((field.related_model, value)) or _("deleted (id %(id)s)") % {"id": value}
    if getattr(field, "choices", None):
        return str(dict(field.flatchoices).get(value, value))
    if isinstance(field, models.DateField):
        return _moment(field, value)
    return str(value)


def _moment(field: Any, value: str) -> str:
    try:
        moment = field.to_python(value)
    except ValidationError:
        return value
    if isinstance(moment, datetime):
        return formats.date_format(timezone.localtime(moment), "j F Y, H:i")
    return formats.date_format(moment, "j F Y")


def _names(values: Iterable[tuple[Any, Any]]) -> Names:
    """What the rows that foreign keys name are called."""
    wanted: dict[type[models.Model], set[Any]] = defaultdict(set)
    for field, value in values:
        if isinstance(field, models.ForeignKey) and value is not None:
            wanted[field.related_model].add(value)
    names: Names = {}
    for model, keys in wanted.items():
        # the name of a row may have the name of another in it: of a section its topic's
        relations = [field.name for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]
        rows = model._default_manager.select_related(*relations).in_bulk(keys)
        names |= {(model, key): str(row) for key, row in rows.items()}
    return names


# Side by side


def _rows(parts: Iterable[Stretch]) -> Iterable[Row]:
    """Cut where a line ends in both texts, and gather the lines that did not change."""
    unchanged: list[str] = []
    at_start = True
    for line in _lines(parts):
        if all(part.kind == "same" for part in line):
            unchanged.append("".join(part.text for part in line))
            continue
        yield from _stretch(unchanged, at_start, False)
        before = [part for part in line if part.kind != "added"]
        after = [part for part in line if part.kind != "removed"]
        yield Row(_trimmed(before), _trimmed(after))
        unchanged, at_start = [], False
    yield from _stretch(unchanged, at_start, True)


def _lines(parts: Iterable[Stretch]) -> Iterable[list[Stretch]]:
    line: list[Stretch] = []
    for part in parts:
        for text in _LINE.findall(part.text) if part.kind == "same" else [part.text]:
            if line and part.kind == "same" and _at_line_start(line):
                yield line
                line = []
            line.append(Stretch(part.kind, text))
            if part.kind == "same" and text.endswith("\n"):
                yield line
                line = []
    if line:
        yield line


def _at_line_start(line: Sequence[Stretch]) -> bool:
    """Whether what follows begins a line in both texts."""
    sides = ("".join(part.text for part in line if part.kind != gone) for gone in ("added", "removed"))
    return all(text.endswith("\n") or not text for text in sides)


def _trimmed(parts: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Without the line breaks at both ends: the row is a line already. A change of nothing else stays to be seen."""
    if all(part.text.isspace() for part in parts):
        return tuple(parts)
    first, *others = parts
    parts = [Stretch(first.kind, first.text.lstrip("\n")), *others]
    *others, last = parts
    return tuple(part for part in [*others, Stretch(last.kind, last.text.rstrip("\n"))] if part.text)


def _stretch(lines: Sequence[str], at_start: bool, at_end: bool) -> Iterable[Row]:
    """Unchanged lines: next to a change the nearest one is shown, and what is long between is folded."""
    text = "".join(lines).strip("\n")
    if len(text) <= SHORT:
        shown = [(text, False)]
    else:
        rest = text.split("\n")
        first = "" if at_start else rest.pop(0)
        last = "" if at_end or not rest else rest.pop()
        shown = [(first, False), ("\n".join(rest).strip("\n"), True), (last, False)]
    for same, folded in shown:
        if same:
            yield Row(same=same, folded=folded)
