"""Writing while others write: for some seconds one waits, then the editor is told."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import RLock

from django.db import OperationalError, connection, transaction

LONGEST_WAIT = 5  # seconds
_SQLITE = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED_SHAREDCACHE"}
_POSTGRESQL = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure

# SQLite has one writer; who waits asks again and again, and may never be lucky. Within this process they take turns.
_writer_lock = RLock()


class BusyError(OperationalError):
    """It is still somebody else’s turn."""


@contextmanager
def write_transaction() -> Iterator[None]:
    """Open a transaction that fails (see `is_busy`) where another one holds what it needs for too long."""
    if connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LONGEST_WAIT}s'")
            yield
        return
    if not _writer_lock.acquire(timeout=LONGEST_WAIT):
        raise BusyError
    try:
        with _busy_timeout(LONGEST_WAIT), transaction.atomic():
            yield
    finally:
        _writer_lock.release()


@contextmanager
def nowait() -> Iterator[None]:
    """Let what would have to wait to be written fail at once, for a page that says so."""
    with _busy_timeout(0) if connection.vendor == "sqlite" else nullcontext():
        yield


def is_busy(error: OperationalError) -> bool:
    cause = error.__cause__
    if getattr(cause, "sqlite_errorname", "") in _SQLITE or getattr(cause, "sqlstate", "") in _POSTGRESQL:
        return True
    return isinstance(error, BusyError)


@contextmanager
def _busy_timeout(seconds: int) -> Iterator[None]:
    usual = connection.settings_dict["OPTIONS"].get("timeout", LONGEST_WAIT)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {seconds * 1000}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual * 1000}")
