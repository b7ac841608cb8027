"""SQLite: every copy goes through the backup interface, into the live database too.

Its file is never replaced: the -wal of the old one would be replayed over the new.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection

from rlm_site.backups.contents import BackupError, Contents
from rlm_site.progress import Progress

SUFFIX = ".sqlite3"
SIGNATURE = b"SQLite format 3\0"
LONGEST_WAIT = 60  # seconds until nobody else is writing
STEPS = 100  # of a copy; more than one, so that something is left when the first has locked the target


def folder() -> Path:
    """Of the live database."""
    return _live().parent


def write(path: Path, progress: Progress) -> Contents:
    """Copy the database as it is at this moment into a file; readers and writers go on meanwhile."""
    if not _live().exists():
        raise BackupError(f"there is no database {_live()}; look at DATABASE_URL")
    with closing(_open(_live())) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.execute("BEGIN")  # one moment for all steps: a write between two would make the copy begin again
        rows = _count(source)
        _copy(source, copy, "Copying", progress)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no other beside it
    contents = read(path, progress)
    if contents.rows != rows:
        raise BackupError("the copy has not as many rows as the database; try another disk")
    return contents


def write_replaced(path: Path, progress: Progress) -> None:
    """Copy a database whose writers wait, and which may be damaged: that may be why it is replaced."""
    with closing(_open(_live())) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        _copy(source, copy, "Keeping what is replaced", progress)


def read(path: Path, progress: Progress) -> Contents:
    """What is in the file, once all of it was looked at."""
    progress("Checking", 0, 1)
    try:
        with closing(_open(path)) as database:
            damage = [row[0] for row in database.execute("PRAGMA integrity_check(1)")]
            if damage != ["ok"]:
                raise BackupError(f"it is damaged ({damage[0]})")
            rows = _count(database)
            broken = [row[0] for row in database.execute("PRAGMA foreign_key_check")]
            applied = database.execute("SELECT app, name FROM django_migrations") if "django_migrations" in rows else ()
            flaws = tuple(
                f"{broken.count(table)} rows of {table} name others that do not exist" for table in sorted(set(broken))
            )
            return Contents(rows, frozenset(applied), flaws)
    except sqlite3.DatabaseError as error:
        raise BackupError(f"it cannot be read ({error})") from error
    finally:
        progress("Checking", 1, 1)


def replace(path: Path, keep: Callable[[], None], prepare: Callable[[], None], progress: Progress) -> None:
    """Make the live database what the file holds, from one moment to the next.

    Readers see the old content until then and writers wait. What must be done to it first happens in a copy; when
    the live database is locked, and before anything of it is overwritten for good, `keep` may copy it.
    """
    if path.samefile(_live()):
        raise BackupError("it is the database itself")
    with TemporaryDirectory(dir=folder(), prefix=".restore-") as temporary:
        prepared = Path(temporary) / path.name
        with closing(_open(path)) as source, closing(sqlite3.connect(prepared, isolation_level=None)) as copy:
            _copy(source, copy, "Preparing", progress)
        with _working_on(prepared):
            prepare()
        with closing(_open_live()) as live:
            _match_page_size(prepared, live)
            with closing(_open(prepared)) as source:
                _copy(source, live, "Restoring", progress, when_locked=keep)
            live.execute("PRAGMA busy_timeout = 1000")
            live.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # gives its disk space back, if no reader is in the way


def _live() -> Path:
    return Path(connection.settings_dict["NAME"]).resolve()


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _open_live() -> sqlite3.Connection:
    try:
        opened: sqlite3.Connection = connection.get_new_connection(connection.get_connection_params())
    except sqlite3.DatabaseError as error:
        raise BackupError(
            f"{_live()} is too damaged to be written to ({error});"
            " end the servers, move it and the -wal beside it away, and try again"
        ) from error
    return opened


def _copy(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    what: str,
    progress: Progress,
    when_locked: Callable[[], None] | None = None,
) -> None:
    deadline = time.monotonic() + LONGEST_WAIT
    waiting = when_locked

    def step(status: int, remaining: int, total: int) -> None:
        nonlocal waiting
        if status == sqlite3.SQLITE_BUSY and time.monotonic() > deadline:
            raise BackupError(f"other programs did not stop writing for {LONGEST_WAIT} seconds; try again")
        if status == sqlite3.SQLITE_OK and waiting:
            waiting()  # an exception leaves the target as it was
            waiting = None
        progress(what, total - remaining, total)

    pages: int = source.execute("PRAGMA page_count").fetchone()[0]
    source.backup(target, pages=max(1, pages // STEPS), progress=step)


def _count(database: sqlite3.Connection) -> dict[str, int]:
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables.fetchall()}


@contextmanager
def _working_on(path: Path) -> Iterator[None]:
    """Django's connection leads to this file until the block ends."""
    live = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = live


def _match_page_size(path: Path, live: sqlite3.Connection) -> None:
    """The live database can only take pages of its own size."""
    wanted = live.execute("PRAGMA page_size").fetchone()[0]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        if database.execute("PRAGMA page_size").fetchone()[0] != wanted:
            database.execute("PRAGMA journal_mode = DELETE")  # no size is changed in WAL mode
            database.execute(f"PRAGMA page_size = {wanted}")
            database.execute("VACUUM")
