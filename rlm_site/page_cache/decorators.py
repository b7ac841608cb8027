"""The decorator of every page that readers see, and safe values of its query string."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.page_cache.middleware import mark_cacheable


def public_page(
    view: Callable[..., HttpResponse] | None = None,
    *,
    parameters: tuple[str, ...] = (),
    tracks_dependencies: bool = False,
) -> Any:
    """Decorate a view that answers GET and HEAD, the same to everybody; other methods get an error page.

    The view sees these `parameters` of the query string and no other: whatever people and machines append to an
    address, the page is one page in the cache. With `tracks_dependencies` the functions that it reads with all call
    `depends_on`, and the page outlives changes of everything else; without it, every change makes it out of date.
    """
    if view is None:
        return partial(public_page, parameters=parameters, tracks_dependencies=tracks_dependencies)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = render(request, "405.html", status=405)
            response["Allow"] = "GET, HEAD"
            return response
        if not request.GET.keys() <= known:
            request.GET = _only_parameters(known, request.GET)  # type: ignore[assignment]
        with collect_dependencies() as dependencies:
            response = view(request, *args, **kwargs)
        return mark_cacheable(response, dependencies if tracks_dependencies else None)

    known = frozenset(parameters)
    wrapped.parameters = known  # type: ignore[attr-defined]
    wrapped.tracks_dependencies = tracks_dependencies  # type: ignore[attr-defined]
    # Nothing is changed here: a POST is to get the 405 and not a complaint about a missing CSRF token.
    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def _only_parameters(names: frozenset[str], given: QueryDict) -> QueryDict:
    known = given.copy()
    for name in given.keys() - names:
        del known[name]
    return known


def query_value(request: HttpRequest, name: str, longest: int = 100) -> str:
    """Return a value of the query string without the characters that databases refuse."""
    return request.GET.get(name, "").replace("\0", "").strip()[:longest]
