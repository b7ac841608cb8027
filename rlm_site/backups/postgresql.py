"""PostgreSQL: `pg_dump` writes the file; it is restored over our own connection, in one transaction."""

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
MAX_WAIT = 60  # seconds for exclusive access to all tables
LOCK_TIMEOUT = "500ms"  # per lock; less than deadlock_timeout, so that this process gives way
_COPY = re.compile(rb'(COPY (?:\w+\.)?"?(\w+)"? \((.*)\) FROM stdin);\n')
_END_OF_ROWS = b"\\.\n"
_NOT_LIBPQ_PARAMETERS = {"context", "cursor_factory", "prepare_threshold", "row_factory"}


def folder() -> Path:
    return Path(settings.STATE_DIR)


def write(path: Path, progress: Progress) -> Contents:
    """Copy a snapshot of the database to a file; readers and writers continue meanwhile."""
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
        raise BackupError("the copy and the database differ in their numbers of rows; try another disk")
    return contents


def write_replaced(path: Path, progress: Progress) -> None:
    _dump(path, progress)


def read(path: Path, progress: Progress) -> Contents:
    """Unpack the whole file and return its contents."""
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
    """Replace the database by the contents of the file, in one transaction.

    Writers wait from before `keep` copies the old contents; readers wait only after that.
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
    """Lock all tables. If one is not available, release all and try again, to avoid deadlocks."""
    deadline = time.monotonic() + MAX_WAIT
    tables = ", ".join(f'"{table}"' for table in _tables())
    while tables:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                # processes that index wait for this lock first, while they hold no table
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [queue.QUEUE_LOCK])
                cursor.execute(f"LOCK TABLE {tables} IN {mode} MODE")
                cursor.execute("SET LOCAL lock_timeout = 0")
            return
        except OperationalError as error:
            if time.monotonic() > deadline:
                raise BackupError(
                    f"other programs kept the tables locked for {MAX_WAIT} seconds; stop them and try again"
                ) from error
            _cancel_sessions_waiting_for_us()


def _cancel_sessions_waiting_for_us() -> None:
    """Cancel sessions that wait for our locks while they hold a table themselves; they would never release it."""
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
    """Execute the statements and copy the rows of the file in the open transaction."""
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
            elif not line.startswith(b"\\"):  # commands of psql
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
    """Yield the file as SQL, line by line."""
    command = [_program("pg_restore", _server_version()), "--no-owner", "--no-privileges", "--file=-", str(path)]
    with _running(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None  # noqa: S101 - for type checkers
        yield process.stdout


@contextmanager
def _running(command: list[str], stdout: int) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program that must succeed by the end of the block; kill it if the block fails."""
    with TemporaryFile() as errors, subprocess.Popen(command, stdout=stdout, stderr=errors) as process:  # noqa: S603
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        if process.wait():
            errors.seek(0)
            output = errors.read().decode(errors="replace").strip().split("\n")[0]
            raise BackupError(output or f"{command[0]} failed")


def _server_version() -> int:
    version: int = connection.pg_version // 10000  # type: ignore[attr-defined]
    return version


def _program(name: str, server: int) -> str:
    """Return the path of a program of the server's version, or else the one on the PATH."""
    found = shutil.which(f"/usr/lib/postgresql/{server}/bin/{name}") or shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed (Debian: apt-get install postgresql-client-{server})")
    output = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    version = re.search(r"\d+", output)
    if version and int(version[0]) < server:
        raise BackupError(
            f"{found} is version {version[0]} but the server is version {server}; install postgresql-client-{server}"
        )
    return found


@contextmanager
def _login(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Yield a connection string for libpq. The password goes to a file, because command lines are public."""
    libpq_parameters = {name: value for name, value in parameters.items() if name not in _NOT_LIBPQ_PARAMETERS}
    password = libpq_parameters.pop("password", "").replace("\\", "\\\\").replace(":", "\\:")
    with NamedTemporaryFile("w") as file:  # for this account only
        file.write(f"*:*:*:*:{password}\n")
        file.flush()
        yield make_conninfo(**libpq_parameters, **({"passfile": file.name} if password else {}))
