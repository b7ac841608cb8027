"""An address once published goes on leading to what it meant, however it was changed."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db

NOT_FOUND = 404


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


def test_a_deleted_page_is_gone_at_all_of_its_addresses(client: Client, zorblax: Article) -> None:
    Article.objects.filter(pk=zorblax.pk).update(slug="zorblaxia")
    assert answer(client, "/zorblax/") == (301, "/zorblaxia/")
    zorblax.delete()
    assert answer(client, "/zorblax/")[0] == 410
    assert answer(client, "/zorblaxia/")[0] == 410


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
        assert response.status_code == NOT_FOUND
        assert b"secret-name" not in response.content


# Somebody else at an old address


def moved(slug: str, to: str) -> Article:
    """Return a public topic that was first found at `/slug/`."""
    row = Article.objects.create(title=slug.title(), slug=slug, published=True)
    queue.process_queue()
    Article.objects.filter(pk=row.pk).update(slug=to)
    queue.process_queue()
    return row


HIDDEN: dict[str, dict[str, Any]] = {
    "draft": {"published": False},
    "scheduled": {"published": True, "publish_at": timezone.now() + timedelta(days=1)},
    "retired": {"published": True, "retire_at": timezone.now() - timedelta(days=1)},
}


@pytest.mark.parametrize("state", HIDDEN)
def test_what_is_not_public_neither_shadows_nor_drops_an_old_address(client: Client, state: str) -> None:
    moved("quagga", "quokka")
    hidden = Article.objects.create(title="Hidden", slug="quagga", **HIDDEN[state])
    assert answer(client, "/quagga/") == (301, "/quokka/")
    for fields in ({"title": "Still hidden"}, {"slug": "elsewhere"}, {"slug": "quagga"}):
        Article.objects.filter(pk=hidden.pk).update(**fields)
        assert answer(client, "/quagga/") == (301, "/quokka/")
    hidden.delete()
    assert answer(client, "/quagga/") == (301, "/quokka/")


@pytest.mark.parametrize("state", HIDDEN)
def test_a_section_that_is_not_public_leaves_an_old_address_alone_too(client: Client, state: str) -> None:
    topic = moved("quagga", "quokka")
    Article.objects.create(parent=topic, title="Stripes", slug="stripes", published=True)
    client.get("/")
    Article.objects.filter(slug="stripes").update(slug="hooves")
    client.get("/")
    Article.objects.create(parent=topic, title="Hidden", slug="stripes", **HIDDEN[state])
    assert answer(client, "/quokka/stripes/") == (301, "/quokka/hooves/")


def test_a_draft_that_was_elsewhere_before_it_was_published_never_had_its_former_address(client: Client) -> None:
    moved("quagga", "quokka")
    draft = Article.objects.create(title="Draft", slug="quagga")
    queue.process_queue()
    Article.objects.filter(pk=draft.pk).update(slug="secret-name")
    queue.process_queue()
    Article.objects.filter(pk=draft.pk).update(slug="draft", published=True)
    assert answer(client, "/quagga/") == (301, "/quokka/")
    assert answer(client, "/secret-name/")[0] == NOT_FOUND


def by_update(row: Article, **fields: Any) -> None:
    Article.objects.filter(pk=row.pk).update(**fields)


def by_sql(row: Article, **fields: Any) -> None:
    columns = ", ".join(f"{name} = %s" for name in fields)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE articles_article SET {columns} WHERE id = %s", [*fields.values(), row.pk])


def by_save(row: Article, **fields: Any) -> None:
    row.refresh_from_db()
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


@pytest.mark.parametrize("write", [by_update, by_sql, by_save])
@pytest.mark.parametrize("state", ["draft", "scheduled", "retired"])
def test_a_public_page_has_its_address_and_gives_it_back_when_it_goes(
    client: Client, state: str, write: Callable[..., None]
) -> None:
    moved("quagga", "quokka")
    taker = Article.objects.create(title="Taker", slug="quagga", **HIDDEN[state])
    assert answer(client, "/quagga/") == (301, "/quokka/")
    for _again in range(2):
        write(taker, published=True, publish_at=None, retire_at=None)
        assert client.get("/quagga/").context["article"] == taker
        write(taker, **HIDDEN[state])
        assert answer(client, "/quagga/") == (301, "/quokka/")
    write(taker, published=True, publish_at=None, retire_at=None)
    assert client.get("/quagga/").status_code == 200
    taker.delete()
    assert answer(client, "/quagga/") == (301, "/quokka/")


def test_a_page_that_the_clock_publishes_has_its_address_and_gives_it_back(client: Client) -> None:
    moved("quagga", "quokka")
    taker = Article.objects.create(title="Taker", slug="quagga", published=True, publish_at=timezone.now())
    assert client.get("/quagga/").context["article"] == taker
    Article.objects.filter(pk=taker.pk).update(retire_at=timezone.now() + timedelta(seconds=0.2))
    assert client.get("/quagga/").status_code == 200
    time.sleep(0.3)
    assert answer(client, "/quagga/") == (301, "/quokka/")


def test_a_page_that_took_an_old_address_is_found_there_after_it_has_moved_on(client: Client) -> None:
    """The address means what it meant last; when that is gone, what it meant before."""
    moved("quagga", "quokka")
    taker = Article.objects.create(title="Taker", slug="quagga", published=True)
    assert client.get("/quagga/").context["article"] == taker
    Article.objects.filter(pk=taker.pk).update(slug="taker")
    assert answer(client, "/quagga/") == (301, "/taker/")
    Article.objects.filter(pk=taker.pk).update(published=False)
    assert answer(client, "/quagga/") == (301, "/quokka/")
    Article.objects.filter(pk=taker.pk).update(published=True)
    assert answer(client, "/quagga/") == (301, "/taker/")
    taker.delete()
    assert answer(client, "/quagga/") == (301, "/quokka/")


def test_an_address_remembers_several_owners_in_their_order(client: Client) -> None:
    rows = [moved("quagga", f"quokka-{number}") for number in range(4)]
    for number, row in reversed(list(enumerate(rows))):
        assert answer(client, "/quagga/") == (301, f"/quokka-{number}/")
        Article.objects.filter(pk=row.pk).update(published=False)
    assert answer(client, "/quagga/")[0] == NOT_FOUND


def test_pages_that_swap_their_addresses_and_part_are_found_where_each_was_last(client: Client) -> None:
    first, second = (Article.objects.create(title=name, slug=name, published=True) for name in ("one", "two"))
    queue.process_queue()
    for row, slug in [(first, "between"), (second, "one"), (first, "two"), (second, "three")]:
        Article.objects.filter(pk=row.pk).update(slug=slug)
        assert client.get(f"/{slug}/").context["article"] == row
    assert answer(client, "/one/") == (301, "/three/")
    assert answer(client, "/between/") == (301, "/two/")
    Article.objects.filter(pk=second.pk).update(published=False)
    assert answer(client, "/one/") == (301, "/two/")


def test_sections_of_a_new_topic_at_an_old_address_have_theirs_and_the_others_lead_on(
    client: Client, zorblax: Article
) -> None:
    Article.objects.create(parent=zorblax, title="Depths", slug="depths", published=True)
    client.get("/")
    Article.objects.filter(pk=zorblax.pk).update(slug="zorblaxia")
    client.get("/")
    newcomer = Article.objects.create(title="Newcomer", slug="zorblax")
    Article.objects.create(parent=newcomer, title="New heights", slug="heights", published=True)
    assert answer(client, "/zorblax/heights/") == (301, "/zorblaxia/heights/")
    Article.objects.filter(pk=newcomer.pk).update(published=True)
    assert "</span>New heights</h1>" in client.get("/zorblax/heights/").content.decode()
    assert answer(client, "/zorblax/depths/") == (301, "/zorblaxia/depths/")
    Article.objects.filter(pk=newcomer.pk).update(published=False)
    assert answer(client, "/zorblax/heights/") == (301, "/zorblaxia/heights/")


def test_a_person_without_public_quotations_leaves_an_old_address_alone(client: Client) -> None:
    client.get("/")
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    client.get("/")
    other = Person.objects.create(name="Lena Sommer, the younger", slug="lena-sommer")
    quote = Quote.objects.create(text="A zorblax is no friend.", status="reported", person=other)
    assert answer(client, "/quotes/people/lena-sommer/") == (301, "/quotes/people/sommer/")
    Quote.objects.filter(pk=quote.pk).update(published=True)
    assert client.get("/quotes/people/lena-sommer/").context["person"] == other
    Person.objects.filter(pk=other.pk).update(slug="younger")
    assert answer(client, "/quotes/people/lena-sommer/") == (301, "/quotes/people/younger/")
    Quote.objects.filter(pk=quote.pk).update(published=False)
    assert answer(client, "/quotes/people/lena-sommer/") == (301, "/quotes/people/sommer/")


def test_a_tag_of_nothing_public_leaves_an_old_address_alone(client: Client) -> None:
    client.get("/")
    Tag.objects.filter(slug="bread").update(name="loaves", folded="loaves", slug="loaves")
    client.get("/")
    draft = Article.objects.create(title="Draft", slug="draft")
    draft.tags.add(Tag.objects.create(name="bread again", slug="bread"))
    assert answer(client, "/tags/bread/") == (301, "/tags/loaves/")
    Article.objects.filter(pk=draft.pk).update(published=True)
    assert client.get("/tags/bread/").status_code == 200
    Tag.objects.filter(slug="bread").update(slug="bread-again")
    assert answer(client, "/tags/bread/") == (301, "/tags/bread-again/")
    draft.delete()
    assert answer(client, "/tags/bread/") == (301, "/tags/loaves/")


@pytest.mark.parametrize("path", ["/quagga/%23", "/quagga/%23/", "/quagga%23/"])
def test_how_an_address_is_kept_is_no_address(client: Client, path: str) -> None:
    for number in range(2):
        moved("quagga", f"quokka-{number}")
    assert answer(client, path)[0] == NOT_FOUND


@pytest.mark.full
def test_no_history_of_addresses_ends_in_a_loop_or_at_what_is_not_public(client: Client) -> None:
    """Whatever pages do, each address answers with a page or leads to one in a single step."""
    at_random = random.Random(5)  # noqa: S311 - a story that is the same each time
    rows = [Article.objects.create(title=name, slug=name, published=True) for name in ("one", "two", "three")]
    slugs = ["one", "two", "three", "four", "five"]
    for _step in range(60):
        row, slug = at_random.choice(rows), at_random.choice(slugs)
        fields = at_random.choice([{"slug": slug}, HIDDEN["draft"], HIDDEN["retired"], HIDDEN["scheduled"], {}])
        if not Article.objects.filter(slug=slug).exclude(pk=row.pk).exists() or "slug" not in fields:
            shown = {"published": True, "publish_at": None, "retire_at": None}
            Article.objects.filter(pk=row.pk).update(**(shown | fields))
        public = {f"/{row.slug}/" for row in Article.objects.published(timezone.now())}
        for slug in slugs:
            status, target = answer(client, f"/{slug}/")
            assert (f"/{slug}/" in public) == (status == 200)
            assert target in public or (status in {200, 404, 410} and not target)


def test_a_renamed_person_leads_on(client: Client) -> None:
    assert answer(client, "/quotes/people/lena-sommer/")[0] == 200
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    assert answer(client, "/quotes/people/lena-sommer/") == (301, "/quotes/people/sommer/")
    assert answer(client, "/quotes/people/sommer/")[0] == 200


def test_a_renamed_person_without_public_quotations_leads_nowhere(client: Client) -> None:
    client.get("/quotes/people/lena-sommer/")
    Quote.objects.filter(person__slug="lena-sommer").update(published=False)
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    assert answer(client, "/quotes/people/lena-sommer/")[0] == NOT_FOUND


def test_a_renamed_tag_leads_on(client: Client) -> None:
    assert answer(client, "/tags/bread/")[0] == 200
    Tag.objects.filter(slug="bread").update(slug="banishment")
    assert answer(client, "/tags/bread/") == (301, "/tags/banishment/")
    assert answer(client, "/tags/banishment/")[0] == 200


def test_a_renamed_tag_of_nothing_public_leads_nowhere(client: Client) -> None:
    Tag.objects.create(name="zorblaxian", slug="zorblaxian")
    client.get("/")
    Tag.objects.filter(slug="zorblaxian").update(slug="zorb")
    assert answer(client, "/tags/zorblaxian/")[0] == NOT_FOUND


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
