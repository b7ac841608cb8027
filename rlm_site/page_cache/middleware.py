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
from typing import Any

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, parse_cookie
from django.http.request import split_domain_port, validate_host
from django.urls import Resolver404, resolve

from rlm_site.page_cache import versions, watch
from rlm_site.page_cache.memory import ENCODINGS, FROM_MEMORY, CachedPage, PageMemory, best_encoding
from rlm_site.publishing import visibility
from rlm_site.publishing.models import Publishable

LONGEST_WAIT = 30  # seconds for another thread's rendering

GetResponse = Callable[[HttpRequest], HttpResponse]


MEMORY = PageMemory(settings.PAGE_CACHE_BYTES)
_due = ("", 0.0, 0.0)  # version of the tag `due`, and two moments between which nothing scheduled happens


def serve_from_memory(get_response: GetResponse) -> GetResponse:
    """Answer with pages in memory; directly behind WhiteNoise, so that no other middleware runs for them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _may_be_kept(request) or not (version := versions.content_version()):
            return get_response(request)
        address, now = request.path, time.time()
        page = MEMORY.get(address)
        if page is not None and page.matches(version, now):
            return _answer_from_memory(request, page, now)
        with versions.pinned_versions((page and page.depends_on) or ()) as pinned:
            return respond(request, address, pinned, now) if "all" in pinned.versions else get_response(request)

    def respond(request: HttpRequest, address: str, pinned: versions.Versions, now: float) -> HttpResponse:
        version = pinned.versions["all"]
        if (rendering := MEMORY.begin(address, version)) is not None:
            rendering.wait(LONGEST_WAIT)
            page = _current_page(address, pinned, now)
            return get_response(request) if page is None else _answer_from_memory(request, page, now)
        try:
            if (page := _current_page(address, pinned, now)) is not None:
                # nothing that it depends on has changed, or it is a moment old
                return _answer_from_memory(request, page, now)
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


def is_shareable(given: Mapping[str, Any]) -> bool:
    """Return whether the response may be the same as everybody's, by the variables of WSGI.

    It may not for editors and others who send credentials. Hosts that are not ours are refused further in.
    """
    cookies = given.get("HTTP_COOKIE", "")
    return (
        given["REQUEST_METHOD"] in {"GET", "HEAD"}
        and (settings.SESSION_COOKIE_NAME not in cookies or settings.SESSION_COOKIE_NAME not in parse_cookie(cookies))
        and "HTTP_AUTHORIZATION" not in given
        and _is_allowed(given.get("HTTP_HOST", ""), tuple(settings.ALLOWED_HOSTS))
    )


@lru_cache(maxsize=64)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    """Do what `request.get_host` does, once for all requests to this host."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _may_be_kept(request: HttpRequest) -> bool:
    """Return whether the page is one page for all, and not one of those with a parameter that they know.

    There is no end of these, and they must not push others out.
    """
    return (
        is_shareable(request.META)
        and MEMORY.most_bytes > 0
        and (not request.META.get("QUERY_STRING") or _has_unknown_parameters(request))
    )


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
    encoding = best_encoding(request.META.get("HTTP_ACCEPT_ENCODING", "")) or "gzip"
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


def _answer_from_memory(request: HttpRequest, page: CachedPage, now: float) -> HttpResponse:
    request.META[FROM_MEMORY] = True
    return _answer(request, page, now)


def _answer(request: HttpRequest, page: CachedPage, now: float) -> HttpResponse:
    """`now` is when the request began."""
    answer = page.answer(request.META, now)
    if answer.status == 304:
        response: HttpResponse = HttpResponseNotModified()
    else:
        # a type, only because Django would work one out; the headers of the page replace it
        response = HttpResponse(answer.body, content_type="text/html")
    response.headers = answer.headers
    return response
