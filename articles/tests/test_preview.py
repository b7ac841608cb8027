from datetime import timedelta
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from articles import previews
from articles.models import Article
from quotes.models import Quote
from rlm_site import revisions
from rlm_site.models import Revision
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft() -> Revision:
    """A working copy of The Allies with another title, text and tag."""
    section = Article.objects.get(slug="the-allies")
    section.title, section.body = "The Zorblax Allies", "A new text about *Zorblax*."
    return revisions.record(section)


def preview(client: Client, revision: Revision) -> Any:
    return client.get(previews.address_of(revision))


def test_the_link_shows_the_unpublished_text_in_its_place(client: Client, draft: Revision) -> None:
    response = preview(client, draft)
    document = parse(response)
    assert response.status_code == 200
    assert text_of(document.find(".//h1")) == "Russian Liberation Movement - The Zorblax Allies"
    assert "A new text about Zorblax." in text_of(document)
    neighbours = {link.get("rel"): link.get("href") for link in document.iter("a")}
    assert neighbours["prev"] == "/russian-liberation-movement/crimes-and-victims/"


def test_readers_go_on_seeing_the_published_text(client: Client, draft: Revision) -> None:
    preview(client, draft)
    text = client.get("/russian-liberation-movement/the-allies/").content.decode()
    assert "Zorblax" not in text


def test_it_is_neither_indexed_nor_stored(client: Client, draft: Revision) -> None:
    response = preview(client, draft)
    assert "noindex" in response["X-Robots-Tag"]
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize("published", [True, False])
def test_a_section_of_an_unpublished_topic_can_be_previewed(client: Client, published: bool) -> None:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=False)
    section = Article.objects.create(parent=topic, title="Heights", slug="heights", body="High.", published=published)
    response = preview(client, revisions.record(section))
    assert response.status_code == 200
    assert text_of(parse(response).find(".//h1")) == "Zorblax - Heights"


def test_an_unpublished_topic_can_be_previewed(client: Client) -> None:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", body="Quiet.", published=False)
    response = preview(client, revisions.record(topic))
    assert response.status_code == 200
    assert "Quiet." in text_of(parse(response))


def test_a_preview_shows_no_other_unpublished_page(client: Client, draft: Revision) -> None:
    topic = Article.objects.get(slug="russian-liberation-movement")
    Article.objects.create(parent=topic, title="Hidden Heights", slug="hidden-heights", published=False, position=10)
    assert "Hidden Heights" not in preview(client, draft).content.decode()


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "x" + token, lambda token: token + "é"])
def test_a_tampered_link_is_not_found(client: Client, draft: Revision, change: Any) -> None:
    token = previews.address_of(draft).removeprefix("/preview/").removesuffix("/")
    assert client.get(f"/preview/{change(token)}/").status_code == 404


@pytest.mark.parametrize("token", ["x", ":", "::", "a:b:c", "%00", "%ff", "x" * 9000])
def test_nonsense_is_not_found(client: Client, token: str) -> None:
    assert client.get(f"/preview/{token}/").status_code == 404


def test_a_signature_made_for_something_else_opens_nothing(client: Client, draft: Revision) -> None:
    assert client.get(f"/preview/{signing.dumps(draft.pk, salt='elsewhere')}/").status_code == 404


def test_an_expired_link_says_so(client: Client, draft: Revision, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previews, "GOOD_FOR", timedelta(seconds=-1))
    response = preview(client, draft)
    assert response.status_code == 410
    assert "This preview link has expired" in text_of(parse(response).find(".//main"))
    assert "Zorblax" not in response.content.decode()


def test_a_link_to_a_revision_that_is_gone_is_not_found(client: Client, draft: Revision) -> None:
    address = previews.address_of(draft)
    Article.objects.get(slug="the-allies").delete()
    assert client.get(address).status_code == 404


def test_a_revision_of_a_quotation_opens_no_page(client: Client) -> None:
    quote = Quote.objects.create(text="A zorblax.", status="reported")
    assert preview(client, revisions.record(quote)).status_code == 404


def test_previews_are_kept_out_of_the_sitemap_and_away_from_robots(client: Client, draft: Revision) -> None:
    assert b"/preview/" not in client.get("/sitemap.xml").content
    assert b"Disallow: /preview/" in client.get("/robots.txt").content
