from itertools import groupby
from typing import TypeVar

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.utils import timezone

from quotes.models import Person, Quote
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page, query_value
from rlm_site.redirects import redirects
from rlm_site.tags.models import Tag
from rlm_site.text.folding import fold
from rlm_site.text.slugs import reverse

PAGE_SIZE = 20
Row = TypeVar("Row")


@public_page(parameters=("tag", "person", "word", "status", "page"), tracks_dependencies=True)
def quote_list(request: HttpRequest) -> HttpResponse:
    """List quotations, filtered by tag, person, word and status; an unknown tag, person or status is a 404."""
    now = timezone.now()
    queue.ensure_indexed()
    rows = Quote.objects.published(now).listed().for_display()
    tag = person = None
    if slug := query_value(request, "tag"):
        tag = _named(Tag.objects.published(now).filter(slug=slug).first())
        rows = rows.tagged(tag)
    if slug := query_value(request, "person"):
        person = _named(Person.objects.published(now).filter(slug=slug).first())
        rows = rows.by_person(person)
    if word := fold(query_value(request, "word", 64)):
        rows = rows.containing([word])
    if status := query_value(request, "status"):
        if status not in Quote.Status.values:
            raise Http404
        rows = rows.filter(status=status)
    context = {
        "page": Paginator(rows.order_by("person__sort_name", "id"), PAGE_SIZE).get_page(request.GET.get("page")),
        "tag": tag,
        "person": person,
        "word": word,
        "status": status,
        "statuses": [choice for choice in Quote.Status.choices if choice[0] != Quote.Status.MISATTRIBUTED],
        "filtered": bool(tag or person or word or status),
    }
    return render(request, "quotes/quotes.html", context)


@public_page(tracks_dependencies=True)
def person_list(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    queue.ensure_indexed()
    shown = Q(quotes__in=Quote.objects.published(now).listed())
    people = Person.objects.published(now).annotate(quote_count=Count("quotes", filter=shown, distinct=True))
    by_name = sorted(people, key=lambda person: (_folded_name(person), person.pk))
    letters = [(letter, list(group)) for letter, group in groupby(by_name, _initial)]
    return render(request, "quotes/people.html", {"letters": letters})


@public_page
def person_moved(request: HttpRequest, slug: str) -> HttpResponse:
    """Redirect from where a person was found before; a slug that nobody has or had is a 404."""
    now = timezone.now()
    queue.ensure_indexed()
    found = Person.objects.published(now).filter(slug=slug).first()
    target = found.get_absolute_url() if found else redirects.find(reverse("quotes:person", [slug]), now).target
    if not target:
        raise Http404
    return HttpResponsePermanentRedirect(target)


def _named(row: Row | None) -> Row:
    if row is None:
        raise Http404
    return row


def _folded_name(person: Person) -> str:
    """Return the name to sort by: databases sort accents and small letters apart, each in its own way."""
    return fold(person.sort_name or person.name)


def _initial(person: Person) -> str:
    return _folded_name(person)[:1].upper()
