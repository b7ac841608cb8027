"""An address with capitals, or with what stood behind it in a sentence, leads to the page that was meant."""

import pytest
from django.test import Client

from articles.models import Article

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/Yarle-Valley/The-Millers/", "/yarle-valley/the-millers/"),
        ("/yarle-valley/the-millers/.", "/yarle-valley/the-millers/"),
        ("/yarle-valley/the-millers/).", "/yarle-valley/the-millers/"),
        ("/yarle-valley/the-millers”/", "/yarle-valley/the-millers/"),
        ("/Quotes/People/Lena-Sommer/", "/quotes/people/lena-sommer/"),
        ("/tags/Bread/,", "/tags/bread/"),
        ("/About/", "/about/"),
        ("/QUOTES/]", "/quotes/"),
    ],
)
def test_it_leads_there(client: Client, written: str, meant: str) -> None:
    response = client.get(written)
    assert (response.status_code, response["Location"]) == (301, meant)
    assert client.get(meant).status_code == 200


@pytest.mark.parametrize("path", ["/Nowhere/", "/nowhere/.", "/Yarle-Valley/Nowhere/", "/)/", "/%00/"])
def test_what_is_meant_by_nothing_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_page_that_was_renamed_is_found_too(client: Client) -> None:
    client.get("/yarle-valley/the-millers/")
    Article.objects.filter(slug="the-millers").update(slug="millers")
    assert client.get("/Yarle-Valley/The-Millers/")["Location"] == "/yarle-valley/millers/"


def test_a_draft_is_not(client: Client) -> None:
    Article.objects.filter(slug="the-millers").update(published=False)
    assert client.get("/Yarle-Valley/The-Millers/").status_code == 404
