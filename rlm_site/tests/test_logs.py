"""On request the log is JSON, a line for each request: what was asked for, how it went, and not by whom."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from rlm_site import logs
from rlm_site.testing.databases import OWN, fresh_database
from rlm_site.testing.served import serving

ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/yarle-valley/", "QUERY_STRING": "q=secret", "REMOTE_ADDR": "9.9.9.9"}


def logged(caplog: pytest.LogCaptureFixture, application: Any, **given: Any) -> dict[str, Any]:
    """Return the line of one request."""
    logs.requests.addHandler(caplog.handler)
    try:
        start_response: Any = lambda *args: None  # noqa: E731
        logs.log_requests(application)({**ENVIRON, **given}, start_response)
    finally:
        logs.requests.removeHandler(caplog.handler)
        [record] = caplog.records
        line: dict[str, Any] = json.loads(logs.JsonFormatter().format(record))
        caplog.clear()
    return line


def test_a_line_tells_method_route_status_time_and_whether_it_came_from_memory(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def from_memory(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        environ[logs.FROM_MEMORY] = True
        start_response("304 Not Modified", [])
        return []

    line = logged(caplog, from_memory)
    assert line.pop("milliseconds") >= 0
    assert line.pop("time").endswith("+00:00")
    route = "/<slug:slug>/"
    assert line == {
        "level": "INFO",
        "logger": "rlm_site.requests",
        "message": f"GET {route} 304",
        "method": "GET",
        "route": route,
        "status": 304,
        "from_memory": True,
    }
    assert "secret" not in str(line)
    assert "9.9.9.9" not in str(line)


def test_what_has_no_route_and_what_fails_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    def fail(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        logged(caplog, fail)

    def not_found(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []

    for path in ("nothing", "/no/such/page/at/all", "/\xff\0/"):
        line = logged(caplog, not_found, PATH_INFO=path)
        assert (line["route"], line["status"], line["from_memory"]) == ("", 404, False)


def test_a_fault_is_one_line_with_its_traceback() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("django.request", logging.ERROR, "", 0, "Failed: %s", ("ü",), sys.exc_info())
    said = logs.JsonFormatter().format(record)
    assert "\n" not in said
    line = json.loads(said)
    assert line["message"] == "Failed: ü"
    assert "ValueError: two\nlines" in line["traceback"]


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import runpy

    monkeypatch.setenv("LOG_FORMAT", "xml")
    with pytest.raises(ImproperlyConfigured, match="LOG_FORMAT is 'xml'; it must be text or json"):
        runpy.run_path(str(settings.BASE_DIR / "rlm_site" / "settings.py"))


@pytest.mark.full
def test_a_served_site_logs_json(tmp_path: Path, static_files: None) -> None:
    with fresh_database(tmp_path, OWN) as url, serving(url, tmp_path, LOG_FORMAT="json") as site:
        for path in ("/about/", "/about/", "/about/", "/no-such-topic/"):
            site.ask(path)
        lines = [json.loads(line) for line in site.log.read_text().splitlines() if line.startswith("{")]
    asked = [(line["status"], line["from_memory"]) for line in lines if line.get("route") != "/healthz"]
    assert asked == [(200, False), (200, True), (200, True), (404, False)]
