"""Bodies are of limited length, and few threads wait for them: one client never takes the places of others."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree.ElementTree import Element

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.test import Client

from quotes.models import Collection
from rlm_site import request_bodies
from rlm_site.request_bodies import Places, RefusedError, read
from rlm_site.server import THREADS
from rlm_site.testing.served import Site
from rlm_site.testing.variables import ROOT
from rlm_site.tests.editor import signed_in
from rlm_site.tests.html import parse

LOGIN, FORM = "/admin/login/", "/admin/articles/article/add/"


def request(path: str = LOGIN, body: Any = b"a=b", **given: Any) -> dict[str, Any]:
    stream = BytesIO(body) if isinstance(body, bytes) else body
    length = str(len(body)) if isinstance(body, bytes) else "1000"
    common = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "CONTENT_LENGTH": length, "REMOTE_ADDR": "9.9.9.9"}
    return {**common, "wsgi.input": stream, **given}


def status(environ: dict[str, Any]) -> str:
    try:
        read(environ)
    except RefusedError as refused:
        return refused.status
    return "read"


class Unread:
    def read(self, size: int) -> bytes:
        raise AssertionError(size)


class Stalled:
    """A body of which the rest comes when the client is told to go on."""

    def __init__(self) -> None:
        self.is_waited_for, self.can_go_on = Semaphore(0), Event()

    def read(self, size: int) -> bytes:
        self.is_waited_for.release()
        assert self.can_go_on.wait(30)
        return b"x" * size


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(request_bodies, "WAIT", 0.05)
    monkeypatch.setattr(request_bodies, "STRANGERS", Places(tmp_path / "places", 0, 3, 1))
    monkeypatch.setattr(request_bodies, "EDITORS", Places(tmp_path / "places", 1 << 60, 3, 2))


@contextmanager
def stalled(*requests: dict[str, Any]) -> Iterator[None]:
    """Keep these requests waiting for their bodies."""
    with ThreadPoolExecutor(max(len(requests), 1)) as pool:
        answers = [pool.submit(read, environ) for environ in requests]
        assert all(environ["wsgi.input"].is_waited_for.acquire(timeout=10) for environ in requests)
        try:
            yield
        finally:
            for environ in requests:
                environ["wsgi.input"].can_go_on.set()
            assert all(len(answer.result()) == 1000 for answer in answers)


@pytest.mark.parametrize("size", [1, 63, 64, 65, 10_000, 16_000])
def test_a_body_is_read_to_the_letter(size: int) -> None:
    body = bytes(number % 251 for number in range(size))
    assert read(request(body=body + b"more", CONTENT_LENGTH=str(size))) == body


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        ({"CONTENT_LENGTH": "16001"}, "413 Content Too Large"),
        ({"CONTENT_LENGTH": "9" * 5000}, "413 Content Too Large"),
        ({"CONTENT_LENGTH": "-1"}, "400 Bad Request"),
        ({"CONTENT_LENGTH": "many"}, "400 Bad Request"),
        ({"CONTENT_LENGTH": "٣"}, "400 Bad Request"),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, "411 Length Required"),
        ({"HTTP_TRANSFER_ENCODING": "chunked", "REQUEST_METHOD": "PUT"}, "411 Length Required"),
        ({"PATH_INFO": "/", "CONTENT_LENGTH": "16001"}, "413 Content Too Large"),
        ({"PATH_INFO": "/yarle-valley/", "CONTENT_LENGTH": "16001"}, "413 Content Too Large"),
        ({"PATH_INFO": "/admin/password_change/", "CONTENT_LENGTH": "16001"}, "413 Content Too Large"),
        ({"PATH_INFO": FORM, "CONTENT_LENGTH": "4000001"}, "413 Content Too Large"),
        ({"PATH_INFO": "/admin/quotes/quote/import/", "CONTENT_LENGTH": "150000000"}, "413 Content Too Large"),
        (
            {"PATH_INFO": FORM, "CONTENT_LENGTH": "250001", "CONTENT_TYPE": "application/x-www-form-urlencoded"},
            "413 Content Too Large",
        ),
    ],
)
def test_a_length_that_is_too_much_or_none_is_refused_before_anything_is_read(given: Any, answer: str) -> None:
    assert status(request(body=Unread(), **given)) == answer


@pytest.mark.parametrize(
    "given", [{"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}, {"REQUEST_METHOD": "GET"}, {"REQUEST_METHOD": "HEAD"}]
)
def test_where_no_body_is_to_be_nothing_is_read(given: dict[str, str]) -> None:
    assert read(request(body=Unread(), **given)) == b""


@pytest.mark.django_db
def test_forms_with_long_texts_are_not_urlencoded() -> None:
    editor, stranger = signed_in(), Client(HTTP_HOST="127.0.0.1")
    models = ("articles/article", "articles/reference", "quotes/quote", "quotes/person", "rlm_site/tag")
    pages: list[Any] = [editor.get(f"/admin/{model}/add/") for model in models]
    pages.append(stranger.post(FORM, {"title": "Mills", "body": "typed"}, headers={"Sec-Fetch-Dest": "document"}))
    file = SimpleUploadedFile("x.csv", b"key,text\nzoo,A zebra remembers.\n")
    Collection.objects.create(name="Beasts", slug="beasts")
    pages.append(editor.post("/admin/quotes/quote/import/", {"file": file, "collection": "beasts"}))
    long = {"body", "note", "text", "description", "upload"}
    for page in pages:
        forms = [form for form in parse(page).iter("form") if names_in(form) & long]
        assert [form.get("enctype") for form in forms] == ["multipart/form-data"], page.request["PATH_INFO"]


def names_in(form: Element) -> set[str | None]:
    return {field.get("name") for field in form.iter()}


def test_a_body_that_was_cut_off_is_refused() -> None:
    assert status(request(body=b"half", CONTENT_LENGTH="8")) == "400 Bad Request"


def test_a_body_that_comes_too_slowly_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 1000, 10))
    monkeypatch.setattr(request_bodies, "monotonic", lambda: next(moments))
    assert status(request(body=b"x" * 1000)) == "408 Request Timeout"


def test_a_client_that_sends_half_a_body_keeps_nobody_else_from_sending(db: None) -> None:
    with stalled(request(body=Stalled(), REMOTE_ADDR="6.6.6.6")):
        assert status(request(REMOTE_ADDR="6.6.6.6")) == "503 Service Unavailable"
        assert status(request(REMOTE_ADDR="9.9.9.9")) == "read"
    assert status(request(REMOTE_ADDR="6.6.6.6")) == "read"


def test_one_network_of_ipv6_has_the_places_of_one_client() -> None:
    with stalled(request(body=Stalled(), REMOTE_ADDR="2001:db8::1")):
        assert status(request(REMOTE_ADDR="2001:db8::2")) == "503 Service Unavailable"
        assert status(request(REMOTE_ADDR="2001:db8:0:1::2")) == "read"


@pytest.mark.django_db
def test_no_number_of_strangers_keeps_an_editor_from_saving() -> None:
    cookie = f"sessionid={signed_in().cookies['sessionid'].value}"
    strangers = [request(body=Stalled(), REMOTE_ADDR=f"6.6.6.{number}") for number in range(3)]
    forged = request(REMOTE_ADDR="9.9.9.9", HTTP_COOKIE="sessionid=0123456789abcdef0123456789abcdef")
    with stalled(*strangers):
        assert status(request(REMOTE_ADDR="9.9.9.9")) == "503 Service Unavailable"
        assert status(forged) == "503 Service Unavailable"
        assert status(request(FORM, REMOTE_ADDR="9.9.9.9", HTTP_COOKIE=cookie)) == "read"
        assert status(request(FORM, REMOTE_ADDR="6.6.6.1", HTTP_COOKIE=cookie)) == "read"


def test_whoever_waits_gets_the_place_that_becomes_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "WAIT", 20)
    first = request(body=Stalled())
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(status, first)]
        assert first["wsgi.input"].is_waited_for.acquire(timeout=10)
        answers.append(pool.submit(status, request()))
        time.sleep(0.1)
        assert status(request()) == "503 Service Unavailable"  # one waits already
        first["wsgi.input"].can_go_on.set()
        assert [answer.result() for answer in answers] == ["read", "read"]


def test_together_fewer_threads_wait_than_one_process_of_the_server_has() -> None:
    assert request_bodies.STRANGERS.most + request_bodies.EDITORS.most < THREADS


def test_all_processes_share_the_places(tmp_path: Path) -> None:
    """Another process has opened the same file on its own; when it ends, its places are free again."""
    others = Places(tmp_path / "places", 0, 3, 1)
    with others.place("6.6.6.6"):
        assert status(request(REMOTE_ADDR="6.6.6.6")) == "503 Service Unavailable"
        assert status(request(REMOTE_ADDR="9.9.9.9")) == "read"
        with others.place("6.6.6.7"), others.place("6.6.6.8"):
            assert status(request(REMOTE_ADDR="9.9.9.9")) == "503 Service Unavailable"
    assert status(request(REMOTE_ADDR="6.6.6.6")) == "read"


def test_places_of_a_process_that_is_killed_are_free_again(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from rlm_site import file_locks\n"
        "file = file_locks.open_locks(Path(sys.argv[1]))\n"
        "print(all(file_locks.try_lock(file, byte) for byte in range(3)), flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "places")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert status(request()) == "503 Service Unavailable"
        holder.kill()
        holder.wait()
        assert status(request()) == "read"


# Files


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the sizes of the pieces of files that are taken."""
    sizes: list[int] = []
    take = MemoryFileUploadHandler.receive_data_chunk

    def counted(handler: Any, data: bytes, start: int) -> Any:
        sizes.append(len(data))
        return take(handler, data, start)

    monkeypatch.setattr(MemoryFileUploadHandler, "receive_data_chunk", counted)
    return sizes


