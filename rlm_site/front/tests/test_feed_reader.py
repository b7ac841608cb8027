"""A reader of the feeds sees each entry once, whatever is done to the pages and quotations in the meantime."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from articles.models import Article
from quotes.models import Quote
from rlm_site.history import revisions, trash
from rlm_site.history.models import Deletion, Revision
from rlm_site.tags.models import Tag
from rlm_site.tests.html import text_of

pytestmark = [pytest.mark.django_db, pytest.mark.full]

FEEDS = ["/feeds/changes/", "/feeds/quotes/"]
CHANGES = 200
ATOM = "{http://www.w3.org/2005/Atom}"


class Entry(NamedTuple):
    feed: str
    id: str
    published: str
    path: str
    words: str  # title and summary


class Reader:
    """A feed reader: what it has seen, and what was new to it each time."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.published: dict[str, str] = {}  # of every entry that it ever saw, by id
        self.fetched = 0
        self.feeds: dict[str, str] = {}  # their ids, by path

    def fetch(self) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that are there now, and those that the reader takes for new."""
        now = [entry for address in FEEDS for entry in self._entries(address)]
        assert len({entry.id for entry in now}) == len(now)
        new = [entry for entry in now if entry.id not in self.published]
        for entry in now:
            assert self.published.setdefault(entry.id, entry.published) == entry.published
        self.fetched += 1
        return now, new

    def _entries(self, address: str) -> Iterator[Entry]:
        response = self.client.get(address)
        assert response.status_code == 200
        root = fromstring(response.content)  # noqa: S314 - our own output
        own = text_of(root.find(f"{ATOM}id"))
        assert self.feeds.setdefault(address, own) == own
        for entry in root.findall(f"{ATOM}entry"):
            said = {name: text_of(entry.find(f"{ATOM}{name}")) for name in ("id", "published", "title", "summary")}
            [link] = entry.findall(f"{ATOM}link")
            path = urlsplit(str(link.get("href"))).path
            yield Entry(address, said["id"], said["published"], path, f"{said['title']} {said['summary']}")


class Editors:
    """Those who change the site at random; each act returns how many entries are new by it."""

    def __init__(self, at_random: random.Random, settings: Settings) -> None:
        self.at_random, self.settings = at_random, settings
        self.made = 0

    def acts(self) -> list[Callable[[], int]]:
        return [
            self.rename, self.move, self.retag, self.reword, self.retitle, self.correct, self.unpublish, self.retire,
            self.republish, self.delete, self.recover, self.add_quotation, self.add_page, self.change_host,
            self.correct_unseen, self.save_draft,
        ]  # fmt: skip

    def article(self, **fields: Any) -> Article | None:
        rows = list(Article.objects.filter(**fields).select_related("parent").order_by("pk"))
        return self.at_random.choice(rows) if rows else None

    def quote(self) -> Quote:
        return self.at_random.choice(list(Quote.objects.order_by("pk")))

    def word(self) -> str:
        self.made += 1
        return f"zorblax-{self.made}"

    def rename(self) -> int:
        row = self.article()
        assert row
        Article.objects.filter(pk=row.pk).update(slug=self.word())
        return 0

    def move(self) -> int:
        row, topic = self.article(parent__isnull=False), self.article(parent=None)
        if row and topic:
            Article.objects.filter(pk=row.pk).update(parent=topic, slug=self.word())
        return 0

    def retag(self) -> int:
        tag = self.at_random.choice(list(Tag.objects.order_by("pk")))
        row: Any = self.at_random.choice([self.article(), self.quote()])
        row.tags.set([tag])
        return 0

    def reword(self) -> int:
        row = self.quote()
        row.text = f"{self.word().capitalize()}: {row.text}"[:2000]
        row.save()
        return 0

    def retitle(self) -> int:
        row = self.article()
        assert row
        row.title = self.word()
        row.save()
        return 0

    def correct(self) -> int:
        return self._publish(Revision.Kind.CORRECTION)

    def correct_unseen(self) -> int:
        self._publish(Revision.Kind.NONE)
        return 0

    def _publish(self, kind: str) -> int:
        rows = list(Article.objects.published(timezone.now()).select_related("parent").order_by("pk"))
        row = self.at_random.choice(rows)
        content = {**revisions.content_of(row), "body": f"{row.body}\n\n{self.word()}"}
        revisions.publish(row, content, kind=kind, note=f"{self.word()} is corrected.")
        return 1

    def save_draft(self) -> int:
        row = self.article()
        assert row
        revisions.save_draft(row, {**revisions.content_of(row), "title": self.word()})
        return 0

    def unpublish(self) -> int:
        row: Any = self.at_random.choice([self.article(), self.quote()])
        type(row).objects.filter(pk=row.pk).update(published=False)
        return 0

    def retire(self) -> int:
        row: Any = self.at_random.choice([self.article(), self.quote()])
        type(row).objects.filter(pk=row.pk).update(retire_at=timezone.now() - timedelta(seconds=1))
        return 0

    def republish(self) -> int:
        for model in (Article, Quote):
            model.objects.filter(published=False).update(published=True)
            model.objects.exclude(retire_at=None).update(retire_at=None)
        return 0

    def delete(self) -> int:
        row: Any = self.at_random.choice([self.article(parent__isnull=False), self.quote()])
        if row and type(row).objects.count() > 5:
            trash.move_to_trash([row], None)
            row.delete()
        return 0

    def recover(self) -> int:
        for deletion in Deletion.objects.filter(recovered=None).order_by("pk"):
            if not trash.plan_recovery(deletion).obstacles:
                trash.recover(deletion, None, without_lost=True)
        return 0

    def add_quotation(self) -> int:
        Quote.objects.create(text=f"A {self.word()} is no friend.", status="reported", published=True)
        return 1

    def add_page(self) -> int:
        topic = self.at_random.choice(list(Article.objects.published(timezone.now()).topics().order_by("pk")))
        Article.objects.create(parent=topic, title=self.word(), slug=self.word(), published=True)
        return 1

    def change_host(self) -> int:
        """Move the site as docs/operating.md says: with FEED_AUTHORITY as it was."""
        self.settings.SITE_URL = self.at_random.choice(["https://127.0.0.1:8000", "https://almanac.example"])
        return 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that moves the time on, so that no two entries are of one moment."""
    now = [datetime.now(timezone.get_current_timezone())]
    monkeypatch.setattr(timezone, "now", lambda: now[0])

    def tick() -> None:
        now[0] += timedelta(minutes=7)

    return tick


def test_no_entry_is_seen_twice_by_whoever_reads_the_feeds(
    client: Client, settings: Settings, clock: Callable[[], None]
) -> None:
    reader, editors = Reader(client), Editors(random.Random(200), settings)  # noqa: S311 - the same each time
    _entries, first = reader.fetch()
    done: Counter[str] = Counter()
    fresh = 0
    for _number in range(CHANGES):
        clock()
        act = editors.at_random.choice(editors.acts())
        expected = act()
        clock()
        entries, new = reader.fetch()
        done[act.__name__] += 1
        fresh += expected
        assert len(new) <= expected, (act.__name__, new)
        assert all("zorblax" in entry.words for entry in new), (act.__name__, new)
        public = Article.objects.published(timezone.now()).select_related("parent")
        shown = {row.get_absolute_url() for row in public}
        shown |= {row.get_absolute_url() for row in Quote.objects.published(timezone.now()).listed()}
        assert {entry.path for entry in entries} <= shown, act.__name__
    assert len(done) == len(editors.acts())
    assert reader.fetched == CHANGES + 1
    assert len(reader.published) <= len(first) + fresh
    assert len(reader.published) >= len(first) + fresh * 0.9  # those that came and went between two fetches
