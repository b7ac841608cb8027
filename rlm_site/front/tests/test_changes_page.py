from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.editor import form_data, signed_in, transition
from rlm_site.tests.html import links, parse, text_of, with_class

pytestmark = pytest.mark.django_db

FUTURE = timezone.now() + timedelta(days=1)


def change(slug: str = "the-millers", **fields: Any) -> Revision:
    fields = {"state": Revision.State.PUBLISHED, "kind": Revision.Kind.CORRECTION, "note": "A zorblax.", **fields}
    return revisions.record_revision(Article.objects.get(slug=slug), **fields)


def test_notable_changes_are_listed_newest_first(client: Client) -> None:
    change(note="The first zorblax.", created=timezone.now() + timedelta(seconds=-2))
    change("low-water", note="The second zorblax.")
    document = parse(client.get("/changes/"))
    text = text_of(document.find(".//main"))
    assert text.index("The second zorblax.") < text.index("The first zorblax.")
    assert "/yarle-valley/low-water/" in links(document)


def test_each_has_its_day_and_its_kind(client: Client) -> None:
    change(created=datetime(2026, 3, 4, 12, tzinfo=UTC))
    [item] = [li for li in parse(client.get("/changes/")).iter("li") if "A zorblax." in text_of(li)]
    assert "4 March 2026" in text_of(item)
    assert "correction" in text_of(item).lower()
    assert [time.get("datetime") for time in item.iter("time")] == ["2026-03-04"]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "none"},
        {"state": "draft"},
        {"state": "in_review"},
        {"state": "returned"},
        {"state": "approved"},
        {"state": "discarded"},
        {"created": FUTURE},
    ],
    ids=["minor change", "draft", "in review", "returned", "approved", "discarded", "of tomorrow"],
)
def test_what_readers_are_not_told_of_is_not_listed(client: Client, fields: dict[str, Any]) -> None:
    change(**fields)
    assert "A zorblax." not in client.get("/changes/").content.decode()


def last_change(client: Client) -> str:
    [part] = with_class(parse(client.get("/yarle-valley/the-millers/")), "this-page")
    return text_of(part).partition("Last changed ")[2].partition(" ·")[0]


def test_nothing_that_readers_are_not_told_of_moves_the_date_of_the_last_change(client: Client) -> None:
    editor, article = signed_in(), Article.objects.get(slug="the-millers")
    change(created=datetime(2026, 3, 4, 12, tzinfo=UTC))
    article.revisions.filter(kind=Revision.Kind.NEW).update(created=datetime(2026, 3, 3, 12, tzinfo=UTC))
    page, changes, told = client.get("/changes/").content, client.get("/feeds/changes/").content, last_change(client)
    assert told == "4 March 2026"
    address = f"/admin/articles/article/{article.pk}/change/"
    editor.post(address, form_data(editor.get(address), title="The Zorblaxes", change_comment="A zorblax."))
    transition(editor, article, "review", comment="A zorblax.")
    transition(editor, article, "return", comment="A zorblax.")
    transition(editor, article, "reviewed", comment="A zorblax.")
    editor.post(address, form_data(editor.get(address), position="77"))
    transition(editor, article, "times", retire_at_0="2099-01-01", retire_at_1="00:00", comment="A zorblax.")
    transition(editor, article, "discard", comment="A zorblax.")
    assert {*article.revisions.values_list("act", flat=True)} == {"", "place", "times", "reviewed"}
    assert article.revisions.filter(state=Revision.State.DISCARDED).exists()
    assert client.get("/changes/").content == page
    assert client.get("/feeds/changes/").content == changes
    assert last_change(client) == told


def test_a_published_change_moves_the_date_of_the_last_change(client: Client) -> None:
    editor, article = signed_in(), Article.objects.get(slug="the-millers")
    address = f"/admin/articles/article/{article.pk}/change/"
    editor.post(address, form_data(editor.get(address), body="Nothing but a zorblax."))
    transition(editor, article, "publish", kind="correction", note="A zorblax.")
    assert "A zorblax." in client.get("/changes/").content.decode()
    assert last_change(client) == date_format(timezone.localdate(), "j F Y")


def test_the_arrival_of_a_page_is_its_first_change(client: Client) -> None:
    Article.objects.create(title="Zorblax", slug="zorblax", published=True)
    document = parse(client.get("/changes/"))
    assert links(document)["/zorblax/"] == "Zorblax"
    client.get("/changes/")
    assert Revision.objects.filter(object_id=Article.objects.get(slug="zorblax").pk).count() == 1


def test_a_page_that_becomes_public_by_the_clock_is_new_on_that_day(client: Client) -> None:
    written, moment = timezone.now() - timedelta(days=30), timezone.now() - timedelta(seconds=1)
    Article.objects.create(title="Zorblax", slug="zorblax", published=True, created=written, publish_at=moment)
    [listed] = [entry for entry in client.get("/changes/").context["changes"] if entry.article.slug == "zorblax"]
    assert listed.revision.created == moment


def test_many_changes_are_paged(client: Client) -> None:
    for number in range(60):
        Article.objects.create(title=f"Zorblax {number}", slug=f"zorblax-{number}", published=True)
    total = client.get("/changes/").context["page"].paginator.count
    assert total >= Article.objects.count()
    first, second = client.get("/changes/"), client.get("/changes/?page=2")
    ids = [{entry.revision.pk for entry in response.context["changes"]} for response in (first, second)]
    assert len(ids[0]) == 50
    assert not ids[0] & ids[1]


def test_it_names_its_feed(client: Client) -> None:
    document = parse(client.get("/changes/"))
    feeds = [link.get("href") for link in document.iter("link") if link.get("type") == "application/atom+xml"]
    assert "/feeds/changes/" in feeds
