"""One search for records of all kinds: the best hits of each, with a link to its list."""

from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from rlm_site.editor.lists import check_search
from rlm_site.editor.navigation import content_admins
from rlm_site.publishing.models import Publishable

MOST_HITS = 5  # of a kind


@dataclass(frozen=True)
class Hit:
    title: str
    address: str
    state: SafeString | str = ""


@dataclass(frozen=True)
class Hits:
    """The best hits of one kind of record, and the list of all."""

    names: str
    hits: list[Hit]
    address: str
    has_more: bool


def search_view(site: admin.AdminSite, request: HttpRequest) -> HttpResponse:
    text = " ".join(request.GET.get("q", "").replace("\0", "").split())
    refused, found = "", []
    try:
        check_search(text)
        found = search_records(site, request, text)
    except ValidationError as error:
        refused = " ".join(error.messages)
    title = _("Search")
    context = {**site.each_context(request), "title": title, "query": text, "found": found, "refused": refused}
    return TemplateResponse(request, "editor/record_search.html", context)


def search_records(site: admin.AdminSite, request: HttpRequest, text: str) -> list[Hits]:
    """Return what each list finds that this person may see. One query a kind, however much there is."""
    if not text:
        return []
    admins = [each for each in content_admins(site) if each.has_view_or_change_permission(request)]
    found = [_search_kind(each, request, text) for each in admins]
    return [hits for hits in found if hits.hits]


def _search_kind(model_admin: Any, request: HttpRequest, text: str) -> Hits:
    rows, has_duplicates = model_admin.get_search_results(request, model_admin.get_queryset(request), text)
    ordered = model_admin.order_by_relevance(rows.distinct() if has_duplicates else rows, text)
    best = list(ordered[: MOST_HITS + 1])
    page = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}"
    hits = [
        Hit(
            Truncator(str(row).strip()).chars(120, truncate="…") or f"{model_admin.opts.verbose_name} {row.pk}",
            reverse(f"{page}_change", args=[row.pk]),
            model_admin.state(row) if isinstance(row, Publishable) else "",
        )
        for row in best[:MOST_HITS]
    ]
    address = f"{reverse(f'{page}_changelist')}?{urlencode({'q': text})}"
    return Hits(str(model_admin.opts.verbose_name_plural), hits, address, len(best) > MOST_HITS)
