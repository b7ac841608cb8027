"""References that texts cite, and their formatting for notes and for the bibliography."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles import citing
from articles.models import Reference
from rlm_site.text.folding import fold
from rlm_site.text.slugs import reverse

MOST_NAMED = 3  # authors of a work in its short name
SIGN = "°"  # after a work that the editors did not read themselves, or only in extract
SIGN_ID = "site_sign"  # of its explanation on the page about the site
_SIGNED: dict[str, Any] = {
    Reference.Consulted.EXTRACT: gettext_lazy("consulted in extract"),
    Reference.Consulted.INDIRECTLY: gettext_lazy("consulted as cited by others"),
}
_DATED = {Reference.Kind.NEWSPAPER, Reference.Kind.WEB, Reference.Kind.ARTICLE, Reference.Kind.DOCUMENT}


def cited_by(keys: Iterable[str]) -> QuerySet[Reference]:
    """Return the references with these keys, as they stand in a parsed text: in small letters."""
    return Reference.objects.alias(folded=Lower("key")).filter(folded__in=list(keys))


def names_in_note(authors: str) -> str:
    """Format `Arden, Ann; Moss, Tim` as `Ann Arden and Tim Moss`."""
    return citing.in_note(citing.people(authors))


def in_note(reference: Reference) -> SafeString:
    """Format a reference for a note, with `{place}` for the place cited. Ends with a full stop."""
    author = names_in_note(reference.authors)
    return format_html(
        "{}{}{}{}{}{{place}}{}.",
        f"{author}, " if author else "",
        _title(reference),
        format_html(", {}", reference.container) if reference.container else "",
        _published(reference),
        _sign(reference),
        f" ({reference.note})" if reference.note else "",
    )


def short_names(references: Collection[Reference], *, dated: bool = False) -> dict[str, SafeString]:
    """Name each work as shortly as tells it from the others, by its key; `dated` with its year.

    By its authors, else with the year, else with the first part of the title, else with the whole of it.
    """
    found: dict[str, SafeString] = {}
    forms: tuple[Callable[[Reference], SafeString], ...] = (_by_authors, _with_year, _with_title, _with_whole_title)
    for form in forms[dated:]:
        names = {reference.key: form(reference) for reference in references if reference.key not in found}
        times = Counter(form(reference) for reference in references)
        found |= {key: name for key, name in names.items() if times[name] == 1 or form is _with_whole_title}
    return found


def in_later_note(reference: Reference, name: SafeString) -> SafeString:
    """Format a short name for a note, with `{place}` for the place cited. Ends with a full stop."""
    return format_html("{}{}{{place}}.", name, _sign(reference))


def in_line(reference: Reference, name: SafeString) -> SafeString:
    """Format a short name as a link to the bibliography, with `{place}` for the place cited."""
    address = reverse("articles:references")
    return format_html('<a href="{}#{}">{}</a>{}{{place}}', address, reference.key, name, _sign(reference))


def _sign(reference: Reference) -> SafeString:
    """Return the sign of a work that was consulted in extract or indirectly, as a link to what it means; else nothing.

    The one sign is announced, and shown as a hint, in words.
    """
    told = _SIGNED.get(reference.consulted)
    if told is None:
        return SafeString("")
    address = f"{reverse('about')}#{SIGN_ID}"
    return format_html('<a class="sign" href="{}" aria-label="{}" title="{}">{}</a>', address, told, told, SIGN)


def _families(authors: str) -> str:
    """Format `Arden, Ann; Moss, Tim` as `Arden and Moss`."""
    who = citing.people(authors)
    families = tuple(citing.Name(name.family) for name in who.names)
    if len(families) > MOST_NAMED or (who.others and families):
        return _("%(author)s and others") % {"author": families[0].plain}
    return citing.in_note(citing.People(families))


def _by_authors(reference: Reference) -> SafeString:
    return format_html("{}", _families(reference.authors) or _styled_title(reference, _first_part(reference.title)))


def _with_year(reference: Reference) -> SafeString:
    if not reference.year:
        return _by_authors(reference)
    return format_html("{} {}" if _families(reference.authors) else "{} ({})", _by_authors(reference), reference.year)


def _with_title(reference: Reference) -> SafeString:
    title = _styled_title(reference, _first_part(reference.title))
    return format_html("{}, {}", families, title) if (families := _families(reference.authors)) else title


def _with_whole_title(reference: Reference) -> SafeString:
    families = _families(reference.authors)
    title = _styled_title(reference, reference.title)
    return format_html("{}{}{}", f"{families}, " if families else "", title, _published(reference))


def _first_part(title: str) -> str:
    """Return a title without what follows its colon: `Weirs of the Yarle: A Survey` is `Weirs of the Yarle`."""
    return title.partition(": ")[0]


def in_bibliography(reference: Reference) -> SafeString:
    """Format a reference for the bibliography: author first, then all details."""
    author = citing.in_list(citing.people(reference.authors))
    identifiers = [
        ("ISBN ", reference.isbn),
        ("doi ", reference.doi),
        ("accessed ", reference.accessed),
    ]
    return format_html(
        "{}{}{}{}{}{}{}{}",
        f"{author.rstrip('.')}. " if author else "",
        _title(reference),
        format_html(". {}", reference.container) if reference.container else "",
        _published(reference),
        ".",
        format_html_join("", " {}{}.", ((label, value) for label, value in identifiers if value)),
        f" {reference.note[:1].upper()}{reference.note[1:]}." if reference.note else "",
        _sign(reference),
    )


def _title(reference: Reference) -> SafeString:
    """Format the title, with a link if the work is online."""
    title = _styled_title(reference, reference.title)
    address = reference.url or (f"https://doi.org/{reference.doi}" if reference.doi else "")
    return format_html('<a href="{}">{}</a>', address, title) if address else title


def _styled_title(reference: Reference, title: str) -> SafeString:
    """Format a title or its first part: italic for independent works, in quotation marks for parts of one."""
    part = bool(reference.container) and reference.kind not in {Reference.Kind.BOOK, Reference.Kind.MEMOIR}
    # quotation marks within quotation marks become single ones
    inner = title.translate({ord("“"): "‘", ord("”"): "’"}) if part else title
    styled = format_html("“{}”" if part else "<em>{}</em>", inner)
    if reference.language != settings.SITE_LANGUAGE:
        styled = format_html('<span lang="{}">{}</span>', reference.language, styled)
    return styled


def _published(reference: Reference) -> str:
    """Format `, vol. 5 (Cambridge: Cambridge University Press, 1987)` without missing details."""
    printer = ": ".join(filter(None, [reference.place, reference.publisher]))
    imprint = ", ".join(filter(None, [printer, reference.year]))
    return (f", {reference.details}" if reference.details else "") + (f" ({imprint})" if imprint else "")


# The bibliography


class Group(NamedTuple):
    """A group of the bibliography; `told` says what a reader may expect of its works."""

    slug: str
    title: str
    told: str
    kinds: frozenset[str]


def groups() -> tuple[Group, ...]:
    kind = Reference.Kind
    return (
        Group("documents", _("Documents"), _("Papers of the time, and editions of them."), frozenset({kind.DOCUMENT})),
        Group(
            "scholarship",
            _("Scholarship"),
            _("Books, articles, theses and works of reference."),
            frozenset({kind.BOOK, kind.ARTICLE, kind.CHAPTER, kind.THESIS, kind.ENCYCLOPEDIA}),
        ),
        Group("memoirs", _("Memoirs"), _("Told by those who were there."), frozenset({kind.MEMOIR})),
        Group(
            "press-and-web",
            _("Press and web"),
            _("Newspapers, magazines and web pages."),
            frozenset({kind.NEWSPAPER, kind.WEB}),
        ),
    )


def grouped(references: Iterable[Reference]) -> list[tuple[Group, list[Reference]]]:
    """Return the groups that have any of these works, each by author; what has none stands by its title."""
    rows = sorted(references, key=lambda row: (*_sorted_by(row), row.year, row.pk or 0))
    found = [(group, [row for row in rows if row.kind in group.kinds]) for group in groups()]
    return [(group, of_group) for group, of_group in found if of_group]


def _sorted_by(reference: Reference) -> tuple[str, str]:
    author = citing.in_list(citing.people(reference.authors))
    title = re.sub(r"^(?:The|An?)\s|^\W+", "", reference.title)
    return fold(author or title), fold(title)


def as_work(reference: Reference) -> citing.Work:
    """Return the reference for programs that keep citations, with the details of its one line taken apart."""
    container, editors = citing.editors_in(reference.container)
    details = citing.details_in(reference.details)
    if reference.kind in {Reference.Kind.BOOK, Reference.Kind.MEMOIR} and details["details"].isdecimal():
        details = {"volume": details["details"]}  # of its series
    day = citing.day_in(reference.details) if reference.kind in _DATED else None
    if day and citing.day_in(details.get("details", "")):
        details["details"] = ""
    accessed = citing.day_in(reference.accessed)
    told = _("accessed %(date)s") % {"date": reference.accessed} if reference.accessed and not accessed else ""
    return citing.Work(
        key=reference.key,
        kind=reference.kind,
        title=reference.title,
        authors=citing.people(reference.authors),
        editors=editors,
        container=container,
        volume=details.get("volume", ""),
        number=details.get("number", ""),
        pages=details.get("pages", ""),
        details=details.get("details", ""),
        publisher=reference.publisher,
        place=reference.place,
        year=reference.year,
        day=day,
        url=reference.url,
        accessed=accessed,
        isbn=reference.isbn,
        doi=reference.doi,
        note="; ".join(filter(None, (reference.note, told, str(_SIGNED.get(reference.consulted, ""))))),
        language=reference.language,
    )
