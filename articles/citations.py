"""References that texts cite, and their formatting for notes and for the bibliography."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from articles.models import Reference


def cited_by(keys: Iterable[str]) -> QuerySet[Reference]:
    """Return the references with these keys, as they stand in a parsed text: in small letters."""
    return Reference.objects.alias(folded=Lower("key")).filter(folded__in=list(keys))


def names_in_note(authors: str) -> str:
    """Format `Arden, Ann; Moss, Tim` as `Ann Arden and Tim Moss`."""
    names = []
    for author in filter(None, (part.strip() for part in authors.split(";"))):
        family, _comma, given = author.partition(",")
        names.append(f"{given.strip()} {family.strip()}".strip())
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def in_note(reference: Reference) -> SafeString:
    """Format a reference for a note, with `{place}` for the place cited. Ends with a full stop."""
    author = names_in_note(reference.authors)
    return format_html(
        "{}{}{}{}{{place}}{}.",
        f"{author}, " if author else "",
        _title(reference),
        format_html(", {}", reference.container) if reference.container else "",
        _published(reference),
        f" ({reference.note})" if reference.note else "",
    )


def in_bibliography(reference: Reference) -> SafeString:
    """Format a reference for the bibliography: author first, then all details."""
    identifiers = [
        ("ISBN ", reference.isbn),
        ("doi ", reference.doi),
        ("accessed ", reference.accessed),
    ]
    return format_html(
        "{}{}{}{}{}{}{}",
        f"{reference.authors.rstrip('.')}. " if reference.authors else "",
        _title(reference),
        format_html(". {}", reference.container) if reference.container else "",
        _published(reference),
        ".",
        format_html_join("", " {}{}.", ((label, value) for label, value in identifiers if value)),
        f" {reference.note[:1].upper()}{reference.note[1:]}." if reference.note else "",
    )


def _title(reference: Reference) -> SafeString:
    """Format the title: italic for independent works, quotation marks for parts of one, with a link if online."""
    part = bool(reference.container) and reference.kind not in {Reference.Kind.BOOK, Reference.Kind.MEMOIR}
    # quotation marks within quotation marks become single ones
    inner = reference.title.translate({ord("“"): "‘", ord("”"): "’"}) if part else reference.title
    title = format_html("“{}”" if part else "<em>{}</em>", inner)
    if reference.language != settings.SITE_LANGUAGE:
        title = format_html('<span lang="{}">{}</span>', reference.language, title)
    address = reference.url or (f"https://doi.org/{reference.doi}" if reference.doi else "")
    return format_html('<a href="{}">{}</a>', address, title) if address else title


def _published(reference: Reference) -> str:
    """Format `, vol. 5 (Cambridge: Cambridge University Press, 1987)` without missing details."""
    printer = ": ".join(filter(None, [reference.place, reference.publisher]))
    imprint = ", ".join(filter(None, [printer, reference.year]))
    return (f", {reference.details}" if reference.details else "") + (f" ({imprint})" if imprint else "")
