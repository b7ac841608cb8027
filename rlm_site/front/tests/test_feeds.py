from datetime import datetime, timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.html import text_of

pytestmark = pytest.mark.django_db

FEEDS = ["/feeds/changes/", "/feeds/quotes/"]
ATOM = "{http://www.w3.org/2005/Atom}"
SITE = "http://127.0.0.1:8000/"


def feed(client: Client, address: str) -> Element:
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/atom+xml")
    return fromstring(response.content)  # noqa: S314 - our own output


def value(element: Element, name: str) -> str:
    return text_of(element.find(f"{ATOM}{name}"))


@pytest.mark.parametrize("address", FEEDS)
def test_it_is_an_atom_feed_with_all_that_atom_asks_for(client: Client, address: str) -> None:
    for number in range(45):
        Article.objects.create(title=f"Zorblax {number}", slug=f"zorblax-{number}", published=True)
        Quote.objects.create(text=f"Zorblax number {number}.", status="reported", published=True)
    root = feed(client, address)
    assert root.tag == f"{ATOM}feed"
    assert value(root, "title").startswith("Yarle Almanac: ")
    assert datetime.fromisoformat(value(root, "updated")).tzinfo
    assert value(root, "author") == "Yarle Almanac"
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == 40
    for entry in entries:
        assert value(entry, "title")
        assert datetime.fromisoformat(value(entry, "updated")).tzinfo
        assert value(entry, "id").startswith("tag:127.0.0.1,2026:")
        assert value(entry, "summary")
    assert len({value(entry, "id") for entry in entries}) == 40


@pytest.mark.parametrize("address", FEEDS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_every_address_in_it_is_the_site_s_own_whatever_host_was_asked(address: str, host: str) -> None:
    root = feed(Client(HTTP_HOST=host), address)
    addresses = [str(link.get("href")) for link in root.iter(f"{ATOM}link")]
    assert addresses
    assert all(link.startswith(SITE) for link in addresses)
    assert value(root, "id").startswith("tag:127.0.0.1,2026:feed/")
    own = [link.get("href") for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert own == [f"http://127.0.0.1:8000{address}"]


@pytest.mark.parametrize("address", FEEDS)
def test_every_entry_leads_to_a_page(client: Client, address: str) -> None:
    for entry in feed(client, address).findall(f"{ATOM}entry")[:8]:
        [link] = entry.findall(f"{ATOM}link")
        assert client.get(str(link.get("href")).removeprefix("http://127.0.0.1:8000")).status_code == 200


def test_changes_come_with_their_sentence(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    note = "Less than < 3 & more."
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, note=note)
    entry = feed(client, "/feeds/changes/").findall(f"{ATOM}entry")[0]
    assert value(entry, "title") == "Yarle Valley - The Millers (correction)"
    assert value(entry, "summary") == "Less than &lt; 3 &amp; more."


def test_two_changes_of_a_page_are_two_entries(client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    for _time in range(2):
        revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, note="Again.")
    entries = feed(client, "/feeds/changes/").findall(f"{ATOM}entry")[:2]
    assert len({value(entry, "id") for entry in entries}) == 2


def test_a_new_quotation_comes_first_with_its_attribution(client: Client) -> None:
    person = Person.objects.create(name="Zora Blax", slug="zora-blax", born=1850, died=1920)
    Quote.objects.create(text="One < two,\nsays the zorblax.", person=person, status="reported", published=True)
    entry = feed(client, "/feeds/quotes/").findall(f"{ATOM}entry")[0]
    assert value(entry, "title") == "“One < two, says the zorblax.”, Zora Blax"
    summary = value(entry, "summary")
    assert "One &lt; two,<br>says the zorblax." in summary
    assert "Zora Blax (1850–1920)" in summary


def test_a_quotation_written_long_ago_is_new_when_it_becomes_public(client: Client) -> None:
    now = timezone.now()
    Quote.objects.create(
        text="A zorblax.", status="reported", published=True, created=now - timedelta(days=900), publish_at=now
    )
    assert "A zorblax." in value(feed(client, "/feeds/quotes/").findall(f"{ATOM}entry")[0], "title")


def test_a_misattributed_quotation_is_in_no_feed(client: Client) -> None:
    person = Person.objects.create(name="Zorb Lax")
    Quote.objects.create(text="A zorblax.", status="misattributed", person=person, published=True)
    assert "zorblax" not in client.get("/feeds/quotes/").content.decode()


@pytest.mark.parametrize("address", FEEDS)
def test_a_site_without_content_has_empty_feeds(client: Client, address: str) -> None:
    Article.objects.all().update(published=False)
    Quote.objects.all().update(published=False)
    assert feed(client, address).findall(f"{ATOM}entry") == []


def ids(client: Client) -> set[str]:
    return {value(entry, "id") for address in FEEDS for entry in feed(client, address).findall(f"{ATOM}entry")}


def test_no_change_of_what_a_page_is_called_or_where_it_is_makes_an_entry_new(
    client: Client, settings: Settings
) -> None:
    section = Article.objects.get(slug="the-millers")
    revisions.record_revision(section, state=Revision.State.PUBLISHED, kind=Revision.Kind.CORRECTION, note="Again.")
    before = ids(client)
    settings.SITE_URL = "https://127.0.0.1:8001"
    Article.objects.filter(slug="the-millers").update(slug="millers", title="Millers")
    Article.objects.filter(slug="yarle-valley").update(slug="the-yarle")
    Quote.objects.update(text=Concat(Value("Now: "), "text"))
    Person.objects.update(slug=Concat("slug", Value("-renamed")))
    assert ids(client) == before
