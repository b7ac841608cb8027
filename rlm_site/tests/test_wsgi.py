"""The server's entry: all is loaded before the first request, and bodies are read before the site sees them."""

import gc
import subprocess
import sys
from importlib import import_module
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest

from rlm_site.testing.served import free_port
from rlm_site.testing.variables import ROOT, environment


@pytest.fixture
def wsgi(static_files: None) -> ModuleType:
    """Import the module late, as it looks through the static files."""
    module = import_module("rlm_site.wsgi")
    gc.unfreeze()  # a test run goes on collecting what its fixtures leave
    return module


def asked(wsgi: ModuleType, **given: Any) -> tuple[str, Any]:
    """Return status and answer."""
    statuses: list[str] = []
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "REMOTE_ADDR": "127.0.0.1", "CONTENT_LENGTH": "4", **given}
    answer = wsgi.application(environ, lambda status, headers: statuses.append(status))
    return statuses[0], answer


def test_the_site_is_given_the_whole_body(wsgi: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies = []

    def django(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        bodies.append((environ["wsgi.input"].read(), environ["CONTENT_LENGTH"]))
        start_response("200 OK", [])
        return [b"saved"]

    monkeypatch.setattr(wsgi, "_django", django)
    assert asked(wsgi, **{"wsgi.input": BytesIO(b"a=bcd")}) == ("200 OK", [b"saved"])
    assert bodies == [(b"a=bc", "4")]


def test_what_is_refused_never_reaches_the_site(wsgi: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "_django", None)
    status, [page] = asked(wsgi, CONTENT_LENGTH="150000000")
    assert status == "413 Content Too Large"
    assert page.startswith(b"Too much data: at most 16,000 bytes are accepted here.")


def test_it_says_that_it_is_alive_whatever_the_database_and_the_site_do(
    wsgi: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsgi, "_pages", None)
    given = {"REQUEST_METHOD": "GET", "PATH_INFO": "/livez", "HTTP_HOST": "whatever.example", "REMOTE_ADDR": "9.9.9.9"}
    assert asked(wsgi, **given) == ("200 OK", [b"alive\n"])


LOADED = "print(gc.get_freeze_count(), len(gc.get_objects()), 'articles.views' in sys.modules)"


def test_what_is_loaded_at_the_start_is_not_looked_through_again(static_files: None) -> None:
    command = [sys.executable, "-c", f"import gc, sys, rlm_site.wsgi; {LOADED}"]
    env = environment(f"sqlite:///{ROOT / 'var' / 'not-opened.sqlite3'}", free_port())
    said = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    frozen, looked_through, views = said.split()
    assert int(frozen) > 10 * int(looked_through)
    assert views == "True"
