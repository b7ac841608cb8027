"""Pages come from memory, and every change is there on the very next request, from every process."""

import gzip
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from threading import Thread
from urllib.parse import urlencode

import brotli
import pytest
from django.test import RequestFactory

from rlm_site.page_cache import middleware
from rlm_site.page_cache.memory import CachedPage, PageMemory, best_encoding
from rlm_site.page_cache.versions import Versions
from rlm_site.publishing import visibility
from rlm_site.testing.databases import content_of, fresh_database
from rlm_site.testing.served import Site, serving
from rlm_site.testing.variables import ROOT, environment

MILLERS = "/yarle-valley/the-millers/"


def page(version: str = "v", size: int = 1000, until: float = float("inf")) -> CachedPage:
    return CachedPage(version, None, until, {"br": b"x" * size, "gzip": b"y" * size}, (), "digest", 1)


def test_a_page_of_another_version_or_past_its_time_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "MEMORY", PageMemory(10_000))
    middleware.MEMORY.put("/a/", page("v1", until=100))

    def remembered(address: str, version: str, now: float) -> bool:
        return middleware._current_page(address, Versions({"all": version}, stale=False), now) is not None

    assert remembered("/a/", "v1", now=99)
    assert not remembered("/a/", "v2", now=99)
    assert not remembered("/a/", "v1", now=100)
    assert not remembered("/b/", "v1", now=99)


def test_a_page_is_current_while_nothing_that_it_depends_on_has_changed() -> None:
    made = CachedPage("v", {"quotes": "1", "article:5": "2"}, 0, {"br": b""}, (), "digest", 1)
    assert made.is_current({"quotes": "1", "article:5": "2", "tags": "3"})
    assert not made.is_current({"quotes": "1", "article:5": "4"})
    assert not made.is_current({"quotes": "1"})
    assert not page().is_current({"quotes": "1"})


def test_memory_is_bounded_by_bytes_and_the_least_recently_used_goes_first() -> None:
    memory = PageMemory(10_000)
    for address in ("/a/", "/b/", "/c/"):
        memory.put(address, page())
    memory.get("/a/")
    memory.put("/d/", page())
    assert memory.bytes <= 10_000
    assert memory.get("/b/") is None
    assert memory.get("/a/")


def test_a_page_larger_than_the_memory_throws_nothing_out() -> None:
    memory = PageMemory(10_000)
    memory.put("/a/", page())
    memory.put("/huge/", page(size=20_000))
    assert len(memory) == 1


def test_a_body_is_compressed_when_it_is_asked_for() -> None:
    content = b"Read more about this topic: " * 100
    kept = CachedPage("v", None, 0, {"br": brotli.compress(content)}, (), "digest", 1)
    size = kept.size
    assert kept.body("") == content
    assert list(kept.bodies) == ["br"]
    assert gzip.decompress(kept.body("gzip")) == content
    assert brotli.decompress(kept.body("br")) == content
    assert kept.size == size > sum(map(len, kept.bodies.values()))


def test_headers_are_put_together_once_and_those_of_not_modified_by_themselves() -> None:
    kept = CachedPage("v", None, 0, {"br": b"x"}, (("Vary", "Accept-Encoding"),), "digest", 7)
    whole, not_modified = kept.headers_in("br", 6), kept.headers_in("br", 6, of_the_body=False)
    whole["Added-Outside"] = "by another middleware, while others read what they have"
    assert dict(not_modified) == {"Vary": "Accept-Encoding", "ETag": '"digest-br"'}
    assert whole["Content-Length"] == "1"
    assert kept.headers_in("br", 6.9) is whole
    assert kept.headers_in("br", 6.9, of_the_body=False) is not_modified


def test_a_page_has_a_date_when_nothing_else_can_have_it_any_more() -> None:
    kept = CachedPage("v", None, 0, {"br": b"x"}, (), "digest", 7)  # rendered within the sixth second
    assert "Last-Modified" not in kept.headers_in("br", 6.99)
    assert kept.headers_in("br", 7)["Last-Modified"] == "Thu, 01 Jan 1970 00:00:07 GMT"


def test_a_header_that_is_added_or_taken_away_later_counts() -> None:
    headers = page().headers_in("gzip", 2)
    before = dict(headers.items())
    headers.setdefault("Referrer-Policy", "same-origin")
    assert dict(headers.items()) == {**before, "Referrer-Policy": "same-origin"}
    del headers["Referrer-Policy"]
    assert dict(headers.items()) == before


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:8000:1", "evil.example:80", "", "127.0.0.1@evil.example"])
def test_whose_host_is_not_ours_is_not_answered_from_memory(host: str, rf: RequestFactory) -> None:
    assert middleware.is_shareable(rf.get(MILLERS, HTTP_HOST="127.0.0.1:8000").META)
    assert not middleware.is_shareable(rf.get(MILLERS, HTTP_HOST=host, SERVER_NAME="evil.example").META)


