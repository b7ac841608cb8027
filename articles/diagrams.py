"""Diagrams of articles: a tree, rows with bars, or bars of time, each with the same content as a table.

A diagram is an object of JSON whose fields docs/content.md describes. Its texts are lines of Markdown that may link and
cite. Nothing in it is ever added up: a bar is drawn to the scale of its own row alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles import markdown
from rlm_site.text import printable
from rlm_site.text.dates import Date, Dates, read_dates

LAYOUTS = ("tree", "rows", "times")
LINES = ("solid", "dashed", "dotted")
FORMS = ("full", "hollow")
LONGEST = 500  # characters of one text
MOST_ITEMS = 60
MOST_FIGURES = 12
WIDTH = 320  # of a bar's picture
LENGTH = WIDTH - 12  # of the longest bar, beyond which there is room for an open end
_MOST_TICKS = 9

# The fields of a diagram and its parts; those that a layout alone has are named with it.
_DIAGRAM = ("layout", "title", "reading", "items")
_ITEM = ("name", "detail", "figures", "note", "source")
_OF_LAYOUT = {"tree": ("under", "line", "also"), "rows": ("from", "until"), "times": ("from", "until", "form")}
_FIGURE = ("what", "value", "least", "most", "given_by", "source")
_ALSO = ("name", "line")
_ORDER = (
    "layout", "title", "reading", "lines", "items", "name", "detail", "under", "line", "also", "from", "until", "form",
    "figures", "what", "value", "least", "most", "given_by", "note", "source",
)  # fmt: skip

Fault = tuple[str, str | Promise]  # where it is, and what is wrong
Json = Mapping[str, Any]


def check_diagram(diagram: Any) -> None:
    """Raise ValidationError where this is no diagram, with a message for each place; an empty one is none."""
    errors = [
        ValidationError(_("%(place)s: %(fault)s"), params={"place": place, "fault": fault}, code="diagram")
        for place, fault in _faults(diagram)
    ]
    if errors:
        raise ValidationError(errors)


def _faults(diagram: Any) -> Iterator[Fault]:
    if diagram == {}:
        return
    if not isinstance(diagram, dict):
        yield _("diagram"), _("It must be an object: { … }.")
        return
    layout = diagram.get("layout")
    if layout not in LAYOUTS:
        yield "layout", _("Use one of: %(known)s.") % {"known": ", ".join(LAYOUTS)}
        return
    known = (*_DIAGRAM, "lines") if layout == "tree" else _DIAGRAM
    yield from _unknown(diagram, known, "")
    yield from _wrong_texts(diagram, ("title", "reading"), "", needed=("title",))
    if layout == "tree":
        yield from _wrong_lines(diagram.get("lines", {}))
    yield from _wrong_list(diagram, "items", MOST_ITEMS, "", lambda item, place: _wrong_item(item, place, layout))
    items = diagram.get("items", [])
    if items == []:
        yield "items", _("There is none.")
    elif layout == "tree" and isinstance(items, list):
        yield from _wrong_names([item if isinstance(item, dict) else {} for item in items])


def _wrong_item(item: Json, place: str, layout: str) -> Iterator[Fault]:
    yield from _unknown(item, (*_ITEM, *_OF_LAYOUT[layout]), place)
    texts = [name for name in (*_ITEM, *_OF_LAYOUT[layout]) if name not in {"figures", "also"}]
    yield from _wrong_texts(item, texts, place, needed=("name", "from") if layout == "times" else ("name",))
    for name in ("from", "until"):
        if name in _OF_LAYOUT[layout] and isinstance(text := item.get(name, ""), str) and text.strip():
            dates = read_dates(text)
            if dates is None or dates.first != dates.last:
                told = _("“%(value)s” is not one date. Write 1901, 1901-09 or 1901-09-14; c. may precede.")
                yield f"{place}, {name}", told % {"value": text}
    first, last = (_date(item, name) for name in ("from", "until"))
    if layout != "tree" and first and last and last.first.last_day < first.first.first_day:
        yield f"{place}, until", _("It is before “from”.")
    for name, choices in (("line", LINES), ("form", FORMS)):
        if name in item and item[name] not in ("", *choices):
            yield f"{place}, {name}", _("Use one of: %(known)s.") % {"known": ", ".join(choices)}
    yield from _wrong_list(item, "figures", MOST_FIGURES, place, _wrong_figure)
    yield from _wrong_list(item, "also", MOST_FIGURES, place, _wrong_also)


def _wrong_figure(figure: Json, place: str) -> Iterator[Fault]:
    yield from _unknown(figure, _FIGURE, place)
    yield from _wrong_texts(figure, ("what", "value", "given_by", "source"), place, needed=("value", "given_by"))
    for name in ("least", "most"):
        number = figure.get(name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 10**12):
            yield f"{place}, {name}", _("It must be a whole number, such as 20000, or null.")
    least, most = figure.get("least"), figure.get("most")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield f"{place}, most", _("It is less than “least”.")


def _wrong_also(other: Json, place: str) -> Iterator[Fault]:
    yield from _unknown(other, _ALSO, place)
    yield from _wrong_texts(other, ("name",), place, needed=("name",))
    if other.get("line", "") not in ("", *LINES):
        yield f"{place}, line", _("Use one of: %(known)s.") % {"known": ", ".join(LINES)}


def _wrong_lines(lines: Any) -> Iterator[Fault]:
    if not isinstance(lines, dict):
        yield "lines", _("It must be an object: { … }.")
        return
    yield from _unknown(lines, LINES, "lines")
    yield from _wrong_texts(lines, LINES, "lines")


def _wrong_names(items: Sequence[Json]) -> Iterator[Fault]:
    """Yield where an item of a tree hangs from none, or from one that is not above it in the list."""
    known: set[Any] = set()
    every = {item.get("name") for item in items if isinstance(item.get("name"), str)}
    for number, item in enumerate(items, 1):
        place, name, under = _item(number), item.get("name"), item.get("under", "")
        if not isinstance(name, str) or not isinstance(under, str):
            continue
        if name in known:
            yield f"{place}, name", _("“%(name)s” is the name of another item.") % {"name": name}
        if under and under not in known:
            yield f"{place}, under", _("No item above this one is called “%(name)s”.") % {"name": under}
        known.add(name)
        for other in item.get("also") or ():
            if isinstance(other, dict) and isinstance(other.get("name"), str) and other["name"] not in every:
                yield f"{place}, also", _("No item is called “%(name)s”.") % {"name": other["name"]}


def _wrong_list(
    holder: Json, name: str, most: int, place: str, check: Callable[[Json, str], Iterator[Fault]]
) -> Iterator[Fault]:
    where = f"{place}, {name}" if place else name
    rows = holder.get(name, [])
    if not isinstance(rows, list):
        yield where, _("It must be a list: [ … ].")
        return
    if len(rows) > most:
        yield where, _("There are %(number)d; at most %(most)d are allowed.") % {"number": len(rows), "most": most}
        return
    for number, row in enumerate(rows, 1):
        numbered = _item(number) if name == "items" else f"{where} {number}"
        if isinstance(row, dict):
            yield from check(row, numbered)
        else:
            yield numbered, _("It must be an object: { … }.")


def _item(number: int) -> str:
    return _("item %(number)d") % {"number": number}


def _unknown(given: Json, known: Sequence[str], place: str) -> Iterator[Fault]:
    for name in sorted(map(str, given.keys() - {*known})):
        told = _("“%(name)s” is unknown; use %(names)s.")
        yield place or _("diagram"), told % {"name": name, "names": ", ".join(known)}


def _wrong_texts(given: Json, names: Sequence[str], place: str, needed: Sequence[str] = ()) -> Iterator[Fault]:
    for name in names:
        where, text = f"{place}, {name}" if place else name, given.get(name, "")
        if not isinstance(text, str):
            yield where, _("It must be text in quotation marks.")
        elif len(text) > LONGEST:
            told = _("It has %(length)d characters; at most %(most)d are allowed.")
            yield where, told % {"length": len(text), "most": LONGEST}
        elif name in needed and not text.strip():
            yield where, _("It is empty.")
        else:
            try:
                printable.validate_printable(text)
            except ValidationError as error:
                yield where, " ".join(error.messages)


def is_sound(diagram: Any) -> bool:
    """Return whether this is a diagram that can be drawn."""
    return bool(diagram) and next(_faults(diagram), None) is None


def texts_of(diagram: Any) -> Iterator[str]:
    """Yield the lines of Markdown in a diagram, where links and citations may stand; of a faulty one none."""
    if is_sound(diagram):
        for item in diagram["items"]:
            for row in (item, *item.get("figures", ())):
                yield from (row[name] for name in ("name", "detail", "given_by", "note", "source") if row.get(name))


def as_text(diagram: Any) -> str:
    """Return a diagram as JSON to be read and edited, its fields always in the same order; empty for none."""
    return json.dumps(_in_order(diagram), ensure_ascii=False, indent=1) if diagram else ""


def from_text(text: str) -> Any:
    """Return the diagram of such a text. Raises ValueError where it is not JSON."""
    return json.loads(text, parse_constant=_no_constant) if text.strip() else {}


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity, which JSON does not have


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), str(name)))
        return {name: _in_order(value[name]) for name in names}
    return [_in_order(each) for each in value] if isinstance(value, list) else value


# Drawing


class Bar(NamedTuple):
    """A bar in a picture of `WIDTH`: full from `start` to `full`, hollow from there to `end`; `open_end` has no end."""

    start: int
    full: int
    end: int
    open_end: bool = False

    @property
    def full_width(self) -> int:
        return self.full - self.start

    @property
    def hollow_width(self) -> int:
        return self.end - self.full


class Figure(NamedTuple):
    """A figure, what it counts, and who gives it."""

    what: str
    value: str
    given_by: SafeString | str
    source: SafeString | str
    bar: Bar | None = None


class Other(NamedTuple):
    """Another item that one of a tree hangs from, and what the line to it means."""

    name: str
    line: str


class Item(NamedTuple):
    """An item as it is drawn; of a tree with the items under it."""

    name: SafeString | str
    detail: SafeString | str
    note: SafeString | str
    source: SafeString | str
    dates: str
    figures: list[Figure]
    under: str = ""
    line: str = ""
    line_means: str = ""
    also: tuple[Other, ...] = ()
    bar: Bar | None = None
    form_name: str | Promise = ""
    items: tuple["Item", ...] = ()


class Tick(NamedTuple):
    """A year on the axis of times."""

    x: int
    year: int


class Diagram(NamedTuple):
    """A diagram as it is drawn: `items` as the layout has them, and all of them in order for the table."""

    layout: str
    title: str
    reading: SafeString | str
    items: list[Item]
    rows: list[Item]
    ticks: list[Tick]

    @property
    def has_figures(self) -> bool:
        return any(item.figures for item in self.rows)

    @property
    def has_dates(self) -> bool:
        return any(item.dates for item in self.rows)


FORM_NAMES = {"full": gettext_lazy("full bar"), "hollow": gettext_lazy("hollow bar")}


def draw(
    diagram: Any, links: tuple[tuple[str, str], ...] = (), references: tuple[tuple[str, str], ...] = ()
) -> Diagram | None:
    """Return the diagram with its texts rendered and its bars measured; None where there is none to draw."""
    if not is_sound(diagram):
        return None

    def rendered(text: str) -> SafeString | str:
        return markdown.render_line(text, links, references) if text else ""

    scale = _TimeScale(diagram["items"]) if diagram["layout"] == "times" else None
    meanings = diagram.get("lines", {})
    rows = [_draw_item(item, meanings, scale, rendered) for item in diagram["items"]]
    items = _nested(rows, diagram["items"], "") if diagram["layout"] == "tree" else rows
    return Diagram(
        diagram["layout"], diagram["title"], rendered(diagram.get("reading", "")), list(items), rows,
        scale.ticks if scale else [],
    )  # fmt: skip


def _draw_item(item: Json, meanings: Json, scale: "_TimeScale | None", rendered: Any) -> Item:
    line = item.get("line") or "solid"
    figures = item.get("figures", [])
    return Item(
        rendered(item["name"]),
        rendered(item.get("detail", "")),
        rendered(item.get("note", "")),
        rendered(item.get("source", "")),
        _span(item, goes_on=scale is not None),
        [
            Figure(
                figure.get("what", ""),
                figure["value"],
                rendered(figure["given_by"]),
                rendered(figure.get("source", "")),
                bar,
            )
            for figure, bar in zip(figures, bars_of(figures), strict=True)
        ],
        markdown.source(item.get("under", "")).plain,
        line,
        meanings.get(line, ""),
        tuple(
            Other(markdown.source(each["name"]).plain, meanings.get(each.get("line") or "solid", ""))
            for each in item.get("also", ())
        ),
        scale.bar(item) if scale else None,
        FORM_NAMES[item.get("form") or "full"] if scale else "",
    )


def _nested(rows: Sequence[Item], given: Sequence[Json], under: str) -> tuple[Item, ...]:
    return tuple(
        row._replace(items=_nested(rows, given, item["name"]))
        for row, item in zip(rows, given, strict=True)
        if item.get("under", "") == under
    )


def bars_of(figures: Sequence[Json]) -> list[Bar | None]:
    """Return a bar for each figure that is a number, to the scale of these figures alone; one by itself has none."""
    numbers = [(figure.get("least"), figure.get("most")) for figure in figures]
    known = [max(least or 0, most or 0) for least, most in numbers if least is not None or most is not None]
    if len(known) < 2 or not max(known):
        return [None] * len(figures)
    unit = LENGTH / max(known)
    bars: list[Bar | None] = []
    for least, most in numbers:
        if least is None and most is None:
            bars.append(None)
            continue
        full = round((least or 0) * unit)
        end = full if most is None else round(most * unit)
        bars.append(Bar(0, full, max(end, full, 1), open_end=most is None))
    return bars


def _date(item: Json, name: str) -> Dates | None:
    text = item.get(name, "")
    return read_dates(text) if isinstance(text, str) and text.strip() else None


def _span(item: Json, *, goes_on: bool) -> str:
    """Return from when until when in words; what has no end `goes_on`, or is of one date."""
    first, last = _date(item, "from"), _date(item, "until")
    if first and last:
        return str(first) if first == last else f"{first} – {last}"
    if last:
        return _("until %(date)s") % {"date": last}
    if first and goes_on:
        return _("from %(date)s") % {"date": first}
    return str(first) if first else ""


class _TimeScale:
    """The years of bars of time, from the first to the last that is named."""

    def __init__(self, items: Sequence[Json]) -> None:
        dates = [date for item in items for name in ("from", "until") if (date := _date(item, name))]
        self.first = min(date.first.year for date in dates)
        self.years = max(date.first.year for date in dates) + 1 - self.first

    def x(self, date: Date, *, at_end: bool = False) -> int:
        day = date.last_day if at_end else date.first_day
        years = day.year - self.first + (day.timetuple().tm_yday - (0 if at_end else 1)) / 366
        return round(years / self.years * LENGTH)

    def bar(self, item: Json) -> Bar:
        first, last = _date(item, "from"), _date(item, "until")
        start = self.x(first.first) if first else 0
        end = self.x(last.first, at_end=True) if last else LENGTH
        end = max(end, start + 3)
        return Bar(start, end if (item.get("form") or "full") == "full" else start, end, open_end=last is None)

    @property
    def ticks(self) -> list[Tick]:
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000, 10000) if self.years / step <= _MOST_TICKS)
        years = range(-(-self.first // step) * step, self.first + self.years, step)
        return [Tick(round((year - self.first) / self.years * LENGTH), year) for year in years]
