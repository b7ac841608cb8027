"""PostgreSQL: `pg_dump` writes the file; what it holds comes back over our own connection, in one transaction."""

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg.conninfo import make_conninfo

from rlm_site.backups.contents import BackupError, Contents
from rlm_site.indexing import queue
from rlm_site.progress import Progress

SUFFIX = ".dump"
SIGNATURE = b"PGDMP"
LONGEST_WAIT = 60  # seconds until the tables are ours alone
PATIENCE = "500ms"  # for one lock; shorter than the server's for a deadlock, so that it is we who give way
_COPY = re.compile(rb'(COPY (?:\w+\.)?"?(\w+)"? \((.*)\) FROM stdin);\n')
_END_OF_ROWS = b"\\.\n"
_NOT_OF_LIBPQ = {"context", "cursor_factory", "prepare_threshold", "row_factory"}


def folder() -> Path:
    return Path(settings.STATE_DIR)


def write(path: Path, progress: Progress) -> Contents:
    """Copy the database as it is at this moment into a file; readers and writers go on meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        rows = {}
        for table in _tables():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (rows[table],) = cursor.fetchone()
        _dump(path, progress, f"--snapshot={snapshot}")
    contents = read(path, progress)
    if {table: contents.rows.get(table) for table in rows} != rows:
        raise BackupError("the copy has not as many rows as the database; try another disk")
    return contents


def write_replaced(path: Path, progress: Progress) -> None:
    _dump(path, progress)


def read(path: Path, progress: Progress) -> Contents:
    """What is in the file, once all of it was unpacked."""
    rows: dict[str, int] = {}
    migrations = set()
    with _script(path) as lines:
        for line in lines:
            if header := _COPY.match(line):
                table, columns = header[2].decode(), header[3].decode().split(", ")
                rows[table] = 0
                for row in _rows(lines):
                    rows[table] += 1
                    if table == "django_migrations":
                        values = dict(zip(columns, row.decode().rstrip("\n").split("\t"), strict=True))
                        migrations.add((values["app"], values["name"]))
                progress("Checking tables", len(rows), 0)
    return Contents(rows, frozenset(migrations))


def replace(path: Path, keep: Callable[[], None], prepare: Callable[[], None], progress: Progress) -> None:
    """Make the database what the file holds, in one transaction.

    Nobody writes from before `keep` copies what is there; readers wait only after that.
    """
    with transaction.atomic():
        _lock("EXCLUSIVE")
        keep()
        _lock("ACCESS EXCLUSIVE")
        _drop_all()
        _load(path, progress)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table whose triggers are pending cannot be migrated
        prepare()


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def _lock(mode: str) -> None:
    """Lock all tables. Where one is not to be had, all are let go and asked for again: nobody deadlocks with us."""
    deadline = time.monotonic() + LONGEST_WAIT
    tables = ", ".join(f'"{table}"' for table in _tables())
    while tables:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
                # readers who derive what is stale wait for this first, and hold no table meanwhile
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [queue.QUEUE_LOCK])
                cursor.execute(f"LOCK TABLE {tables} IN {mode} MODE")
                cursor.execute("SET LOCAL lock_timeout = 0")
            return
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise BackupError(
                    f"other programs did not let go of the tables for {LONGEST_WAIT} seconds; end them and try again"
                ) from error
            _send_away_who_waits_for_us()


def _send_away_who_waits_for_us() -> None:
    """A transaction that has read a table before it waits to write would be waited for in vain."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            " AND pid IN (SELECT pid FROM pg_locks WHERE granted AND relation = ANY("
            "  SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace))"
        )


def _drop_all() -> None:
    with connection.cursor() as cursor:
        if tables := ", ".join(f'"{table}"' for table in _tables()):
            cursor.execute(f"DROP TABLE {tables} CASCADE")
        cursor.execute(
            "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"  # of an extension
        )
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION {function} CASCADE")


def _load(path: Path, progress: Progress) -> None:
    """Run the statements and the rows of the file in the transaction that is open."""
    statements: list[bytes] = []
    tables = 0
    with _script(path) as lines, connection.connection.cursor() as cursor:
        for line in lines:
            if header := _COPY.match(line):
                cursor.execute(b"".join(statements))
                statements.clear()
                with cursor.copy(header[1]) as copy:
                    for row in _rows(lines):
                        copy.write(row)
                tables += 1
                progress("Restoring tables", tables, 0)
            elif not line.startswith(b"\\"):  # what only psql understands
                statements.append(line)
        cursor.execute(b"".join(statements))
        cursor.execute("RESET search_path")


def _rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    return takewhile(lambda line: line != _END_OF_ROWS, lines)


# The programs that come with the server


def _dump(path: Path, progress: Progress, *options: str) -> None:
    with _login(connection.get_connection_params()) as login:
        command = [
            _program("pg_dump", _server_version()),
            "--format=custom",
            *options,
            f"--file={path}",
            f"--dbname={login}",
        ]
        with _running(command, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                progress("Copying, kB:", path.stat().st_size // 1000, 0)
                time.sleep(0.05)


@contextmanager
def _script(path: Path) -> Iterator[Iterator[bytes]]:
    """The file as SQL, line by line."""
    command = [_program("pg_restore", _server_version()), "--no-owner", "--no-privileges", "--file=-", str(path)]
    with _running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - for type checkers
        yield process.stdout


@contextmanager
def _running(command: list[str], stdout: int) -> "Iterator[subprocess.Popen[bytes]]":
    """The program, which is to end well when the block does, and which ends at once when the block fails."""
    with TemporaryFile() as errors, subprocess.Popen(command, stdout=stdout, stderr=errors) as process:  # noqa: S603
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        if process.wait():
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().split("\n")[0]
            raise BackupError(said or f"{command[0]} failed")


def _server_version() -> int:
    version: int = connection.pg_version // 10000  # type: ignore[attr-defined]
    return version


def _program(name: str, server: int) -> str:
    """Of the server's own version where Debian keeps several, or else the one on the PATH."""
    found = shutil.which(f"/usr/lib/postgresql/{server}/bin/{name}") or shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed (Debian: apt-get install postgresql-client-{server})")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    version = re.search(r"\d+", said)
    if version and int(version[0]) < server:
        raise BackupError(
            f"{found} is of version {version[0]} and the server of version {server}; install postgresql-client-{server}"
        )
    return found


@contextmanager
def _login(parameters: Mapping[str, Any]) -> Iterator[str]:
    """What it takes to connect as we do. A password is in a file: everybody may read a command line."""
    given = {name: value for name, value in parameters.items() if name not in _NOT_OF_LIBPQ}
    password = given.pop("password", "").replace("\\", "\\\\").replace(":", "\\:")
    with NamedTemporaryFile("w") as file:  # for this account only
        file.write(f"*:*:*:*:{password}\n")
        file.flush()
        yield make_conninfo(**given, **({"passfile": file.name} if password else {}))
