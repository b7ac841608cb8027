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
from rlm_site.history import revisions
from rlm_site.history.drafts import Draft
from rlm_site.history.models import PreviewLink, Revision
from rlm_site.publishing.visibility import is_retired

LIFETIME = timedelta(days=14)
_SIGNER = signing.Signer(salt="articles.preview_link")


def create_link(revision: Revision, author: User | None = None, *, whole_topic: bool = False) -> PreviewLink:
    now = timezone.now()
    return PreviewLink.objects.create(
        revision=revision, author=author, created=now, expires=now + LIFETIME, whole_topic=whole_topic
    )


def link_address(link: PreviewLink, section: Article | None = None) -> str:
    token = _SIGNER.sign(str(link.pk))
    return (
        reverse("articles:preview_section", args=[token, section.pk])
        if section
        else reverse("articles:preview", args=[token])
    )


def sections_of(link: PreviewLink, now: datetime) -> list[Article]:
    """Return the sections that a link to a whole topic shows, with what of them decides that. Two queries."""
    if not link.whole_topic:
        return []
    rows = Article.objects.filter(parent=link.revision.object_id).select_related("parent").in_reading_order()
    return [row for row in rows if not is_withdrawn_since(link, row, now)]


def draft_of_section(link: PreviewLink, section: Article) -> Draft[Article] | None:
    """Return a section as it was when the link was made; None if nobody may see it any more.

    A draft that was discarded, then or since, is not shown: the text that readers see is, if there is one.
    """
    then = section.revisions.filter(act="", created__lte=link.created).order_by("-number").first()
    if then is None or then.state == Revision.State.PUBLISHED:
        return Draft.at(section, then) if then else Draft(section, revisions.tag_names(section))
    ends = section.revisions.filter(act="", number__gte=then.number).exclude(state__in=Revision.WORKING)
    end = ends.order_by("number").first()
    if end is None or end.state != Revision.State.DISCARDED:
        return Draft.at(section, then)
    return Draft(section, revisions.tag_names(section)) if section.published else None


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