def test_a_page_begun_before_a_moment_ends_at_it_though_others_have_seen_it_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moments = [datetime.fromtimestamp(at, UTC) for at in (100, 200)]
    monkeypatch.setattr(visibility, "next_scheduled_moment", lambda now, _models: min(at for at in moments if at > now))
    monkeypatch.setattr(middleware, "_due", ("", 0.0, 0.0))
    pinned = Versions({"due": "v"}, stale=False)
    assert [middleware._next_scheduled_moment(pinned, now) for now in (98, 99, 101, 99, 199)] == [
        100,
        100,
        200,
        100,
        200,
    ]


def test_replacing_a_page_counts_its_bytes_once() -> None:
    memory = PageMemory(10_000)
    for version in "abc":
        memory.put("/a/", page(version))
    assert memory.bytes == page().size


def test_one_version_is_rendered_once_and_another_version_by_itself() -> None:
    memory = PageMemory(10_000)
    assert memory.begin("/a/", "v1") is None
    waiting = memory.begin("/a/", "v1")
    assert waiting is not None
    assert not waiting.is_set()
    assert memory.begin("/a/", "v2") is None
    memory.finish("/a/", "v2")
    assert memory.begin("/a/", "v3") is None


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("identity", ""),
        ("", ""),
        ("br;q=0.0, gzip; q=0", ""),
        ("brotli", ""),
    ],
)
def test_the_encoding_is_one_that_the_client_takes(accepted: str, encoding: str) -> None:
    assert best_encoding(accepted) == encoding


