"""Every kind of page is read by a strict HTML5 parser without an error, and has what every page must have."""

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import previews
from articles.models import Article
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

PAGES = [
    "/", "/about/", "/changes/", "/quotes/people/", "/quotes/people/lena-sommer/",
    "/quotes/people/margery-ford/", "/quotes/",
    "/quotes/?tag=bread&status=reported&word=bread", "/quotes/?word=xyzzyx", "/references/",
    "/yarle-valley/", "/yarle-valley/the-millers/", "/yarle-valley/the-great-flood/",
    "/search/", "/search/?q=rain", "/search/?q=rain&kind=quotation&tag=rain", "/search/?q=xyzzyx", "/search/?q=vallley",
    "/tags/", "/tags/bread/", "/tags/tolby/", "/words/millers/", "/words/rain/",
]  # fmt: skip


def faults(response: Any) -> list[str]:
    """Return what is missing or twice on a page; the parser itself fails on bad markup."""
    document = parse(response)
    ids = Counter(element.get("id") for element in document.iter() if element.get("id"))
    found = [f"id {name} is there {number} times" for name, number in ids.items() if number > 1]
    found += [
        f"{tag} is there {n} times" for tag in ("h1", "main", "title") if (n := len(list(document.iter(tag)))) != 1
    ]
    if document.get("lang") != "en":
        found.append("the language is not declared")
    if not text_of(document.find(".//h1")) or not text_of(document.find(".//title")):
        found.append("a title is empty")
    for element in document.iter():
        for name in ("aria-labelledby", "aria-describedby", "for"):
            found += [f"{name}={ref}" for ref in element.get(name, "").split() if ref not in ids]
        if element.get("style") is not None or any(str(name).startswith("on") for name in element):
            found.append(f"{element.tag} has inline code")
        if element.tag == "style" or (element.tag == "script" and element.get("type") != "application/ld+json"):
            found.append(f"{element.tag} is inline")
        if element.tag == "a" and element.get("href") and not (text_of(element) or element.get("aria-label")):
            found.append(f"the link to {element.get('href')} has no text")
    levels = [int(element.tag[1]) for element in document.iter() if element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}]
    found += [f"h{below} follows h{above}" for above, below in itertools.pairwise(levels) if below > above + 1]
    return found


@pytest.mark.parametrize("address", PAGES)
def test_a_page_is_well_made(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200
    assert faults(response) == []


@pytest.mark.parametrize("address", ["/?page=2", "/changes/?page=2", "/quotes/?page=3"])
def test_a_further_page_of_a_list_is_well_made(client: Client, address: str) -> None:
    Article.objects.bulk_create(
        Article(title=f"Zorblax {n}", slug=f"zorblax-{n}", body="Nothing.", published=True) for n in range(70)
    )
    Quote.objects.bulk_create(
        Quote(text=f"The zorblax is {n}.", key=f"zorblax-{n}", status="reported", published=True) for n in range(70)
    )
    response = client.get(address)
    assert response.status_code == 200
    assert str(response.context["page"].number) == address[-1]
    assert faults(response) == []


@pytest.mark.parametrize(
    "address",
    ["/", "/about/", "/changes/", "/quotes/people/", "/quotes/people/lena-sommer/",
     "/quotes/", "/references/", "/tags/",
     "/tags/bread/", "/words/millers/", "/yarle-valley/", "/yarle-valley/the-millers/"],
)  # fmt: skip
def test_a_page_says_what_it_is_about_to_those_who_link_it(client: Client, address: str) -> None:
    document = parse(client.get(address))
    descriptions = [meta.get("content") for meta in document.iter("meta") if meta.get("name") == "description"]
    assert len(descriptions) == 1
    assert descriptions[0]
    assert [link.get("href") for link in document.iter("link") if link.get("rel") == "canonical"] == [
        f"http://127.0.0.1:8000{address}"
    ]


@pytest.mark.parametrize("status", ["reported", "disputed", "misattributed"])
def test_the_page_of_a_quotation_is_well_made(client: Client, status: str) -> None:
    quote = Quote.objects.filter(status=status).order_by("-quoted_in", "id")[0]
    assert faults(client.get(quote.get_absolute_url())) == []


def test_a_preview_is_well_made(client: Client) -> None:
    revision = revisions.record_revision(Article.objects.get(slug="the-millers"))
    assert faults(client.get(previews.link_address(previews.create_link(revision)))) == []


@pytest.mark.parametrize(
    "address", ["/no-such-page/", "/rain/river/", "/<script>/%22%3E/", "/preview/x/", "/%00/", "/%ff/"]
)
def test_not_found_is_a_page(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert faults(response) == []


def test_a_refused_method_is_answered_with_a_page(client: Client) -> None:
    response = client.post("/yarle-valley/")
    assert response.status_code == 405
    assert faults(response) == []


def test_a_withdrawn_page_is_a_page(client: Client) -> None:
    past = timezone.now() - timedelta(days=1)
    Article.objects.create(title="Zorblax", slug="zorblax", published=True, retire_at=past)
    response = client.get("/zorblax/")
    assert response.status_code == 410
    assert faults(response) == []


def test_a_request_for_another_host_is_answered_with_a_page() -> None:
    response = Client(HTTP_HOST="elsewhere.example").get("/")
    assert response.status_code == 400
    assert faults(response) == []


def test_a_failure_of_the_site_is_answered_with_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("Zorblax")

    monkeypatch.setattr("rlm_site.tags.lists.tags_with_counts", fail)
    response = Client(HTTP_HOST="127.0.0.1", raise_request_exception=False).get("/tags/")
    assert response.status_code == 500
    assert faults(response) == []
    assert b"Zorblax" not in response.content


@pytest.mark.parametrize("content", ["none", "one draft"])
def test_a_site_without_content_has_pages(client: Client, content: str) -> None:
    Quote.objects.all().delete()
    Article.objects.all().delete()
    if content == "one draft":
        Article.objects.create(title="Zorblax", slug="zorblax")
    for address in (
        "/",
        "/about/",
        "/changes/",
        "/quotes/people/",
        "/quotes/",
        "/references/",
        "/search/?q=rain",
        "/tags/",
    ):
        response = client.get(address)
        assert response.status_code == 200, address
        assert faults(response) == [], address
