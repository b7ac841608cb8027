"""Writing while others write: for some seconds one waits, then the editor is told."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import BinaryIO

from django.db import OperationalError, connection, transaction

from rlm_site import file_locks

LONGEST_WAIT = 5  # seconds
_SQLITE = {"SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED_SHAREDCACHE"}
_POSTGRESQL = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure


class WritersTurn:
    """The turn of one writer of an SQLite database after the other.

    SQLite has one writer; who waits asks it again and again, and may never be lucky. So the threads of a process take
    turns, and the one whose turn it is waits for other processes: who is next has the first lock of a file beside the
    database, and who writes has the second. So nobody who has just written is there before who waits.
    """

    NEXT, WRITING = 0, 1

    def __init__(self) -> None:
        self._threads = RLock()
        self._depth = 0
        self._file: BinaryIO | None = None

    def acquire(self, seconds: float) -> bool:
        """Wait for the turn; return whether it came in this time. Who has it may take it again."""
        deadline = monotonic() + seconds
        if not self._threads.acquire(timeout=seconds):
            return False
        if not self._depth and not self._lock_file(deadline):
            self._threads.release()
            return False
        self._depth += 1
        return True

    def release(self) -> None:
        self._depth -= 1
        if not self._depth and self._file is not None:
            self._file.close()
            self._file = None
        self._threads.release()

    def _lock_file(self, deadline: float) -> bool:
        try:
            file = file_locks.open_locks(Path(f"{connection.settings_dict['NAME']}-turn"))
        except OSError:  # of another account: what remains is to ask the database
            return True
        if not all(file_locks.lock(file, byte, deadline) for byte in (self.NEXT, self.WRITING)):
            file.close()
            return False
        file_locks.unlock(file, self.NEXT)
        self._file = file
        return True


_writers_turn = WritersTurn()


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
    if not _writers_turn.acquire(LONGEST_WAIT):
        raise BusyError
    try:
        with _busy_timeout(LONGEST_WAIT), transaction.atomic():
            yield
    finally:
        _writers_turn.release()


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
