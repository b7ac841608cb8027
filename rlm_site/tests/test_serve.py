"""`manage.py serve`, as `make run` calls it: real processes over SQLite files of their own."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from rlm_site.testing.databases import on_postgresql
from rlm_site.testing.served import Site, free_port, serving
from rlm_site.testing.variables import ROOT, environment

pytestmark = pytest.mark.full


def stop(site: Site, by: signal.Signals) -> int:
    site.process.send_signal(by)
    return site.process.wait(20)


def rows(path: Path) -> list[str]:
    with sqlite3.connect(path) as database:
        dump = list(database.iterdump())
    database.close()
    return dump


def failure(database_url: str | None = None, port: int | None = None, **variables: str) -> str:
    """Return what a start that must fail prints."""
    env = environment(database_url or "sqlite:////nonexistent/folder/db.sqlite3", port or free_port())
    done = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**env, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, static_files: None) -> Path:
    """Return a database that a first start made and Ctrl-C closed."""
    if on_postgresql():
        pytest.skip("it is a file of SQLite whatever the tests run on, and once is enough")
    folder = tmp_path_factory.mktemp("first")
    with serving(f"sqlite:///{folder / 'db.sqlite3'}", folder) as site:
        stop(site, signal.SIGINT)
    return folder / "db.sqlite3"


def test_it_serves_the_content(server: Site) -> None:
    assert server.ask("/healthz")[::2] == (200, b'{"status": "ok"}')
    status, _headers, page = server.ask("/yarle-valley/the-millers/")
    assert status == 200
    assert b"Famous quotes containing the word millers:" in page


def test_the_first_start_tells_the_password_of_an_editors_account(server: Site) -> None:
    _status, headers, page = server.ask("/admin/login/")
    cookie = headers["Set-Cookie"].split(";")[0]
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "editor", "password": server.password, "next": "/admin/"}
    status, headers, _page = server.ask("/admin/login/", urlencode(form), Cookie=cookie)
    assert (status, headers["Location"]) == (302, "/admin/")


def test_it_serves_hashed_compressed_static_files(server: Site) -> None:
    page = server.ask("/about/")[2].decode()
    address = re.search(r'href="(/static/css/site\.\w{12}\.css)"', page)
    assert address
    status, headers, _body = server.ask(address[1], **{"Accept-Encoding": "br"})
    assert (status, headers["Content-Encoding"]) == (200, "br")
    assert "immutable" in headers["Cache-Control"]


def test_debug_is_off(server: Site) -> None:
    status, _headers, page = server.ask("/no-such-topic/")
    assert status == 404
    assert b"DEBUG" not in page


def test_stalled_clients_do_not_hold_up_others(server: Site) -> None:
    address = urlsplit(server.url)
    stalled = [socket.create_connection((address.hostname, address.port)) for _ in range(40)]
    for client in stalled:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    # within the patience of `ask`, which is shorter than the server's with the stalled ones
    assert server.ask("/about/")[0] == 200
    for client in stalled:
        client.close()


def test_clients_that_never_finish_a_body_do_not_hold_up_readers(server: Site) -> None:
    address = urlsplit(server.url)
    stalled = [socket.create_connection((address.hostname, address.port)) for _ in range(12)]
    for client in stalled:
        client.sendall(
            b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: csrftoken=%s\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nusername=" % (b"x" * 32)
        )
    assert server.ask("/about/")[0] == 200
    for client in stalled:
        client.close()
    # and when they are gone, and those that waited behind them have been turned away, forms are taken again
    deadline = time.monotonic() + 30
    while (status := server.ask("/admin/login/", form="username=nobody")[0]) == 503:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert status == 403


def test_the_second_start_has_nothing_to_prepare_and_changes_no_data(database: Path) -> None:
    before = rows(database)
    with serving(f"sqlite:///{database}", database.parent) as site:
        assert site.ask("/")[0] == 200
        assert [line.split()[0] for line in site.log.read_text().splitlines()] == ["Serving"]
        stop(site, signal.SIGTERM)
    assert rows(database) == before


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(database: Path, by: signal.Signals) -> None:
    with serving(f"sqlite:///{database}", database.parent) as site:
        assert stop(site, by) == 0
        lines = site.log.read_text().splitlines()
    assert lines == [f"Serving {site.url}/ on 127.0.0.1 port {site.url.rsplit(':')[-1]}. Press Ctrl-C to stop."]


def start(database: Path, port: int) -> subprocess.Popen[str]:
    """Start it as a shell does: Ctrl-C reaches the whole group of processes."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment(f"sqlite:///{database}", port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_it_says_that_it_serves_when_the_port_answers(database: Path) -> None:
    port = free_port()
    process = start(database, port)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Serving ")
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20) == ("", None)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("tenths", range(1, 32, 3))
def test_a_signal_at_any_moment_of_the_start_ends_all_of_it_in_silence(
    database: Path, by: signal.Signals, tenths: int
) -> None:
    process = start(database, free_port())
    time.sleep(tenths / 10)
    os.killpg(process.pid, by)
    said, _errors = process.communicate(timeout=5)
    assert re.sub(r"Serving .*\n", "", said) == ""
    assert process.returncode in {0, 128 + signal.SIGINT, -by}
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_ctrl_c_does_not_wait_for_a_body_that_never_comes(database: Path) -> None:
    with serving(f"sqlite:///{database}", database.parent) as site:
        address = urlsplit(site.url)
        with socket.create_connection((address.hostname, address.port)) as stalled:
            stalled.sendall(b"POST /admin/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nusername=")
            assert site.ask("/about/")[0] == 200
            site.process.send_signal(signal.SIGINT)
            assert site.process.wait(5) == 0


