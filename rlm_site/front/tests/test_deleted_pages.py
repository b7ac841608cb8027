"""What readers could see and was deleted is gone, by 410; what they never could is not there, by 404."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Article
from quotes.models import Check, IndexTerm, Person, Quote
from rlm_site.history.models import Deletion
from rlm_site.tags import changes
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import delete, form_data, signed_in, transition
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

Delete = Callable[[Model], Any]


def at_the_desk(row: Model) -> None:
    delete(signed_in(), row)


def by_shell(row: Model) -> None:
    row.delete()


def by_sql(row: Model) -> None:
    """Delete the row as another program would: what belongs to it first, and nothing of what is derived."""
    with connection.cursor() as cursor:
        for through in (Check, IndexTerm) if isinstance(row, Quote) else ():
            cursor.execute(f"DELETE FROM {through._meta.db_table} WHERE quote_id = %s", [row.pk])
        for through in Tag.through_models() if isinstance(row, Tag | Quote | Article) else ():
            column = "tag_id" if isinstance(row, Tag) else "content_object_id"
            cursor.execute(f"DELETE FROM {through._meta.db_table} WHERE {column} = %s", [row.pk])
        cursor.execute(f"DELETE FROM {row._meta.db_table} WHERE id = %s", [row.pk])


DELETE = pytest.mark.parametrize("remove", [at_the_desk, by_shell, by_sql])


def section() -> Article:
    return Article.objects.create(
        parent=Article.objects.get(slug="yarle-valley"), title="Zorblax", slug="zorblax", published=True
    )


def topic() -> Article:
    return Article.objects.create(title="Zorblax", slug="zorblax", published=True)


def quotation() -> Quote:
    return Quote.objects.create(text="A zorblax is no friend.", status="reported", published=True)


def person() -> Person:
    row = Person.objects.create(name="Zora Zorblax", slug="zorblax")
    Quote.objects.create(text="A zorblax is no friend.", status="reported", published=True, person=row)
    return row


def tag() -> Tag:
    row = Tag.objects.create(name="zorblax", slug="zorblax")
    Article.objects.get(slug="yarle-valley").tags.add(row)
    return row


KINDS = pytest.mark.parametrize("make", [section, topic, quotation, person, tag])


def free(row: Any) -> None:
    """Take away what keeps a row from being deleted."""
    if isinstance(row, Person):
        row.quotes.all().delete()


@KINDS
@DELETE
def test_a_deleted_page_is_gone(client: Client, make: Callable[[], Any], remove: Delete) -> None:
    row = make()
    address = row.get_absolute_url()
    assert client.get(address).status_code == 200
    free(row)
    remove(row)
    response = client.get(address)
    assert response.status_code == 410
    assert "zorblax" in address
    main = text_of(parse(response).find(".//main"))
    assert "It was deleted, and no other page replaces it." in main
    assert "friend" not in main
    assert "Zorblax" not in main
    assert client.head(address).status_code == 410


def test_search_is_offered_with_the_words_of_the_address(client: Client) -> None:
    row = Article.objects.create(
        parent=Article.objects.get(slug="yarle-valley"), title="Quagga", slug="millers-of-old", published=True
    )
    client.get("/")
    row.delete()
    response = client.get("/yarle-valley/millers-of-old/")
    main = parse(response).find(".//main")
    assert main is not None
    assert [field.get("value") for field in main.iter("input") if field.get("name") == "q"] == [
        "yarle valley millers of old"
    ]
    assert any((link.get("href") or "").startswith("/yarle-valley/") for link in main.iter("a"))
    assert "Quagga" not in response.content.decode()


@DELETE
def test_sections_go_with_their_topic_under_all_their_addresses(client: Client, remove: Delete) -> None:
    row = topic()
    Article.objects.create(parent=row, title="Heights", slug="heights", published=True)
    client.get("/")
    Article.objects.filter(slug="heights").update(slug="depths")
    client.get("/")
    Article.objects.filter(pk=row.pk).update(slug="zorblaxia")
    client.get("/")
    if remove is by_sql:
        by_sql(row.sections.get())
    remove(row)
    for address in ("zorblax", "zorblaxia", "zorblax/heights", "zorblax/depths", "zorblaxia/depths"):
        assert client.get(f"/{address}/").status_code == 410, address
    for address in ("zorblaxia/heights", "zorblax/other", "heights"):
        assert client.get(f"/{address}/").status_code == 404, address


NEVER: dict[str, dict[str, Any]] = {
    "draft": {"published": False},
    "scheduled": {"published": True, "publish_at": timezone.now() + timedelta(days=1)},
}


@DELETE
@pytest.mark.parametrize("state", NEVER)
@pytest.mark.parametrize("kind", [topic, section, quotation])
def test_what_never_was_public_is_not_there(
    client: Client, kind: Callable[[], Any], state: str, remove: Delete
) -> None:
    row = kind()
    type(row).objects.filter(pk=row.pk).update(**NEVER[state])  # before anybody could see it
    client.get("/")
    address = row.get_absolute_url()
    assert client.get(address).status_code == 404
    remove(row)
    assert client.get(address).status_code == 404


@DELETE
@pytest.mark.parametrize("state", NEVER)
def test_a_section_of_a_topic_that_never_was_public_is_not_there(client: Client, state: str, remove: Delete) -> None:
    row = Article.objects.create(title="Zorblax", slug="zorblax", **NEVER[state])
    Article.objects.create(parent=row, title="Heights", slug="heights", published=True)
    client.get("/")
    if remove is by_sql:
        by_sql(row.sections.get())
    remove(row)
    assert client.get("/zorblax/heights/").status_code == 404
    assert client.get("/zorblax/").status_code == 404


@DELETE
@pytest.mark.parametrize("kind", [topic, quotation])
def test_what_was_taken_back_before_it_was_deleted_is_gone_if_its_history_tells(
    client: Client, kind: Callable[[], Any], remove: Delete
) -> None:
    editor, row = signed_in("publisher"), kind()
    type(row).objects.filter(pk=row.pk).update(published=False)
    transition(editor, row, "publish")
    client.get("/")
    type(row).objects.filter(pk=row.pk).update(published=False)
    address = row.get_absolute_url()
    assert client.get(address).status_code == 404
    remove(row)
    assert client.get(address).status_code == 410


def test_what_the_clock_published_and_nobody_touched_is_gone(client: Client) -> None:
    rows: list[Any] = [topic(), quotation()]
    soon = timezone.now() + timedelta(days=1)
    for row in rows:
        type(row).objects.filter(pk=row.pk).update(publish_at=soon)
    client.get("/")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: soon + timedelta(days=1))
        for row in rows:
            address = row.get_absolute_url()
            assert client.get(address).status_code == 200
            row.delete()
            assert client.get(address).status_code == 410


@KINDS
def test_what_is_recovered_is_there_again(client: Client, make: Callable[[], Any]) -> None:
    editor, row = signed_in("publisher"), make()
    address = row.get_absolute_url()
    client.get(address)
    quotes = list(Quote.objects.filter(person=row)) if isinstance(row, Person) else []
    Quote.objects.filter(pk__in=[quote.pk for quote in quotes]).update(person=None)
    for _again in range(2):
        delete(editor, row)
        assert client.get(address).status_code == 410
        deletion = f"/admin/rlm_site/deletion/{Deletion.objects.latest('pk').pk}/change/"
        assert editor.post(deletion, form_data(editor.get(deletion))).status_code == 302
        Quote.objects.filter(pk__in=[quote.pk for quote in quotes]).update(person=row)
        assert client.get(address).status_code == 200
        Quote.objects.filter(pk__in=[quote.pk for quote in quotes]).update(person=None)


@pytest.mark.parametrize("state", [{}, {"publish_at": timezone.now() + timedelta(days=1)}], ids=["at once", "by clock"])
def test_a_new_page_at_the_address_is_shown_and_leads_on_when_it_moves(client: Client, state: dict[str, Any]) -> None:
    topic()
    client.get("/")
    Article.objects.get(slug="zorblax").delete()
    assert client.get("/zorblax/").status_code == 410
    newcomer = Article.objects.create(title="Newcomer", slug="zorblax", published=True, **state)
    assert client.get("/zorblax/").status_code == (410 if state else 200)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda now=timezone.now: now() + timedelta(days=2))
        assert client.get("/zorblax/").context["article"] == newcomer
        Article.objects.filter(pk=newcomer.pk).update(slug="elsewhere")
        assert client.get("/zorblax/").headers["Location"] == "/elsewhere/"
        Article.objects.filter(pk=newcomer.pk).update(published=False)
        assert client.get("/zorblax/").status_code == 410
        assert client.get("/elsewhere/").status_code == 404


def test_redirects_win(client: Client) -> None:
    first = topic()
    client.get("/")
    Article.objects.filter(pk=first.pk).update(slug="first")
    client.get("/")
    second = topic()
    client.get("/")
    second.delete()
    assert client.get("/zorblax/").headers["Location"] == "/first/"
    first.delete()
    assert client.get("/zorblax/").status_code == client.get("/first/").status_code == 410


def test_a_tag_that_was_merged_is_not_gone(client: Client) -> None:
    row = tag()
    client.get("/tags/zorblax/")
    changes.merge_tags(row, Tag.objects.get(slug="bread"))
    assert client.get("/tags/zorblax/").headers["Location"] == "/tags/bread/"


def test_capitals_and_signs_behind_the_address_are_no_other_address(client: Client) -> None:
    topic()
    client.get("/")
    Article.objects.get(slug="zorblax").delete()
    assert client.get("/Zorblax/).").status_code == 410


@KINDS
def test_it_is_in_no_list_for_machines(client: Client, make: Callable[[], Any]) -> None:
    row = make()
    address = row.get_absolute_url()
    lists = ["/sitemap.xml", *(f"/sitemap-{name}.xml" for name in ("articles", "quotes", "people", "tags"))]
    lists += ["/feeds/changes/", "/feeds/quotes/"]
    assert any(address in client.get(each).content.decode() for each in lists)
    free(row)
    row.delete()
    for each in lists:
        assert address not in client.get(each).content.decode()


def test_as_many_queries_are_made_for_what_is_there_in_secret(client: Client) -> None:
    """How long an answer takes does not tell what was never public from what is not there at all."""
    Article.objects.create(title="Secret", slug="secret")
    for path in ("/secret/", "/elsewhere/"):
        client.get(path)
    counts = []
    for path in ("/secret/", "/elsewhere/"):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 404
        counts.append(len(queries))
    assert counts[0] == counts[1]