class Writer:
    """Another process with Django's shell: runs statements, and answers when they are committed."""

    def __init__(self, database_url: str) -> None:
        program = (
            "import django, sys; django.setup()\n"
            "from articles.models import *; from quotes.models import *; from rlm_site.models import *\n"
            "from django.db import connection; from django.utils import timezone; import datetime\n"
            "for line in sys.stdin:\n"
            "    exec(line)\n"
            "    print('done', flush=True)\n"
        )
        variables = {**environment(database_url, 8000), "DJANGO_SETTINGS_MODULE": "rlm_site.settings"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, statement: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(statement + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n", statement

    def end(self) -> None:
        self.process.communicate(timeout=10)


class TwoSites:
    """Two server processes on two ports over one database, and a third process that writes."""

    def __init__(self, first: Site, second: Site, writer: Writer, database_url: str) -> None:
        self.sites = (first, second)
        self.writer = writer
        self.database_url = database_url

    def read(self, path: str) -> list[str]:
        answers = [site.ask(path, **{"Accept-Encoding": "br"}) for site in self.sites]
        return [brotli.decompress(body).decode() for _status, _headers, body in answers]


@pytest.fixture(scope="module")
def two_sites(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, static_files: None
) -> Iterator[TwoSites]:
    folder = tmp_path_factory.mktemp("two")
    content = content_of(request.node)
    with fresh_database(folder, content) as url, serving(url, folder) as first, serving(url, folder) as second:
        writer = Writer(url)
        yield TwoSites(first, second, writer, url)
        writer.end()


CHANGES = {
    "save": "a = Article.objects.get(slug='the-millers'); a.body += '\\n\\nSIGN'; a.save()",
    "update": "Article.objects.filter(slug='the-millers').update(quote_words='', body='SIGN')",
    "SQL": "connection.cursor().execute(\"UPDATE articles_article SET title = 'SIGN' WHERE slug = 'the-millers'\")",
    "tag rename": "Tag.objects.filter(slug='craft').update(name='SIGN')",
    "pin": (
        "q = Quote.objects.create(text='SIGN words', published=True, status='reported');"
        "QuoteChoice.objects.create(article=Article.objects.get(slug='the-millers'), quote=q)"
    ),
    "bulk_create": (
        "q, = Quote.objects.bulk_create([Quote(text='SIGN words', key='bulk-1', published=True, status='reported')]);"
        "QuoteChoice.objects.bulk_create([QuoteChoice(article=Article.objects.get(slug='the-millers'), quote=q)])"
    ),
    "reference": (
        "Article.objects.filter(slug='the-millers').update(body='Cited.[@arden-1987]');"
        "Reference.objects.filter(key='arden-1987').update(title='SIGN')"
    ),
    "delete and create": (
        "Article.objects.filter(slug='the-millers').delete();"
        "Article.objects.create(title='The Millers', slug='the-millers', body='SIGN', published=True,"
        " parent=Article.objects.get(slug='yarle-valley'))"
    ),
}


@pytest.mark.full
def test_every_change_is_on_the_next_page_of_every_process(two_sites: TwoSites) -> None:
    for number, (name, statement) in enumerate(CHANGES.items()):
        sign = f"Zorblax{number}"  # one word, for a word of the heading is marked
        assert all(sign not in text for text in two_sites.read(MILLERS)), name
        two_sites.writer.run(statement.replace("SIGN", sign))
        assert all(sign in text for text in two_sites.read(MILLERS)), name


@pytest.mark.full
def test_a_scheduled_change_comes_due_by_the_clock_alone(two_sites: TwoSites) -> None:
    soon = "timezone.now() + datetime.timedelta(seconds=6)"
    two_sites.writer.run(
        f"Article.objects.create(title='Due Soon', slug='due-soon', published=True, position=99, publish_at={soon},"
        " parent=Article.objects.get(slug='yarle-valley'))"
    )
    path = "/yarle-valley/"
    assert all("Due Soon" not in text for text in two_sites.read(path))

    time.sleep(6.1)
    assert all("Due Soon" in text for text in two_sites.read(path))


@pytest.mark.full
def test_answers_are_compressed_once_and_have_strong_tags(two_sites: TwoSites) -> None:
    site = two_sites.sites[0]
    path = "/tolby-market/"
    _status, plain_headers, plain = site.ask(path)
    for encoding, unpack in {"br": brotli.decompress, "gzip": gzip.decompress}.items():
        status, headers, body = site.ask(path, **{"Accept-Encoding": encoding})
        assert status == 200
        assert headers["Content-Encoding"] == encoding
        assert unpack(body) == plain
        assert headers["ETag"].startswith('"')
        assert headers["ETag"] != plain_headers["ETag"]
        assert "Accept-Encoding" in headers["Vary"]
        assert headers["Cache-Control"] == "no-cache"
        again = site.ask(path, **{"Accept-Encoding": encoding, "If-None-Match": headers["ETag"]})
        assert (again[0], again[2]) == (304, b"")
    assert "default-src 'none'" in plain_headers["Content-Security-Policy"]


@pytest.mark.full
def test_a_client_that_knows_a_date_alone_gets_the_page_when_it_has_changed(two_sites: TwoSites) -> None:
    path = "/tolby-market/"
    site = two_sites.sites[0]
    site.ask(path)
    time.sleep(1)
    _status, headers, _body = site.ask(path)
    known = {"If-Modified-Since": headers["Last-Modified"]}
    assert site.ask(path, **known)[::2] == (304, b"")
    assert site.ask(path, **{**known, "If-None-Match": '"another"'})[0] == 200
    assert site.ask(path, **{"If-Modified-Since": "Thu, 01 Jan 2026 00:00:00 GMT"})[0] == 200
    for number in range(3):  # in the same second, too
        two_sites.writer.run(f"Article.objects.filter(slug='tolby-market').update(body='Dated {number}.')")
        status, headers, body = site.ask(path, **known)
        assert status == 200
        assert f"Dated {number}.".encode() in body
        known = {"If-Modified-Since": headers["Last-Modified"] or headers["Date"]}


@pytest.mark.full
def test_strange_parameters_are_answered_with_the_page_itself(two_sites: TwoSites) -> None:
    site = two_sites.sites[0]
    path = "/tolby-market/"
    status, headers, body = site.ask(path)
    for query in ("?utm_source=x&fbclid=y", "?page=2", "?", "?%00", "?a=b" * 50):
        other = site.ask(path + query)
        assert (other[0], other[1]["ETag"], other[2]) == (status, headers["ETag"], body), query
    for path in ("/?utm_source=x", "/feeds/changes/?x", "/sitemap-articles.xml?x=1", "/robots.txt?x"):
        assert site.ask(path)[1]["ETag"] == site.ask(path.partition("?")[0])[1]["ETag"]
    two_sites.writer.run(
        "Quote.objects.bulk_create(Quote(text=f'Number {n}.', key=f'number-{n}', status='reported', published=True)"
        " for n in range(30))"
    )
    second = site.ask("/quotes/?page=2&utm_source=x")[2].decode()
    assert 'rel="prev"' in second
    assert "utm_source" not in second


@pytest.mark.full
def test_an_editor_gets_no_page_from_memory_and_leaves_none(two_sites: TwoSites) -> None:
    site = two_sites.sites[0]
    status, headers, _body = site.ask("/tolby-market/", Cookie="sessionid=abc")
    assert status == 200
    assert "ETag" not in headers


@pytest.mark.full
@pytest.mark.parametrize("path", ["/search/?q=tarlow", "/nothing-here/", "/healthz", "/admin/login/", "/?page=1"])
def test_searches_errors_and_machines_pages_are_not_kept(two_sites: TwoSites, path: str) -> None:
    assert "ETag" not in two_sites.sites[0].ask(path)[1]


def add_reading(two_sites: TwoSites, answers: list[str]) -> None:
    answers.extend(two_sites.read("/tolby-market/"))


@pytest.mark.full
def test_many_who_ask_at_once_after_a_commit_get_the_new_page(two_sites: TwoSites) -> None:
    for number in range(5):
        two_sites.writer.run(f"Article.objects.filter(slug='tolby-market').update(body='Round {number}.')")
        answers: list[str] = []
        askers = [Thread(target=add_reading, args=(two_sites, answers)) for _asker in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert len(answers) == 16
        assert all(f"Round {number}." in answer for answer in answers)


@pytest.mark.full
def test_signing_in_throws_nothing_out(two_sites: TwoSites) -> None:
    site = two_sites.sites[0]
    tag = site.ask("/edgar-tarlow/")[1]["ETag"]
    time.sleep(1)  # until it has a date
    modified = site.ask("/edgar-tarlow/")[1]["Last-Modified"]
    site.ask("/admin/login/", form=urlencode({"username": "editor", "password": "wrong"}))
    assert site.ask("/edgar-tarlow/")[1]["ETag"] == tag
    assert site.ask("/edgar-tarlow/")[1]["Last-Modified"] == modified


WRITERS = 6
TRANSACTIONS = 1000


@pytest.mark.full
@pytest.mark.skipif(not os.environ["DATABASE_URL"].startswith("postgres"), reason="on SQLite one writes at a time")
def test_writers_of_the_same_topics_never_wait_in_a_circle(two_sites: TwoSites) -> None:
    """Each has sections of its own in all topics, and touches some in an order of its own."""
    import psycopg

    two_sites.writer.run(
        "made = Article.objects.bulk_create(Article(title=f'Zorblax {n}', slug=f'zorblax-{n}', published=True,"
        " parent=topic) for topic in Article.objects.filter(parent=None) for n in range(12));"
        " TaggedArticle.objects.bulk_create(TaggedArticle(tag=Tag.objects.first(), content_object=one) for one in made)"
    )
    problems: list[str] = []

    def write(number: int, sections: list[int]) -> None:
        random = Random(number)  # noqa: S311 - the same in every run
        with psycopg.connect(two_sites.database_url) as client:
            for _transaction in range(TRANSACTIONS // WRITERS + 1):
                try:
                    for section in random.sample(sections, 4):
                        client.execute("UPDATE articles_article SET updated = now() WHERE id = %s", [section])
                        client.execute(
                            "UPDATE articles_taggedarticle SET tag_id = tag_id WHERE content_object_id = %s", [section]
                        )
                    client.commit()
                except psycopg.Error as error:
                    problems.append(str(error))
                    client.rollback()

    with psycopg.connect(two_sites.database_url) as client:
        rows = client.execute("SELECT id FROM articles_article WHERE parent_id IS NOT NULL ORDER BY parent_id, id")
        sections = [row[0] for row in rows.fetchall()]
        known = client.execute("SELECT name, token FROM rlm_site_partversion").fetchall()
        touched = {f"article:{section}" for section in sections}
        tokens = {(name, token) for name, token in known if name in touched}  # others may be of pages that are gone
        assert len(tokens) == len(sections)
    before = two_sites.read(MILLERS)
    writers = [Thread(target=write, args=(number, sections[number::WRITERS])) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    with psycopg.connect(two_sites.database_url) as client:
        assert not tokens & set(client.execute("SELECT name, token FROM rlm_site_partversion").fetchall())
    assert two_sites.read(MILLERS) == before


def test_whoever_waits_for_an_older_version_is_told_when_it_is_made() -> None:
    memory = PageMemory(1000)
    assert memory.begin("/", "older") is None
    waiting = memory.begin("/", "older")
    assert memory.begin("/", "newer") is None
    memory.finish("/", "older")
    assert waiting is not None
    assert waiting.is_set()
    memory.finish("/", "newer")
