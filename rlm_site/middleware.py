"""Middleware for every request: who asks, and what a browser may do with the answer."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from rlm_site.client_address import resolve_client

GetResponse = Callable[[HttpRequest], HttpResponse]


def resolve_client_address(get_response: GetResponse) -> GetResponse:
    """Work out who asks where no WSGI server has done it, as in tests; to be the first of all."""

    def middleware(request: HttpRequest) -> HttpResponse:
        resolve_client(request.META)
        return get_response(request)

    return middleware


def add_policies(get_response: GetResponse) -> GetResponse:
    """Add the headers that Django has no setting for to every answer, static files and error pages included."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in settings.POLICY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware
