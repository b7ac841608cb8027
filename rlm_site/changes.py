"""What readers are told of: notable changes of published text, newest first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from articles.models import Article
from rlm_site.models import Revision


@dataclass(frozen=True)
class Change:
    article: Article
    revision: Revision


def published(now: datetime) -> QuerySet[Revision]:
    """Notable published revisions of what is public now."""
    public = Article.objects.published(now).values("pk")
    return (
        Revision.objects.filter(
            content_type=ContentType.objects.get_for_model(Article),
            object_id__in=public,
            state=Revision.State.PUBLISHED,
            created__lte=now,
        )
        .exclude(kind=Revision.Kind.NONE)
        .defer("content")
        .order_by("-created", "-id")
    )


def of(revisions: Iterable[Revision]) -> list[Change]:
    """Revisions with their pages. One query."""
    revisions = list(revisions)
    articles = Article.objects.select_related("parent").defer("body", "parent__body")
    found = articles.in_bulk([revision.object_id for revision in revisions])
    return [Change(found[revision.object_id], revision) for revision in revisions if revision.object_id in found]
