from functools import lru_cache

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import markdown, pages, previews, references
from articles.models import Article, Reference
from articles.unsaved import tag_names
from rlm_site import derived, linked_data, revisions
from rlm_site.freshness import UNKNOWN, State
from rlm_site.publishing import is_live, is_retired
from rlm_site.reading import made_of, page


@page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _article(request, slug)


@page
def section(request: HttpRequest, topic_slug: str, slug: str) -> HttpResponse:
    return _article(request, topic_slug, slug)


def _article(request: HttpRequest, topic_slug: str, section_slug: str = "") -> HttpResponse:
    now = timezone.now()
    state = derived.settle()
    found = pages.topic(topic_slug, now)
    if found is None:
        return _gone(request, topic_slug, section_slug)
    if not section_slug:
        return _page(request, found, found.article, state)
    for article in found.sections:
        if article.slug == section_slug:
            return _page(request, found, article, state)
    return _gone(request, topic_slug, section_slug)


def _page(
    request: HttpRequest, found: pages.Topic, article: Article, state: State = UNKNOWN, warns: bool = False
) -> HttpResponse:
    now = timezone.now()
    text = pages.text_of(article, now, state.of("references"))
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
        "quotations": pages.block_of(found, article, now, state.of(*pages.PICKED_FROM)),
        "description": pages.description(article),
        "linked_data": linked_data.article(article, found.article),
        "warns": warns,
    }
    response = render(request, "articles/article.html", context)
    return made_of({**found.tokens, **state.tokens_of("tags", *text.parts, *pages.PICKED_FROM)}, response)


@lru_cache(maxsize=1024)
def _notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    """Remembered by its input, as the text above it."""
    return render_to_string("articles/_notes.html", {"notes": notes})


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


def preview_of(request: HttpRequest, article: Article) -> HttpResponse:
    """The page as it would be with this article, saved or not, in its place. Beside the form it needs no warning."""
    derived.drain()
    found = pages.around(article, tag_names(article), timezone.now())
    beside_the_form = request.headers.get("Sec-Fetch-Dest") in {"iframe", "empty"}
    response = _page(request, found, article, warns=not beside_the_form)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@page
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """One revision for somebody who was sent the link: never stored, never indexed."""
    link = previews.link_of(token)
    if link.revoked:
        return _closed(request, _("This preview link was taken back. Ask its sender for a new one."))
    if not previews.is_good(link, timezone.now()):
        return _closed(request, _("This preview link has expired. Ask its sender for a new one."))
    article = get_object_or_404(Article.objects.select_related("parent"), pk=link.revision.object_id)
    revisions.overlay(article, link.revision)
    return preview_of(request, article)


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    response = render(request, "410.html", {"reason": reason}, status=410)
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
