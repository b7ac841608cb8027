"""What every reader's page begins with: which methods it answers, and values of the query string that are safe."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from rlm_site.page_cache import keep


def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator: the view answers GET and HEAD, the same to everybody; other methods are told so on a page."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            response = render(request, "405.html", status=405)
            response["Allow"] = "GET, HEAD"
            return response
        return keep(view(request, *args, **kwargs))

    # Nothing is changed here: a POST is to meet the 405 and not a complaint about a missing token.
    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def value(request: HttpRequest, name: str, longest: int = 100) -> str:
    """A value of the query string without the characters that databases refuse."""
    return request.GET.get(name, "").replace("\0", "").strip()[:longest]
