"""The databases that tests work on: copies of a template, which is migrated, loaded and indexed once a run.

Whichever process first needs a template makes it, and the others wait for it. All databases of a run have its name and
are removed in its end. On SQLite they are files in a folder of the run, on PostgreSQL databases beside the one that
DATABASE_URL names.
"""

import fcntl
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rlm_site.fixture_files import fixture_files
from rlm_site.testing.variables import ROOT, RUN, environment

OWN, REAL = "own", "real"  # the content that was made up for the tests, and the site's
FOLDERS = {OWN: ROOT / "rlm_site" / "tests" / "content", REAL: ROOT / "fixtures"}

SCRATCH = Path(tempfile.gettempdir()) / RUN
GIVEN = os.environ["DATABASE_URL"]  # to this run; it may go on to work on a database that was made here


def content_of(node: Any) -> str:
    """Return which content a test or a module of tests reads: the site's only where it is marked `content`."""
    return REAL if node.get_closest_marker("content") else OWN


def on_postgresql() -> bool:
    return GIVEN.startswith("postgres")


def template(content: str) -> str:
    """Return the address of the database with this content, to be copied and never to be written to."""
    url = _address(content)
    with only_one(SCRATCH / "template.lock"):
        failure = SCRATCH / f"{content}.failure"  # what went wrong; empty where the database is ready
        if not failure.exists():
            _create(url)
            failure.write_text(fill(url, content))
        if failure.read_text():
            raise RuntimeError(f"the test database could not be created:\n{failure.read_text()}")
    return url


def fill(url: str, content: str) -> str:
    """Migrate an empty database and load this content; return what went wrong, if anything did."""
    files = map(str, fixture_files(FOLDERS[content]))
    command = [sys.executable, "-m", "rlm_site.testing.fill", *files]
    where = environment(url, 8000)
    done = subprocess.run(command, cwd=ROOT, env=where, capture_output=True, text=True, check=False)
    return (done.stderr or f"it ended with {done.returncode}") if done.returncode else ""


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one process at a time into the blocks that name this file."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def fresh_database(folder: Path, content: str = "") -> Iterator[str]:
    """Give the address of a database of its own until the block ends: an empty one, or one with this content."""
    url = _address(secrets.token_hex(4), folder)
    source = template(content) if content else ""
    try:
        _create(url, source)
        yield url
    finally:
        _remove(url)


def remove_all() -> None:
    """Remove every database of the run, whoever is still connected to it."""
    if on_postgresql():
        with _server() as server:
            names = server.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{RUN}_"])
            for (name,) in names.fetchall():
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    shutil.rmtree(SCRATCH, ignore_errors=True)


def _address(name: str, folder: Path | None = None) -> str:
    """In a folder of its own it needs no name of its own there: a file is called as the site's is."""
    if on_postgresql():
        return urlsplit(GIVEN)._replace(path=f"/{RUN}_{name}").geturl()
    return f"sqlite:///{folder / 'db.sqlite3' if folder else SCRATCH / f'{name}.sqlite3'}"


def _create(url: str, source: str = "") -> None:
    if on_postgresql():
        like = f" TEMPLATE {name_in(source)}" if source else ""
        with _server() as server:
            server.execute(f"CREATE DATABASE {name_in(url)}{like}")
    elif source:
        shutil.copyfile(name_in(source), name_in(url))


def _remove(url: str) -> None:
    if on_postgresql():
        with _server() as server:
            server.execute(f"DROP DATABASE IF EXISTS {name_in(url)} WITH (FORCE)")
    else:
        for suffix in ("", "-wal", "-shm"):
            Path(name_in(url) + suffix).unlink(missing_ok=True)


def name_in(url: str) -> str:
    """Return what Django calls the NAME of the database: a file's path on SQLite."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite") else urlsplit(url).path.removeprefix("/")


def _server() -> Any:
    import psycopg

    return psycopg.connect(GIVEN, autocommit=True)
