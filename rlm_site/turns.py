"""Long work in turns, so that readers of pages in memory hardly wait for it.

All threads of the process share one interpreter. One of them at a time parses, compares and merges; what asks for more
than a few at once is told to ask again, so that most threads are free for readers.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import BoundedSemaphore, RLock
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.utils.translation import gettext as _

P = ParamSpec("P")

SWITCH_INTERVAL = 0.0001  # seconds after which a thread with long work makes way for one that waits
SHORT = 16_000  # characters; a text that is shorter takes no time that others would notice
LONGEST_TURN = 3  # seconds after which one waits no more: who holds the database must not wait for who waits for it
AT_ONCE = 1  # of the long requests of a process: more would only take turns
WAITING = 3  # of its eight threads, for a place
LONGEST_WAIT = 5  # seconds for a place

_turn = RLock()
_places = BoundedSemaphore(AT_ONCE)
_queue = BoundedSemaphore(AT_ONCE + WAITING)


_kept: dict[Any, Any] = {}
_depth = 0


@contextmanager
def long_work(size: int = SHORT) -> Iterator[dict[Any, Any]]:
    """Do what keeps the interpreter busy when no other thread does, and without collections of garbage.

    A collection would look at everything that is being made, and nobody could interrupt it. What is put into the
    dictionary is kept until the turn ends. Work on a text of a `size` that most have needs no turn.
    """
    global _depth
    if size < SHORT or not _turn.acquire(timeout=LONGEST_TURN):
        yield {}
        return
    collects = gc.isenabled()
    gc.disable()
    _depth += 1
    try:
        yield _kept
    finally:
        _depth -= 1
        if not _depth:
            _kept.clear()
        if collects:
            gc.enable()
        _turn.release()


def long_view(
    view: Callable[Concatenate[Any, HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[Any, HttpRequest, P], HttpResponse]:
    """Answer one request at a time by a method that may take long; of others some wait, and the rest ask again."""

    @wraps(view)
    def limited(self: Any, request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not _queue.acquire(blocking=False):
            return _busy()
        try:
            if not _places.acquire(timeout=LONGEST_WAIT):
                return _busy()
            try:
                with long_work():
                    response = view(self, request, *args, **kwargs)
                    return response.render() if isinstance(response, SimpleTemplateResponse) else response
            finally:
                _places.release()
        finally:
            _queue.release()

    return limited


def _busy() -> HttpResponse:
    said = _("The site is busy with other previews, comparisons and imports. Nothing was changed. Please try again.")
    return HttpResponse(said, "text/plain; charset=utf-8", status=503, headers={"Retry-After": "3"})
