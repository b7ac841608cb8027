"""The printed attribution of a quotation, from its fields. Pure functions.

`Name (dates), description. [As quoted in] Work, locator[, by its authors] (year)`; an empty part is left out together
with its punctuation. Where the primary work is known, it alone is printed.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _


class Place(NamedTuple):
    """A work and the place in it."""

    title: str
    locator: str = ""
    authors: str = ""
    year: int | None = None


@dataclass(frozen=True)
class Attribution:
    """The printed parts. `str()` joins them; pages link the name and set the title apart."""

    prefix: str  # "Attributed to " or empty
    name: str
    after_name: str  # dates, description, and "As quoted in" where it applies
    title: str
    after_title: str

    def __str__(self) -> str:
        return f"{self.prefix}{self.name}{self.after_name}{self.title}{self.after_title}"


def attribution(
    *,
    name: str = "",
    born: int | None = None,
    died: int | None = None,
    born_circa: bool = False,
    died_circa: bool = False,
    description: str = "",
    work: Place | None = None,
    quoted_in: Place | None = None,
    year_said: int | None = None,
    translator: str = "",
    disputed: bool = False,
    as_imported: str = "",
) -> Attribution:
    """Return the parts of an attribution; years are negative for BC.

    `as_imported` is an attribution that could not be parsed, and is printed verbatim.
    """
    if as_imported and not work and not quoted_in:
        return Attribution("", as_imported, "", "", "")
    lived = dates(born, died, born_circa=born_circa, died_circa=died_circa)
    after_name = (f" ({lived})" if lived else "") + (f", {description}" if description else "")
    source = work or quoted_in
    title, after_title = "", ""
    if source:
        stop = "" if after_name.endswith(".") or (not after_name and name.endswith(".")) else "."
        after_name += f"{stop} " if work else f"{stop} {_('As quoted in')} "
        title = source.title
        after_title = f", {source.locator}" if source.locator else ""
        if not work and source.authors:
            after_title += ", " + _("by %(authors)s") % {"authors": source.authors}
    if translator:
        after_title += (", " if source else ". ") + _("trans. %(translator)s") % {"translator": translator}
    year_printed = source.year if source and source.year is not None else year_said
    if year_printed is not None:
        after_title += f" ({year(year_printed)})"
    return Attribution(
        _("Attributed to") + " " if disputed and name else "", name or _("Anonymous"), after_name, title, after_title
    )


def dates(born: int | None, died: int | None, *, born_circa: bool = False, died_circa: bool = False) -> str:
    """Format years of life: `1749–1832`, `b. 1933`, `d. 1952`, `c. 480–406 BC`, `59 BC–AD 17`, or empty."""
    first = _circa(born_circa) + str(abs(born)) if born is not None else ""
    last = _circa(died_circa) + str(abs(died)) if died is not None else ""
    if born is not None and died is not None:
        if born < 0 and died < 0:
            return f"{first}–{last} BC"
        if born < 0:
            return f"{first} BC–AD {last}"
        return f"{first}–{last}"
    if born is not None:
        return _("b. %(year)s") % {"year": first + (" BC" if born < 0 else "")}
    if died is not None:
        return _("d. %(year)s") % {"year": last + (" BC" if died < 0 else "")}
    return ""


def year(value: int) -> str:
    return f"{-value} BC" if value < 0 else str(value)


def _circa(is_circa: bool) -> str:
    return "c. " if is_circa else ""


# Printed unit of a locator -> its normalized abbreviation.
_UNITS = {
    "act": "act", "scene": "sc.", "sc": "sc.", "frag": "frag.", "fragment": "frag.", "vol": "vol.", "volume": "vol.",
    "part": "pt.", "pt": "pt.", "book": "bk.", "bk": "bk.", "chap": "ch.", "chapter": "ch.", "ch": "ch.",
    "canto": "canto",
    "stanza": "st.", "st": "st.", "line": "l.", "epistle": "ep.", "ep": "ep.", "letter": "letter", "section": "sec.",
    "sect": "sec.", "sec": "sec.", "p": "p.", "page": "p.", "no": "no.", "number": "no.", "verse": "v.", "ode": "ode",
    "satire": "sat.", "sat": "sat.", "memb": "memb.", "subsect": "subsec.", "dialogue": "dialogue", "maxim": "maxim",
    "epigram": "epigr.", "fable": "fable", "sonnet": "sonnet", "aphorism": "aph.", "elegy": "elegy", "night": "night",
    "song": "song", "hymn": "hymn", "emblem": "emblem", "tale": "tale", "par": "par.", "question": "question",
}  # fmt: skip
_RANGES = {"lines": "ll.", "pages": "pp.", "pp": "pp.", "chapters": "chs.", "verses": "vv."}
_NAMES_OF_UNITS = "|".join(sorted(_UNITS, key=len, reverse=True))
_ROMAN_NUMERAL = r"(?=[ivxlcdm]+\b)(?:m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,4})(?:ix|iv|v?i{0,4}))(?<=\w)"
_NUMBER = rf"(?:{_ROMAN_NUMERAL}|\d+)\b"
_UNIT = re.compile(rf"({_NAMES_OF_UNITS})\.?\s+({_NUMBER})\.?", re.IGNORECASE)
_UNIT_RANGE = re.compile(rf"({'|'.join(_RANGES)})\.?\s+(\d+)\s?[-–]\s?(\d+)\b\.?", re.IGNORECASE)
# A number without a unit: `iv. 36` is book 4, number 36. Roman numerals only in lower case up to c; `c.` means circa.
_BARE = re.compile(rf"(?!c\.|\w*[dm])({_NUMBER})(?:\.|(?=,|;|$))")
_NEXT_UNIT = re.compile(rf"[.,;] (?=(?:{_NAMES_OF_UNITS})\.?\s+{_NUMBER})", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


def normalise_locator(printed: str) -> str:
    """Normalize `Act iii. Sc. 2` to `act 3, sc. 2` and `iv. 36` to `4.36`; what cannot be parsed is kept."""
    parts, rest = split_locator(printed)
    if "(" not in rest:
        rest = rest.removesuffix(")")
    return ", ".join([*parts, rest] if rest else parts).replace(", (", " (")


def split_locator(printed: str) -> tuple[list[str], str]:
    """Return the leading parts in normalized form, and the rest from the first that cannot be parsed."""
    rest = printed.strip().rstrip(".")
    parts: list[str] = []
    joins = False  # whether the last part is a bare number that the next one extends
    while rest:
        if match := _UNIT.match(rest):
            parts.append(f"{_UNITS[match[1].lower()]} {_arabic(match[2])}")
            joins = False
        elif match := _UNIT_RANGE.match(rest):
            parts.append(f"{_RANGES[match[1].lower()]} {match[2]}–{match[3]}")
            joins = False
        elif match := _BARE.match(rest):
            number = _arabic(match[1])
            if joins:
                parts[-1] += f".{number}"
            else:
                parts.append(number)
            joins = match[0].endswith(".")
        elif parts and (following := _NEXT_UNIT.search(rest)):
            # a name between two numbers: `Book v. The Winter Morning Walk. Line 187`
            parts.append(rest[: following.start()])
            rest = rest[following.end() :]
            joins = False
            continue
        else:
            return parts, rest
        rest = rest[match.end() :].strip(" ,;.")
    return parts, ""


def _arabic(number: str) -> str:
    if number.isdigit():
        return number
    values = [_ROMAN[letter] for letter in number.lower()]
    following = [*values[1:], 0]
    return str(sum(-value if value < after else value for value, after in zip(values, following, strict=True)))
