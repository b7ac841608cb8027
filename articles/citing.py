"""Works in the forms in which they are cited: Chicago style, BibTeX, RIS, and tags of a page. Pure functions.

Names are taken apart as far as these forms need: family name, given names and suffix; an institution has one name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

_SUFFIX = re.compile(r"(?:jr|sr|[IVX]{2,4}|IV|V)\.?", re.IGNORECASE)
_OTHERS = re.compile(r"(?:^|[,\s])(?:et al|and others|и др|и другие|u\. ?a)\.?$", re.IGNORECASE)
_INSTITUTION = re.compile(
    r"\b(?:agency|archives?|association|board|centre|center|commission|committee|council|department|editors|editorial"
    r"|federation|foundation|government|group|institute?|library|ministry|museum|office|party|project|society|staff"
    r"|team|university|of|for|the)\b",
    re.IGNORECASE,
)
_CONJUNCTION = re.compile(r",?\s(?:and|und|et|и|та|i|a)\s|\s?&\s?")
_NUMBERED = {
    "volume": re.compile(r"vol\.?\s*(\d[\w/–-]*)"),
    "number": re.compile(r"no\.?\s*(\d[\w/–-]*)"),
    "pages": re.compile(r"(?:pp?\.?|pages?)\s*(\d[\w/–-]*)"),
}
_DAY = re.compile(r"\b(\d{1,2}) ([A-Z][a-z]+) (\d{4})\b|\b(\d{4})-(\d\d)-(\d\d)\b")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Name(NamedTuple):
    """A person, or an institution, which has a `family` alone."""

    family: str
    given: str = ""
    suffix: str = ""

    @property
    def plain(self) -> str:
        return " ".join(filter(None, (self.given, self.family, self.suffix)))

    @property
    def inverted(self) -> str:
        return ", ".join(filter(None, (self.family, self.given, self.suffix)))


class People(NamedTuple):
    """Several people, and whether there are others who are not named."""

    names: tuple[Name, ...] = ()
    others: bool = False


NOBODY = People()


@dataclass(frozen=True)
class Work:
    """What is cited. `kind` is one of those of references; `version` is of a page of this site."""

    key: str
    kind: str
    title: str
    authors: People = NOBODY
    editors: People = NOBODY
    container: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    details: str = ""  # what of them is neither volume, number nor pages
    publisher: str = ""
    place: str = ""
    year: str = ""
    day: date | None = None
    version: int = 0
    url: str = ""
    accessed: date | None = None
    isbn: str = ""
    doi: str = ""
    note: str = ""
    language: str = ""
    rights: str = ""


# Names


def people(text: str) -> People:
    """Read names of authors as references have them: family name first, semicolons between them.

    >>> people("King, Martin Luther, Jr.; et al.")
    People(names=(Name(family='King', given='Martin Luther', suffix='Jr.'),), others=True)
    """
    names: list[Name] = []
    others = False
    for part in text.split(";"):
        named, found = _without_others(part.strip())
        others = others or found
        if named:
            names.append(_listed(named))
    return People(tuple(names), others)


def people_in_line(text: str) -> People:
    """Read names as a byline has them: `Ann Arden, Tim van der Moss and Eve Low, Jr.`, or as `people` does."""
    text, others = _without_others(" ".join(text.split()))
    pieces = [piece.strip() for piece in text.split(",")]
    inverted = len(pieces) == 2 and not _CONJUNCTION.search(text) and any(" " not in piece for piece in pieces)
    if ";" in text or (inverted and not _SUFFIX.fullmatch(pieces[1])):
        found = people(text)
        return found._replace(others=found.others or others)
    if not text or (_INSTITUTION.search(text) and "," not in text):
        return People((Name(text),) if text else (), others)
    names: list[Name] = []
    for piece in filter(None, (part.strip() for part in _CONJUNCTION.sub(",", text).split(","))):
        if names and _SUFFIX.fullmatch(piece):
            names[-1] = names[-1]._replace(suffix=piece)
        else:
            names.append(_spoken(piece))
    return People(tuple(names), others)


def _without_others(text: str) -> tuple[str, bool]:
    shorter = _OTHERS.sub("", text)
    return shorter.rstrip(" ,"), shorter != text


def _listed(text: str) -> Name:
    """Read `Arden, Ann`, `King, Martin Luther, Jr.`, the same with `Jr.` elsewhere, or an institution."""
    family, *rest = [piece.strip() for piece in text.split(",")]
    suffix = next((piece for piece in rest if _SUFFIX.fullmatch(piece)), "")
    rest = [piece for piece in rest if piece and piece != suffix]
    before, _space, last = family.rpartition(" ")
    if before and rest and not suffix and _SUFFIX.fullmatch(last):
        family, suffix = before, last
    if not rest and suffix:
        return _spoken(family)._replace(suffix=suffix)
    return Name(family, ", ".join(rest), suffix)


def _spoken(text: str) -> Name:
    """Read `Ann Arden`, `Tim van der Moss` or an institution."""
    words = text.split()
    suffix = words.pop() if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else ""
    if len(words) < 2 or _INSTITUTION.search(text):
        return Name(text)
    start = len(words) - 1
    while start > 1 and words[start - 1][0].islower():
        start -= 1
    return Name(" ".join(words[start:]), " ".join(words[:start]), suffix)


def in_note(who: People) -> str:
    """Format people as a note does: `Ann Arden, Eve Low and Tim Moss`, `Martin Luther King Jr. et al.`"""
    names = [name.plain for name in who.names]
    return f"{', '.join(names)} {_('et al.')}" if who.others else _joined(names, _(" and "))


def in_list(who: People) -> str:
    """Format people as a bibliography does: `Arden, Ann, and Tim Moss`, `King, Martin Luther, Jr., et al.`"""
    first, *others = who.names or (Name(""),)
    names = [first.inverted, *(name.plain for name in others)]
    return (
        ", ".join([*names, _("et al.")]) if who.others else _joined(names, _(", and ") if first.given else _(" and "))
    )


def _joined(names: list[str], conjunction: str) -> str:
    return conjunction.join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


# Chicago style


def chicago(work: Work) -> SafeString:
    """Format a page of this site as an entry of a bibliography, with the permanent address of its version."""
    author = in_list(work.authors)
    dated = [_("Version %(number)s") % {"number": work.version}, *_in_words(work.day)]
    editors = in_note(work.editors)
    return format_html(
        "{}“{}.” {}. {}. {}{}.",
        f"{author}{'' if author.endswith('.') else '.'} " if author else "",
        work.title.translate({ord("“"): "‘", ord("”"): "’"}),
        format_html(
            _("In {}, edited by {}") if editors else _("In {}"), format_html("<cite>{}</cite>", work.container), editors
        ),
        ", ".join(dated),
        "".join(_("Accessed %(date)s. ") % {"date": day} for day in _in_words(work.accessed)),
        format_html('<span class="address">{}</span>', work.url),
    )


def _in_words(day: date | None) -> list[str]:
    return [formats.date_format(day, "j F Y")] if day else []


# BibTeX

_BIBTEX_TYPES = {
    "book": "book", "article": "article", "chapter": "incollection", "thesis": "phdthesis", "document": "misc",
    "newspaper": "article", "web": "misc", "memoir": "book", "encyclopedia": "incollection",
}  # fmt: skip
_BIBTEX_CONTAINERS = {"book": "series", "article": "journal", "incollection": "booktitle", "misc": "howpublished"}
_BIBTEX_SIGNS = str.maketrans({
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "{": "(", "}": ")",
    **{sign: rf"\{sign}" for sign in "&%$#_"},
})  # fmt: skip


def bibtex(works: Iterable[Work]) -> str:
    """Write works as a BibTeX file in UTF-8."""
    return "\n".join(_bibtex_entry(work) for work in works)


def _bibtex_entry(work: Work) -> str:
    kind = _BIBTEX_TYPES[work.kind]
    if kind == "phdthesis" and re.search(r"\b(?:master|MA|MSc|MPhil)\b", work.details):
        kind = "mastersthesis"
    year, month, day = _date_of(work)
    fields = {
        "author": _bibtex_people(work.authors),
        "editor": _bibtex_people(work.editors),
        "title": _escaped(work.title),
        _BIBTEX_CONTAINERS.get(kind, "series"): _escaped(work.container),
        "volume": _escaped(work.volume),
        "number": _escaped(work.number),
        "pages": _escaped(work.pages.replace("–", "--")),
        "school" if "thesis" in kind else "publisher": _escaped(work.publisher),
        "type" if "thesis" in kind else "titleaddon": _escaped(work.details),
        "address": _escaped(work.place),
        "year": _escaped(year),
        "month": _MONTHS[int(month) - 1] if month else "",
        "day": day.lstrip("0"),
        "isbn": work.isbn,
        "doi": work.doi,
        "url": work.url.replace("{", "%7B").replace("}", "%7D"),
        "urldate": work.accessed.isoformat() if work.accessed else "",
        "language": work.language,
        "note": _escaped(_note(work)),
    }
    lines = [
        f"  {name} = {value}," if name == "month" else f"  {name} = {{{value}}},"
        for name, value in fields.items()
        if value
    ]
    return "\n".join([f"@{kind}{{{work.key},", *lines, "}", ""])


def _bibtex_people(who: People) -> str:
    names = [_bibtex_name(name) for name in who.names]
    return " and ".join([*names, "others"] if who.others and names else names)


def _bibtex_name(name: Name) -> str:
    if not name.given:
        return f"{{{_escaped(name.plain)}}}"
    return ", ".join(_escaped(part) for part in (name.family, name.suffix, name.given) if part)


def _escaped(text: str) -> str:
    return " ".join(text.split()).translate(_BIBTEX_SIGNS)


# RIS

_RIS_TYPES = {
    "book": "BOOK", "article": "JOUR", "chapter": "CHAP", "thesis": "THES", "document": "GEN", "newspaper": "NEWS",
    "web": "ELEC", "memoir": "BOOK", "encyclopedia": "ENCYC",
}  # fmt: skip


def ris(works: Iterable[Work]) -> str:
    """Write works as an RIS file in UTF-8; the order of its tags is free but for the first and the last."""
    return "".join(_ris_record(work) for work in works)


def _ris_record(work: Work) -> str:
    first, _dash, last = work.pages.partition("–")
    year, month, day = _date_of(work)
    lines: list[tuple[str, str]] = [
        ("TY", _RIS_TYPES[work.kind]),
        *(("AU", name.inverted) for name in work.authors.names),
        *(("A2", name.inverted) for name in work.editors.names),
        ("TI", work.title),
        ("T2", work.container),
        ("VL", work.volume),
        ("IS", work.number),
        ("SP", first),
        ("EP", last),
        ("M3", work.details),
        ("PB", work.publisher),
        ("CY", work.place),
        ("PY", year),
        ("DA", f"{year}/{month}/{day}/" if day else ""),
        ("ET", _("Version %(number)s") % {"number": work.version} if work.version else ""),
        ("SN", work.isbn),
        ("DO", work.doi),
        ("UR", work.url),
        ("Y2", f"{work.accessed:%Y/%m/%d}/" if work.accessed else ""),
        ("LA", work.language),
        ("N1", work.note),
        ("ID", work.key),
    ]
    written = [f"{tag}  - {' '.join(value.split())}" for tag, value in lines if value]
    return "\r\n".join([*written, "ER  - ", "", ""])


def _date_of(work: Work) -> tuple[str, str, str]:
    """Return year, month and day in figures; the latter are empty where the day is not known."""
    if work.day:
        return str(work.day.year), f"{work.day.month:02}", f"{work.day.day:02}"
    return work.year, "", ""


def _note(work: Work) -> str:
    version = _("Version %(number)s") % {"number": work.version} if work.version else ""
    return ". ".join(filter(None, (version, work.note)))


# Tags in the head of a page

# The names that Zotero's page on exposing metadata and its translator for embedded metadata give to the fields that
# they read: those of Highwire Press, and where these have no word of their own, of Dublin Core and PRISM.
TAGS = frozenset(
    "citation_title citation_author citation_editor citation_publication_date citation_publisher citation_language "
    "citation_public_url citation_fulltext_html_url citation_abstract dc.type dc.rights prism.publicationName "
    "prism.edition".split()
)


def meta_tags(work: Work, abstract: str = "") -> list[tuple[str, str]]:
    """Return name and content of the tags by which Zotero takes a page as an article of a reference work."""
    found = [
        ("citation_title", work.title),
        *(("citation_author", name.inverted) for name in work.authors.names),
        *(("citation_editor", name.inverted) for name in work.editors.names),
        ("citation_publication_date", f"{work.day:%Y/%m/%d}" if work.day else work.year),
        ("citation_publisher", work.publisher),
        ("citation_language", work.language),
        ("citation_public_url", work.url),
        ("citation_fulltext_html_url", work.url),
        ("citation_abstract", abstract),
        # Highwire Press has journals and books, but no reference works.
        ("dc.type", "encyclopediaArticle"),
        ("dc.rights", work.rights),
        ("prism.publicationName", work.container),
        ("prism.edition", _("Version %(number)s") % {"number": work.version} if work.version else ""),
    ]
    return [(name, content) for name, content in found if content]


# Details of references, which are one line


def day_in(text: str) -> date | None:
    """Return the day that a line names: `18 February 1978`, `2026-05-04`."""
    if not (found := _DAY.search(text)):
        return None
    day, month, year, *iso = found.groups()
    try:
        if year:
            return date(int(year), _MONTHS.index(month[:3].lower()) + 1, int(day))
        return date(*(int(part) for part in iso))
    except ValueError:
        return None


def details_in(text: str) -> dict[str, str]:
    """Return volume, number and pages out of a line such as `vol. 4, no. 2, pp. 11–38`, and the rest as `details`."""
    found, rest = {}, []
    for piece in filter(None, (part.strip() for part in text.split(","))):
        for name, pattern in _NUMBERED.items():
            if name not in found and (match := pattern.fullmatch(piece)):
                found[name] = match[1].replace("-", "–") if name == "pages" else match[1]
                break
        else:
            rest.append(piece)
    return {**found, "details": ", ".join(rest)}


def editors_in(container: str) -> tuple[str, People]:
    """Return the title of a collection and its editors: `History and Memory, ed. Eve Low`."""
    title, comma, names = container.rpartition(", ed. ") if ", ed. " in container else container.rpartition(", eds. ")
    return (title, people_in_line(names)) if comma else (container, NOBODY)
