import gc
import os
import sys
from collections.abc import Iterable
from io import BytesIO
from wsgiref.types import StartResponse, WSGIEnvironment

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

_django = get_wsgi_application()

from rlm_site import logs, request_bodies, turns  # noqa: E402 - reads the settings
from rlm_site.client_address import resolve_client  # noqa: E402
from rlm_site.page_cache.wsgi import serve_before_django  # noqa: E402

LIVENESS = "/livez"  # answered as long as the process answers at all; `/healthz` asks whether it can make a page

# Everything loaded by now lives as long as the process. Freezing it spares full garbage collections of 25 ms, during
# which one in some hundreds of pages would wait.
get_resolver().url_patterns  # noqa: B018 - loads them
gc.collect()
gc.freeze()
sys.setswitchinterval(turns.SWITCH_INTERVAL)


def _with_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Have Django answer once the body is here."""
    try:
        body = request_bodies.read(environ)
    except request_bodies.RefusedError as refused:
        start_response(refused.status, [*refused.headers])
        return [refused.page]
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
    return _django(environ, start_response)


_pages = serve_before_django(_with_body)


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    if environ.get("PATH_INFO") == LIVENESS:
        page = b"alive\n"
        start_response("200 OK", request_bodies.headers_of(page))
        return [page]
    resolve_client(environ)
    return _pages(environ, start_response)


if settings.LOG_FORMAT == "json":
    application = logs.log_requests(application)  # type: ignore[assignment]
