"""Search for links to pages and citations of references that an editor can insert into a text."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NotRequired, TypedDict

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from articles import citations
from articles.models import Article, Reference
from rlm_site.editor.states import STATES
from rlm_site.publishing.visibility import publication_state
from rlm_site.text.folding import fold_name

MAX_RESULTS = 8
_BRACKETS = re.compile(r"[\[\]|]")


class Choice(TypedDict):
    """An option of a listbox."""

    label: str
    detail: str
    text: str  # to insert
    target: NotRequired[str]  # of a link


def find_articles(query: str, articles: QuerySet[Article], now: datetime) -> list[Choice]:
    """Find topics and sections among these by title. Two queries."""
    names = articles.values_list("pk", "title", "parent__title").order_by("pk")
    ids = _best_matches(query, ((pk, title, above or "") for pk, title, above in names))
    rows = Article.objects.for_links().in_bulk(ids)
    return [_article_choice(rows[pk], now) for pk in ids if pk in rows]


def find_references(query: str) -> list[Choice]:
    """Find references by key, author or title. Two queries."""
    names = Reference.objects.values_list("pk", "key", "authors", "title").order_by("pk")
    ids = _best_matches(query, ((pk, authors or title, f"{title} {key}") for pk, key, authors, title in names))
    rows = Reference.objects.in_bulk(ids)
    return [_reference_choice(rows[pk]) for pk in ids if pk in rows]


def _best_matches(query: str, names: Iterable[tuple[int, str, str]]) -> list[int]:
    """Return ids of rows whose two names contain all words of the query; the first name counts more.

    Names are folded in Python, because databases fold some letters or none.
    """
    wanted = fold_name(query.replace("\0", ""))
    if not wanted:
        return []
    found = []
    for pk, first, second in names:
        folded = fold_name(first)
        both = f"{folded} {fold_name(second)}"
        if all(word in both for word in wanted.split()):
            found.append((not folded.startswith(wanted), f" {wanted}" not in f" {folded}", len(folded), folded, pk))
    return [pk for *_rank, pk in sorted(found)[:MAX_RESULTS]]


def _article_choice(row: Article, now: datetime) -> Choice:
    target = "#".join(_link_name(page) for page in (row.parent, row) if page)
    kind = _("Section of %(topic)s") % {"topic": row.parent.title} if row.parent else _("Topic")
    if not row.is_public(now):
        hidden = next(page for page in (row, row.parent) if page and publication_state(page, now) != "published")
        kind = f"{kind} · {STATES[publication_state(hidden, now)]}"
    shown = "" if _link_name(row) == row.title else f"|{_BRACKETS.sub('', row.title)}"
    return {"label": row.title, "detail": kind, "text": f"[[{target}{shown}]]", "target": target}


def _link_name(page: Article) -> str:
    """Return the title, or the slug if the title contains a character that would end the link."""
    return page.slug if "#" in page.title or _BRACKETS.search(page.title) else page.title


def _reference_choice(row: Reference) -> Choice:
    author = citations.names_in_note(row.authors)
    proposed = _("proposed") if row.proposed else ""
    detail = " · ".join(filter(None, [author, row.year, row.key, proposed]))
    return {"label": row.title, "detail": detail, "text": f"[@{row.key}, p. ]"}
