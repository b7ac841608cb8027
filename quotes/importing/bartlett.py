"""Parsing of sources, translators, dates and names as Bartlett's and similar collections print them. Pure functions.

What is not certain is not parsed: the importer keeps the original string and flags the quotation.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from quotes.attribution import arabic_numerals, is_place, normalise_locator, split_source
from rlm_site.text.folding import fold_name
from rlm_site.text.words import form, vocabulary


class Source(NamedTuple):
    """A work and the place in it."""

    title: str
    locator: str = ""
    authors: str = ""
    year: int | None = None
    year_said: int | None = None  # printed after the place


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
        while comma and not is_place(split_source(locator)[0]):
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
    "aph.": "Aphorisms", "sermon": "Sermons", "essay": "Essays", "discourse": "Discourses",
}  # fmt: skip

_IN_BRACKETS = re.compile(r"\s*(?:\(([^()]*)\)|\[[^][]*\])")
_REMARK = re.compile(r"\b(?:[Ee]d|[Ee]dition|[Rr]eprint|From|Imitated|Translat\w*|Trans|Said|When|British)\b|^[a-z]|\d")
_YEAR = re.compile(r"\b(1[4-9]\d\d)\b")
_SPACED = re.compile(r" (?='(?:s|ll|re|ve|d)\b)|(?<='[Tt]) (?=(?:is|was|were|will)\b)")  # `Here 's`, `'T is`
_QUOTED = re.compile(r'"([^"]*?)([.,]?)"')


@lru_cache(maxsize=8192)
def parse_work(title: str, locator: str) -> Source:
    """Parse the source of a passage, which may begin or end with the place, and have remarks and a year in brackets."""
    printed, year = _without_remarks(" ".join(". ".join(filter(None, (title, locator))).split()).strip(" —–"))
    parts = split_source(printed)
    if parts[1:2] == parts[:1]:
        parts = parts[1:]
    said = None
    if len(parts) > 1 and _YEAR.fullmatch(parts[-1]):  # `Life of Johnson (Boswell). Vol. v. Chap. ix. 1763`
        said = int(parts.pop())
    if years := [part for part in parts[1:] if _YEAR.fullmatch(part)]:  # `Euphues, 1579, page 39`
        year = year or int(years[-1])
        parts.remove(years[-1])
    places = [is_place(part) for part in parts]
    if not any(places):
        year, said = year or said, None  # `On Frederic the Great. 1842`
    leading = places.index(False) if False in places else len(parts)  # `Book iii. Chap. ix. Of Vanity`
    end = places.index(True, leading) if True in places[leading:] else len(parts)
    place = normalise_locator(". ".join(parts[:leading] + parts[end:]))
    if leading == len(parts):
        return _named_by_part(parts, place)._replace(year=year, year_said=said)
    return Source(_joined_as_printed(parts[leading:end], printed), place, year=year, year_said=said)


def _without_remarks(printed: str) -> tuple[str, int | None]:
    """Remove editions, translations and dates in brackets, but not a name, and return the year if they have one."""
    years = {int(year) for remark in _IN_BRACKETS.findall(printed) for year in _YEAR.findall(remark)}

    def kept(match: re.Match[str]) -> str:
        remark = (match[1] or "").rstrip(".")
        return "" if not remark or _REMARK.search(remark) else f" ({remark})"

    text = _QUOTED.sub(r"“\1”\2", _IN_BRACKETS.sub(kept, printed)).strip(" .")
    text = _SPACED.sub("", text).replace("OE", "Œ")
    text = re.sub(r"(?<=[!?]) (?=1[4-9]\d\d$)", ". ", text)  # `Woodman, spare that Tree! 1830`
    return re.sub(r"\.? \(", " (", text), years.pop() if len(years) == 1 else None


def _joined_as_printed(parts: list[str], printed: str) -> str:
    start = printed.index(parts[0])
    end = start
    for part in parts:
        end = printed.index(part, end) + len(part)
    return printed[start].upper() + printed[start + 1 : end]


def _named_by_part(parts: list[str], place: str) -> Source:
    """Return the source of a passage whose work is named by a number, or not at all."""
    units = [part for part in place.split(", ") if part.partition(" ")[0] in _NAMED_BY_PART]
    if units:
        unit, _space, number = units[-1].partition(" ")
        return Source(_NAMED_BY_PART[unit], f"no. {number}" if place == units[-1] else place)
    if (place and place[0].islower()) or place[:1].isdigit():
        return Source("Works", place)
    return Source(arabic_numerals(parts[0]) if parts else "", normalise_locator(". ".join(parts[1:])))


_VERSIONS = {"King James Version": "KJV"}
_BOOKS = {"Psalm": "Psalms", "The Song of Solomon": "Song of Solomon"}
_PSALTER = re.compile(r"The Psalter\. Psalm ([ivxlc]+\. \d+)")


@lru_cache(maxsize=8192)
def parse_scripture(printed: str, book: str, place: str) -> Source:
    """Parse `The Bible (King James Version)`, `Psalm`, `lv. 21` to `The Bible (KJV), Psalms` and `55:21`."""
    title, _bracket, version = printed.removesuffix(")").partition(" (")
    version = f" ({_VERSIONS.get(version, version)})" if version else ""
    return Source(", ".join(filter(None, (title + version, _BOOKS.get(book, book)))), parse_scripture_place(place))


def parse_liturgy(printed: str, part: str) -> Source:
    """Parse a service book and the part of it, which is a name or a verse of its psalter."""
    if psalm := _PSALTER.fullmatch(part):
        return parse_scripture(printed, "Psalm", psalm[1])
    return Source(printed, normalise_locator(part))


@lru_cache(maxsize=8192)
def parse_scripture_place(printed: str) -> str:
    """Convert `lv. 21` to `55:21`, `ii. 11, 12` to `2:11–12`, `xxiv. 15; Mark xiii. 14` to `24:15; Mark 13:14`."""
    text = re.sub(
        r"\b([ivxlc]+)\. ?(\d+(?:, \d+)*)",
        lambda match: f"{normalise_locator(match[1])}:{_collapse_run(match[2])}",
        printed,
    )
    return re.sub(r"[().]", "", text)


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


_NAME_REMARK = re.compile(r"(.+?),? \(([^()]+)\)")


@lru_cache(maxsize=8192)
def parse_name(printed: str) -> tuple[str, str]:
    """Return a name and the person's other name, if any, without remarks: `Burton (quoting an old poet)` is Burton."""
    name, other = " ".join(printed.split()).strip(" ,;:—–"), ""
    if match := _NAME_REMARK.fullmatch(name):
        name, other = match[1], match[2] if match[2][0].isupper() else ""
    name = re.sub(r"\((\w+)\)", r"\1", name)  # `Mrs. (David) Porter`
    if re.search(r"\b(?:[A-Z]|Jr|Sr|Esq)$", name):
        return f"{name}.", other
    return re.sub(r"(?<!\bJr)(?<!\bSr)(?<!\bEsq)(?<!\b[A-Z])\.$", "", name), other


_TITLES = {"sir", "lord", "lady", "mr", "mrs", "dr", "bishop", "saint"}


def name_parts(name: str) -> tuple[list[str], str]:
    """Return the given names and the surname, folded and without titles, stops and what follows a comma."""
    words = [word.strip(".") for word in fold_name(name.partition(",")[0].replace(".", ". ")).split()]
    *given, surname = [word for word in words if word not in _TITLES] or [""]
    return given, surname


def is_short_for(short: str, full: str) -> bool:
    """Return whether a bare surname, or one with initials, may be short for a fuller name: `B. Franklin`."""
    given, surname = name_parts(short)
    full_given, full_surname = name_parts(full)
    if surname != full_surname or given == full_given or (given and not full_given):
        return False
    rest = iter(full_given)
    fits = all(any(name == each or (len(each) == 1 and name[0] == each) for name in rest) for each in given)
    return fits and (not given or given[0][0] == full_given[0][0])


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
