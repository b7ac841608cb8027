from datetime import timedelta
from urllib.robotparser import RobotFileParser
from xml.etree.ElementTree import fromstring

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tags.models import Tag
from rlm_site.tests.html import meta, parse, text_of

pytestmark = pytest.mark.django_db

SITE = "http://127.0.0.1:8000"
XML = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def sitemap(client: Client) -> dict[str, str]:
    """Path -> day of the last change of every address, over all files of the sitemap."""
    entries: dict[str, str] = {}
    files = ["/sitemap.xml"]
    while files:
        response = client.get(files.pop())
        assert response.status_code == 200
        root = fromstring(response.content)  # noqa: S314 - our own output
        for entry in root.findall(f"{XML}sitemap"):
            files.append(text_of(entry.find(f"{XML}loc")).removeprefix(SITE))
        for entry in root.findall(f"{XML}url"):
            address = text_of(entry.find(f"{XML}loc"))
            assert address.startswith(SITE + "/")
            path, changed = address.removeprefix(SITE), entry.find(f"{XML}lastmod")
            assert path not in entries
            entries[path] = text_of(changed) if changed is not None else ""
    return entries


def test_every_public_page_is_in_it_once(client: Client) -> None:
    entries = sitemap(client)
    articles = {article.get_absolute_url() for article in Article.objects.select_related("parent")}
    quotes = {quote.get_absolute_url() for quote in Quote.objects.all()}
    people = {person.get_absolute_url() for person in Person.objects.published(timezone.now())}
    tags = {tag.get_absolute_url() for tag in Tag.objects.exclude(taggedarticle_items=None)}
    assert articles | quotes | people | tags <= entries.keys()
    assert {"/", "/about/", "/tags/", "/quotes/", "/quotes/people/", "/references/", "/changes/"} <= entries.keys()
    assert not [path for path in entries if path.startswith(("/search", "/admin", "/preview", "/feeds"))]


def test_articles_and_quotations_have_the_day_of_their_last_change(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    changed = timezone.now()
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, created=changed)
    entries = sitemap(client)
    assert entries["/yarle-valley/the-millers/"] == changed.date().isoformat()
    assert all(entries[quote.get_absolute_url()] for quote in Quote.objects.all()[:20])


def test_only_what_is_public_is_in_it(client: Client) -> None:
    future = timezone.now() + timedelta(days=1)
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=True, publish_at=future)
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True)
    Article.objects.create(title="Draft", slug="zorblax-draft").tags.add("zorblaxian")
    Quote.objects.create(
        text="A zorblax.", person=Person.objects.create(name="Zorblax", slug="zorblax"), status="reported"
    )
    assert not [path for path in sitemap(client) if "zorblax" in path]


def robots(client: Client) -> RobotFileParser:
    rules = RobotFileParser()
    rules.parse(client.get("/robots.txt").content.decode().splitlines())
    return rules


def test_every_address_in_it_is_one_of_a_page_that_robots_may_index(client: Client) -> None:
    rules = robots(client)
    for path in sitemap(client):
        assert rules.can_fetch("*", SITE + path), path
        response = client.get(path)
        assert response.status_code == 200, path
        assert "noindex" not in response.headers.get("X-Robots-Tag", ""), path
        root = parse(response)
        assert "noindex" not in (meta(root, "robots") or ""), path
        canonical = [link.get("href") for link in root.iter("link") if link.get("rel") == "canonical"]
        assert canonical == [SITE + path]


@pytest.mark.parametrize("path", ["/admin/", "/preview/x/", "/search/?q=rain", "/quotes/?tag=bread", "/nowhere/"])
def test_what_is_not_to_be_indexed_is_closed_to_robots_or_says_so(client: Client, path: str) -> None:
    response = client.get(path)
    is_closed = not robots(client).can_fetch("*", SITE + path)
    assert is_closed or response.status_code != 200 or "noindex" in (meta(parse(response), "robots") or "")
    assert path.partition("?")[0] not in sitemap(client) or "?" in path


def test_robots_are_told_where_it_is(client: Client) -> None:
    assert b"Sitemap: http://127.0.0.1:8000/sitemap.xml" in client.get("/robots.txt").content


@pytest.mark.parametrize("number", ["2", "0", "-1", "x", "%00", "9" * 5000])
def test_files_that_do_not_exist_are_not_found(client: Client, number: str) -> None:
    assert client.get(f"/sitemap.xml?p={number}").status_code in {200, 404}
