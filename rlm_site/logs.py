"""The log: requests that were refused, and as JSON every request."""

import json
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import SuspiciousOperation
from django.urls import Resolver404, resolve

from rlm_site.page_cache.memory import FROM_MEMORY

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

MOST_SAID = 500  # characters of a line

requests = logging.getLogger("rlm_site.requests")


class RefusalFilter(logging.Filter):
    """Leaves one line of a request that was refused: the fault is in the request, so no traceback helps to find it."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = " ".join(record.getMessage().split())[:MOST_SAID]
        if record.name.endswith(".DisallowedHost"):
            said = said.partition(" You may")[0] + " Readers must use the address set in SITE_URL."
        record.msg, record.args, record.exc_info, record.exc_text = said, None, None, None
        return True


class JsonFormatter(logging.Formatter):
    """Writes each record as one line of JSON, with what is known of a request."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def log_requests(application: "WSGIApplication") -> "WSGIApplication":
    """Log each request: method, route, status, milliseconds, and whether the answer came from memory.

    Neither who asks is logged nor what they look for.
    """

    def logged(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        begun, statuses = time.perf_counter(), ["500"]

        def start(status: str, *rest: Any) -> Any:
            statuses.append(status)
            return start_response(status, *rest)

        try:
            return application(environ, start)
        finally:
            method, status = str(environ["REQUEST_METHOD"]), int(statuses[-1].split()[0])
            fields = {
                "method": method,
                "route": _route(environ.get("PATH_INFO", "")),
                "status": status,
                "milliseconds": round((time.perf_counter() - begun) * 1000, 3),
                "from_memory": FROM_MEMORY in environ,
            }
            requests.info("%s %s %s", method, fields["route"] or "-", status, extra={"fields": fields})

    return logged


@lru_cache(maxsize=1024)
def _route(path: str) -> str:
    """Return the pattern of an address, such as `/<slug:slug>/`; empty where there is none."""
    try:
        return "/" + resolve(path).route
    except (Resolver404, SuspiciousOperation, UnicodeError):
        return ""
