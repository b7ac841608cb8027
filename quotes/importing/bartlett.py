"""Parsing of sources, translators, dates and names as Bartlett's and similar collections print them. Pure functions.

What is not certain is not parsed: the importer keeps the original string and flags the quotation.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from quotes.attribution import normalise_locator, split_locator
from rlm_site.text.words import form, vocabulary


class Source(NamedTuple):
    """A work and the place in it."""

    title: str
    locator: str = ""
    authors: str = ""
    year: int | None = None


_COLLECTION_SOURCE = re.compile(
    r"(?P<authors>[^,()]+?)(?: \(eds?\.\))?, (?P<title>[^()]+?)(?:, [^,()]*\bed\.)? \((?:[^()]*\D)?(?P<year>\d{4})\)\.?"
)
_OWN_FORMAT = re.compile(r"(?P<source>[^()]+?), by (?P<authors>[^()]+?)(?: \((?P<year>\d{1,4})\))?\.?")


@lru_cache(maxsize=8192)
def parse_collection(printed: str) -> Source | None:
    """Parse `John Bartlett, Familiar Quotations, 9th ed. (Boston: Little, Brown, 1905)`, or a source in our own format:
    `History of Woman Suffrage, vol. 5, ch. 8, by Ida Husted Harper (1922)`."""
    text = " ".join(printed.split())
    if match := _OWN_FORMAT.fullmatch(text):
        title, comma, locator = match["source"].partition(", ")
        while comma and not split_locator(locator)[0]:
            more, comma, locator = locator.partition(", ")
            title = f"{title}, {more}"
        year = int(match["year"]) if match["year"] else None
        return Source(title, normalise_locator(locator), match["authors"], year)
    if match := _COLLECTION_SOURCE.fullmatch(text):
        return Source(match["title"], "", match["authors"], int(match["year"]))
    return None


# Works that a collection names by the number of a part alone.
_NAMED_BY_PART = {
    "maxim": "Maxims", "sonnet": "Sonnets", "fable": "Fables", "tale": "Tales", "frag.": "Fragments", "ode": "Odes",
    "epigr.": "Epigrams", "hymn": "Hymns", "song": "Songs", "letter": "Letters", "elegy": "Elegies", "sat.": "Satires",
}  # fmt: skip


_ENDS_IN_ABBREVIATION = re.compile(
    r"\b(?:Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec|[Cc]hap|[Vv]ol|[Nn]o|[Ss]t|Mrs?|Dr|[IVXL]+|\w)$"
)
_ENDS_IN_YEAR = re.compile(r"(.+?)\. \(?(1[4-9]\d\d)\.?\)?")


@lru_cache(maxsize=8192)
def parse_work(title: str, locator: str) -> Source:
    """Parse title and locator, also where the collection prints a locator as the title or at its end."""
    title = " ".join(title.split())
    place = normalise_locator(locator)
    if place or not title:
        return Source(title, place)
    if match := _ENDS_IN_YEAR.fullmatch(title):
        return Source(match[1], year=int(match[2]))  # `On Frederic the Great. 1842`
    leading, rest = split_locator(title)
    if leading and rest and not rest.startswith("("):
        return Source(rest, ", ".join(leading))  # `Book iii. Chap. ix. Of Vanity`
    if leading and not rest:
        return _named_by_part(leading) or Source(title)
    for stop in re.finditer(r"\. ", title):
        trailing, rest = split_locator(title[stop.end() :])
        if trailing and not rest and not _ENDS_IN_ABBREVIATION.search(title[: stop.start()]):
            return Source(title[: stop.start()], ", ".join(trailing))  # `Hymn on Christ's Nativity. Line 184`
    return Source(title)


def _named_by_part(parts: list[str]) -> Source | None:
    unit, _space, number = parts[-1].partition(" ")
    if unit not in _NAMED_BY_PART:
        return None
    return Source(_NAMED_BY_PART[unit], f"no. {number}" if len(parts) == 1 else ", ".join(parts))


@lru_cache(maxsize=8192)
def parse_scripture_place(printed: str) -> str:
    """Convert `lv. 21` to `55:21`, `ii. 11, 12` to `2:11–12`, `xxiv. 15; Mark xiii. 14` to `24:15; Mark 13:14`."""
    text = re.sub(
        r"\b([ivxlc]+)\. ?(\d+(?:, \d+)*)",
        lambda match: f"{normalise_locator(match[1])}:{_collapse_run(match[2])}",
        printed,
    )
    return text.rstrip(".")


def _collapse_run(numbers: str) -> str:
    values = [int(number) for number in numbers.split(", ")]
    if len(values) > 1 and values == list(range(values[0], values[0] + len(values))):
        return f"{values[0]}–{values[-1]}"
    return numbers


_FOOTNOTE = re.compile(r"_?\[\d+-\d+\](?:\s?_(?=\s|$|[A-Z]))?|_")
_NAME = r"(?:Mrs\. )?(?:[A-Z]\. ?)*(?:[A-Z][\w’'-]+ )*[A-Z][\w’'-]+"
_DEGREES = r"(?:, (?:[A-Z][a-z]?\. ?)+)?"
_TRANSLATED_BY = re.compile(
    rf"[Tt]ranslat(?:ion|ed)(?: used here is that)? (?:of|by) ({_NAME})(?:{_DEGREES},? and ({_NAME}))?"
)
_POSSESSIVE_TRANSLATION = re.compile(r"(\b[A-Z]\w+)'s [Tt]ranslation\b(?: of ([^,.]+))?")
_SURNAMES = {"Dryden": "John Dryden", "Cotton": "Charles Cotton", "Cary": "Henry Francis Cary"}


@lru_cache(maxsize=8192)
def parse_translator(printed: str, author: str = "", title: str = "") -> str:
    """Return the translator's name, or the empty string if the note may be about another work."""
    text = " ".join(_FOOTNOTE.sub(" ", printed).split())
    if re.fullmatch(_NAME, text):
        return text
    if match := _POSSESSIVE_TRANSLATION.search(text):
        translated = match[2]
        if translated and title and not _names_title(translated, author, title):
            return ""
        return _SURNAMES.get(match[1], "")
    if match := _TRANSLATED_BY.search(text):
        return " and ".join(name for name in match.groups() if name)
    return ""


