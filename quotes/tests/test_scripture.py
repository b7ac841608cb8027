"""Scripture names itself wherever a quotation is shown: it has no person, and is not anonymous either."""

import json
import re

import pytest
from django.test import Client

from quotes.models import Quote
from rlm_site.search.models import SearchDocument

pytestmark = pytest.mark.django_db


@pytest.fixture
def valley() -> Quote:
    return Quote.objects.get(key="isaiah-every-valley")


def page(client: Client, address: str) -> str:
    answer = client.get(address, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_its_page_is_headed_by_the_book(client: Client, valley: Quote) -> None:
    shown = page(client, valley.get_absolute_url())
    assert "<h1>Quotation from The Bible, Isaiah</h1>" in shown
    assert shown.count("<cite>The Bible, Isaiah</cite> 40:4") == 2  # below the text, and among its sources
    assert '<meta property="og:description" content="The Bible, Isaiah 40:4">' in shown
    assert re.search("<title>[^<]*The Bible, Isaiah", shown)
    assert "Anonymous" not in shown


def test_machines_are_told_of_the_book_and_of_nobody(client: Client, valley: Quote) -> None:
    shown = page(client, valley.get_absolute_url())
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', shown, re.DOTALL)
    assert found
    [data] = [row for row in json.loads(found[1])["@graph"] if row["@type"] == "Quotation"]
    assert "creator" not in data
    assert data["isPartOf"]["name"] == "The Bible, Isaiah"


@pytest.mark.parametrize(
    "address", ["/quotes/?word=valley", "/search/?q=every+valley", "/words/valley/", "/feeds/quotes/"]
)
def test_lists_results_and_feeds_name_the_book(client: Client, address: str) -> None:
    shown = page(client, address)
    assert "The Bible, Isaiah" in shown
    assert "Anonymous" not in shown


def test_it_is_not_found_as_anonymous(valley: Quote) -> None:
    document = SearchDocument.objects.get(source="quote", object_id=valley.pk)
    assert "Anonymous" not in str(vars(document))
    assert valley.name == "The Bible, Isaiah"
    assert str(valley).endswith("”, The Bible, Isaiah")


def test_a_person_is_named_before_the_book(valley: Quote) -> None:
    valley.name_as_printed = "Isaiah"
    assert str(valley.attribution) == "Isaiah. The Bible, Isaiah, 40:4 (1611)"
    assert valley.name == "Isaiah"


def test_other_works_without_a_person_are_still_anonymous(valley: Quote) -> None:
    assert valley.work
    valley.work.kind = "book"
    assert str(valley.attribution) == "Anonymous. The Bible, Isaiah, 40:4 (1611)"
    assert valley.name == "Anonymous"
