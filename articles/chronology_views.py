"""The views of the chronology. Any change may change it, so that it has no cache tags."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from articles import chronology as chronicle
from articles import events
from articles.models import Group
from rlm_site.indexing import queue
from rlm_site.page_cache.decorators import public_page, query_value
from rlm_site.text.slugs import reverse

FILTERS = ("group", "kind")


@public_page(parameters=FILTERS)
def chronology(request: HttpRequest) -> HttpResponse:
    return _chronology(request, None)


@public_page(parameters=FILTERS)
def year(request: HttpRequest, year: int) -> HttpResponse:
    """Show the events of a year, or lead to the page that has them with all others."""
    return _chronology(request, year)


def _chronology(request: HttpRequest, year: int | None) -> HttpResponse:
    now = timezone.now()
    queue.ensure_indexed()
    every = events.public(now)
    groups = list(Group.objects.all()) if every else []
    group, kind = (query_value(request, name) for name in FILTERS)
    conditions = [
        *([chronicle.is_in_group(group, groups)] if group else []),
        *([chronicle.is_of_kind(kind)] if kind else []),
    ]
    shown = [event for event in every if all(fits and fits(event) for fits in conditions)]
    years = chronicle.years_of(shown)
    if None in conditions or (year is not None and year not in years):
        raise Http404
    filters = f"?{urlencode({name: value for name, value in zip(FILTERS, (group, kind), strict=True) if value})}"
    filters = filters if conditions else ""
    divided = chronicle.is_divided(shown)
    if year is not None and not divided:
        return HttpResponseRedirect(reverse("articles:chronology", []) + filters)  # for now: events may be added
    on_page = [event for event in shown if not divided or event.when.first.year == year]
    context = {
        "span": chronicle.span_of(on_page or shown),
        "of_all": chronicle.span_of(every),
        "year": year,
        "strip": chronicle.strip_of(every, labelled=False) if every else None,
        "told": chronicle.tell(on_page, None if divided else chronicle.axis_of(every), now) if on_page else None,
        "years": [(each, f"{reverse('articles:year', [each])}{filters}", number) for each, number in years.items()]
        if divided
        else [],
        "filters": chronicle.choices(every, groups, group, kind),
        "is_filtered": bool(conditions),
    }
    return render(request, "articles/chronology.html", context)
