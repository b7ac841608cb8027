"""The views of the pages that mix both apps."""

import logging
import os
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.paginator import Paginator
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count, Q
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from articles import aliases, atlas_views, chronology, entries, placements, successors
from articles.models import Article
from articles.views import render_topic
from quotes import json_ld
from quotes.models import Person, Quote, Word
from rlm_site.front import changes, front_page
from rlm_site.indexing import queue
from rlm_site.page_cache import triggers
from rlm_site.page_cache.decorators import public_page, query_value
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.visibility import is_retired
from rlm_site.redirects import redirects
from rlm_site.search import query as searching
from rlm_site.search import registry, terms
from rlm_site.search.addresses import nearest_addresses
from rlm_site.tags import lists
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold
from rlm_site.text.json_ld import absolute
from rlm_site.text.slugs import ABOUT, reverse
from rlm_site.text.words import marked

log = logging.getLogger(__name__)

TOPICS_A_PAGE = 60
CHANGES_A_PAGE = 50
ITEMS_A_PAGE = 30
QUOTES_ON_TAG_PAGE = 10
QUOTES_OF_PERSON_A_PAGE = 20
PAGES_WITH_WORD = 50
NEAREST_PAGES = 3


@public_page(parameters=("page",))
def home(request: HttpRequest) -> HttpResponse:
    """Show the groups that editors keep; where they keep none, the topics that only the index lists."""
    now = timezone.now()
    queue.ensure_indexed()
    groups = front_page.groups(now)
    shown = Paginator(front_page.topics_without_list(now), TOPICS_A_PAGE).get_page(request.GET.get("page"))
    new = front_page.new(now)
    context = {
        "groups": groups,
        "page": None if groups else shown,
        "topics": [] if groups else front_page.with_summaries(shown),
        "overview": chronology.overview(now),
        "small_map": atlas_views.small_map(now),
        "documents": front_page.documents(now),
        "changes": new,
    }
    response = render(request, "front/home.html", context)
    if new:
        response.valid_until = min(change.revision.created for change in new) + front_page.NEW_FOR  # type: ignore[attr-defined]
    return response


@public_page(tracks_dependencies=True)
def about(request: HttpRequest) -> HttpResponse:
    """Show what editors say of the site in the topic `about`, and below it what is true of every site."""
    contact = settings.CONTACT_EMAIL
    if page := render_topic(request, ABOUT, "front/about_article.html", contact=contact):
        return page
    depends_on("all")  # any change may bring the topic
    return render(request, "front/about.html", {"contact": contact})


@public_page(parameters=("page",))
def change_list(request: HttpRequest) -> HttpResponse:
    queue.ensure_indexed()
    shown = Paginator(changes.notable_changes(timezone.now()), CHANGES_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "front/changes.html", {"page": shown, "changes": changes.with_articles(shown.object_list)})


