"""SQLite: every copy is made through SQLite's backup API, also into the live database.

The live file is never replaced, because the old -wal would be replayed over the new one.
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
MAX_WAIT = 60  # seconds for writers to finish
STEPS = 100  # per copy; more than one, because `when_locked` runs after the first


def folder() -> Path:
    """Return the folder of the live database."""
    return _live_path().parent


def write(path: Path, progress: Progress) -> Contents:
    """Copy a snapshot of the database to a file; readers and writers continue meanwhile."""
    if not _live_path().exists():
        raise BackupError(f"the database {_live_path()} does not exist; check DATABASE_URL")
    with closing(_open(_live_path())) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        source.execute("BEGIN")  # one snapshot for all steps: a write between two would restart the copy
        rows = _count(source)
        _copy(source, copy, "Copying", progress)
        copy.execute("PRAGMA journal_mode = DELETE")  # a single file, without a -wal
    contents = read(path, progress)
    if contents.rows != rows:
        raise BackupError("the copy and the database differ in their numbers of rows; try another disk")
    return contents


def write_replaced(path: Path, progress: Progress) -> None:
    """Copy the old database while writers wait. It is not verified: damage may be the reason for restoring."""
    with closing(_open(_live_path())) as source, closing(sqlite3.connect(path, isolation_level=None)) as copy:
        _copy(source, copy, "Backing up the replaced database", progress)


def read(path: Path, progress: Progress) -> Contents:
    """Verify the whole file and return its contents."""
    progress("Checking", 0, 1)
    try:
        with closing(_open(path)) as database:
            damage = [row[0] for row in database.execute("PRAGMA integrity_check(1)")]
            if damage != ["ok"]:
                raise BackupError(f"the file is damaged ({damage[0]})")
            rows = _count(database)
            broken = [row[0] for row in database.execute("PRAGMA foreign_key_check")]
            applied = database.execute("SELECT app, name FROM django_migrations") if "django_migrations" in rows else ()
            flaws = tuple(
                f"rows of {table} that refer to missing rows: {broken.count(table)}" for table in sorted(set(broken))
            )
            return Contents(rows, frozenset(applied), flaws)
    except sqlite3.DatabaseError as error:
        raise BackupError(f"the file cannot be read ({error})") from error
    finally:
        progress("Checking", 1, 1)


def replace(path: Path, keep: Callable[[], None], prepare: Callable[[], None], progress: Progress) -> None:
    """Replace the contents of the live database by those of the file, at one moment.

    Until then readers see the old content, and writers wait. The new content is prepared in a copy; once the live
    database is locked, and before it is overwritten, `keep` may copy it.
    """
    if path.samefile(_live_path()):
        raise BackupError("this file is the database itself; choose a backup")
    with TemporaryDirectory(dir=folder(), prefix=".restore-") as temporary:
        prepared = Path(temporary) / path.name
        with closing(_open(path)) as source, closing(sqlite3.connect(prepared, isolation_level=None)) as copy:
            _copy(source, copy, "Preparing", progress)
        with _connected_to(prepared):
            prepare()
        with closing(_open_live()) as live:
            _match_page_size(prepared, live)
            with closing(_open(prepared)) as source:
                _copy(source, live, "Restoring", progress, when_locked=keep)
            live.execute("PRAGMA busy_timeout = 1000")
            live.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # gives its disk space back, if no reader is in the way


def _live_path() -> Path:
    return Path(connection.settings_dict["NAME"]).resolve()


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _open_live() -> sqlite3.Connection:
    try:
        opened: sqlite3.Connection = connection.get_new_connection(connection.get_connection_params())
    except sqlite3.DatabaseError as error:
        raise BackupError(
            f"{_live_path()} is too damaged to write to ({error});"
            " stop the servers, move it and its -wal file away, and try again"
        ) from error
    return opened


def _copy(
    source: sqlite3.Connection,
    target: sqlite3.Connection,
    label: str,
    progress: Progress,
    when_locked: Callable[[], None] | None = None,
) -> None:
    deadline = time.monotonic() + MAX_WAIT
    pending = when_locked

    def step(status: int, remaining: int, total: int) -> None:
        nonlocal pending
        if status == sqlite3.SQLITE_BUSY and time.monotonic() > deadline:
            raise BackupError(f"other programs did not stop writing for {MAX_WAIT} seconds; try again")
        if status == sqlite3.SQLITE_OK and pending:
            pending()  # an exception leaves the target as it was
            pending = None
        progress(label, total - remaining, total)

    pages: int = source.execute("PRAGMA page_count").fetchone()[0]
    source.backup(target, pages=max(1, pages // STEPS), progress=step)


def _count(database: sqlite3.Connection) -> dict[str, int]:
    tables = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables.fetchall()}


@contextmanager
def _connected_to(path: Path) -> Iterator[None]:
    """Point Django's connection to this file until the end of the block."""
    live = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = str(path)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = live


def _match_page_size(path: Path, live: sqlite3.Connection) -> None:
    """Convert the file to the page size of the live database, which accepts no other."""
    page_size = live.execute("PRAGMA page_size").fetchone()[0]
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        if database.execute("PRAGMA page_size").fetchone()[0] != page_size:
            database.execute("PRAGMA journal_mode = DELETE")  # WAL mode does not allow changing the page size
            database.execute(f"PRAGMA page_size = {page_size}")
            database.execute("VACUUM")
