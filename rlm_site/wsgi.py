import gc
import os
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

# Of the server's threads only so many may wait for the body of a request: clients that send one slowly, or never, then
# cannot keep readers from their pages.
BODIES_AT_ONCE = 4
_bodies = BoundedSemaphore(BODIES_AT_ONCE)
_django = get_wsgi_application()

# What has been loaded by now, the views with it, stays as long as the process. Python's collector need not look through
# it again and again: that takes 25 ms, in which one page of some hundreds waits.
get_resolver().url_patterns  # noqa: B018 - loads them
gc.collect()
gc.freeze()


class _Body:
    """The body of a request, which keeps its place among those that are waited for until it has been read."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._stream = environ["wsgi.input"]
        try:
            self._left = int(environ["CONTENT_LENGTH"])
        except (KeyError, ValueError):
            self._left = 0  # as Django takes it
        self._has_place = True

    def read(self, *size: int) -> bytes:
        return self._count(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._count(self._stream.readline(*size))

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left <= 0 or not data:
            self.give_place()
        return data

    def give_place(self) -> None:
        if self._has_place:
            self._has_place = False
            _bodies.release()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        return _django(environ, start_response)
    if not _bodies.acquire(timeout=1):
        start_response(
            "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]
        )
        return [b"The site is busy. Nothing was saved; go back and send it again.\n"]
    body = _Body(environ)
    try:
        return _django({**environ, "wsgi.input": body}, start_response)
    finally:
        body.give_place()
