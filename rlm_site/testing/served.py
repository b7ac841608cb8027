"""The site as it is served: processes of their own, started as `make run` starts them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from rlm_site.testing.databases import SCRATCH
from rlm_site.testing.variables import ROOT, environment


@dataclass(frozen=True)
class Site:
    """A running `manage.py serve`."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    database_url: str
    patience: float = 10  # seconds that an asker waits for an answer

    @property
    def password(self) -> str:
        """The editor's, as the first start printed it."""
        lines = self.log.read_text().splitlines()
        return next(line.split()[1] for line in lines if line.startswith("  password"))

    def manage(self, *arguments: str, given: str = "") -> str:
        """Return what a management command says, in a process of its own over the same database."""
        command = [sys.executable, "manage.py", *arguments]
        where = environment(self.database_url, urlsplit(self.url).port or 0)
        done = subprocess.run(command, cwd=ROOT, env=where, input=given, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, path: str, form: str = "", **headers: str) -> tuple[int, Message, bytes]:
        """Return status, headers and body as they came: nothing followed, nothing unpacked. A form is posted."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=self.patience)
        try:
            if form:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("POST" if form else "GET", path, form or None, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(database_url: str, folder: Path, *arguments: str, port: int = 0, **variables: str) -> Iterator[Site]:
    """Serve the site on a port of loopback until the block ends; what it says is kept in the folder."""
    port = port or free_port()
    log = folder / f"serve-{port}{''.join(arguments)}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *arguments],
            cwd=ROOT,
            env=environment(database_url, port) | variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    site = Site(f"http://127.0.0.1:{port}", process, log, database_url)
    record = SCRATCH / f"{process.pid}.server"
    if SCRATCH.is_dir():  # a run of tests, not a benchmark
        record.touch()
    try:
        _wait_until_served(site)
        yield site
    finally:
        process.terminate()
        process.wait(30)
        for left in (record, *(ROOT / "var" / f"{kind}-{port}" for kind in ("places", "serving"))):
            left.unlink(missing_ok=True)


def end_servers() -> None:
    """End the servers that were left by a process of tests that was itself ended from outside."""
    for record in SCRATCH.glob("*.server"):
        with suppress(ProcessLookupError):
            os.kill(int(record.stem), signal.SIGTERM)


def _wait_until_served(site: Site, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if site.process.poll() is not None:
            break
        if "Serving" in site.log.read_text():
            assert site.ask("/healthz")[0] == 200
            return
        time.sleep(0.05)
    raise AssertionError(f"the site did not start:\n{site.log.read_text()}")
