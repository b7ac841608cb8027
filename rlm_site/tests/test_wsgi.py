"""The server's entry: all is loaded before the first request, and few requests may wait for their bodies at once."""

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from threading import Event, Semaphore
from types import ModuleType
from typing import Any

import pytest

from rlm_site.testing.served import free_port
from rlm_site.testing.variables import ROOT, environment

Read = Callable[[Any], object]


class Site:
    """Stands for Django: reads bodies in its own way, then works on until it is told to end."""

    def __init__(self, wsgi: ModuleType, read: Read) -> None:
        self.wsgi = wsgi
        self.read = read
        self.working = Semaphore(0)
        self.can_end = Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.read(environ["wsgi.input"])
        self.working.release()
        assert self.can_end.wait(30)
        start_response("200 OK", [])
        return [b"saved"]

    def sent(self, body: bytes = b"a line\nand another", length: str | None = None) -> str:
        """Return the status of the answer."""
        statuses: list[str] = []
        length = str(len(body)) if length is None else length
        environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length, "wsgi.input": BytesIO(body)}
        self.wsgi.application(environ, lambda status, headers: statuses.append(status))
        return statuses[0]


@pytest.fixture
def wsgi(static_files: None) -> ModuleType:
    """Import the module late, as it looks through the static files."""
    module = import_module("rlm_site.wsgi")
    gc.unfreeze()  # a test run goes on collecting what its fixtures leave
    return module


@pytest.fixture
def site(wsgi: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Read], Site]]:
    made: list[Site] = []

    def make(read: Read) -> Site:
        made.append(Site(wsgi, read))
        monkeypatch.setattr(wsgi, "_django", made[0])
        return made[0]

    yield make
    made[0].can_end.set()


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: stream.read(),
        lambda stream: [stream.read(5) for _ in range(4)],
        lambda stream: [stream.readline() for _ in range(2)],
        lambda stream: iter(stream.read, b""),
    ],
    ids=["at once", "in parts", "by lines", "until nothing comes"],
)
def test_a_body_that_was_read_makes_room_while_its_request_is_worked_on(
    site: Callable[[Read], Site], read: Read
) -> None:
    busy = site(lambda stream: list(found) if isinstance(found := read(stream), Iterator) else found)
    with ThreadPoolExecutor(busy.wsgi.MAX_BODIES_READ_AT_ONCE + 1) as pool:
        answers = [pool.submit(busy.sent) for _ in range(busy.wsgi.MAX_BODIES_READ_AT_ONCE + 1)]
        assert all(busy.working.acquire(timeout=10) for _ in answers)
        busy.can_end.set()
        assert {answer.result() for answer in answers} == {"200 OK"}


def test_while_bodies_are_waited_for_another_is_refused_and_later_taken(site: Callable[[Read], Site]) -> None:
    busy = site(lambda stream: stream.read(5))  # the rest does not come
    with ThreadPoolExecutor(busy.wsgi.MAX_BODIES_READ_AT_ONCE) as pool:
        answers = [pool.submit(busy.sent) for _ in range(busy.wsgi.MAX_BODIES_READ_AT_ONCE)]
        assert all(busy.working.acquire(timeout=10) for _ in answers)
        assert busy.sent() == "503 Service Unavailable"
        busy.can_end.set()
        assert {answer.result() for answer in answers} == {"200 OK"}
    assert busy.sent() == "200 OK"


def test_a_request_without_a_body_or_with_an_unread_one_gives_its_place_back(site: Callable[[Read], Site]) -> None:
    idle = site(lambda stream: None)
    idle.can_end.set()
    for _ in range(idle.wsgi.MAX_BODIES_READ_AT_ONCE + 1):
        assert idle.sent(b"") == "200 OK"
        assert idle.sent(b"not read") == "200 OK"


@pytest.mark.parametrize("length", ["", "many", "-1"])
def test_a_length_that_is_none_takes_no_place_for_good(site: Callable[[Read], Site], length: str) -> None:
    quick = site(lambda stream: stream.read())
    quick.can_end.set()
    for _ in range(quick.wsgi.MAX_BODIES_READ_AT_ONCE + 1):
        assert quick.sent(length=length) == "200 OK"


LOADED = "print(gc.get_freeze_count(), len(gc.get_objects()), 'articles.views' in sys.modules)"


def test_what_is_loaded_at_the_start_is_not_looked_through_again(static_files: None) -> None:
    command = [sys.executable, "-c", f"import gc, sys, rlm_site.wsgi; {LOADED}"]
    env = environment(f"sqlite:///{ROOT / 'var' / 'not-opened.sqlite3'}", free_port())
    said = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
    frozen, looked_through, views = said.split()
    assert int(frozen) > 10 * int(looked_through)
    assert views == "True"
