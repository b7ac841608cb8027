"""Requests with a body: few may wait for theirs at once, as many as there are threads may be worked on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event, Semaphore
from typing import Any

import pytest

from rlm_site import wsgi

Read = Callable[[Any], object]


class Site:
    """Stands for Django: reads bodies in its own way, then works on until it is told to end."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.working = Semaphore(0)
        self.may_end = Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.read(environ["wsgi.input"])
        self.working.release()
        assert self.may_end.wait(30)
        start_response("200 OK", [])
        return [b"saved"]


def send(body: bytes = b"a line\nand another", length: str | None = None) -> str:
    statuses: list[str] = []
    length = str(len(body)) if length is None else length
    environ = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": length, "wsgi.input": BytesIO(body)}
    wsgi.application(environ, lambda status, headers: statuses.append(status))
    return statuses[0]


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Read], Site]]:
    made: list[Site] = []

    def make(read: Read) -> Site:
        made.append(Site(read))
        monkeypatch.setattr(wsgi, "_django", made[0])
        return made[0]

    yield make
    made[0].may_end.set()


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
    with ThreadPoolExecutor(wsgi.BODIES_AT_ONCE + 1) as pool:
        answers = [pool.submit(send) for _ in range(wsgi.BODIES_AT_ONCE + 1)]
        assert all(busy.working.acquire(timeout=10) for _ in answers)
        busy.may_end.set()
        assert {answer.result() for answer in answers} == {"200 OK"}


def test_while_bodies_are_waited_for_another_is_refused_and_later_taken(site: Callable[[Read], Site]) -> None:
    busy = site(lambda stream: stream.read(5))  # the rest does not come
    with ThreadPoolExecutor(wsgi.BODIES_AT_ONCE) as pool:
        answers = [pool.submit(send) for _ in range(wsgi.BODIES_AT_ONCE)]
        assert all(busy.working.acquire(timeout=10) for _ in answers)
        assert send() == "503 Service Unavailable"
        busy.may_end.set()
        assert {answer.result() for answer in answers} == {"200 OK"}
    assert send() == "200 OK"


def test_a_request_without_a_body_or_with_an_unread_one_gives_its_place_back(site: Callable[[Read], Site]) -> None:
    site(lambda stream: None).may_end.set()
    for _ in range(wsgi.BODIES_AT_ONCE + 1):
        assert send(b"") == "200 OK"
        assert send(b"not read") == "200 OK"


@pytest.mark.parametrize("length", ["", "many", "-1"])
def test_a_length_that_is_none_takes_no_place_for_good(site: Callable[[Read], Site], length: str) -> None:
    site(lambda stream: stream.read()).may_end.set()
    for _ in range(wsgi.BODIES_AT_ONCE + 1):
        assert send(length=length) == "200 OK"
