"""Links to an unpublished revision, for a reviewer without an account: signed, and good for a limited time."""

from datetime import timedelta

from django.core import signing
from django.http import Http404
from django.urls import reverse

from articles.models import Article
from rlm_site.models import Revision

GOOD_FOR = timedelta(days=14)
_SALT = "articles.preview"


def address_of(revision: Revision) -> str:
    return reverse("articles:preview", args=[signing.dumps(revision.pk, salt=_SALT)])


def revision_of(token: str) -> Revision:
    """Raises SignatureExpired or BadSignature for a bad token, Http404 for a revision that is gone."""
    pk = signing.loads(token, salt=_SALT, max_age=GOOD_FOR)
    revision = Revision.objects.filter(pk=pk, content_type__app_label="articles", content_type__model="article").first()
    if revision is None or not Article.objects.filter(pk=revision.object_id).exists():
        raise Http404
    return revision
