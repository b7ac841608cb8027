"""The changes that readers are told of: notable ones of published text, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision


@dataclass(frozen=True)
class Change:
    article: Article
    revision: Revision


def notable_changes(now: datetime) -> QuerySet[Revision]:
    """Return notable published revisions of pages that are public now."""
    public = Article.objects.published(now).values("pk")
    notable = revisions.notable_revisions(public, Article).filter(created__lte=now)
    return notable.defer("content", "standing").order_by("-created", "-id")


def with_articles(notable: Iterable[Revision]) -> list[Change]:
    """Return revisions with their pages. One query."""
    notable = list(notable)
    articles = Article.objects.select_related("parent").defer("parent__body")
    found = articles.in_bulk([revision.object_id for revision in notable])
    return [Change(found[revision.object_id], revision) for revision in notable if revision.object_id in found]
