"""Collects which content a page depends on while it is being rendered, so that it outlives changes of all the rest.

The function that reads says so, not the view: `depends_on("references")` for content with one tag, and
`depends_on("article:5", version=row.version)` for a row whose version was read together with it. The tags are declared
with `watch`. Nothing is collected outside a view with the decorator `public_page`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from rlm_site.page_cache import versions

_collected: ContextVar[dict[str, str] | None] = ContextVar("dependencies of the page being rendered", default=None)


def depends_on(*tags: str, version: str | None = None) -> str:
    """Say that the page shows content with these tags, or would show other content if it changed.

    Without `version` it is the one that was pinned before anything was read. Return one string that differs after every
    change of this content, for use as a cache key, so that a cached result cannot be had without saying this. It is
    empty where nothing may be cached: nothing is pinned, or what is derived of this content may be older than it.
    """
    pinned = versions.pinned_or_unknown()
    collected = _collected.get()
    if collected is not None:
        for tag in tags:
            # Of two versions the first counts: what was read with it may be on the page. An empty one never matches.
            collected.setdefault(tag, (pinned.versions.get(tag) if version is None else version) or "")
    if version is not None:
        return version
    return "" if pinned.stale else pinned.combined(*tags)


@contextmanager
def collect_dependencies() -> Iterator[dict[str, str]]:
    """Collect what is said in this block: tag -> version."""
    collected: dict[str, str] = {}
    token = _collected.set(collected)
    try:
        with versions.pin_when_read():
            yield collected
    finally:
        _collected.reset(token)
