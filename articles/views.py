from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import citations, json_ld, markdown, placements, previews, topics
from articles.form_preview import tag_names
from articles.models import Article, Reference
from rlm_site.history import revisions
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.page_cache.middleware import depends_on
from rlm_site.page_cache.versions import UNKNOWN, Versions
from rlm_site.publishing.schedule import is_public_at, is_retired


@public_page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _article(request, slug)


@public_page
def section(request: HttpRequest, topic_slug: str, slug: str) -> HttpResponse:
    return _article(request, topic_slug, slug)


def _article(request: HttpRequest, topic_slug: str, section_slug: str = "") -> HttpResponse:
    now = timezone.now()
    state = queue.ensure_indexed()
    found = topics.load_topic(topic_slug, now)
    if found is None:
        return _gone(request, topic_slug, section_slug)
    if not section_slug:
        return _page(request, found, found.article, state)
    for article in found.sections:
        if article.slug == section_slug:
            return _page(request, found, article, state)
    return _gone(request, topic_slug, section_slug)


def _page(
    request: HttpRequest, found: topics.Topic, article: Article, state: Versions = UNKNOWN, warns: bool = False
) -> HttpResponse:
    now = timezone.now()
    text = topics.render_text(article, now, state.of("references"))
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
        "quotations": placements.block_of(found, article, now, state.of(*placements.PICKED_FROM)),
        "description": topics.meta_description(article),
        "json_ld": json_ld.article_json_ld(article, found.article),
        "warns": warns,
    }
    response = render(request, "articles/article.html", context)
    return depends_on({**found.tokens, **state.tokens_of("tags", *text.parts, *placements.PICKED_FROM)}, response)


@lru_cache(maxsize=1024)
def _notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    """Remembered by its input, as the text above it."""
    return render_to_string("articles/_notes.html", {"notes": notes})


def _gone(request: HttpRequest, topic_slug: str, section_slug: str) -> HttpResponse:
    """What was withdrawn says so, or leads to what took its place; anything else was never here."""
    now = timezone.now()
    article = topics.find_at(topic_slug, section_slug)
    rows = [row for row in (article, article and article.parent) if row]
    withdrawn = next((row for row in rows if is_retired(row, now)), None)
    if withdrawn is None or not all(is_public_at(row, now) or is_retired(row, now) for row in rows):
        raise Http404
    if withdrawn.retired_to not in {"", request.path}:
        return HttpResponsePermanentRedirect(withdrawn.retired_to)
    return render(request, "410.html", {"withdrawn_on": withdrawn.retire_at}, status=410)


def preview_of(request: HttpRequest, article: Article) -> HttpResponse:
    """The page as it would be with this article, saved or not, in its place. Beside the form it needs no warning."""
    queue.process_queue()
    found = topics.with_unsaved(article, tag_names(article), timezone.now())
    beside_the_form = request.headers.get("Sec-Fetch-Dest") in {"iframe", "empty"}
    response = _page(request, found, article, warns=not beside_the_form)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@public_page
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """One revision for somebody who was sent the link: never stored, never indexed."""
    link = previews.find_link(token)
    if link.revoked:
        return _closed(request, _("This preview link was taken back. Ask its sender for a new one."))
    if not previews.is_valid(link, timezone.now()):
        return _closed(request, _("This preview link has expired. Ask its sender for a new one."))
    article = get_object_or_404(Article.objects.select_related("parent"), pk=link.revision.object_id)
    revisions.overlay(article, link.revision)
    return preview_of(request, article)


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    response = render(request, "410.html", {"reason": reason}, status=410)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@public_page
def reference_list(request: HttpRequest) -> HttpResponse:
    citing = topics.articles_by_reference(timezone.now())
    entries = [
        (reference, citations.in_bibliography(reference), citing[reference.key])
        for reference in Reference.objects.all()
        if reference.key in citing
    ]
    return render(request, "articles/references.html", {"entries": entries})
