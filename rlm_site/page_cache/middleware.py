"""Readers' pages, served from memory while the content they were made of stands.

The content's version is read before anything else, outside any transaction, and a page is stored under it together
with the moment at which the clock alone will change it. Whoever asks after a commit reads another version and gets a
page that is right for it: made after the commit, or made of parts of the content that the commit has left alone. Many
who ask for one page of one version at the same moment share one rendering.
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
from django.utils.http import http_date

from rlm_site.page_cache import versions, watch
from rlm_site.page_cache.memory import ENCODINGS, CachedPage, PageMemory
from rlm_site.publishing import schedule
from rlm_site.publishing.models import Publishable

LONGEST_WAIT = 30  # seconds for somebody else's rendering before making the page oneself

GetResponse = Callable[[HttpRequest], HttpResponse]


MEMORY = PageMemory(settings.PAGE_CACHE_BYTES)
_due = ("", 0.0, 0.0)  # token of `freshness.DUE`, and two moments between which the clock changes nothing


def serve_from_memory(get_response: GetResponse) -> GetResponse:
    """Middleware, directly behind WhiteNoise: nothing of Django's further stack runs for a page in memory."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _is_shareable(request) or not (version := versions.content_version()):
            return get_response(request)
        address, now = request.path, time.time()
        page = MEMORY.get(address)
        if page is not None and page.is_of(version, now):
            return _answer(request, page)
        with versions.pinned_versions((page and page.parts) or ()) as state:
            return make(request, address, state, now) if "all" in state.tokens else get_response(request)

    def make(request: HttpRequest, address: str, state: versions.Versions, now: float) -> HttpResponse:
        version = state.tokens["all"]
        if (rendering := MEMORY.begin(address, version)) is not None:
            rendering.wait(LONGEST_WAIT)
            page = _current_page(address, state, now)
            return get_response(request) if page is None else _answer(request, page)
        try:
            if (page := _current_page(address, state, now)) is not None:
                return _answer(request, page)  # it stands, or was made a moment ago
            response = get_response(request)
            if not _is_cacheable(response):
                return response
            page = _cached_page(request, response, state, now)
            MEMORY.put(address, page)
        finally:
            MEMORY.finish(address, version)
        return _answer(request, page)

    return middleware


def _current_page(address: str, state: versions.Versions, now: float) -> CachedPage | None:
    """The page, if it is right for this state: it was made of it, or all that it was made of is as it was."""
    page = MEMORY.get(address)
    if page is not None and now < page.until and page.stands(state.tokens):
        page.version = state.tokens["all"]
    return page if page is not None and page.is_of(state.tokens["all"], now) else None


def mark_cacheable(response: HttpResponse) -> HttpResponse:
    """Say of a reader's page that it is the same for everybody; only such pages are stored."""
    response.can_be_kept = True  # type: ignore[attr-defined]
    return response


def depends_on(parts: Mapping[str, str], response: HttpResponse) -> HttpResponse:
    """Say which parts of the content a page was made of (see `freshness.watch`): it outlives changes of all others.

    All that was read must be named, also what was only looked at to leave it out, each with the token that it had
    before. Of a page that does not say, any change makes another.
    """
    response.parts = dict(parts)  # type: ignore[attr-defined]
    return response


def _is_shareable(request: HttpRequest) -> bool:
    """An editor, or anybody who sends credentials, is answered by the whole stack.

    So is who asks with a parameter that the page knows: there is no end of them, and they are not to push pages out.
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
    """A strange host is refused by the stack, with all its headers, before anything is looked up."""
    if (host := request.META.get("HTTP_HOST")) and "HTTP_X_FORWARDED_HOST" not in request.META:
        return _is_allowed(host, tuple(settings.ALLOWED_HOSTS))
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


@lru_cache(maxsize=64)
def _is_allowed(host: str, allowed: tuple[str, ...]) -> bool:
    """As `request.get_host`, whose work is the same for every request to this host."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, allowed)


def _has_unknown_parameters(request: HttpRequest) -> bool:
    """The page at the path knows none of the parameters, and `reading.page` will take them away."""
    try:
        known = getattr(resolve(request.path_info).func, "parameters", None)
        return known is not None and request.GET.keys().isdisjoint(known)
    except (Resolver404, SuspiciousOperation):
        return False


def _is_cacheable(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and getattr(response, "can_be_kept", False)
        and not response.streaming
        and not response.cookies
        and "no-store" not in response.get("Cache-Control", "")
    )


def _cached_page(request: HttpRequest, response: HttpResponse, state: versions.Versions, now: float) -> CachedPage:
    content = response.content
    digest = blake2b(content, digest_size=12).hexdigest()
    before = MEMORY.get(request.path)
    unchanged = before is not None and before.digest == digest
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", "")) or "gzip"
    headers = [(name, value) for name, value in response.items() if name not in {"Content-Length", "Vary"}]
    return CachedPage(
        version=state.tokens["all"],
        parts=getattr(response, "parts", None),
        until=_next_scheduled_moment(state, now),
        bodies=before.bodies if before and unchanged else {encoding: ENCODINGS[encoding].pack(content)},
        headers=(*headers, ("Cache-Control", "no-cache"), ("Vary", "Accept-Encoding")),
        digest=digest,
        modified=before.modified if before and unchanged else http_date(now),
    )


def _next_scheduled_moment(state: versions.Versions, now: float) -> float:
    """When something scheduled comes due; asked once as long as nobody schedules anything.

    `now` is when the page was begun: others may have been begun later, and have seen the moment pass.
    """
    global _due
    token = state.of(watch.DUE.name)
    known, since, until = _due
    if not token or known != token or not since <= now < until:
        models = [entry.model for entry in watch.WATCHED.values() if issubclass(entry.model, Publishable)]
        moment = schedule.next_scheduled_moment(datetime.fromtimestamp(now, UTC), models)
        until = moment.timestamp() if moment else float("inf")
        _due = (token, now, until)
    return until


def _answer(request: HttpRequest, page: CachedPage) -> HttpResponse:
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    # If-Modified-Since alone is not enough: two versions may fall into one second.
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    is_known = known != "" and page.etag(encoding) in known
    if is_known:
        response: HttpResponse = HttpResponseNotModified()
    else:
        # the type given here is not sent; to find it out takes longer
        response = HttpResponse(b"" if request.method == "HEAD" else page.body(encoding), content_type="text/html")
    response.headers = page.headers_in(encoding, of_the_body=not is_known)
    return response


@lru_cache(maxsize=256)
def _encoding(accepted: str) -> str:
    """The best of what the client takes: br, gzip, or empty for none."""
    offers = {}
    for offer in accepted.lower().split(","):
        name, _separator, quality = offer.partition(";")
        offers[name.strip()] = quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    for encoding in ENCODINGS:
        if offers.get(encoding, False):
            return encoding
    return ""
