"""Static files of another version of the site are served too, as soon as they are collected; nothing else is."""

from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import RequestFactory

from rlm_site.static_files import StaticFiles

pytestmark = pytest.mark.django_db  # the end of a response closes connections


@pytest.fixture
def root(tmp_path: Path, settings: Any) -> Path:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "site.css").write_text("body { color: black }")
    (tmp_path / "db.sqlite3").write_text("private")
    return tmp_path / "static"


def asked(middleware: StaticFiles, path: str, rf: RequestFactory) -> tuple[int, bytes]:
    request: WSGIRequest = rf.get("/")
    request.path_info = path
    response = middleware(request)
    body = b"".join(response)
    response.close()
    return response.status_code, body


@pytest.fixture
def middleware(root: Path) -> StaticFiles:
    return StaticFiles(lambda request: HttpResponse("the site's", status=404))


def test_a_file_that_is_collected_later_is_found(root: Path, middleware: StaticFiles, rf: RequestFactory) -> None:
    assert asked(middleware, "/static/site.css", rf) == (200, b"body { color: black }")
    assert asked(middleware, "/static/css/site.0123456789ab.css", rf)[0] == 404
    (root / "css").mkdir()
    (root / "css" / "site.0123456789ab.css").write_text("body { color: blue }")
    for _request in range(2):
        assert asked(middleware, "/static/css/site.0123456789ab.css", rf) == (200, b"body { color: blue }")


@pytest.mark.parametrize(
    "path",
    ["/static/../db.sqlite3", "/static//../db.sqlite3", "/static/", "/static/css/", "/static/css", "/static/\0", "/x"],
)
def test_nothing_else_is(root: Path, middleware: StaticFiles, rf: RequestFactory, path: str) -> None:
    (root / "css").mkdir()
    assert asked(middleware, path, rf) == (404, b"the site's")
