import gc
import os
from collections.abc import Iterable
from threading import BoundedSemaphore
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

# Only so many threads may wait for request bodies, so that clients that send them slowly or never cannot block readers.
MAX_BODIES_READ_AT_ONCE = 4
_body_slots = BoundedSemaphore(MAX_BODIES_READ_AT_ONCE)
_django = get_wsgi_application()

# Everything loaded by now lives as long as the process. Freezing it spares full garbage collections of 25 ms, during
# which one in some hundreds of pages would wait.
get_resolver().url_patterns  # noqa: B018 - loads them
gc.collect()
gc.freeze()


class _RequestBody:
    """A request body that occupies one of the limited slots until it is read."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._stream = environ["wsgi.input"]
        try:
            self._remaining = int(environ["CONTENT_LENGTH"])
        except (KeyError, ValueError):
            self._remaining = 0  # as in Django
        self._has_slot = True

    def read(self, *size: int) -> bytes:
        return self._count(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._count(self._stream.readline(*size))

    def _count(self, data: bytes) -> bytes:
        self._remaining -= len(data)
        if self._remaining <= 0 or not data:
            self.release_slot()
        return data

    def release_slot(self) -> None:
        if self._has_slot:
            self._has_slot = False
            _body_slots.release()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        return _django(environ, start_response)
    if not _body_slots.acquire(timeout=1):
        start_response(
            "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]
        )
        return [b"The site is busy. Nothing was saved; go back and send it again.\n"]
    body = _RequestBody(environ)
    try:
        return _django({**environ, "wsgi.input": body}, start_response)
    finally:
        body.release_slot()
