"""The facts of entries: which a kind of entry has, what each row may say, and how its value is read.

A row of `Article.facts` names a fact and has a value, a detail and a source, each one line of Markdown. Facts may be
repeated: where two sources differ, each has a row of its own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.text.dates import Dates, read_dates

COLUMNS = ("fact", "value", "detail", "source")

_COORDINATES = re.compile(r"([+-]?[0-9]{1,2}(?:\.[0-9]{1,6})?)\s*,\s*([+-]?[0-9]{1,3}(?:\.[0-9]{1,6})?)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")

Row = Mapping[str, str]


class FactType(NamedTuple):
    """A fact that entries of one kind have."""

    key: str
    label: str | Promise
    form: str = "text"  # of its value: text, date, coordinates or language
    detail: str | Promise = ""  # what the detail tells
    needs_source: bool = False


# By the kind of the article.
FACT_TYPES: dict[str, tuple[FactType, ...]] = {
    "subject": (
        FactType("began", gettext_lazy("Began"), "date", gettext_lazy("with what")),
        FactType("ended", gettext_lazy("Ended"), "date", gettext_lazy("with what")),
    ),
    "person": (
        FactType("born", gettext_lazy("Born"), "date", gettext_lazy("where")),
        FactType("died", gettext_lazy("Died"), "date", gettext_lazy("where and how")),
        FactType("role", gettext_lazy("Role"), detail=gettext_lazy("when")),
        FactType("part", gettext_lazy("Took part in"), detail=gettext_lazy("when")),
    ),
    "place": (
        FactType("coordinates", gettext_lazy("Coordinates"), "coordinates"),
        FactType("country", gettext_lazy("Country today"), detail=gettext_lazy("since when")),
        FactType("event", gettext_lazy("Event"), "date", gettext_lazy("what happened")),
    ),
    "formation": (
        FactType("founded", gettext_lazy("Founded"), "date", gettext_lazy("how")),
        FactType("ended", gettext_lazy("Ended"), "date", gettext_lazy("how")),
        FactType("commander", gettext_lazy("Commander"), detail=gettext_lazy("when")),
        FactType("strength", gettext_lazy("Strength"), "text", gettext_lazy("what is counted, and when"), True),
        FactType("part_of", gettext_lazy("Part of"), detail=gettext_lazy("when")),
        FactType("confused", gettext_lazy("Not the same as"), detail=gettext_lazy("why")),
    ),
    "document": (
        FactType("date", gettext_lazy("Date"), "date", gettext_lazy("of what")),
        FactType("issuer", gettext_lazy("Issued by")),
        FactType("language", gettext_lazy("Language"), "language", gettext_lazy("of which text")),
        FactType("printed", gettext_lazy("Printed in")),
        FactType("given", gettext_lazy("Given here")),
        FactType("rights", gettext_lazy("Rights"), detail=gettext_lazy("under which law")),
    ),
    "term": (
        FactType("original", gettext_lazy("Original"), detail=gettext_lazy("language, such as de")),
        FactType("expansion", gettext_lazy("Stands for")),
    ),
}  # fmt: skip


class Place(NamedTuple):
    """A point on the earth, in degrees north and east."""

    latitude: float
    longitude: float


def check_facts(kind: str, facts: Iterable[Row]) -> None:
    """Raise ValidationError where a row is no fact of this kind, or does not say what that fact must say."""
    known = {each.key: each for each in FACT_TYPES.get(kind, ())}
    errors = [
        ValidationError(_("Row %(number)d: %(fault)s"), params={"number": number, "fault": fault}, code="fact")
        for number, row in enumerate(facts, 1)
        if (fault := _fault(row, known))
    ]
    if errors:
        raise ValidationError(errors)


def _fault(row: Row, known: Mapping[str, FactType]) -> str:
    fact = known.get(row.get("fact", ""))
    if fact is None:
        label = {each.key: each.label for types in FACT_TYPES.values() for each in types}.get(
            row.get("fact", ""), row.get("fact", "")
        )
        told = _("“%(fact)s” is not a fact of this kind of page. Use one of: %(known)s.")
        return told % {"fact": label, "known": ", ".join(str(each.label) for each in known.values())}
    if not row.get("value", "").strip():
        return _("“%(fact)s” has no value. Enter one, or empty the whole row.") % {"fact": fact.label}
    if fact.form == "date" and read_dates(row.get("value", "")) is None:
        told = _("“%(value)s” is not a date. Write 1901, 1901-09, 1901-09-14 or 1901-09-14/1901-09-15; c. may precede.")
        return told % {"value": row.get("value", "")}
    if fact.form == "coordinates" and read_place(row.get("value", "")) is None:
        told = _("“%(value)s” are not coordinates. Write degrees north and east, such as 52.5244, 13.4105.")
        return told % {"value": row.get("value", "")}
    if fact.form == "language" and not _LANGUAGE.fullmatch(row.get("value", "")):
        return _("“%(value)s” is not a language tag, such as ru or en.") % {"value": row.get("value", "")}
    if fact.needs_source and not row.get("source", "").strip():
        return _("“%(fact)s” needs a source: who gives this figure.") % {"fact": fact.label}
    return ""


def read_place(text: str) -> Place | None:
    """Return the point that a text names, such as `52.5244, 13.4105`."""
    match = _COORDINATES.fullmatch(text.strip())
    place = Place(float(match[1]), float(match[2])) if match else None
    return place if place and abs(place.latitude) <= 90 and abs(place.longitude) <= 180 else None


class Fact(NamedTuple):
    """A row of facts as it is read: without those that its kind does not know."""

    type: FactType
    row: Row

    @property
    def dates(self) -> Dates | None:
        return read_dates(self.row.get("value", "")) if self.type.form == "date" else None


def facts_of(kind: str, facts: Sequence[Row]) -> Iterator[Fact]:
    """Yield the facts in the order of their kind, without what another program left there and no form would take."""
    for each in FACT_TYPES.get(kind, ()):
        for row in facts:
            if row.get("fact", "") == each.key and not _fault(row, {each.key: each}):
                yield Fact(each, row)


def texts_of(facts: Iterable[Row]) -> Iterator[str]:
    """Yield the lines of Markdown in facts, where links and citations may stand."""
    for row in facts:
        for name in ("value", "detail", "source"):
            if row.get(name):
                yield row[name]


def label_of(key: str) -> Any:
    """Return the label of a fact, whatever kind has it."""
    return next((each.label for types in FACT_TYPES.values() for each in types if each.key == key), key)
