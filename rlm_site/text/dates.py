"""Dates as precise as they are known: a year, a month, a day, or a range of these."""

import re
from calendar import monthrange
from datetime import date
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


class Date(NamedTuple):
    """A day, a month (`day` is 0) or a year (`month` is 0, too)."""

    year: int
    month: int = 0
    day: int = 0

    @property
    def first_day(self) -> date:
        return date(self.year, self.month or 1, self.day or 1)

    @property
    def last_day(self) -> date:
        month = self.month or 12
        return date(self.year, month, self.day or monthrange(self.year, month)[1])

    @property
    def iso(self) -> str:
        return "-".join(f"{part:0{width}}" for part, width in zip(self, (4, 2, 2), strict=True) if part)


class Dates(NamedTuple):
    """A date, or the first and the last of a range; `about` where it is not known exactly."""

    first: Date
    last: Date
    about: bool = False

    @property
    def year(self) -> str:
        return _("c. %(date)s") % {"date": self.first.year} if self.about else str(self.first.year)

    @property
    def in_year(self) -> str:
        """Return the dates in words below a heading with their year: `11–12 July`. A year alone stays as it is."""
        is_within = self.first.year == self.last.year and self.first.month and self.last.month
        return self._in_words(_span(self.first, self.last, with_year=not is_within))

    @property
    def from_first(self) -> "Dates":
        return self._replace(last=self.first)

    @property
    def from_last(self) -> "Dates":
        return self._replace(first=self.last)

    def __str__(self) -> str:
        """Return the dates in words: `11–12 July 1842`."""
        return self._in_words(_span(self.first, self.last))

    def _in_words(self, words: str) -> str:
        return _("c. %(date)s") % {"date": words} if self.about else words


def read_dates(text: str) -> Dates | None:
    """Return the dates of a text such as `1901`, `c. 1901-09`, or `1842-07-11/1842-07-12`; None where it is none.

    >>> str(read_dates("1842-07-11/1842-07-12"))
    '11–12 July 1842'
    """
    text = text.strip()
    bare = text.removeprefix("c.").strip()
    parts = [_read(part) for part in bare.split("/")]
    if len(parts) > 2 or None in parts:
        return None
    first, last = parts[0], parts[-1]
    if first is None or last is None or last.last_day < first.first_day:
        return None
    return Dates(first, last, about=bare != text)


def validate_dates(text: str) -> None:
    if read_dates(text) is None:
        told = _("“%(value)s” is not a date. Write 1901, 1901-09, 1901-09-14 or 1842-07-11/1842-07-12; c. may precede.")
        raise ValidationError(told % {"value": text}, code="no_dates")


def _read(text: str) -> Date | None:
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    found = Date(*(int(part or 0) for part in match.groups()))
    try:
        return found if found.first_day and found.last_day else None
    except ValueError:
        return None


def _span(first: Date, last: Date, *, with_year: bool = True) -> str:
    ending = _words(last, with_year=with_year)
    if first == last:
        return ending
    if first.day and last.day and first[:2] == last[:2]:
        return f"{first.day}–{ending}"
    if first.month and last.month and first.year == last.year:
        without_year = formats.date_format(first.first_day, "j F" if first.day else "F")
        return f"{without_year} – {ending}" if first.day else f"{without_year}–{ending}"
    if not first.month and not last.month:
        return f"{first.year}–{last.year}"
    return f"{_words(first)} – {_words(last)}"


def _words(one: Date, *, with_year: bool = True) -> str:
    if not one.month:
        return str(one.year)
    return formats.date_format(one.first_day, ("j F" if one.day else "F") + (" Y" if with_year else ""))
