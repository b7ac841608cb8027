"""Preview links: signed URLs that show one revision without an account, expire, and can be revoked."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from rlm_site.history.models import PreviewLink, Revision
from rlm_site.publishing.visibility import is_retired

LIFETIME = timedelta(days=14)
_SIGNER = signing.Signer(salt="articles.preview_link")


def create_link(revision: Revision, author: User | None = None) -> PreviewLink:
    now = timezone.now()
    return PreviewLink.objects.create(revision=revision, author=author, created=now, expires=now + LIFETIME)


def link_address(link: PreviewLink) -> str:
    return reverse("articles:preview", args=[_SIGNER.sign(str(link.pk))])


def find_link(token: str) -> PreviewLink:
    """Return the link, valid or not. Raises Http404 if there is none, or if its page was deleted."""
    try:
        pk = int(_SIGNER.unsign(token))
    except signing.BadSignature as error:
        raise Http404 from error
    links = _with_end_of_draft(PreviewLink.objects.select_related("revision")).filter(
        pk=pk, revision__content_type__app_label="articles", revision__content_type__model="article"
    )
    link = links.first()
    if link is None:
        raise Http404
    return link


def is_valid(link: PreviewLink, now: datetime) -> bool:
    return link.revoked is None and link.expires > now


def is_discarded(link: Any) -> bool:
    """Return whether the draft that the link was made for was discarded since: a link dies with its draft."""
    return link.revision.state in Revision.WORKING and link.end_of_draft == Revision.State.DISCARDED


def is_withdrawn_since(link: PreviewLink, article: Article, now: datetime) -> bool:
    """Return whether readers had the page, or its topic, and have it no more since the link was made."""
    pages = [page for page in (article, article.parent) if page and is_retired(page, now)]
    return any(page.retire_at is not None and page.retire_at > link.created for page in pages)


def preview_links_of(article: Article) -> QuerySet[PreviewLink]:
    links = PreviewLink.objects.filter(revision__in=article.revisions.all()).select_related("revision", "author")
    return _with_end_of_draft(links)


def _with_end_of_draft(links: QuerySet[PreviewLink]) -> QuerySet[PreviewLink]:
    """Annotate links with the state of the version that ended the draft they were made for, if any did."""
    later = Revision.objects.filter(
        content_type=OuterRef("revision__content_type"),
        object_id=OuterRef("revision__object_id"),
        number__gt=OuterRef("revision__number"),
        act="",
    )
    ends = later.exclude(state__in=Revision.WORKING).order_by("number").values("state")
    return links.annotate(end_of_draft=Subquery(ends[:1]))


def revoke_link(link: PreviewLink) -> None:
    """Revoke a preview link."""
    PreviewLink.objects.filter(pk=link.pk, revoked=None).update(revoked=timezone.now())
