"""Readers' pages, served from memory while the content they were made of stands.

The content's version is read before anything else, outside any transaction, and a page is stored under it together
with the moment at which the clock alone will change it. Whoever asks after a commit reads another version and gets a
page made after it. Many who ask for one page of one version at the same moment share one rendering.
"""

import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Event, Lock

import brotli
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import http_date

from rlm_site import freshness, publishing
from rlm_site.models import Publishable

BROTLI_QUALITY = 6
GZIP_LEVEL = 6
LONGEST_WAIT = 30  # seconds for somebody else's rendering before making the page oneself

GetResponse = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one version: ready bytes by content encoding, and the headers that go with all of them."""

    version: str
    until: float  # the clock makes another page of it then
    bodies: dict[str, bytes]
    headers: Sequence[tuple[str, str]]
    digest: str
    modified: str

    @property
    def size(self) -> int:
        return sum(map(len, self.bodies.values())) + 1000

    def etag(self, encoding: str) -> str:
        return f'"{self.digest}-{encoding}"' if encoding else f'"{self.digest}"'


@dataclass(slots=True)
class _Rendering:
    """Somebody is making a page; `done` tells the others to look again."""

    version: str
    done: Event = field(default_factory=Event)


class PageMemory:
    """Pages by address, at most so many bytes of them; the least recently used goes first."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._pages: OrderedDict[str, Page] = OrderedDict()
        self._renderings: dict[str, _Rendering] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, address: str, version: str, now: float) -> Page | None:
        page = self._pages.get(address)
        if page is None or page.version != version or page.until <= now:
            return None
        with self._lock:
            if address in self._pages:
                self._pages.move_to_end(address)
        return page

    def any_version(self, address: str) -> Page | None:
        return self._pages.get(address)

    def put(self, address: str, page: Page) -> None:
        with self._lock:
            self._forget(address)
            if page.size > self.most_bytes:
                return
            self._pages[address] = page
            self.bytes += page.size
            while self.bytes > self.most_bytes:
                self._forget(next(iter(self._pages)))

    def begin(self, address: str, version: str) -> _Rendering | None:
        """None: the page is the caller's to make, who must `finish`. Otherwise somebody is making this very version."""
        with self._lock:
            rendering = self._renderings.get(address)
            if rendering is not None and rendering.version == version:
                return rendering
            self._renderings[address] = _Rendering(version)
            return None

    def finish(self, address: str, version: str) -> None:
        with self._lock:
            rendering = self._renderings.get(address)
            if rendering is not None and rendering.version == version:
                del self._renderings[address]
                rendering.done.set()

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self.bytes = 0

    def _forget(self, address: str) -> None:
        page = self._pages.pop(address, None)
        if page is not None:
            self.bytes -= page.size


MEMORY = PageMemory(settings.PAGE_CACHE_BYTES)
_due: tuple[str, float] = ("", 0.0)  # version, and when the clock next changes something


def serve_from_memory(get_response: GetResponse) -> GetResponse:
    """Middleware, directly behind WhiteNoise: nothing of Django's further stack runs for a page in memory."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if connection.in_atomic_block or not _may_be_shared(request):
            return get_response(request)
        address = request.path
        with freshness.read_once() as state:
            return answer(request, address, state.versions.get("all", ""))

    def answer(request: HttpRequest, address: str, version: str) -> HttpResponse:
        now = time.time()
        page = MEMORY.get(address, version, now)
        if page is None and (rendering := MEMORY.begin(address, version)) is not None:
            rendering.done.wait(LONGEST_WAIT)
            page = MEMORY.get(address, version, now)
            if page is None:
                return get_response(request)
        if page is not None:
            return _answer(request, page)
        try:
            response = get_response(request)
            if not _may_be_kept(response):
                return response
            page = _page(address, response, version, now)
            MEMORY.put(address, page)
        finally:
            MEMORY.finish(address, version)
        return _answer(request, page)

    return middleware


def keep(response: HttpResponse) -> HttpResponse:
    """Say of a reader's page that it is the same for everybody; only such pages are stored."""
    response.may_be_kept = True  # type: ignore[attr-defined]
    return response


def _may_be_shared(request: HttpRequest) -> bool:
    """An editor, or anybody who sends credentials, is answered by the whole stack.

    So is an address with a query string: there is no end of them, and they are not to push pages out.
    """
    return (
        request.method in {"GET", "HEAD"}
        and not request.META.get("QUERY_STRING")
        and settings.SESSION_COOKIE_NAME not in request.COOKIES
        and _host_is_ours(request)
        and "HTTP_AUTHORIZATION" not in request.META
        and MEMORY.most_bytes > 0
    )


def _host_is_ours(request: HttpRequest) -> bool:
    """A strange host is refused by the stack, with all its headers, before anything is looked up."""
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _may_be_kept(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and getattr(response, "may_be_kept", False)
        and not response.streaming
        and not response.cookies
        and "no-store" not in response.get("Cache-Control", "")
    )


def _page(address: str, response: HttpResponse, version: str, now: float) -> Page:
    content = response.content
    digest = blake2b(content, digest_size=12).hexdigest()
    before = MEMORY.any_version(address)
    unchanged = before is not None and before.digest == digest
    headers = [(name, value) for name, value in response.items() if name not in {"Content-Length", "Vary"}]
    return Page(
        version=version,
        until=_next_due(version, now),
        bodies=before.bodies if before and unchanged else _compressed(content),
        headers=(*headers, ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")),
        digest=digest,
        modified=before.modified if before and unchanged else http_date(now),
    )


def _compressed(content: bytes) -> dict[str, bytes]:
    # mtime 0: the same content gives the same bytes
    return {
        "br": brotli.compress(content, quality=BROTLI_QUALITY),
        "gzip": gzip.compress(content, GZIP_LEVEL, mtime=0),
    }


def _next_due(version: str, now: float) -> float:
    """Asked once a version: when something scheduled comes due."""
    global _due
    if _due[0] != version or _due[1] <= now:
        models = [entry.model for entry in freshness.WATCHED.values() if issubclass(entry.model, Publishable)]
        moment = publishing.next_due(datetime.fromtimestamp(now, UTC), models)
        _due = (version, moment.timestamp() if moment else float("inf"))
    return _due[1]


def _answer(request: HttpRequest, page: Page) -> HttpResponse:
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    etag = page.etag(encoding)
    # If-Modified-Since alone is not enough: two versions may fall into one second.
    if etag in request.META.get("HTTP_IF_NONE_MATCH", ""):
        response: HttpResponse = HttpResponseNotModified()
    else:
        body = page.bodies[encoding] if encoding else gzip.decompress(page.bodies["gzip"])
        response = HttpResponse(b"" if request.method == "HEAD" else body)
        response.headers["Content-Length"] = str(len(body))
        if encoding:
            response.headers["Content-Encoding"] = encoding
    for name, value in page.headers:
        response.headers[name] = value
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = page.modified
    return response


def _encoding(accepted: str) -> str:
    """The best of what the client takes: br, gzip, or empty for none."""
    offers = {}
    for offer in accepted.lower().split(","):
        name, _separator, quality = offer.partition(";")
        offers[name.strip()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    for encoding in ("br", "gzip"):
        if offers.get(encoding, False):
            return encoding
    return ""
