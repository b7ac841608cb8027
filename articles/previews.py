"""Links to one revision for a reviewer without an account: signed, good for a limited time, taken back at will."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import PreviewLink, Revision

LIFETIME = timedelta(days=14)
_SIGNER = signing.Signer(salt="articles.preview_link")


def create_link(revision: Revision, author: User | None = None) -> PreviewLink:
    now = timezone.now()
    return PreviewLink.objects.create(revision=revision, author=author, created=now, expires=now + LIFETIME)


def link_address(link: PreviewLink) -> str:
    return reverse("articles:preview", args=[_SIGNER.sign(str(link.pk))])


def find_link(token: str) -> PreviewLink:
    """Whether it is still good or not. Raises Http404 for what was never a link, or leads to a page that is gone."""
    try:
        pk = int(_SIGNER.unsign(token))
    except signing.BadSignature as error:
        raise Http404 from error
    links = PreviewLink.objects.select_related("revision").filter(
        pk=pk, revision__content_type__app_label="articles", revision__content_type__model="article"
    )
    link = links.first()
    if link is None:
        raise Http404
    return link


def is_valid(link: PreviewLink, now: datetime) -> bool:
    return link.revoked is None and link.expires > now


def preview_links_of(article: Article) -> QuerySet[PreviewLink]:
    return PreviewLink.objects.filter(revision__in=revisions.history_of(article)).select_related("revision", "author")


def revoke_link(link: PreviewLink) -> None:
    """From now on the link says that it was taken back."""
    PreviewLink.objects.filter(pk=link.pk, revoked=None).update(revoked=timezone.now())
