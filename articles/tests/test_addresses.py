"""An address once published goes on leading to what it meant, however it was changed."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db

GONE = 404


def answer(client: Client, address: str) -> tuple[int, str]:
    """Status and, of a redirect, where it leads."""
    response = client.get(address)
    return response.status_code, response.headers.get("Location", "")


@pytest.fixture
def zorblax() -> Article:
    topic = Article.objects.create(title="Zorblax", slug="zorblax", published=True)
    Article.objects.create(parent=topic, title="Heights", slug="heights", published=True)
    return topic


@pytest.fixture(autouse=True)
def _readers_were_there(client: Client, request: pytest.FixtureRequest) -> None:
    if "zorblax" in request.fixturenames:
        request.getfixturevalue("zorblax")
    client.get("/")


def test_a_renamed_topic_leads_on_with_its_sections(client: Client, zorblax: Article) -> None:
    zorblax.slug = "zorblaxia"
    zorblax.save()
    assert answer(client, "/zorblax/") == (301, "/zorblaxia/")
    assert answer(client, "/zorblax/heights/") == (301, "/zorblaxia/heights/")
    assert answer(client, "/zorblaxia/heights/")[0] == 200


def test_a_rename_by_update_is_noticed(client: Client, zorblax: Article) -> None:
    Article.objects.filter(pk=zorblax.pk).update(slug="zorblaxia")
    assert answer(client, "/zorblax/") == (301, "/zorblaxia/")
    assert answer(client, "/zorblax/heights/") == (301, "/zorblaxia/heights/")


def test_a_rename_by_another_program_is_noticed(client: Client, zorblax: Article) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE articles_article SET slug = 'zorblaxia' WHERE id = %s", [zorblax.pk])
    assert answer(client, "/zorblax/") == (301, "/zorblaxia/")


def test_a_renamed_section_leads_on(client: Client, zorblax: Article) -> None:
    Article.objects.filter(slug="heights").update(slug="depths")
    assert answer(client, "/zorblax/heights/") == (301, "/zorblax/depths/")


def test_every_former_address_leads_to_the_present_one_in_one_step(client: Client, zorblax: Article) -> None:
    for slug in ("zorblaxia", "zorblaxistan"):
        Article.objects.filter(pk=zorblax.pk).update(slug=slug)
        assert answer(client, f"/{slug}/")[0] == 200
    assert answer(client, "/zorblax/") == (301, "/zorblaxistan/")
    assert answer(client, "/zorblaxia/") == (301, "/zorblaxistan/")
    assert answer(client, "/zorblaxia/heights/") == (301, "/zorblaxistan/heights/")


def test_a_page_that_takes_its_former_address_again_is_found_there(client: Client, zorblax: Article) -> None:
    for slug in ("zorblaxia", "zorblax"):
        Article.objects.filter(pk=zorblax.pk).update(slug=slug)
        assert answer(client, f"/{slug}/")[0] == 200
    assert answer(client, "/zorblaxia/") == (301, "/zorblax/")


def test_two_topics_that_swap_their_slugs_are_found_at_their_new_addresses(client: Client, zorblax: Article) -> None:
    other = Article.objects.create(title="Other", slug="other", published=True)
    client.get("/other/")
    for article, slug in [(zorblax, "between"), (other, "zorblax"), (zorblax, "other")]:
        Article.objects.filter(pk=article.pk).update(slug=slug)
        client.get(f"/{slug}/")
    assert client.get("/zorblax/").context["article"] == other
    assert client.get("/other/").context["article"] == zorblax
    assert answer(client, "/between/") == (301, "/other/")


def test_a_section_moved_to_another_topic_leads_there(client: Client, zorblax: Article) -> None:
    Article.objects.filter(slug="heights").update(parent=Article.objects.get(slug="edgar-tarlow"))
    assert answer(client, "/zorblax/heights/") == (301, "/edgar-tarlow/heights/")


def test_a_section_that_became_a_topic_leads_there(client: Client, zorblax: Article) -> None:
    Article.objects.filter(slug="heights").update(parent=None)
    assert answer(client, "/zorblax/heights/") == (301, "/heights/")


def test_a_new_page_at_a_former_address_is_shown_there(client: Client, zorblax: Article) -> None:
    Article.objects.filter(pk=zorblax.pk).update(slug="zorblaxia")
    client.get("/zorblaxia/")
    Article.objects.create(title="Newcomer", slug="zorblax", published=True)
    assert client.get("/zorblax/").context["article"].title == "Newcomer"


def test_a_deleted_page_is_not_found_at_any_of_its_addresses(client: Client, zorblax: Article) -> None:
    Article.objects.filter(pk=zorblax.pk).update(slug="zorblaxia")
    assert answer(client, "/zorblax/") == (301, "/zorblaxia/")
    zorblax.delete()
    assert answer(client, "/zorblax/")[0] == GONE
    assert answer(client, "/zorblaxia/")[0] == GONE


@pytest.mark.parametrize(
    "fields",
    [
        {"published": False},
        {"publish_at": timezone.now() + timedelta(days=1)},
        {"retire_at": timezone.now() - timedelta(days=1)},
    ],
    ids=["draft", "scheduled", "retired"],
)
def test_a_former_address_does_not_betray_what_is_not_public(
    client: Client, zorblax: Article, fields: dict[str, object]
) -> None:
    Article.objects.filter(pk=zorblax.pk).update(slug="secret-name", **fields)
    for address in ("/zorblax/", "/zorblax/heights/"):
        response = client.get(address)
        assert response.status_code == GONE
        assert b"secret-name" not in response.content


def test_a_renamed_person_leads_on(client: Client) -> None:
    assert answer(client, "/people/lena-sommer/")[0] == 200
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    assert answer(client, "/people/lena-sommer/") == (301, "/people/sommer/")
    assert answer(client, "/people/sommer/")[0] == 200


def test_a_renamed_person_without_public_quotations_leads_nowhere(client: Client) -> None:
    client.get("/people/lena-sommer/")
    Quote.objects.filter(person__slug="lena-sommer").update(published=False)
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    assert answer(client, "/people/lena-sommer/")[0] == GONE


def test_a_renamed_tag_leads_on(client: Client) -> None:
    assert answer(client, "/tags/bread/")[0] == 200
    Tag.objects.filter(slug="bread").update(slug="banishment")
    assert answer(client, "/tags/bread/") == (301, "/tags/banishment/")
    assert answer(client, "/tags/banishment/")[0] == 200


def test_a_renamed_tag_of_nothing_public_leads_nowhere(client: Client) -> None:
    Tag.objects.create(name="zorblaxian", slug="zorblaxian")
    client.get("/")
    Tag.objects.filter(slug="zorblaxian").update(slug="zorb")
    assert answer(client, "/tags/zorblaxian/")[0] == GONE


def test_a_quotation_is_found_by_its_number_whatever_its_words(client: Client) -> None:
    quote = Quote.objects.create(text="A zorblax is no friend.", status="reported", published=True)
    assert answer(client, f"/quotes/{quote.pk}/a-zorblax-is-no-friend/")[0] == 200
    quote.text = "A zorblax is a friend."
    quote.save()
    assert answer(client, f"/quotes/{quote.pk}/a-zorblax-is-no-friend/") == (
        301,
        f"/quotes/{quote.pk}/a-zorblax-is-a-friend/",
    )
    assert answer(client, f"/quotes/{quote.pk}/") == (301, f"/quotes/{quote.pk}/a-zorblax-is-a-friend/")
