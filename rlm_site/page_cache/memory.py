"""Rendered pages in the memory of a server process, compressed once for all readers."""

import gzip
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Event, Lock
from typing import Any, NamedTuple

import brotli
from django.http.response import ResponseHeaders
from django.utils.http import http_date

BROTLI_QUALITY = 5
GZIP_LEVEL = 6
FROM_MEMORY = "rlm_site.from_memory"  # marks the variables of a request that was answered with a page in memory


class Headers(ResponseHeaders):
    """The headers of all responses with one page; their list, which Django builds for every response, is built once."""

    is_complete = False  # a response has been through all middleware, which adds the site's headers
    _list: list[tuple[str, str]] | None = None

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        listed = self._list
        if listed is None:  # another thread may add a header meanwhile
            self._list = listed = list(super().items())
        return listed

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._list = None

    def pop(self, key: str, default: Any = None) -> Any:
        self._list = None
        return super().pop(key, default)


class Answer(NamedTuple):
    """What a reader is given: the page, or that it is the one they have."""

    status: int
    headers: Headers
    body: bytes


@dataclass(slots=True)
class CachedPage:
    """A page as it is for one version of the content."""

    version: str  # of the whole content
    depends_on: Mapping[str, str] | None  # cache tag -> version; None: it depends on everything
    until: float  # when something scheduled may change it
    bodies: dict[str, bytes]  # by content encoding
    headers: Sequence[tuple[str, str]]
    digest: str
    modified: int  # the first full second in which nobody can have been given other bytes
    size: int = 0
    _headers_in: dict[tuple[str, bool, bool], Headers] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # as if it were there in every encoding: the others are added when a client asks for them
        self.size = 1000 + len(ENCODINGS) * max(map(len, self.bodies.values())) + 200 * len(self.depends_on or ())

    def etag(self, encoding: str) -> str:
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'

    def body(self, encoding: str) -> bytes:
        """Return the page in this encoding, compressed when it is first asked for."""
        if encoding not in self.bodies:
            known, body = next(iter(self.bodies.copy().items()))  # another thread may add to it
            content = ENCODINGS[known].unpack(body)
            if not encoding:
                return content
            self.bodies[encoding] = ENCODINGS[encoding].pack(content)
        return self.bodies[encoding]

    def last_modified(self, now: float) -> str:
        """Return the date of these bytes; none before their second is over, for other bytes may have its date."""
        return http_date(self.modified) if now >= self.modified else ""

    def headers_in(self, encoding: str, now: float, of_the_body: bool = True) -> Headers:
        """Return the headers, shared by all responses in this encoding; “Not Modified” lacks those of the body."""
        key = encoding, of_the_body, now >= self.modified
        if key not in self._headers_in:
            headers = Headers(dict(self.headers))
            headers["ETag"] = self.etag(encoding)
            if date := self.last_modified(now):
                headers["Last-Modified"] = date
            if of_the_body:
                headers["Content-Length"] = str(len(self.body(encoding)))
                if encoding:
                    headers["Content-Encoding"] = encoding
            # of two threads the first counts: middleware further out adds its headers to the object that it is given
            self._headers_in.setdefault(key, headers)
        return self._headers_in[key]

    def answer(self, given: Mapping[str, Any], now: float) -> Answer:
        """Return the answer to a request with these variables of WSGI that began at `now`."""
        encoding = best_encoding(given.get("HTTP_ACCEPT_ENCODING", ""))
        if known := given.get("HTTP_IF_NONE_MATCH", ""):
            is_known = self.etag(encoding) in known
        else:
            date = given.get("HTTP_IF_MODIFIED_SINCE", "")
            is_known = date != "" and date == self.last_modified(now)  # a later date would not be one that we gave
        headers = self.headers_in(encoding, now, of_the_body=not is_known)
        if is_known:
            return Answer(304, headers, b"")
        return Answer(200, headers, b"" if given["REQUEST_METHOD"] == "HEAD" else self.body(encoding))

    def matches(self, version: str, now: float) -> bool:
        return self.version == version and now < self.until

    def is_current(self, versions: Mapping[str, str]) -> bool:
        """Return whether nothing that the page depends on has changed."""
        return self.depends_on is not None and all(
            versions.get(tag) == version for tag, version in self.depends_on.items()
        )


@dataclass(frozen=True)
class _Encoding:
    pack: Callable[[bytes], bytes]
    unpack: Callable[[bytes], bytes]


# Best first. mtime 0: the same content gives the same bytes.
ENCODINGS = {
    "br": _Encoding(lambda content: brotli.compress(content, quality=BROTLI_QUALITY), brotli.decompress),
    "gzip": _Encoding(lambda content: gzip.compress(content, GZIP_LEVEL, mtime=0), gzip.decompress),
}


@lru_cache(maxsize=256)
def best_encoding(accepted: str) -> str:
    """Return the best encoding that the client accepts: br, gzip, or empty for none."""
    offers = {}
    for offer in accepted.lower().split(","):
        name, _separator, quality = offer.partition(";")
        offers[name.strip()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    for encoding in ENCODINGS:
        if offers.get(encoding, False):
            return encoding
    return ""


class PageMemory:
    """Pages by address, up to a number of bytes; the least recently used page goes first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._pages: OrderedDict[str, CachedPage] = OrderedDict()
        self._renderings: dict[tuple[str, str], Event] = {}  # address and version -> set when the page is rendered
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, address: str) -> CachedPage | None:
        """Return the page of whatever version."""
        with self._lock:
            page = self._pages.get(address)
            if page is not None:
                self._pages.move_to_end(address)
            return page

    def put(self, address: str, page: CachedPage) -> None:
        with self._lock:
            self._forget(address)
            if page.size > self.most_bytes:
                return
            self._pages[address] = page
            self.bytes += page.size
            while self.bytes > self.most_bytes:
                self._forget(next(iter(self._pages)))

    def begin(self, address: str, version: str) -> Event | None:
        """Return the event to wait for while another thread renders this version.

        None: the caller is to render the page, and must call `finish`.
        """
        with self._lock:
            rendering = self._renderings.get((address, version))
            if rendering is None:
                self._renderings[address, version] = Event()
            return rendering

    def finish(self, address: str, version: str) -> None:
        with self._lock:
            self._renderings.pop((address, version)).set()

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self.bytes = 0

    def _forget(self, address: str) -> None:
        page = self._pages.pop(address, None)
        if page is not None:
            self.bytes -= page.size
