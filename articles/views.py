from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import pages, references
from articles.models import Article, Reference
from articles.previews import revision_of
from rlm_site import derived, linked_data, revisions
from rlm_site.publishing import is_live, is_retired
from rlm_site.reading import page


@page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _article(request, slug)


@page
def section(request: HttpRequest, topic_slug: str, slug: str) -> HttpResponse:
    return _article(request, topic_slug, slug)


def _article(request: HttpRequest, topic_slug: str, section_slug: str = "") -> HttpResponse:
    now = timezone.now()
    version = derived.settle().of("quotes", "rlm_site")
    found = pages.topic(topic_slug, now)
    if found is None:
        return _gone(request, topic_slug, section_slug)
    if not section_slug:
        return _page(request, found, found.article, version)
    for article in found.sections:
        if article.slug == section_slug:
            return _page(request, found, article, version)
    return _gone(request, topic_slug, section_slug)


def _page(
    request: HttpRequest, found: pages.Topic, article: Article, version: str = "", status: int = 200
) -> HttpResponse:
    now = timezone.now()
    text = pages.text_of(article, now)
    before, after = found.neighbours(article) if article.parent else (None, None)
    context = {
        "article": article,
        "topic": found.article,
        "sections": found.sections,
        "place": found.sections.index(article) + 1 if article.parent else 0,
        "text": text.rendered,
        "cited": [references.in_bibliography(reference) for reference in text.cited],
        "before": before,
        "after": after,
        "tags": found.tags.get(article.pk, []),
        "quotations": pages.block_of(found, article, now, version),
        "description": pages.description(article),
        "linked_data": linked_data.article(article, found.article),
    }
    return render(request, "articles/article.html", context, status=status)


def _gone(request: HttpRequest, topic_slug: str, section_slug: str) -> HttpResponse:
    """What was withdrawn says so, or leads to what took its place; anything else was never here."""
    now = timezone.now()
    article = pages.at(topic_slug, section_slug)
    rows = [row for row in (article, article and article.parent) if row]
    withdrawn = next((row for row in rows if is_retired(row, now)), None)
    if withdrawn is None or not all(is_live(row, now) or is_retired(row, now) for row in rows):
        raise Http404
    if withdrawn.retired_to not in {"", request.path}:
        return HttpResponsePermanentRedirect(withdrawn.retired_to)
    return render(request, "410.html", {"withdrawn_on": withdrawn.retire_at}, status=410)


@never_cache
@page
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """An unpublished revision for somebody who was sent the link: never stored, never indexed."""
    try:
        revision = revision_of(token)
    except signing.SignatureExpired:
        return render(
            request,
            "410.html",
            {"reason": _("This preview link has expired. Ask its sender for a new one.")},
            status=410,
        )
    except signing.BadSignature as error:
        raise Http404 from error
    article = get_object_or_404(Article.objects.select_related("parent"), pk=revision.object_id)
    revisions.apply(revision, article)
    found = pages.around(article, revision.content.get("tags", []), timezone.now())
    response = _page(request, found, article)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@page
def reference_list(request: HttpRequest) -> HttpResponse:
    citing = pages.citing(timezone.now())
    entries = [
        (reference, references.in_bibliography(reference), citing[reference.key])
        for reference in Reference.objects.all()
        if reference.key in citing
    ]
    return render(request, "articles/references.html", {"entries": entries})
