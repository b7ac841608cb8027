"""An old address that a record would take: named with what it leads to, and asked about, before it is taken."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.editor.addresses import FIELD
from rlm_site.history.models import Deletion
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import delete, form_data, group_client, signed_in, transition
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def publisher() -> Client:
    return group_client("Publishers")


@pytest.fixture
def quokka() -> Article:
    """Return a public topic whose old address is `/quagga/`."""
    row = Article.objects.create(title="Quokka", slug="quagga", published=True)
    queue.process_queue()
    Article.objects.filter(pk=row.pk).update(slug="quokka")
    queue.process_queue()
    return row


@pytest.fixture
def taker(quokka: Article) -> Article:
    """Return a draft that would be found at the old address."""
    return Article.objects.create(title="Taker", slug="quagga", body="Stripes.")


def admin_page(row: Any, name: str) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/{name}/"


def leads_to(path: str) -> str:
    return Client(HTTP_HOST="127.0.0.1").get(path).headers.get("Location", "")


def asks(page: Any, path: str = "/quagga/", title: str = "Quokka") -> bool:
    document = parse(page)
    box = document.find(f".//input[@name='{FIELD}'][@type='checkbox']")
    named = f"{path} now leads readers to “{title}”." in text_of(document)
    assert (box is not None) == named
    return named


def ticked(page: Any) -> dict[str, str]:
    box = parse(page).find(f".//input[@name='{FIELD}']")
    assert box is not None
    return {FIELD: str(box.get("value"))}


def refused_then_done(somebody: Client, address: str, **typed: Any) -> Any:
    """Submit a form that must be refused, with all that was typed in it, until its box is ticked."""
    refused = somebody.post(address, form_data(somebody.get(address), **typed))
    assert refused.status_code == 200
    assert asks(refused)
    assert "Tick the box to continue, or choose another address." in text_of(parse(refused))
    kept = form_data(refused)
    assert {name: kept.get(name) for name in typed} == typed
    assert leads_to("/quagga/") == "/quokka/"
    return somebody.post(address, kept | ticked(refused))


# Publishing


def test_publishing_at_an_old_address_asks_first(publisher: Client, taker: Article, client: Client) -> None:
    assert transition(publisher, taker, "review").status_code == 302
    address = admin_page(taker, "publish")
    assert asks(publisher.get(address))
    assert refused_then_done(publisher, address, comment="For good reasons.").status_code == 302
    assert client.get("/quagga/").context["article"] == taker


def test_approving_asks_too(taker: Article) -> None:
    assert transition(group_client("Editors"), taker, "review").status_code == 302
    assert refused_then_done(group_client("Editors", "other"), admin_page(taker, "approve")).status_code == 302


def test_what_takes_nothing_is_not_asked_about(publisher: Client, taker: Article, quokka: Article) -> None:
    own = Article.objects.create(title="Okapi", slug="okapi")
    assert transition(publisher, own, "review").status_code == 302
    assert not asks(publisher.get(admin_page(own, "publish")))
    assert transition(publisher, own, "publish").status_code == 302
    for row in (own, quokka):  # public already, or back at an address of their own
        row.refresh_from_db()
        page = admin_page(row, "change")
        assert publisher.post(page, form_data(publisher.get(page), body="Longer.")).status_code == 302
        assert not asks(publisher.get(admin_page(row, "publish")))
    Article.objects.filter(pk=taker.pk).update(slug="taker")
    page = admin_page(quokka, "change")
    assert publisher.post(page, form_data(publisher.get(page), slug="quagga")).status_code == 302
    assert leads_to("/quokka/") == "/quagga/"


def test_the_box_agrees_to_the_addresses_that_it_named(publisher: Client, taker: Article) -> None:
    transition(publisher, taker, "review")
    address = admin_page(taker, "publish")
    agreed = form_data(publisher.get(address)) | ticked(publisher.get(address))
    Article.objects.filter(pk=taker.pk).update(slug="elsewhere")
    other = Article.objects.create(title="Okapi", slug="okapi", published=True)
    queue.process_queue()
    Article.objects.filter(pk=other.pk).update(slug="giraffe")
    queue.process_queue()
    Article.objects.filter(pk=taker.pk).update(slug="okapi")
    refused = publisher.post(address, agreed)
    assert refused.status_code == 200
    assert asks(refused, "/okapi/", "Okapi")
    assert not Article.objects.get(pk=taker.pk).published


def test_a_topic_is_asked_about_its_sections(publisher: Client, quokka: Article) -> None:
    section = Article.objects.create(parent=quokka, title="Stripes", slug="stripes", published=True)
    queue.process_queue()
    Article.objects.filter(pk=section.pk).update(slug="hooves")
    queue.process_queue()
    Article.objects.filter(pk=quokka.pk).update(slug="quokkas")
    queue.process_queue()
    topic = Article.objects.create(title="Taker", slug="quokka")
    Article.objects.create(parent=topic, title="New stripes", slug="stripes", published=True)
    Article.objects.create(parent=topic, title="Draft", slug="hooves")
    transition(publisher, topic, "review")
    page = publisher.get(admin_page(topic, "publish"))
    assert asks(page, "/quokka/", "Quokka")
    assert asks(page, "/quokka/stripes/", "Quokka - Stripes")
    assert "/quokka/hooves/" not in text_of(parse(page))


@pytest.mark.parametrize(
    ("times", "is_asked"),
    [({"retire_at_0": "", "retire_at_1": ""}, True), ({"retired_to": "/yarle-valley/"}, False)],
)
def test_putting_back_a_retired_page_asks(
    publisher: Client, taker: Article, times: dict[str, str], is_asked: bool
) -> None:
    Article.objects.filter(pk=taker.pk).update(published=True, retire_at=timezone.now() - timedelta(days=1))
    address = admin_page(taker, "times")
    response = publisher.post(address, form_data(publisher.get(address), **times))
    assert (response.status_code == 200) == is_asked
    assert is_asked == bool(response.status_code == 200 and asks(response))


# Saving a form


def test_renaming_a_published_page_to_an_old_address_asks(publisher: Client, quokka: Article, client: Client) -> None:
    row = Article.objects.create(title="Okapi", slug="okapi", body="Old.", published=True)
    typed = {"slug": "quagga", "body": "New.", "change_comment": "A better address."}
    assert refused_then_done(publisher, admin_page(row, "change"), **typed).status_code == 302
    assert client.get("/quagga/").context["article"] == row
    assert leads_to("/okapi/") == "/quagga/"


def test_moving_a_published_section_asks(publisher: Client, quokka: Article) -> None:
    section = Article.objects.create(parent=quokka, title="Stripes", slug="stripes", published=True)
    queue.process_queue()
    Article.objects.filter(pk=section.pk).update(slug="hooves")
    queue.process_queue()
    other = Article.objects.create(
        parent=Article.objects.get(slug="yarle-valley"), title="Other", slug="stripes", published=True
    )
    page = admin_page(other, "change")
    refused = publisher.post(page, form_data(publisher.get(page), parent=quokka.pk))
    assert asks(refused, "/quokka/stripes/", "Quokka - Stripes")
    assert publisher.post(page, form_data(refused) | ticked(refused)).status_code == 302


def test_a_draft_may_have_any_address_until_it_is_published(publisher: Client, taker: Article) -> None:
    page = admin_page(taker, "change")
    assert not asks(publisher.get(page))
    assert publisher.post(page, form_data(publisher.get(page), title="Taken")).status_code == 302
    assert leads_to("/quagga/") == "/quokka/"


def moved_person() -> tuple[str, str]:
    queue.process_queue()
    Person.objects.filter(slug="lena-sommer").update(slug="sommer")
    queue.process_queue()
    return "/quotes/people/lena-sommer/", "Lena Sommer"


def moved_tag() -> tuple[str, str]:
    queue.process_queue()
    Tag.objects.filter(slug="bread").update(slug="loaves")
    queue.process_queue()
    return "/tags/bread/", "bread"


@pytest.mark.parametrize(
    ("move", "address", "typed"),
    [
        (moved_person, "/admin/quotes/person/add/", {"name": "Lena Sommer", "slug": ""}),
        (moved_person, "/admin/quotes/person/add/", {"name": "Somebody", "slug": "lena-sommer"}),
        (moved_tag, "/admin/rlm_site/tag/add/", {"name": "rolls", "slug": "bread"}),
    ],
)
def test_a_new_person_or_tag_at_an_old_address_asks(
    publisher: Client, move: Callable[[], tuple[str, str]], address: str, typed: dict[str, str]
) -> None:
    path, title = move()
    refused = publisher.post(address, form_data(publisher.get(address), **typed))
    assert asks(refused, path, title)
    assert publisher.post(address, form_data(refused) | ticked(refused)).status_code == 302


def test_renaming_a_person_or_a_tag_to_an_old_address_asks(publisher: Client) -> None:
    for move, row in (
        (moved_person, Person.objects.get(slug="edgar-tarlow")),
        (moved_tag, Tag.objects.get(slug="rain")),
    ):
        path, title = move()
        page = admin_page(row, "change")
        assert not asks(publisher.get(page), path, title)
        assert publisher.post(page, form_data(publisher.get(page))).status_code == 302
        refused = publisher.post(page, form_data(publisher.get(page), slug=path.strip("/").rpartition("/")[2]))
        assert asks(refused, path, title)
        assert publisher.post(page, form_data(refused) | ticked(refused)).status_code == 302


# Recovering


def page_of_deletion(somebody: Client, row: Any) -> str:
    """Delete a record, and return the address at which it is recovered."""
    assert delete(somebody, row).status_code == 302
    return admin_page(Deletion.objects.latest("pk"), "change")


def test_recovering_a_page_to_an_address_that_leads_elsewhere_by_now_asks(
    publisher: Client, quokka: Article, client: Client
) -> None:
    taker = Article.objects.create(title="Taker", slug="quagga", published=True)
    section = Article.objects.create(parent=taker, title="Stripes", slug="stripes", published=True)
    assert client.get("/quagga/").context["article"] == taker
    address = page_of_deletion(publisher, taker)
    assert leads_to("/quagga/") == "/quokka/"
    assert asks(publisher.get(address))
    refused = publisher.post(address, form_data(publisher.get(address)))
    assert refused.status_code == 409
    assert asks(refused)
    assert not Article.objects.filter(pk=taker.pk).exists()
    assert publisher.post(address, form_data(refused) | ticked(refused)).status_code == 302
    assert client.get("/quagga/").context["article"] == taker
    assert client.get("/quagga/stripes/").context["article"] == section


def test_recovering_what_takes_nothing_does_not_ask(publisher: Client, quokka: Article) -> None:
    draft = Article.objects.create(title="Taker", slug="quagga")
    address = page_of_deletion(publisher, draft)
    assert not asks(publisher.get(address))
    assert publisher.post(address, form_data(publisher.get(address))).status_code == 302
    quote = Quote.objects.create(text="A quagga.", status="reported", published=True)
    address = page_of_deletion(publisher, quote)
    assert publisher.post(address, form_data(publisher.get(address))).status_code == 302


def test_the_question_is_asked_in_words_of_html_alone(quokka: Article) -> None:
    """A title is never read as markup."""
    Article.objects.filter(pk=quokka.pk).update(title="<b>Quokka</b>")
    row = Article.objects.create(title="Okapi", slug="okapi", published=True)
    page = admin_page(row, "change")
    somebody = signed_in()
    refused = somebody.post(page, form_data(somebody.get(page), slug="quagga")).content.decode()
    assert "&lt;b&gt;Quokka&lt;/b&gt;" in refused
    assert "<b>Quokka" not in refused
