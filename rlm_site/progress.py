"""Progress bars for long commands."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

Progress = Callable[[str, int, int], None]  # label, number done, total (0: unknown)


class ProgressBar:
    """A progress bar on a terminal; silent if the output is a file or a pipe."""

    def __init__(self, stream: TextIO | None = None, width: int = 30) -> None:
        self.stream = stream or sys.stderr
        self.width = width
        self.is_terminal = self.stream.isatty()
        self.last_update = 0.0

    def __call__(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not self.is_terminal or (now - self.last_update < 0.1 and 0 < done < total):
            return
        self.last_update = now
        filled = self.width * done // total if total else 0
        bar = f"[{'#' * filled}{' ' * (self.width - filled)}] {done:,} of {total:,}" if total else f"{done:,}"
        self.stream.write(f"\r\x1b[K{label} {bar}")
        self.stream.flush()

    def clear(self) -> None:
        if self.is_terminal:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
