"""What every reader's page begins with: which methods it answers, and values of the query string that are safe."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from rlm_site.page_cache.middleware import mark_cacheable


def public_page(view: Callable[..., HttpResponse] | None = None, *, parameters: tuple[str, ...] = ()) -> Any:
    """Decorator: the view answers GET and HEAD, the same to everybody; other methods are told so on a page.

    It knows these parameters of the query string and is told of no other: whatever people and machines hang on an
    address, the page stays one page.
    """
    if view is None:
        return partial(public_page, parameters=parameters)

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = render(request, "405.html", status=405)
            response["Allow"] = "GET, HEAD"
            return response
        if not request.GET.keys() <= known:
            request.GET = _with_parameters(known, request.GET)  # type: ignore[assignment]
        return mark_cacheable(view(request, *args, **kwargs))

    known = frozenset(parameters)
    wrapped.parameters = known  # type: ignore[attr-defined]
    # Nothing is changed here: a POST is to meet the 405 and not a complaint about a missing token.
    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def _with_parameters(names: frozenset[str], given: QueryDict) -> QueryDict:
    kept = given.copy()
    for name in given.keys() - names:
        del kept[name]
    return kept


def query_value(request: HttpRequest, name: str, longest: int = 100) -> str:
    """A value of the query string without the characters that databases refuse."""
    return request.GET.get(name, "").replace("\0", "").strip()[:longest]
