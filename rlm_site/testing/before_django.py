"""A client whose requests come in where the server's do: pages in memory are answered before Django is called."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from rlm_site.page_cache.wsgi import serve_before_django


class _Handler(ClientHandler):
    def __call__(self, environ: dict[str, Any]) -> Any:
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def django(environ: dict[str, Any], start_response: Any) -> Any:
            return super(_Handler, self).__call__(environ)

        def start_response(status: str, headers: list[tuple[str, str]], *error: object) -> Any:
            begun.append((status, list(headers)))

        answer: Iterable[bytes] = serve_before_django(django)(environ, start_response)
        if not begun:
            return answer
        status, headers = begun[0]
        response = HttpResponse(b"".join(answer), status=int(status.split()[0]), headers=dict(headers))
        response.is_before_django = True  # type: ignore[attr-defined]
        response.request = response.wsgi_request = None  # type: ignore[attr-defined]
        return response


class BeforeDjango(Client):
    """A reader at the server's door; `is_before_django` of a response says where it was answered."""

    def __init__(self, **given: Any) -> None:
        super().__init__(HTTP_HOST="127.0.0.1", **given)
        self.handler = _Handler(enforce_csrf_checks=False)
