"""Withdrawn pages that lead readers on, to each other too: nobody is led in a circle."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles import review_checks
from articles.models import Article
from articles.successors import MAX_STEPS
from quotes.models import Quote
from rlm_site.indexing import queue

pytestmark = pytest.mark.django_db


def withdrawn(slug: str, to: str, parent: Article | None = None) -> Article:
    past = timezone.now() - timedelta(days=1)
    given = {"publish_at": past - timedelta(days=1), "retire_at": past, "retired_to": to}
    return Article.objects.create(title=slug.title(), slug=slug, parent=parent, published=True, **given)


@pytest.mark.parametrize(
    "spelling", ["/okapi/", "/okapi", "/Okapi/", "/okapi/?from=kudu", "/okapi/#size"], ids=lambda spelling: spelling
)
def test_two_pages_that_name_each_other_are_both_withdrawn(client: Client, spelling: str) -> None:
    withdrawn("okapi", "/kudu/")
    withdrawn("kudu", spelling)
    assert [client.get(address).status_code for address in ("/okapi/", "/kudu/")] == [410, 410]


@pytest.mark.parametrize("length", [3, MAX_STEPS, MAX_STEPS + 1, 30])
def test_a_longer_circle_ends_too(client: Client, length: int) -> None:
    for number in range(length):
        withdrawn(f"okapi-{number}", f"/okapi-{(number + 1) % length}/")
    withdrawn("eland", "/okapi-0/")
    for slug in ("okapi-0", f"okapi-{length - 1}", "eland"):
        assert client.get(f"/{slug}/").status_code == 410


def test_a_circle_through_a_quotation_and_sections_ends_too(client: Client) -> None:
    topic = withdrawn("okapi", "/kudu/heights/")
    Article.objects.create(title="Size", slug="size", parent=topic, published=True)
    other = Article.objects.create(title="Kudu", slug="kudu", published=True)
    past = timezone.now() - timedelta(days=1)
    quote = Quote.objects.create(
        text="A zorblax.", status="reported", published=True, retire_at=past, retired_to="/okapi/size/"
    )
    address = f"/quotes/{quote.pk}/a-zorblax/"
    withdrawn("heights", address, parent=other)
    for path in ("/okapi/", "/okapi/size/", "/kudu/heights/", address, f"/quotes/{quote.pk}/"):
        assert client.get(path).status_code == 410


def test_a_chain_leads_to_its_end(client: Client) -> None:
    withdrawn("okapi", "/kudu/")
    withdrawn("kudu", "/eland/")
    withdrawn("eland", "/edgar-tarlow/")
    page = client.get("/okapi/", follow=True)
    assert page.status_code == 200
    assert page.redirect_chain[-1] == ("/edgar-tarlow/", 301)


def test_a_page_may_lead_to_one_that_is_withdrawn_without_a_successor(client: Client) -> None:
    withdrawn("okapi", "/kudu/")
    withdrawn("kudu", "")
    assert client.get("/okapi/")["Location"] == "/kudu/"
    assert client.get("/kudu/").status_code == 410


def test_editors_are_told_of_pages_that_lead_in_a_circle() -> None:
    rows = {withdrawn("okapi", "/kudu/"), withdrawn("kudu", "/okapi/")}
    queue.process_queue()
    assert rows <= {broken.row for broken in review_checks.broken_links(timezone.now())}