def _names_title(work: str, author: str, title: str) -> bool:
    """Return whether the titles share a word that is not in the author's name: `Plutarch's Lives`, `Life of Cæsar`."""
    names = {form(word) for word in vocabulary(author)}
    return bool({form(word) for word in vocabulary(work)} & {form(word) for word in vocabulary(title)} - names)


_YEAR_AS_PRINTED = r"(\d{1,4})\s*\(?(\?)?\)?"


@lru_cache(maxsize=8192)
def parse_circa(printed_dates: str, born: int | None, died: int | None) -> tuple[bool, bool]:
    """Return whether birth and death are printed as uncertain: `Circa 1460-1529`, `46(?)-120(?) A. D`.

    Years that were corrected since are no longer in doubt.
    """
    numbers = re.findall(_YEAR_AS_PRINTED, printed_dates)
    if len(numbers) != 2:
        return False, False
    (first, first_doubt), (last, last_doubt) = numbers
    circa = printed_dates.strip().lower().startswith(("circa", "c.", "about"))
    return (
        born is not None and abs(born) == int(first) and bool(circa or first_doubt),
        died is not None and abs(died) == int(last) and bool(last_doubt),
    )


_PARTICLE = "(?:de|von|van|du|der|den|à|da|di|del)"
_SORT_RULES = (  # the first that fits
    (re.compile(r"(.+?) (\(.+\))"), r"{1} \2"),
    (re.compile(r"(.+), ((?:Duke|Earl|Marquis|Marquess|Viscount|Baron|Lord|Lady) of) (.+)"), r"\3, \1, \2"),
    (re.compile(r"(\S+), (Lord|Lady) (.+)"), r"\3, \1, \2"),
    (re.compile(r"(.+), ((?:Lord|Lady|the|Jr|Sr)\b.*)"), r"{1}, \2"),
    (re.compile(r"((?:Du|De|Von|Van|La|Le|St\.) .+)"), r"\1"),
    (re.compile(r"(.+) (\S+ of \S+)"), r"\2, \1"),
    (re.compile(rf"(.+?) ((?:{_PARTICLE} )*{_PARTICLE}) (.+)"), r"\3, \1 \2"),
    (re.compile(r"(.+) ((?:La|Le|Van|Von|Du|De|St\.) \S+)"), r"\2, \1"),
    (re.compile(r"(.+) (\S+)"), r"\2, \1"),
)


@lru_cache(maxsize=8192)
def sort_name(name: str, ancient: bool = False) -> str:
    """Return the sort name: `Goethe, Johann Wolfgang von`. Ancient names are sorted as printed."""
    plain = name.strip().replace("Æ", "Ae").replace("æ", "ae")
    if ancient or " and " in plain or re.fullmatch(r"[^,]+ the [A-Z]\w+", plain):
        return plain
    for pattern, sorted_as in _SORT_RULES:
        if match := pattern.fullmatch(plain):
            return match.expand(sorted_as.replace("{1}", sort_name(match[1]) if "{1}" in sorted_as else ""))
    return plain
