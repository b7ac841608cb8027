"""The views of lists of entries. Any change may change them, so that they have no cache tags."""

from collections.abc import Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from articles import entries
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page

NAMES_A_PAGE = 600  # so that a page with its style has less than 20 kB


@public_page(parameters=("page",))
def people(request: HttpRequest) -> HttpResponse:
    return _by_letter(request, "articles/entries/people.html", entries.people)


@public_page(parameters=("page",))
def places(request: HttpRequest) -> HttpResponse:
    return _by_letter(request, "articles/entries/places.html", entries.places)


@public_page(parameters=("page",))
def documents(request: HttpRequest) -> HttpResponse:
    queue.ensure_indexed()
    return render(
        request, "articles/entries/documents.html", {"page": _page(request, entries.documents(timezone.now()))}
    )


@public_page(parameters=("page",))
def index(request: HttpRequest) -> HttpResponse:
    return _by_letter(request, "articles/entries/index.html", entries.index)


@public_page
def glossary(request: HttpRequest) -> HttpResponse:
    queue.ensure_indexed()
    return render(request, "articles/entries/glossary.html", {"glosses": entries.glosses(timezone.now())})


def _by_letter(request: HttpRequest, template: str, read: Any) -> HttpResponse:
    queue.ensure_indexed()
    rows = read(timezone.now())
    page = _page(request, rows)
    pages: dict[str, int] = {}  # on which each letter begins
    for place, row in enumerate(rows):
        pages.setdefault(entries.letter_of(row.name), place // NAMES_A_PAGE + 1)
    return render(request, template, {"page": page, "letters": entries.by_letter(page), "pages": pages})


def _page(request: HttpRequest, rows: Sequence[Any]) -> Page[Any]:
    return Paginator(rows, NAMES_A_PAGE).get_page(request.GET.get("page"))
