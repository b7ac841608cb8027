"""Events as pages tell them: which are public, which pages they name, and which have to do with an entry."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from articles import markdown
from articles.links import Ref, link_pages, refs_in
from articles.models import Article, Event, Link
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.text.dates import read_dates

LISTED_COLUMNS = ("published", "publish_at", "retire_at", "article_id")  # that decide whether there is a chronology

Pages = Mapping[str, Article]  # public pages by the names that events use for them


def public(now: datetime) -> list[Event]:
    """Return the public events in their order, with their pages. One query, or none while no event or page changes."""
    version = depends_on("events", "addresses")
    rows = _cached(version) if version else _cached.__wrapped__(version)
    return [event for event in rows if event.is_public(now)]


@lru_cache(maxsize=2)
def _cached(version: str) -> list[Event]:
    whole = queue.sound("event") & queue.sound("article", "article__") & queue.sound("article", "article__parent__")
    rows = Event.objects.filter(whole, published=True).select_related("article__parent")
    rows = rows.defer(*(f"{page}__{name}" for page in ("article", "article__parent") for name in ("body", "facts")))
    return in_order(rows)


def in_order(rows: Iterable[Event]) -> list[Event]:
    """Return events by their dates: what is known less exactly first. Those without any, which are set aside, lead."""
    return sorted(rows, key=lambda event: (read_dates(event.dates) or (), event.pk))


def pages_named(events: Iterable[Event], now: datetime) -> Pages:
    """Return the public pages that events name in their places, people and texts. Two queries, or none."""
    return link_pages(dict.fromkeys(name for event in events for name in names_in(event)), None, now)


def names_in(event: Event) -> Iterator[str]:
    """Yield the names of pages in an event: those that must be, and of places and people those that may be."""
    yield from markdown.source(event.text).links
    yield from names_beside(event)


def names_beside(event: Event) -> list[str]:
    """Return the names of its place and people."""
    return [name for name in (event.place, *event.people) if name]


def of_entry(topic: Article, events: Sequence[Event], now: datetime) -> list[Event]:
    """Return those of the events that the pages of a topic tell, or that happened to or at what it is about."""
    pages = pages_named(events, now)
    named = {name for name, page in pages.items() if page.pk == topic.pk}
    return [event for event in events if event.article.topic.pk == topic.pk or named & {*names_beside(event)}]


# Indexing


def check_dates(ids: Sequence[int]) -> None:
    """Raise ValueError where an event has no date that can be read: it is set aside."""
    for event in Event.objects.filter(pk__in=ids).only("dates"):
        event.when  # noqa: B018 - it is asked for its dates


def refs_told(ids: Sequence[int]) -> dict[int, list[Ref]]:
    """Return the links of events, and those names that are pages', by the page that tells them."""
    found: dict[int, list[Ref]] = defaultdict(list)
    for event in Event.objects.filter(article__in=ids).order_by("pk"):
        found[event.article_id] += refs_in(markdown.source(event.text))
        found[event.article_id] += (Ref(Link.Kind.MENTION, name) for name in names_beside(event))
    return found
