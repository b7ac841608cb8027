"""How far a long command is, for whoever waits for it at a terminal."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

Progress = Callable[[str, int, int], None]  # what is done, so many of, so many (0: nobody knows yet)


class ProgressBar:
    """A line on a terminal; says nothing to a file or a pipe."""

    def __init__(self, stream: TextIO | None = None, width: int = 30) -> None:
        self.stream = stream or sys.stderr
        self.width = width
        self.shown = self.stream.isatty()
        self.at = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self.shown or (now - self.at < 0.1 and 0 < done < total):
            return
        self.at = now
        filled = self.width * done // total if total else 0
        bar = f"[{'#' * filled}{' ' * (self.width - filled)}] {done:,} of {total:,}" if total else f"{done:,}"
        self.stream.write(f"\r\x1b[K{what} {bar}")
        self.stream.flush()

    def clear(self) -> None:
        if self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
