"""Locks that several processes of one machine share: bytes of a file, which need not be in it.

Who holds one gives it back by closing the file, and so does the end of the process, however it comes.
"""

import fcntl
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PAUSE = 0.001  # seconds between two tries


def open_locks(path: Path) -> BinaryIO:
    """Open a file of locks, and make it where there is none."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0)


def try_lock(file: BinaryIO, byte: int = 0) -> bool:
    """Take a lock unless somebody has it who opened the file on their own, in this process or another."""
    try:
        fcntl.fcntl(file, fcntl.F_OFD_SETLK, _lock(fcntl.F_WRLCK, byte))
    except BlockingIOError:
        return False
    return True


def lock(file: BinaryIO, byte: int, deadline: float) -> bool:
    """Take a lock as soon as it is free; return whether it was before a moment of `time.monotonic`."""
    while not try_lock(file, byte):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def unlock(file: BinaryIO, byte: int = 0) -> None:
    fcntl.fcntl(file, fcntl.F_OFD_SETLK, _lock(fcntl.F_UNLCK, byte))


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Let one at a time into the blocks that name this file, however long it takes."""
    with open_locks(path) as file:
        lock(file, 0, float("inf"))
        yield


def _lock(kind: int, byte: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, byte, 1, 0)
