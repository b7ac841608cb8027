"""Beside a quotation's form: how it will be printed, which are like it, and where it is shown."""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern
from django.utils import timezone

from quotes.duplicates import Similar, Verdict, similar_to
from quotes.models import Quote
from rlm_site import turns
from rlm_site.editor.features import Feature
from rlm_site.history.drafts import Draft
from rlm_site.publishing import permissions
from rlm_site.text.limits import MAX_PASSAGE
from rlm_site.text.slugs import reverse

TEXTS = (
    "text", "name_as_printed", "locator", "locator_as_printed", "quoted_in_locator", "translator",
    "attribution_as_imported",
)  # fmt: skip
KEYS = ("person", "work", "quoted_in")
_FIELDS: dict[str, Any] = {name: Quote._meta.get_field(name) for name in (*TEXTS, *KEYS)}

FindPages = Callable[[Quote, datetime], list[Any]]
_finders: list[FindPages] = []


def register_pages(find: FindPages) -> None:
    """Register the function that returns the pages on which readers find a quotation."""
    _finders.append(find)


def with_form_values(quote: Quote, form: Mapping[str, Any]) -> Quote:
    """Return the quotation with the fields of the form laid over it; what makes no sense leaves it as it is."""
    quote = copy(quote)
    typed = {name: str(value).replace("\r\n", "\n").replace("\0", "") for name, value in form.items()}
    for name in TEXTS:
        if name in typed:
            setattr(quote, name, typed[name][: _FIELDS[name].max_length or MAX_PASSAGE].strip())
    if typed.get("status") in Quote.Status.values:
        quote.status = typed["status"]
    for name in KEYS:
        key = typed.get(name)
        if key is not None and (not key or (key.isascii() and key.isdigit() and len(key) < 19)):
            related = _FIELDS[name].related_model._default_manager
            setattr(quote, name, related.filter(pk=int(key)).first() if key else None)
    year = typed.get("year_said")
    if year is not None and (not year or (year.lstrip("-").isdecimal() and year.isascii() and len(year) < 6)):
        quote.year_said = int(year) if year else None
    return quote


class QuotePanel(Feature):
    """Panels beside the form of a quotation, made of the form as it stands, saved or not."""

    def urls(self) -> list[URLPattern]:
        return [
            self.path("add/printed/", self.printed_view, "printed"),
            self.path("<int:pk>/printed/", self.printed_view, "printed"),
            self.path("add/similar/", self.similar_view, "similar"),
            self.path("<int:pk>/similar/", self.similar_view, "similar"),
        ]

    def form_context(self, request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
        row = context["original"]
        draft = context.get("draft")
        shown = with_form_values(draft.row if draft else row or Quote(), request.POST)
        can_save = self.admin.has_change_permission(request, row) if row else self.admin.has_add_permission(request)
        key = [row.pk] if row else []
        return {
            "quote_panel": True,
            "quote": shown,
            "pages": pages_showing(row) if row else None,
            "printed_address": self.url("printed", *key) if can_save else "",
            "similar_address": self.url("similar", *key) if can_save else "",
        }

    @turns.long_view
    def printed_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        return render(request, "quotes/editor/_printed.html", {"quote": self._typed(request, pk)})

    @turns.long_view
    def similar_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        quote = self._typed(request, pk)
        found = similar_to(quote.text, exclude=pk) if quote.text else []
        if not permissions.can_read_drafts(request.user, Quote):
            rows = permissions.readable(request.user, Quote.objects.all(), timezone.now())
            readable = set(rows.filter(pk__in=[like.quote.pk for like in found]).values_list("pk", flat=True))
            found = [like for like in found if like.quote.pk in readable]
        return render(request, "quotes/editor/_similar.html", {"found": [(like, _is_same(like)) for like in found]})

    def _typed(self, request: HttpRequest, pk: int | None) -> Quote:
        """Return the quotation with its working copy and the form laid over it, for whoever may change it."""
        if pk is None:
            if not self.admin.has_add_permission(request):
                raise PermissionDenied
            return with_form_values(Quote(), request.POST)
        quote: Quote | None = self.admin.get_object(request, str(pk))
        if quote is None:
            raise Http404
        if not self.admin.has_change_permission(request, quote):
            raise PermissionDenied
        return with_form_values(Draft.of(quote).row, request.POST)


def pages_showing(quote: Quote) -> list[tuple[Any, str]]:
    """Return the pages on which readers find a quotation, each with the address of its form."""
    pages = [page for find in _finders for page in find(quote, timezone.now())]
    return [
        (page, reverse(f"admin:{page._meta.app_label}_{page._meta.model_name}_change", [page.pk])) for page in pages
    ]


def _is_same(like: Similar) -> bool:
    return like.verdict is Verdict.SAME_WORDS
