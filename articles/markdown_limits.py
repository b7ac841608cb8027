"""How much of everything a text may have, so that reading it never takes longer than a second. Pure functions."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rlm_site.text.limits import MAX_TEXT


class Limit(NamedTuple):
    """The most of one kind that a text may have, far above what real ones have."""

    most: int
    kind: str | Promise


CHARACTERS = Limit(MAX_TEXT, gettext_lazy("characters"))
LINES = Limit(5_000, gettext_lazy("lines"))
BRACKETS = Limit(5_000, gettext_lazy("opening brackets (links, citations and notes)"))
SIGNS = Limit(10_000, gettext_lazy("formatting marks (such as * _ [ and <) and addresses"))
CELLS = Limit(10_000, gettext_lazy("table cells, including empty ones"))
HEADINGS = Limit(500, gettext_lazy("headings"))
NOTES = Limit(2_000, gettext_lazy("notes, counting every citation"))
ADDRESSES = Limit(400_000, gettext_lazy("characters in link addresses"))


class Excess(NamedTuple):
    """What a text has too much of, and the line on which it becomes too much, if that is known."""

    limit: Limit
    number: int
    line: int = 0

    def __str__(self) -> str:
        told = _("The text has %(count)s %(kind)s; at most %(most)s are allowed.") % {
            "count": f"{self.number:,}",
            "kind": self.limit.kind,
            "most": f"{self.limit.most:,}",
        }
        if self.line:
            told += " " + _("The limit is exceeded on line %(line)s.") % {"line": f"{self.line:,}"}
        return told + " " + _("Split the text into sections.")


_BRACKET = re.compile(r"\[")
_SIGN = re.compile(r"[\[*_`~<&\\!{@]|://|www\.")
_BLANK = " \t>"  # characters of a line that ends a table, in a quoted passage too
_DASHES = "-:|" + _BLANK  # of the line below the head of a table


def excess_of(text: str) -> Excess | None:
    """Return what a text has too much of, the plainest thing first, except for what only a parser can tell."""
    if len(text) > CHARACTERS.most:
        return Excess(CHARACTERS, len(text), text.count("\n", 0, CHARACTERS.most) + 1)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if len(lines) > LINES.most:
        return Excess(LINES, len(lines), LINES.most + 1)
    for limit, pattern in ((BRACKETS, _BRACKET), (SIGNS, _SIGN)):
        places = [match.start() for match in pattern.finditer(text)]
        if len(places) > limit.most:
            return Excess(limit, len(places), text.count("\n", 0, places[limit.most]) + 1)
    cells = list(accumulate(_cells(lines)))
    if cells[-1] > CELLS.most:
        return Excess(CELLS, cells[-1], bisect_right(cells, CELLS.most) + 1)
    return None


def _cells(lines: list[str]) -> Iterator[int]:
    """Yield for each line the most cells that a table has there: as many as its line of dashes names columns."""
    columns = 0
    for line in lines:
        if not line.strip(_BLANK):
            columns = 0
        elif not line.strip(_DASHES):
            columns = max(columns, line.strip(_BLANK).strip("|").count("|") + 1)
        yield columns
