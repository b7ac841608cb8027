"""What an editor puts into a text by search: links to pages, and citations of references."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from articles import citations
from articles.models import Article, Reference
from rlm_site.editor.states import STATES
from rlm_site.publishing.schedule import publication_state
from rlm_site.text.folding import fold_name

MOST = 8
_BRACKETS = re.compile(r"[\[\]|]")

Choice = dict[str, Any]  # what a listbox shows (`label`, `detail`) and what it puts into the text (`text`)


def find_articles(asked: str, now: datetime) -> list[Choice]:
    """Topics and sections of this name, public or not. Two queries."""
    names = Article.objects.values_list("pk", "title", "parent__title").order_by("pk")
    ids = _best_matches(asked, ((pk, title, above or "") for pk, title, above in names))
    rows = Article.objects.for_links().in_bulk(ids)
    return [_page(rows[pk], now) for pk in ids if pk in rows]


def find_references(asked: str) -> list[Choice]:
    """References by key, author or title. Two queries."""
    names = Reference.objects.values_list("pk", "key", "authors", "title").order_by("pk")
    ids = _best_matches(asked, ((pk, authors or title, f"{title} {key}") for pk, key, authors, title in names))
    rows = Reference.objects.in_bulk(ids)
    return [_reference(rows[pk]) for pk in ids if pk in rows]


def _best_matches(asked: str, named: Iterable[tuple[int, str, str]]) -> list[int]:
    """Ids of the rows that have all that was asked in their two names, the first name counting more.

    Names are folded here: a database folds some letters or none.
    """
    wanted = fold_name(asked.replace("\0", ""))
    if not wanted:
        return []
    found = []
    for pk, first, second in named:
        folded = fold_name(first)
        both = f"{folded} {fold_name(second)}"
        if all(word in both for word in wanted.split()):
            found.append((not folded.startswith(wanted), f" {wanted}" not in f" {folded}", len(folded), folded, pk))
    return [pk for *_rank, pk in sorted(found)[:MOST]]


def _page(row: Article, now: datetime) -> Choice:
    target = "#".join(_name(page) for page in (row.parent, row) if page)
    kind = _("Section of %(topic)s") % {"topic": row.parent.title} if row.parent else _("Topic")
    if not row.is_public(now):
        hidden = next(page for page in (row, row.parent) if page and publication_state(page, now) != "published")
        kind = f"{kind} · {STATES[publication_state(hidden, now)]}"
    shown = "" if _name(row) == row.title else f"|{_BRACKETS.sub('', row.title)}"
    return {"label": row.title, "detail": kind, "text": f"[[{target}{shown}]]", "target": target}


def _name(page: Article) -> str:
    """The title, or the slug where the title has a sign that would end the link."""
    return page.slug if "#" in page.title or _BRACKETS.search(page.title) else page.title


def _reference(row: Reference) -> Choice:
    author = citations.names_in_note(row.authors)
    detail = " · ".join(filter(None, [author, row.year, row.key]))
    return {"label": row.title, "detail": detail, "text": f"[@{row.key}, p. ]"}
