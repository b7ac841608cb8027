"""A row that breaks a rule or cannot be indexed is in no list until it is mended; everything else goes on."""

import logging
from collections.abc import Sequence

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from django.test import Client

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.indexing import queue
from rlm_site.indexing.models import SetAside
from rlm_site.page_cache import triggers
from rlm_site.tests.editor import form_data, group_client, signed_in
from rlm_site.tests.test_broken_rows import drop_rules

pytestmark = pytest.mark.django_db

LISTS = ("/", "/yarle-valley/", "/search/?q=millers", "/words/millers/", "/sitemap-articles.xml", "/feeds/changes/")


def write(table: str, column: str, value: str, pk: int) -> None:
    """Write as another program did before there was a rule, and leave the rules in force again."""
    drop_rules()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, pk])
    triggers.install_triggers()


@pytest.fixture
def millers() -> Article:
    """Return a section whose slug is none."""
    article = Article.objects.get(slug="the-millers")
    write("articles_article", "slug", "", article.pk)
    return article


def test_every_list_goes_on_without_the_row(client: Client, millers: Article) -> None:
    for address in LISTS:
        response = client.get(address)
        assert response.status_code == 200, address
        assert "The Millers" not in response.content.decode(), address
    assert client.get("/yarle-valley/low-water/").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_a_topic_takes_its_sections_along(client: Client) -> None:
    topic = Article.objects.get(slug="yarle-valley")
    write("articles_article", "slug", "a/b", topic.pk)
    assert "The Millers" not in client.get("/search/?q=millers").content.decode()
    assert client.get("/yarle-valley/the-millers/").status_code == 404


def test_a_quotation_is_picked_for_no_page(client: Client) -> None:
    quote = Quote.objects.get(key="sommer-honest-men")
    assert "simple theory of flour" in client.get("/yarle-valley/the-millers/").content.decode()
    write("quotes_quote", "status", "sure", quote.pk)
    for address in ("/yarle-valley/the-millers/", "/quotes/", "/words/millers/", "/feeds/quotes/"):
        assert "simple theory of flour" not in client.get(address).content.decode()


def test_quotations_go_on_without_their_person(client: Client) -> None:
    person = Person.objects.get(slug="lena-sommer")
    write("quotes_person", "slug", "no slug/", person.pk)
    assert "Lena Sommer" in client.get("/quotes/").content.decode()
    assert "Lena Sommer" not in client.get("/quotes/people/").content.decode()
    assert client.get("/sitemap-people.xml").status_code == 200


def test_whoever_can_mend_it_is_told_of_it_and_mends_it(client: Client, millers: Article) -> None:
    editor = signed_in()
    form = f"/admin/articles/article/{millers.pk}/change/"
    page = editor.get("/admin/").content.decode()
    assert "Hidden from readers" in page
    assert form in page
    assert "articles_article.slug" in page
    response = editor.post(form, form_data(editor.get(form)))
    assert response.status_code == 302, response.context["errors"]
    assert "The Millers" in client.get("/yarle-valley/").content.decode()
    assert client.get("/yarle-valley/the-millers/").status_code == 200
    assert not SetAside.objects.exists()
    assert "Hidden from readers" not in editor.get("/admin/").content.decode()


def test_others_are_not_told(millers: Article) -> None:
    assert "Hidden from readers" not in group_client("Authors").get("/admin/").content.decode()


def test_the_log_tells_of_it(millers: Article, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "rlm_site.indexing.queue"):
        queue.process_queue()
    assert f"/admin/articles/article/{millers.pk}/change/" in caplog.text
    assert "articles_article.slug" in caplog.text


def test_rows_from_before_there_was_a_rule_are_found_by_the_next_migration(client: Client) -> None:
    millers = Article.objects.get(slug="the-millers")
    write("articles_article", "slug", "", millers.pk)
    queue.process_queue()
    SetAside.objects.all().delete()
    drop_rules()
    call_command("migrate", verbosity=0)
    queue.process_queue()
    assert SetAside.objects.get().object_id == millers.pk


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Article:
    """Return an article that an indexer fails with as long as its title is The Millers."""
    article = Article.objects.get(slug="the-millers")

    def fail(ids: Sequence[int]) -> None:
        if Article.objects.filter(pk__in=ids, title="The Millers").exists():
            raise ValueError("no page can be made of this")

    monkeypatch.setitem(queue._indexers, "article", [fail, *queue._indexers["article"]])
    return article


def test_what_an_indexer_fails_with_is_set_aside_alone(client: Client, failing: Article) -> None:
    Article.objects.update(quote_words="")
    queue.process_queue()
    assert [(row.object_id, row.reason) for row in SetAside.objects.all()] == [
        (failing.pk, "ValueError: no page can be made of this")
    ]
    assert client.get("/").status_code == 200
    assert "Low Water" in client.get("/yarle-valley/").content.decode()
    assert "The Millers" not in client.get("/yarle-valley/").content.decode()


def test_it_is_indexed_again_when_it_is_changed(client: Client, failing: Article) -> None:
    Article.objects.update(quote_words="")
    queue.process_queue()
    Article.objects.filter(pk=failing.pk).update(title="The Grinders")
    assert "/yarle-valley/the-millers/" in client.get("/search/?q=grinders").content.decode()
    assert not SetAside.objects.exists()


def test_a_database_that_fails_is_no_fault_of_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(ids: Sequence[int]) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setitem(queue._indexers, "article", [fail])
    Article.objects.update(quote_words="")
    with pytest.raises(OperationalError):
        queue.process_queue()
    assert not SetAside.objects.exists()


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL lets nobody leave foreign keys off")
def test_a_quotation_whose_person_another_program_deleted_is_not_shown_as_nobodys(client: Client) -> None:
    person = Person.objects.get(slug="lena-sommer")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA defer_foreign_keys = ON")
        cursor.execute("DELETE FROM quotes_person WHERE id = %s", [person.pk])
    assert "simple theory of flour" not in client.get("/quotes/").content.decode()
    assert SetAside.objects.filter(kind="quote", reason__contains="refers to a person that does not exist").exists()
    editor = signed_in()
    quote = Quote.objects.get(key="sommer-honest-men")
    assert quote.person is None
    assert editor.get(f"/admin/quotes/quote/{quote.pk}/change/").status_code == 200
    Quote.objects.filter(person_id=person.pk).update(person=None)
    assert "simple theory of flour" in client.get("/quotes/").content.decode()