def test_what_a_process_without_triggers_left_is_brought_up_to_date(database: Path, tmp_path: Path) -> None:
    with sqlite3.connect(database) as source, sqlite3.connect(tmp_path / "db.sqlite3") as copy:
        source.backup(copy)
        copy.execute("INSERT INTO rlm_site_stale (kind, object_id) SELECT 'quote', min(id) FROM quotes_quote")
    source.close()
    copy.close()
    with serving(f"sqlite:///{tmp_path / 'db.sqlite3'}", tmp_path) as site:
        assert "Indexing words and search …" in site.log.read_text()


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as the server itself opens its port
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert failure(port=port) == (
            f"CommandError: Cannot listen on 127.0.0.1 port {port}: address already in use."
            " Choose another with PORT and HOST, or take over with `serve --take-over`.\n"
        )


def test_a_host_of_another_machine_is_said_in_one_line() -> None:
    assert failure(HOST="192.0.2.1", PORT="8124") == (
        "CommandError: Cannot listen on 192.0.2.1 port 8124: cannot assign requested address."
        " Choose another with PORT and HOST, or take over with `serve --take-over`.\n"
    )


def test_a_missing_folder_of_the_database_is_said_in_one_line() -> None:
    assert failure("sqlite:////nonexistent/folder/db.sqlite3") == (
        "CommandError: The folder /nonexistent/folder for the database does not exist."
        " Create it, or check DATABASE_URL.\n"
    )


def test_a_file_that_is_no_database_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database at all, however long one looks at it.")
    assert failure(f"sqlite:///{tmp_path / 'notes.txt'}") == (
        "CommandError: Cannot connect to the database: file is not a database. Check DATABASE_URL.\n"
    )


def test_a_database_server_that_does_not_answer_is_said_in_one_line_without_the_password() -> None:
    said = failure(f"postgres://site:not-to-be-told@127.0.0.1:{free_port()}/site")
    assert said.startswith("CommandError: Cannot connect to the database: connection failed: ")
    assert said.count("\n") == 1
    assert "not-to-be-told" not in said


def test_wrong_settings_are_said_in_one_line() -> None:
    assert failure(PORT="eighty") == "rlm_site: PORT is 'eighty'; it must be a number from 1 to 65535.\n"
    assert os.environ["PORT"] == "8000"