def file_form(client: Client, address: str) -> int:
    return int(client.post(address, {"file": SimpleUploadedFile("x.csv", b"name\nrain\n")}).status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("address", [LOGIN, FORM, "/admin/rlm_site/tag/import/", "/admin/", "/admin/nothing/"])
@pytest.mark.parametrize("checks", [True, False])
def test_no_file_is_taken_from_a_stranger(taken: list[int], address: str, checks: bool) -> None:
    stranger = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=checks)
    assert file_form(stranger, address) in {302, 403}
    reader = Client(HTTP_HOST="127.0.0.1", enforce_csrf_checks=checks)
    reader.force_login(User.objects.create(username="reader"))
    assert file_form(reader, address) in {302, 403}
    assert taken == []


@pytest.mark.django_db
def test_a_file_of_an_editor_is_taken_and_kept_in_memory(taken: list[int]) -> None:
    assert file_form(signed_in(), "/admin/rlm_site/tag/import/") == 200
    assert taken == [10]
    assert settings.FILE_UPLOAD_HANDLERS == ["rlm_site.uploads.EditorsUploadHandler"]
    assert settings.FILE_UPLOAD_MAX_MEMORY_SIZE >= settings.LARGEST_BODY


# As it is served


def half_sent(server: Site, length: int = 1000, path: str = LOGIN) -> socket.socket:
    address = urlsplit(server.url)
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
    connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
    return connection


