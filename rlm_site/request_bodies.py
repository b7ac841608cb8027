"""Bodies of requests, read whole before the site works on them: of limited length, in limited time and number.

The server hands out a body that can only be waited for, and a thread that waits for a client who sends nothing is not
to be freed. So few threads of all processes may wait at once, fewer for one client, and those of strangers never take
the places of the people who work here.
"""

from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, BinaryIO

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError, connection
from django.http import parse_cookie
from django.urls import reverse

from rlm_site import file_locks
from rlm_site.client_address import limited_address

if TYPE_CHECKING:
    from collections.abc import Iterator
    from wsgiref.types import WSGIEnvironment

PATIENCE = 30.0  # seconds for a body that does come
WAIT = 2.0  # seconds for a place
PAUSE = 0.02  # seconds between two looks whether one is free
PIECES = 256  # of a body, between which the time is looked at
SHORTEST_PIECE = 64  # bytes


class RefusedError(Exception):
    """The body is not read; the client is told why in a line."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.page = f"{why}\n".encode()
        self.headers = [
            *headers_of(self.page),
            ("Connection", "close"),
            *([("Retry-After", "10")] if status.startswith("503") else []),
        ]


def headers_of(text: bytes) -> list[tuple[str, str]]:
    """Return the headers of a line of text that Django has no part in."""
    return [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(text))),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", settings.SECURE_REFERRER_POLICY),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
        *((name, value) for name, value in settings.POLICY_HEADERS.items() if name != "Cache-Control"),
    ]


class Places:
    """Places for bodies that are being read, shared by all processes of the site; no client has more than some.

    A place is a byte of the file that its reader has locked, and so is what a client has of them.
    """

    def __init__(self, file: Path, beginning: int, most: int, most_of_client: int) -> None:
        self.file, self.beginning = file, beginning
        self.most, self.most_of_client = most, most_of_client
        self._waiting = BoundedSemaphore(most // 2)

    @contextmanager
    def place(self, client: str) -> "Iterator[None]":
        """Hold a place, for which at most half as many wait in a process as there are. Raises RefusedError."""
        with file_locks.open_locks(self.file) as file:
            wanted = [self._of_client(client), range(self.beginning, self.beginning + self.most)]
            if not self._take(file, wanted) and not self._wait(file, wanted):
                why = "The site is busy. Nothing was saved. Please go back and try again."
                raise RefusedError("503 Service Unavailable", why)
            yield

    def _of_client(self, client: str) -> range:
        number = int.from_bytes(blake2b(client.encode(), digest_size=6).digest())
        first = self.beginning + self.most + number * self.most_of_client
        return range(first, first + self.most_of_client)

    def _take(self, file: BinaryIO, wanted: list[range]) -> bool:
        """Lock one byte of each; what is locked is not wanted any more."""
        while wanted and any(file_locks.try_lock(file, byte) for byte in wanted[0]):
            del wanted[0]
        return not wanted

    def _wait(self, file: BinaryIO, wanted: list[range]) -> bool:
        if not self._waiting.acquire(blocking=False):
            return False
        try:
            deadline = monotonic() + WAIT
            while monotonic() < deadline:
                sleep(PAUSE)
                if self._take(file, wanted):
                    return True
            return False
        finally:
            self._waiting.release()


# Together fewer than the threads of one server process, so that readers are always answered.
_FILE = settings.STATE_DIR / f"places-{settings.PORT}"
STRANGERS = Places(_FILE, 0, 3, 1)
EDITORS = Places(_FILE, 1 << 60, 3, 2)


def read(environ: "WSGIEnvironment") -> bytes:
    """Return the body of a request. Raises RefusedError."""
    length = _length(environ)
    if not length:
        return b""
    places = EDITORS if _is_signed_in(environ) else STRANGERS
    with places.place(limited_address(environ.get("REMOTE_ADDR", ""))):
        return _read_in_time(environ["wsgi.input"], length)


def most_bytes(path: str) -> int:
    """Return the most bytes that are read at an address: only pages for editors take more than a few words."""
    short = {reverse("admin:login"), reverse("admin:logout"), reverse("admin:password_change")}
    is_long = path.startswith(reverse("admin:index")) and path not in short
    return settings.LARGEST_BODY if is_long else settings.LARGEST_FORM


def _length(environ: "WSGIEnvironment") -> int:
    if environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
        return 0
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise RefusedError("411 Length Required", "The request does not state its length. Nothing was saved.")
    text = environ.get("CONTENT_LENGTH") or "0"
    if not text.isascii() or not text.isdigit():
        raise RefusedError("400 Bad Request", "The length of the request is not a number. Nothing was saved.")
    most = most_bytes(environ["PATH_INFO"])
    is_urlencoded = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if len(text) > 15 or int(text) > most:
        why = (
            f"Too much data: at most {most:,} bytes are accepted here. Nothing was saved."
            " Please go back and send less at once."
        )
        raise RefusedError("413 Content Too Large", why)
    if is_urlencoded and int(text) > settings.LARGEST_URLENCODED:
        why = "The form is too large to be URL-encoded. Nothing was saved. Please send it as multipart/form-data."
        raise RefusedError("413 Content Too Large", why)
    return int(text)


def _is_signed_in(environ: "WSGIEnvironment") -> bool:
    key = parse_cookie(environ.get("HTTP_COOKIE", "")).get(settings.SESSION_COOKIE_NAME)
    try:
        return bool(key) and SESSION_KEY in SessionStore(key).load()
    except DatabaseError:
        connection.close()  # for the request to open another
        return False


def _read_in_time(stream: Any, length: int) -> bytes:
    deadline = monotonic() + PATIENCE
    piece = max(SHORTEST_PIECE, length // PIECES)
    body = bytearray()
    while len(body) < length and (data := stream.read(min(piece, length - len(body)))):
        body += data
        if monotonic() > deadline:
            why = "The request did not arrive in time. Nothing was saved. Please go back and try again."
            raise RefusedError("408 Request Timeout", why)
    if len(body) < length:
        raise RefusedError(
            "400 Bad Request", "The request was cut off. Nothing was saved. Please go back and try again."
        )
    return bytes(body)
