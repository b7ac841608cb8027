"""The printed attribution of a quotation, from its fields. Pure functions.

`Name (dates), description. [As quoted in] Work, locator[, by its authors] (year)`; an empty part is left out together
with its punctuation. Where the primary work is known, it alone is printed. Scripture names itself: `Version, Book 1:2`.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

_NUMBERS = re.compile(r"\d+")


class Place(NamedTuple):
    """A work and the place in it."""

    title: str
    locator: str = ""
    authors: str = ""
    year: int | None = None
    is_scripture: bool = False


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
    if source and source.is_scripture and not name:
        separator = " " if source.locator[:1].isdigit() else ", "
        return Attribution("", "", "", source.title, f"{separator}{source.locator}" if source.locator else "")
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
    if year_printed is not None and str(abs(year_printed)) not in _NUMBERS.findall(f"{title} {after_title}"):
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
    "c": "ch.", "n": "n.", "canto": "canto",
    "stanza": "st.", "st": "st.", "line": "l.", "epistle": "ep.", "ep": "ep.", "letter": "letter", "section": "sec.",
    "sect": "sec.", "sec": "sec.", "p": "p.", "page": "p.", "no": "no.", "number": "no.", "verse": "v.", "ode": "ode",
    "satire": "sat.", "sat": "sat.", "memb": "memb.", "subsect": "subsec.", "dialogue": "dialogue", "maxim": "maxim",
    "epigram": "epigr.", "epigr": "epigr.", "fable": "fable", "sonnet": "sonnet", "aphorism": "aph.",
    "elegy": "elegy", "night": "night",
    "song": "song", "hymn": "hymn", "emblem": "emblem", "tale": "tale", "par": "par.", "question": "question",
    "essay": "essay", "sermon": "sermon", "discourse": "discourse", "query": "query", "vision": "vision",
}  # fmt: skip
_RANGES = {"lines": "ll.", "pages": "pp.", "pp": "pp.", "chapters": "chs.", "verses": "vv."}
_NAMES_OF_UNITS = "|".join(sorted(_UNITS, key=len, reverse=True))
_ROMAN_NUMERAL = r"(?=[ivxlcdm]+\b)(?:m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,4})(?:ix|iv|v?i{0,4}))(?<=\w)"
_NUMBER = rf"(?:{_ROMAN_NUMERAL}|\d+)\b"
_UNIT = re.compile(rf"(?!c\. \d{{4}})({_NAMES_OF_UNITS})[.,]?\s+({_NUMBER})", re.IGNORECASE)  # `c. 1560` is a date
_UNIT_RANGE = re.compile(rf"({'|'.join(_RANGES)})\.?\s+(\d+)\s?[-–]\s?(\d+)\b", re.IGNORECASE)
_VERSE = re.compile(r"v\. \d{3,}\b")  # no work has so many parts
# A number without a unit: `iv. 36` is book 4, number 36. Roman numerals only in lower case up to c.
_BARE = re.compile(rf"(?!c$|\w*[dm])({_NUMBER})|[IVX]+")
_YEAR = re.compile(r"1[4-9]\d\d\b")
_FRONT_MATTER = re.compile(
    r"(?:The )?(?:Author's )?(?:Preface|Prologue|Epilogue|Introduction|Dedication|Conclusion)(?: to .+)?"
)
_ROMAN_IN_NAME = re.compile(rf"(?<![\w'’.-])(?![cl]\b|v\. [A-Z\d]|\w*[dm])({_ROMAN_NUMERAL})(?![\w'’-])")
_UNIT_IN_NAME = re.compile(rf"\b({_NAMES_OF_UNITS}|psalm)(\.?\s)({_ROMAN_NUMERAL})(?![\w'’])", re.IGNORECASE)
_MONTH = r"(?:Jan|Feb|Mar|March|Apr|April|May|June|July|Aug|Sept|Oct|Nov|Dec)"
_MONTH_NAME = re.compile(rf"{_MONTH}[a-z]*")
_ENDS_IN_DAY = re.compile(rf"{_MONTH}[a-z]*\.?(?: \d\d?)?$")
_MARK = re.compile(r"[()]|(?<!\bMr)(?<!\bMrs)(?<!\bDr)(?<!\bSt)(?<!\bJr)(?<!\b[A-HJ-UWYZ])\. |[,;] ")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


def normalise_locator(printed: str) -> str:
    """Normalize `Act iii. Sc. 2` to `act 3, sc. 2` and `iv. 36` to `4.36`; names are kept, with numbers in digits."""
    parts: list[str] = []
    extends = False  # whether the last part is a bare number
    for part in split_source(printed):
        if match := _UNIT.match(part):
            parts.append(f"{_UNITS[match[1].lower()]} {_arabic(match[2])}{arabic_numerals(part[match.end() :])}")
        elif match := _UNIT_RANGE.match(part):
            parts.append(f"{_RANGES[match[1].lower()]} {match[2]}–{match[3]}{part[match.end() :]}")
        elif not (match := _BARE.fullmatch(part)):
            parts.append(arabic_numerals(part))
        elif extends and not _YEAR.match(part):
            parts[-1] += f".{_arabic(part)}"
        else:
            parts.append(_arabic(part))
        extends = bool(match and match.re is _BARE)
    return ", ".join(parts).replace(", (", " (")


def arabic_numerals(text: str) -> str:
    """Write the numbers within a name in digits: `Introduction to Canto ii`, `Psalm CXIX`; kings keep theirs."""
    text = _UNIT_IN_NAME.sub(lambda match: f"{match[1]}{match[2]}{_arabic(match[3])}", text)
    return _ROMAN_IN_NAME.sub(lambda match: _arabic(match[1]), text)


def split_source(printed: str) -> list[str]:
    """Return the names and places of which a printed source consists, without the marks between them."""
    parts: list[str] = []
    start = depth = 0
    for found in _MARK.finditer(printed):
        if found[0] in "()":
            depth += 1 if found[0] == "(" else -1
        elif depth <= 0 and not _is_within(printed[start : found.start()], printed[found.end() : found.end() + 16]):
            parts.append(printed[start : found.start()])
            start = found.end()
    closed = (part if "(" in part else part.replace(")", "") for part in [*parts, printed[start:]])
    return [part for part in (part.strip(" .,;") for part in closed) if part]


def _is_within(before: str, after: str) -> bool:
    """Return whether a mark stands within a date, or between a unit and its number: `Dec. 22, 1802`, `Act. 2`."""
    *others, word = before.split(" ")
    if word.lower() in {*_UNITS, *_RANGES}:
        return bool(re.match(_NUMBER, after, re.IGNORECASE))
    if word == "v":
        is_versus = bool(others) and others[-1].lower().rstrip(".") not in _UNITS and after[:1].isupper()
        return is_versus or (not others and bool(re.match(r"\d{3}", after)))
    if _MONTH_NAME.fullmatch(word):
        return bool(re.match(r"\d", after))
    return bool(_YEAR.match(after) and _ENDS_IN_DAY.search(before))


def is_place(part: str) -> bool:
    """Return whether a part of a printed source says where in a work a passage stands, rather than what it is."""
    if _YEAR.fullmatch(part):
        return False
    is_number = _UNIT.match(part) or _UNIT_RANGE.match(part) or _VERSE.match(part) or _BARE.fullmatch(part)
    return bool(is_number or _FRONT_MATTER.fullmatch(part)) or arabic_numerals(part) != part


def _arabic(number: str) -> str:
    if number.isdigit():
        return number
    values = [_ROMAN[letter] for letter in number.lower()]
    following = [*values[1:], 0]
    return str(sum(-value if value < after else value for value, after in zip(values, following, strict=True)))