def sign_in(server: Site, password: str) -> tuple[int, str]:
    _status, headers, page = server.ask(LOGIN)
    cookie = headers["Set-Cookie"].split(";")[0]
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "editor", "password": password, "next": "/admin/"}
    answer, headers, _page = server.ask(LOGIN, urlencode(form), Cookie=cookie)
    return answer, "; ".join(each.split(";")[0] for each in headers.get_all("Set-Cookie") or [])


@pytest.mark.full
def test_half_sent_bodies_of_a_stranger_keep_no_editor_from_saving(server: Site) -> None:
    answer, cookie = sign_in(server, server.password)
    assert answer == 302
    with ExitStack() as stack:
        for _ in range(12):
            stack.enter_context(half_sent(server))
        time.sleep(0.2)
        for _ in range(5):
            # refused for what it is, and not because the site is busy
            assert server.ask(FORM, "title=x", Cookie=cookie)[0] == 403
            assert server.ask("/about/")[0] == 200
    assert sign_in(server, "guess")[0] == 200


@pytest.mark.full
@pytest.mark.parametrize(("path", "length"), [(LOGIN, 150_000_000), ("/admin/quotes/quote/import/", 150_000_000)])
def test_what_is_too_long_is_refused_before_it_is_sent(server: Site, path: str, length: int) -> None:
    with half_sent(server, length, path) as connection:
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "bytes are accepted here" in answer
    for header in ("content-security-policy", "permissions-policy", "cross-origin-resource-policy"):
        assert f"\r\n{header}: " in answer.lower()
