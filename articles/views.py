from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import (
    atlas_views,
    chronology,
    error_reports,
    json_ld,
    markdown,
    placements,
    previews,
    related,
    successors,
    topics,
    versions,
)
from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.history.drafts import Draft
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page
from rlm_site.redirects import redirects
from rlm_site.text.slugs import reverse

WHOLE = "all"  # the last part of the address of a whole topic


class Part(NamedTuple):
    """A page of a topic as a part of the whole; its id begins all ids in it, and is empty for the topic's own text."""

    article: Article
    id: str
    text: topics.RenderedText
    notes: SafeString


@public_page(tracks_dependencies=True)
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    return _article(request, slug)


@public_page(tracks_dependencies=True)
def whole_topic(request: HttpRequest, topic_slug: str) -> HttpResponse:
    """Show all texts of a topic on one page, for reading and printing; a section that has this address comes first."""
    now = timezone.now()
    queue.ensure_indexed()
    found = topics.load_topic(topic_slug, now)
    if found is None:
        return _whole_topic_moved(request, topic_slug)
    if section := next((each for each in found.sections if each.slug == WHOLE), None):
        return _page(request, found, section)
    if not found.sections:
        return HttpResponseRedirect(found.article.get_absolute_url())
    parts = ["", *(f"{section.slug}_" for section in found.sections)]  # no heading has an id with this sign
    whole = topics.render_texts(found.articles, now, parts)
    context = {
        "article": found.article,
        "parts": [
            Part(article, part, text, _notes(text.rendered.notes))
            for article, part, text in zip(found.articles, parts, whole.texts, strict=True)
        ],
        "cited": whole.cited,
        "description": topics.meta_description(found.article),
    }
    return render(request, "articles/whole_topic.html", context)


def _whole_topic_moved(request: HttpRequest, topic_slug: str) -> HttpResponse:
    """Redirect to the whole of a topic that has another address now; else answer as for the topic."""
    topic = reverse("articles:topic", [topic_slug])
    if successors.find_at(topic_slug, "") is None and (target := redirects.find(topic, timezone.now()).target):
        return HttpResponsePermanentRedirect(f"{target}{WHOLE}/")
    return _gone(request, topic_slug, "")


@public_page(tracks_dependencies=True)
def section(request: HttpRequest, topic_slug: str, slug: str) -> HttpResponse:
    return _article(request, topic_slug, slug)


def render_topic(request: HttpRequest, slug: str, template: str, **more: Any) -> HttpResponse | None:
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
        if found.article.is_gloss:
            return HttpResponseRedirect(found.article.get_absolute_url())  # for now: it may be given a text
        return _page(request, found, found.article)
    for article in found.sections:
        if article.slug == section_slug:
            return _page(request, found, article)
    return _gone(request, topic_slug, section_slug)


def _page(
    request: HttpRequest,
    found: topics.Topic,
    article: Article,
    template: str = "articles/article.html",
    *,
    is_draft: bool = False,
    **more: Any,
) -> HttpResponse:
    now = timezone.now()
    text = topics.render_text(article, now)
    version = None if is_draft else versions.current(article, now)
    before, after = found.neighbours(article) if article.parent else (None, None)
    context = {
        "article": article,
        "topic": found.article,
        "sections": found.sections,
        "place": found.sections.index(article) + 1 if article.parent else 0,
        "text": text.rendered,
        "facts": [group for group in text.facts if not group.is_table],
        "figures": [group for group in text.facts if group.is_table],
        "diagram": text.diagram,
        "notes": _notes(text.rendered.notes),
        "terms": text.terms,
        "cited": text.cited,
        "chronicle": chronology.of_entry(article, now) if not article.parent_id else None,
        "related": related.see_also(found, now) if not article.parent_id else (),
        "quoted": _quoted(article, now),
        "small_map": atlas_views.small_map(now, article) if article.kind == Article.Kind.PLACE else None,
        "before": before,
        "after": after,
        "tags": found.tags.get(article.pk, []),
        "quotations": placements.block_of(found, article, now),
        "description": topics.meta_description(article),
        "report": error_reports.address_for(article),
        "cite": versions.citation_of(article, version) if version else None,
        "json_ld": json_ld.article_json_ld(article, found.article, version),
    }
    return render(request, template, context | more)


def _quoted(article: Article, now: datetime) -> Person | None:
    """Return the author of public quotations that an entry is about, with their number. One query, or none."""
    if article.parent_id or not article.person_id:
        return None
    shown = Q(quotes__in=Quote.objects.published(now).listed())
    people = Person.objects.published(now).filter(pk=article.person_id)
    return people.annotate(quote_count=Count("quotes", filter=shown, distinct=True)).first()


def _notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    """Render the notes; with DEBUG from the template as it is now."""
    return _cached_notes.__wrapped__(notes) if settings.DEBUG else _cached_notes(notes)


@lru_cache(maxsize=1024)
def _cached_notes(notes: tuple[markdown.Note, ...]) -> SafeString:
    return render_to_string("articles/_notes.html", {"notes": notes, "part": notes[0].part if notes else ""})


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


def preview_of(request: HttpRequest, draft: Draft[Article], beside: Sequence[tuple[str, str]] = ()) -> HttpResponse:
    """Render the page as it would be with this draft in its place. Beside the form it needs no warning.

    `beside` are other pages of the same preview: their addresses and titles.
    """
    queue.process_queue()
    article = draft.row
    found = topics.with_unsaved(article, draft.tags, timezone.now())
    beside_the_form = request.headers.get("Sec-Fetch-Dest") in {"iframe", "empty"}
    response = _page(request, found, article, is_draft=True, warns=not beside_the_form, beside=beside)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@never_cache
@public_page
def preview(request: HttpRequest, token: str, section: int = 0) -> HttpResponse:
    """Show one revision to somebody who was sent the link: never cached, never indexed by search engines.

    A link to a whole topic leads to its sections, too.
    """
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
    sections = previews.sections_of(link, timezone.now())
    pages = [(previews.link_address(link), article.title)] if sections else []
    pages += [(previews.link_address(link, row), row.title) for row in sections]
    if not section:
        return preview_of(request, Draft.at(article, link.revision), pages)
    row = next((row for row in sections if row.pk == section), None)
    draft = previews.draft_of_section(link, row) if row else None
    if draft is None:
        raise Http404
    return preview_of(request, draft, pages)


def _closed(request: HttpRequest, reason: str) -> HttpResponse:
    response = render(request, "410.html", {"reason": reason}, status=410)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
