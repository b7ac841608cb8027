"""How work grows with its input: measured in processor time, the best of several, small and large in one run."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import _lru_cache_wrapper, cache
from typing import Any

MAX_SECONDS = 1.0  # at the bound
MAX_RATIO = 3.0  # for twice the input
APPS = ("articles", "quotes", "rlm_site")
FLOOR = 0.25  # seconds; what takes less says nothing about how it grows


@cache
def _caches() -> list[Any]:
    # `type`, for `isinstance` would wake every lazy object that another test has left behind
    found = [found for found in gc.get_objects() if type(found) is _lru_cache_wrapper]
    return [cached for cached in found if cached.__module__.split(".")[0] in APPS and cached is not _caches]


def forget_everything() -> None:
    """Empty the caches of the product's functions."""
    for cached in _caches():
        cached.cache_clear()


def processor_time(work: Callable[[Any], object], given: Any, times: int = 3) -> float:
    """Return the least time that the work took, without collections of garbage, which would look at all the tests."""
    best = float("inf")
    for _time in range(times):
        forget_everything()
        gc.disable()
        try:
            began = time.thread_time()
            work(given)
            best = min(best, time.thread_time() - began)
        finally:
            gc.enable()
        if best < FLOOR:
            break
    return best


@dataclass(frozen=True)
class Growth:
    """A kind of input: `make(size)` makes it, `work` meets it, `most` is the largest size that is let in."""

    kind: str
    most: int
    make: Callable[[int], Any]
    work: Callable[[Any], object]

    def check(self) -> str:
        """Return a line for a table. Fails where the work takes too long at the bound, or twice takes over thrice."""
        whole = processor_time(self.work, self.make(self.most))
        line = f"{self.kind:60} {self.most:>9,} {whole:7.3f} s"
        assert whole < MAX_SECONDS, line
        if whole >= FLOOR:
            ratio = whole / max(processor_time(self.work, self.make(self.most // 2)), FLOOR / 2)
            line += f"  x{ratio:.1f}"
            assert ratio < MAX_RATIO, line
        return line
