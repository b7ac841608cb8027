from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import citations, json_ld, markdown, placements, previews, successors, topics
from articles.models import Article, Reference
from rlm_site.history.drafts import Draft
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.redirects import redirects


@public_page(tracks_dependencies=True)
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _article(request, slug)


@public_page(tracks_dependencies=True)
def section(request: HttpRequest, topic_slug: str, slug: str) -> HttpResponse:
    return _article(request, topic_slug, slug)


def render_topic(request: HttpRequest, slug: str, template: str, **more: object) -> HttpResponse | None:
    """Render the public topic at this slug with a template of its own, if there is one."""
    queue.ensure_indexed()
    found = topics.load_topic(slug, timezone.now())
    return _page(request, found, found.article, template, **more) if found else None


def _article(request: HttpRequest, topic_slug: str, section_slug: str = "") -> HttpResponse:
    now = timezone.now()
    queue.ensure_indexed()
    found = topics.load_topic(topic_slug, now)
    if found is None:
        return _gone(request, topic_slug, section_slug)
    if not section_slug:
        return _page(request, found, found.article)
    for article in found.sections:
        if article.slug == section_slug:
            return _page(request, found, article)
    return _gone(request, topic_slug, section_slug)


def _page(
    request: HttpRequest, found: topics.Topic, article: Article, template: str = "articles/article.html", **more: object
) -> HttpResponse:
    now = timezone.now()
    text = topics.render_text(article, now)
    before, after = found.neighbours(article) if article.parent else (None, None)
    context = {
        "article": article,
        "topic": found.article,
        "sections": found.sections,
        "place": found.sections.index(article) + 1 if article.parent else 0,
        "text": text.rendered,
        "notes": _notes(text.rendered.notes),
        "cited": text.cited,
        "before": before,
        "after": after,
        "tags": found.tags.get(article.pk, []),
        "quotations": placements.block_of(found, article, now),
        "description": topics.meta_description(article),
        "json_ld": json_ld.article_json_ld(article, found.article),
    }
    return render(request, template, context | more)


def _notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    """Render the notes; with DEBUG from the template as it is now."""
    return _cached_notes.__wrapped__(notes) if settings.DEBUG else _cached_notes(notes)


@lru_cache(maxsize=1024)
def _cached_notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    return render_to_string("articles/_notes.html", {"notes": notes})


def _gone(request: HttpRequest, topic_slug: str, section_slug: str) -> HttpResponse:
    """Redirect to the page that took the place of a withdrawn one, or say that it was withdrawn; otherwise a 404."""
    now = timezone.now()
    withdrawn = successors.withdrawn_article(topic_slug, section_slug, now)
    if withdrawn is None:
        raise Http404
    if successor := successors.successor_of(withdrawn, now):
        return HttpResponsePermanentRedirect(successor)
    if before := redirects.find(request.path, now).target:
        return HttpResponsePermanentRedirect(before)
    return render(request, "410.html", {"withdrawn_on": withdrawn.retire_at}, status=410)


def preview_of(request: HttpRequest, draft: Draft[Article]) -> HttpResponse:
    """Render the page as it would be with this draft in its place. Beside the form it needs no warning."""
    queue.process_queue()
    article = draft.row
    found = topics.with_unsaved(article, draft.tags, timezone.now())
    beside_the_form = request.headers.get("Sec-Fetch-Dest") in {"iframe", "empty"}
    response = _page(request, found, article, warns=not beside_the_form)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@public_page
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show one revision to somebody who was sent the link: never cached, never indexed by search engines."""
    link = previews.find_link(token)
    if link.revoked:
        return _closed(request, _("This preview link was revoked. Ask its sender for a new one."))
    if previews.is_discarded(link):
        return _closed(request, _("The draft behind this preview link was discarded. Ask its sender for a new one."))
    if not previews.is_valid(link, timezone.now()):
        return _closed(request, _("This preview link has expired. Ask its sender for a new one."))
    article = get_object_or_404(Article.objects.select_related("parent"), pk=link.revision.object_id)
    if previews.is_withdrawn_since(link, article, timezone.now()):
        return _closed(request, _("This page was withdrawn after the link was created. Ask its sender for a new one."))
    return preview_of(request, Draft.at(article, link.revision))


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    response = render(request, "410.html", {"reason": reason}, status=410)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@public_page
def reference_list(request: HttpRequest) -> HttpResponse:
    citing = topics.articles_by_reference(timezone.now())
    entries = [
        (reference, citations.in_bibliography(reference), citing[reference.key.lower()])
        for reference in Reference.objects.filter(queue.sound("reference"))
        if reference.key.lower() in citing
    ]
    return render(request, "articles/references.html", {"entries": entries})
