"""Middleware that serves readers' pages from memory for as long as nothing has changed that they show.

The version of the whole content is read before anything else, outside any transaction, and a page is stored under it
together with the moment at which something scheduled may change it. A request after a commit reads another version. It
gets a page that was rendered after the commit, or one that depends on nothing that the commit has changed. Requests for
the same page and version at the same moment share one rendering.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from django.conf import settings
from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.request import split_domain_port, validate_host
from django.urls import Resolver404, resolve

from rlm_site.page_cache import versions, watch
from rlm_site.page_cache.memory import ENCODINGS, CachedPage, PageMemory
from rlm_site.publishing import visibility
from rlm_site.publishing.models import Publishable

LONGEST_WAIT = 30  # seconds for another thread's rendering

GetResponse = Callable[[HttpRequest], HttpResponse]


MEMORY = PageMemory(settings.PAGE_CACHE_BYTES)
_due = ("", 0.0, 0.0)  # version of the tag `due`, and two moments between which nothing scheduled happens


def serve_from_memory(get_response: GetResponse) -> GetResponse:
    """Answer with pages in memory; directly behind WhiteNoise, so that no other middleware runs for them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _is_shareable(request) or not (version := versions.content_version()):
            return get_response(request)
        address, now = request.path, time.time()
        page = MEMORY.get(address)
        if page is not None and page.matches(version, now):
            return _answer(request, page, now)
        with versions.pinned_versions((page and page.depends_on) or ()) as pinned:
            return respond(request, address, pinned, now) if "all" in pinned.versions else get_response(request)

    def respond(request: HttpRequest, address: str, pinned: versions.Versions, now: float) -> HttpResponse:
        version = pinned.versions["all"]
        if (rendering := MEMORY.begin(address, version)) is not None:
            rendering.wait(LONGEST_WAIT)
            page = _current_page(address, pinned, now)
            return get_response(request) if page is None else _answer(request, page, now)
        try:
            if (page := _current_page(address, pinned, now)) is not None:
                return _answer(request, page, now)  # nothing that it depends on has changed, or it is a moment old
            response = get_response(request)
            if not _is_cacheable(response):
                return response
            page = _cached_page(request, response, pinned, now)
            MEMORY.put(address, page)
        finally:
            MEMORY.finish(address, version)
        return _answer(request, page, now)

    return middleware


def _current_page(address: str, pinned: versions.Versions, now: float) -> CachedPage | None:
    """Return the page in memory if it is as one rendered now would be."""
    page = MEMORY.get(address)
    if page is not None and now < page.until and page.is_current(pinned.versions):
        page.version = pinned.versions["all"]
    return page if page is not None and page.matches(pinned.versions["all"], now) else None


def mark_cacheable(response: HttpResponse, depends_on: Mapping[str, str] | None) -> HttpResponse:
    """Mark a page as the same for everybody; only such pages are stored.

    `depends_on` are the cache tags of all that was read for it, also of what was left out, with their versions; None
    stands for everything.
    """
    response.is_cacheable = True  # type: ignore[attr-defined]
    response.depends_on = depends_on  # type: ignore[attr-defined]
    return response


def _is_shareable(request: HttpRequest) -> bool:
    """Return whether the response may be the same as everybody's: not for editors or others who send credentials.

    Nor for pages with a parameter that they know: there is no end of them, and they must not push others out.
    """
    given = request.META
    return (
        request.method in {"GET", "HEAD"}
        and ("HTTP_COOKIE" not in given or settings.SESSION_COOKIE_NAME not in request.COOKIES)
        and _has_allowed_host(request)
        and "HTTP_AUTHORIZATION" not in given
        and MEMORY.most_bytes > 0
        and (not given.get("QUERY_STRING") or _has_unknown_parameters(request))
    )


def _has_allowed_host(request: HttpRequest) -> bool:
    """Return whether the host is one of ours; others are refused further in, with all headers."""
    if (host := request.META.get("HTTP_HOST")) and "HTTP_X_FORWARDED_HOST" not in request.META:
        return _is_allowed(host, tuple(settings.ALLOWED_HOSTS))
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


@lru_cache(maxsize=64)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    """Do what `request.get_host` does, once for all requests to this host."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _has_unknown_parameters(request: HttpRequest) -> bool:
    """Return whether the page knows none of the parameters, so that `public_page` will take them away."""
    try:
        known = getattr(resolve(request.path_info).func, "parameters", None)
        return known is not None and request.GET.keys().isdisjoint(known)
    except (Resolver404, SuspiciousOperation):
        return False


def _is_cacheable(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and getattr(response, "is_cacheable", False)
        and not response.streaming
        and not response.cookies
        and "no-store" not in response.get("Cache-Control", "")
    )


def _cached_page(request: HttpRequest, response: HttpResponse, pinned: versions.Versions, now: float) -> CachedPage:
    content = response.content
    digest = blake2b(content, digest_size=12).hexdigest()
    before = MEMORY.get(request.path)
    unchanged = before is not None and before.digest == digest
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", "")) or "gzip"
    ours = {"Content-Length", "Vary", "Last-Modified"}
    headers = [(name, value) for name, value in response.items() if name not in ours]
    return CachedPage(
        version=pinned.versions["all"],
        depends_on=getattr(response, "depends_on", None),
        until=min(_next_scheduled_moment(pinned, now), _end_of(response)),
        bodies=before.bodies if before and unchanged else {encoding: ENCODINGS[encoding].pack(content)},
        headers=(*headers, ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")),
        digest=digest,
        modified=before.modified if before and unchanged else int(now) + 1,
    )


def _end_of(response: HttpResponse) -> float:
    """Return until when the page is right though nothing changes: a view whose page grows old sets `valid_until`."""
    until: datetime | None = getattr(response, "valid_until", None)
    return until.timestamp() if until else float("inf")


def _next_scheduled_moment(pinned: versions.Versions, now: float) -> float:
    """Return when something scheduled comes due; the database is asked once until somebody schedules something else.

    `now` is when the request began: requests that began later may have seen the moment pass already.
    """
    global _due
    version = pinned.combined(watch.DUE.name)
    known, since, until = _due
    if not version or known != version or not since <= now < until:
        models = [entry.model for entry in watch.WATCHED.values() if issubclass(entry.model, Publishable)]
        moment = visibility.next_scheduled_moment(datetime.fromtimestamp(now, UTC), models)
        until = moment.timestamp() if moment else float("inf")
        _due = (version, now, until)
    return until


def _answer(request: HttpRequest, page: CachedPage, now: float) -> HttpResponse:
    """`now` is when the request began."""
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    if known := request.META.get("HTTP_IF_NONE_MATCH", ""):
        is_known = page.etag(encoding) in known
    else:
        date = request.META.get("HTTP_IF_MODIFIED_SINCE", "")
        is_known = date != "" and date == page.last_modified(now)  # a later date would not be one that we gave
    if is_known:
        response: HttpResponse = HttpResponseNotModified()
    else:
        # a type, only because Django would work one out; the headers below replace it
        response = HttpResponse(b"" if request.method == "HEAD" else page.body(encoding), content_type="text/html")
    response.headers = page.headers_in(encoding, now, of_the_body=not is_known)
    return response


@lru_cache(maxsize=256)
def _encoding(accepted: str) -> str:
    """Return the best encoding that the client accepts: br, gzip, or empty for none."""
    offers = {}
    for offer in accepted.lower().split(","):
        name, _separator, quality = offer.partition(";")
        offers[name.strip()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    for encoding in ENCODINGS:
        if offers.get(encoding, False):
            return encoding
    return ""
