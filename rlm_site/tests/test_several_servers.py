"""Several workers and several starts: nobody is refused, nothing is stale, and what dies comes back."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rlm_site.testing.databases import OWN, fresh_database, on_postgresql
from rlm_site.testing.served import Site, free_port, serving
from rlm_site.testing.variables import ROOT, environment

pytestmark = pytest.mark.full

PAGE = "/tolby-market/"


@pytest.fixture
def site(tmp_path: Path, static_files: None) -> Iterator[Site]:
    """Serve a site for one test: it may be taken over, or have lost a worker a moment ago."""
    with fresh_database(tmp_path, OWN) as url, serving(url, tmp_path, WORKERS="2") as served:
        yield served


def workers(site: Site) -> list[int]:
    path = Path(f"/proc/{site.process.pid}/task/{site.process.pid}/children")
    return [int(pid) for pid in path.read_text().split()]


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_a_worker_that_is_killed_is_replaced_and_the_others_go_on(site: Site, by: signal.Signals) -> None:
    before = workers(site)
    assert len(before) == 2
    time.sleep(6)  # one that dies as soon as it has been replaced is a fault of the site, which ends then
    os.kill(before[0], by)
    wait_for(lambda: before[0] not in workers(site) and len(workers(site)) == 2)
    assert site.process.poll() is None
    wait_for(lambda: answered(site))
    assert all(site.ask(PAGE)[0] == 200 for _request in range(20))


def answered(site: Site) -> bool:
    with suppress(OSError):
        return site.ask(PAGE)[0] == 200
    return False


def test_workers_share_the_places_for_bodies(site: Site) -> None:
    """Whichever worker a connection comes to, one client has one place."""
    from rlm_site.tests.test_request_bodies import half_sent

    with half_sent(site):
        time.sleep(0.5)
        answers = [site.ask("/admin/login/", form="username=nobody")[0] for _request in range(3)]
    assert answers == [503, 503, 503]


class Readers:
    """Some ask all the time, each request on a new connection, for pages and for their style sheets."""

    def __init__(self, site: Site, number: int = 3) -> None:
        self.site = site
        self.answers = 0
        self.failures: list[str] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _reader in range(number)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                status, _headers, page = self.site.ask(PAGE)
                self._count(status, PAGE)
                for address in set(re.findall(rb'href="(/static/[^"]*\.css)"', page)):
                    self._count(self.site.ask(address.decode())[0], address.decode())
            except OSError as error:
                self.failures.append(repr(error))

    def _count(self, status: int, address: str) -> None:
        self.answers += 1
        if status != 200:
            self.failures.append(f"{address}: {status}")


class Editor:
    """Changes the page again and again, and asks for it at once; `stale` are the answers that did not tell it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.changes = 0
        self.stale: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Editor":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._ended.is_set():
            self.changes += 1
            sign = f"Told {self.changes}."
            change(self.site, sign)
            if sign.encode() not in self.site.ask(PAGE)[2]:
                self.stale.append(sign)


def test_a_second_start_takes_over_and_nobody_is_refused(site: Site, tmp_path: Path) -> None:
    """The site that was taken over ends by itself, without a fault; changes meanwhile are on the next page."""
    port = int(site.url.rsplit(":")[-1])
    with Readers(site) as readers, Editor(site) as editor:
        wait_for(lambda: readers.answers > 50)
        with serving(site.database_url, tmp_path, "--take-over", port=port, WORKERS="2") as successor:
            assert site.process.wait(30) == 0
            assert "Another process has taken over" in site.log.read_text()
            before = editor.changes
            wait_for(lambda: editor.changes > before + 5)
            editor.__exit__()
            readers.__exit__()
            assert successor.process.poll() is None
    assert (readers.failures, editor.stale) == ([], [])


def change(site: Site, text: str) -> None:
    statement = f"UPDATE articles_article SET body = '{text}' WHERE slug = 'tolby-market'"
    if on_postgresql():
        import psycopg

        with psycopg.connect(site.database_url) as server:
            server.execute(statement)
    else:
        import sqlite3

        with sqlite3.connect(site.database_url.removeprefix("sqlite:///"), timeout=20) as database:
            database.execute(statement)
        database.close()


@pytest.mark.content
def test_two_starts_at_the_same_moment_on_an_empty_database_both_serve(tmp_path: Path, static_files: None) -> None:
    with fresh_database(tmp_path) as url, ThreadPoolExecutor(2) as pool:
        starting = [pool.submit(started, url, tmp_path, free_port()) for _start in range(2)]
        sites = [each.result() for each in starting]
        try:
            assert [site.ask("/healthz")[::2] for site in sites] == [(200, b'{"status": "ok"}')] * 2
            said = "".join(site.log.read_text() for site in sites)
            assert said.count("Loading content") == said.count("  password") == said.count("Updating the") == 1
        finally:
            for site in sites:
                site.process.terminate()
                site.process.wait(30)


def started(url: str, folder: Path, port: int) -> Site:
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process: Any = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment(url, port),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    site = Site(f"http://127.0.0.1:{port}", process, log, url)
    wait_for(lambda: "Serving" in log.read_text() or process.poll() is not None, 300)
    assert process.poll() is None, log.read_text()
    return site
