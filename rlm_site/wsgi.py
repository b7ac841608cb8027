import os
from collections.abc import Callable, Iterable
from threading import BoundedSemaphore
from typing import Any

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

# Of the server's threads only so many may wait for the body of a request: clients that send one slowly, or never, then
# cannot keep readers from their pages.
BODIES_AT_ONCE = 4
_bodies = BoundedSemaphore(BODIES_AT_ONCE)
_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        return _django(environ, start_response)
    if not _bodies.acquire(timeout=1):
        start_response(
            "503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "10")]
        )
        return [b"The site is busy. Nothing was saved; go back and send it again.\n"]
    try:
        return _django(environ, start_response)
    finally:
        _bodies.release()
