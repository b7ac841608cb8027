"""WSGI middleware that answers with pages in memory before Django is called, which would take most of the time.

It answers only what Django has answered in the same way: from memory, with all the headers that middleware adds. The
memory is the one of `page_cache.middleware`; whatever is not certain here goes through it.
"""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error

from rlm_site.page_cache import middleware, versions
from rlm_site.page_cache.memory import FROM_MEMORY, Answer, Headers

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

STATUSES = {200: "200 OK", 304: "304 Not Modified"}


def serve_before_django(django: "WSGIApplication") -> "WSGIApplication":
    """Answer known pages, and let Django answer everything else."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if (answer := known_answer(environ)) is not None:
            environ[FROM_MEMORY] = True
            start_response(STATUSES[answer.status], answer.headers.items())
            return [answer.body]
        response = django(environ, start_response)
        headers = getattr(response, "headers", None)
        if isinstance(headers, Headers):  # it came from memory, and has now been through all middleware
            headers.is_complete = True
        return response

    return application


def known_answer(environ: "WSGIEnvironment") -> Answer | None:
    """Return the answer that Django would give from memory; None where that is not certain."""
    if (
        environ.get("QUERY_STRING")
        or (settings.SECURE_SSL_REDIRECT and environ["wsgi.url_scheme"] != "https")
        or not middleware.is_shareable(environ)
        or (page := middleware.MEMORY.get(_decoded(environ.get("PATH_INFO", "")))) is None
    ):
        return None
    try:
        version = versions.content_version()
    except Error:
        return None
    now = time.time()
    if not version or not page.matches(version, now):
        return None
    answer = page.answer(environ, now)
    return answer if answer.headers.is_complete else None


def _decoded(path: str) -> str:
    """Return a path as Django has it; empty where it is not UTF-8."""
    if path.isascii():
        return path
    try:
        return path.encode("latin-1").decode()
    except UnicodeError:
        return ""