@public_page(parameters=("q", "kind", "tag", "page"))
def search(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    text = query_value(request, "q", terms.MAX_TEXT)
    kind = query_value(request, "kind")
    tag = Tag.objects.published(now).filter(slug=slug).first() if (slug := query_value(request, "tag")) else None
    if kind not in {"", *registry.kinds()} or (slug and tag is None):
        raise Http404
    number = query_value(request, "page")
    results = searching.search(
        text, now, kind=kind, tag=tag, page=int(number) if number.isdecimal() and len(number) < 6 else 1
    )
    context = {
        "results": results,
        "pages": Paginator(range(results.total), searching.PAGE_SIZE).get_page(results.page) if results.total else None,
        "kind": kind,
        "tag": tag,
        "topics": front_page.topics_without_list(now).for_links()[:20] if not results.total else (),
    }
    return render(request, "front/search.html", context)


@public_page
def tag_list(request: HttpRequest) -> HttpResponse:
    return render(request, "front/tags.html", {"tags": lists.tags_with_counts(timezone.now())})


@public_page(parameters=("page",))
def tag(request: HttpRequest, slug: str) -> HttpResponse:
    """List topics, sections and quotations that share a tag; a tag on nothing public is a 404."""
    now = timezone.now()
    queue.ensure_indexed()
    quotes = Quote.objects.published(now).listed()
    tagged_quotes = Count("taggedquote_items", filter=Q(taggedquote_items__content_object__in=quotes))
    found = Tag.objects.filter(slug=slug).annotate(quote_count=tagged_quotes).first()
    if found is None:
        raise Http404
    articles = (
        Article.objects.published(now).tagged(found).select_related("parent").order_by("parent__title", "title", "id")
    )
    shown = Paginator(articles, ITEMS_A_PAGE).get_page(request.GET.get("page"))
    if not shown.paginator.count and not found.quote_count:
        raise Http404
    context = {
        "tag": found,
        "page": shown,
        "quotes": quotes.tagged(found).for_display().order_by("id")[:QUOTES_ON_TAG_PAGE],
        "quote_count": found.quote_count,
        "related": lists.related_tags(found, now),
    }
    return render(request, "front/tag.html", context)


@public_page(parameters=("page",))
def word(request: HttpRequest, word: str) -> HttpResponse:
    """List quotations that contain a word or a form of it, and the pages with it in their heading."""
    now = timezone.now()
    folded = fold(word.replace("\0", ""))
    queue.ensure_indexed()
    forms = Word.objects.forms_of(folded)
    counts = Word.objects.public_counts(forms, now)
    # The vocabulary has the words of drafts, too: which form they take tells nobody anything before they are public.
    if folded not in dict(counts) and not placements.articles_with_word([folded], now).exists():
        raise Http404
    if folded != word:
        return HttpResponsePermanentRedirect(Word(text=folded).get_absolute_url())
    quotes = Quote.objects.published(now).listed().containing(forms).for_display()
    shown = Paginator(quotes, ITEMS_A_PAGE).get_page(request.GET.get("page"))
    headed = placements.articles_with_word(forms, now)[:PAGES_WITH_WORD]
    context = {
        "word": folded,
        "forms": counts,
        "page": shown,
        "lines": [(quote, [marked(line, forms) for line in quote.text.strip().split("\n")]) for quote in shown],
        "headed": headed,
    }
    return render(request, "front/word.html", context)


@public_page
def quote(request: HttpRequest, pk: int, slug: str = "") -> HttpResponse:
    """Show one quotation with its provenance and the pages that show it."""
    now = timezone.now()
    queue.ensure_indexed()
    found = (
        Quote.objects.for_display().select_related("true_source__person", "version_of__person").filter(pk=pk).first()
    )
    if found is not None and is_retired(found, now):
        if successor := successors.successor_of(found, now):
            return HttpResponsePermanentRedirect(successor)
        return render(request, "410.html", {"withdrawn_on": found.retire_at}, status=410)
    if found is None or not found.is_public(now):
        known = redirects.find(reverse("quote_by_id", args=[pk]), now)  # asked of a secret one, too: it takes as long
        if found is None and known.is_deleted:
            return _deleted(request, now)
        raise Http404
    if slug != found.slug:
        return HttpResponsePermanentRedirect(found.get_absolute_url())
    checks = list(found.checks.select_related("work"))
    related = {
        "true_source": found.true_source,
        "version_of": found.version_of,
    }
    context = {
        "quote": found,
        **{name: row if row and row.is_public(now) else None for name, row in related.items()},
        "checks": checks,
        "provenance": found.provenance(checks),
        "tags": found.tags.all(),
        "showing": placements.articles_showing(found, now),
        "json_ld": json_ld.quotation_json_ld(found),
    }
    return render(request, "quotes/quote.html", context)


@public_page(parameters=("page",), tracks_dependencies=True)
def person(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what a person said, what is only ascribed to them, and the entry about them."""
    now = timezone.now()
    queue.ensure_indexed()
    found = Person.objects.published(now).filter(slug=slug).first()
    if found is None:
        raise Http404
    quotes = Quote.objects.published(now).by_person(found).for_display()
    sure = quotes.exclude(status=Quote.Status.DISPUTED)
    context = {
        "person": found,
        "entry": entries.about_person(found, now),
        "page": Paginator(sure.order_by("id"), QUOTES_OF_PERSON_A_PAGE).get_page(request.GET.get("page")),
        "disputed": quotes.filter(status=Quote.Status.DISPUTED),
        "misattributed": Quote.objects.published(now).filter(person=found, status=Quote.Status.MISATTRIBUTED),
    }
    return render(request, "quotes/person.html", context)


@public_page
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(static("img/favicon.svg"))


@public_page(tracks_dependencies=True)
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", "Disallow: /admin/", "Disallow: /preview/", "Disallow: /search/", ""]
    lines.append(f"Sitemap: {absolute('/sitemap.xml')}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@never_cache
@public_page
def health(request: HttpRequest) -> JsonResponse:
    """Answer 200 if the database is migrated and has its triggers and a page can be made, else 503 with the reason.

    A site that makes pages of a database that it cannot write to, such as a standby, is ready and says so.
    """
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            problem = "migrations are not applied"
        elif unwatched := triggers.tables_without_trigger():
            problem = "no trigger on " + ", ".join(unwatched)
        else:
            problem = ""
    except DatabaseError:
        problem = "the database does not respond"
    if not problem:
        try:
            home.__wrapped__(request)  # made anew, and not from memory
        except Exception:  # whatever readers would be answered 500 for
            log.exception("The home page cannot be rendered.")
            problem = "the home page cannot be rendered"
    if problem:
        return JsonResponse({"status": problem}, status=503)
    return JsonResponse({"status": "ok"} if _can_write() else {"status": "ok", "database": "read-only"})


def _can_write() -> bool:
    if connection.vendor == "sqlite":
        return os.access(connection.settings_dict["NAME"], os.W_OK)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        return cursor.fetchone() == ("off",)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Redirect an old address to the new one; elsewhere offer its words as a search, and say if a page was deleted."""
    now = timezone.now()
    path = request.path.replace("\0", "")[:300]
    queue.ensure_indexed()
    found = redirects.find(path, now)
    if moved := found.target or _list_meant(path):
        return HttpResponsePermanentRedirect(moved)
    if (entry := aliases.entry_at(path, now)) and (address := entry.get_absolute_url()) != path:
        return HttpResponsePermanentRedirect(address)
    if found.is_deleted:
        return _deleted(request, now)
    return render(request, "404.html", {"path": path, **_words_of(path, now)}, status=404)


def _deleted(request: HttpRequest, now: datetime) -> HttpResponse:
    """Say that there was a page, and offer the words of its address as a search; its title is not known here."""
    reason = _("It was deleted, and no other page replaces it.")
    return render(request, "410.html", {"reason": reason, **_words_of(request.path, now)}, status=410)


def _words_of(path: str, now: datetime) -> dict[str, Any]:
    """Return the words of an address, and the public pages with an address like it, then those that have the words."""
    words = " ".join(path.replace("-", " ").replace("/", " ").split())
    addresses = Article.objects.published(now).values_list("pk", "parent__slug", "slug")
    alike = nearest_addresses(path, addresses.iterator(), NEAREST_PAGES)
    return {"words": words, "nearest": searching.nearest(words, now, "article", NEAREST_PAGES, alike)}


def _list_meant(path: str) -> str:
    """Return the path of the page that is there without rows, if this is how somebody writes it."""
    meant = redirects.as_meant(path)
    try:
        return meant if meant not in {path, "/"} and not resolve(meant).kwargs else ""
    except Resolver404:
        return ""


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say what is wrong: damage, or an address that is not that of the site."""
    is_elsewhere = isinstance(exception, DisallowedHost)
    context = {"host": request.META.get("HTTP_HOST", "")[:100]} if is_elsewhere else {}
    return HttpResponse(render_to_string("400.html", context), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer with a page that needs neither the database nor a template engine that works."""
    path = settings.BASE_DIR / "templates" / "500.html"
    return HttpResponse(path.read_bytes(), status=500)
