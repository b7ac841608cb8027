"""Reference records at the editors' desk."""

import pytest
from django.test import Client

from articles.models import Article, Reference
from rlm_site.tests.editor import count_queries, delete, form_data, signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/reference/add/"
LIST = "/admin/articles/reference/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def test_a_reference_is_created_cited_edited_and_deleted(editor: Client, client: Client) -> None:
    Article.objects.create(title="Quagga", slug="quagga", body="Striped.[@quill-1871, p. 4]", published=True)
    typed = {"key": "quill-1871", "title": "On Stripes", "authors": "Quill, Ann"}
    assert editor.post(ADD, form_data(editor.get(ADD), **typed)).status_code == 302
    assert "On Stripes" in client.get("/quagga/").content.decode()
    row = Reference.objects.get(key="quill-1871")
    change = f"{LIST}{row.pk}/change/"
    editor.post(change, form_data(editor.get(change), title="On Few Stripes"))
    assert "On Few Stripes" in client.get("/quagga/").content.decode()
    assert "On Few Stripes" in client.get("/references/").content.decode()
    delete(editor, row)
    assert "On Few Stripes" not in client.get("/quagga/").content.decode()


def test_a_key_is_used_once(editor: Client) -> None:
    key = Reference.objects.all()[0].key
    response = editor.post(ADD, form_data(editor.get(ADD), key=key, title="“T” & <T>"))
    assert list(response.context["adminform"].form.errors) == ["key"]
    assert form_data(response)["title"] == "“T” & <T>"


def test_a_key_that_differs_in_capitals_alone_is_refused_and_a_reference_may_change_its_own(editor: Client) -> None:
    response = editor.post(ADD, form_data(editor.get(ADD), key="Arden-1987", title="Quagga"))
    assert response.context["adminform"].form.errors == {
        "key": ["“arden-1987” differs from this key only in capitals, which citations ignore. Choose another key."]
    }
    assert form_data(response)["key"] == "Arden-1987"
    change = f"{LIST}{Reference.objects.get(key='arden-1987').pk}/change/"
    assert editor.post(change, form_data(editor.get(change), key="Arden-1987")).status_code == 302


def test_references_are_found_and_filtered(editor: Client) -> None:
    row = Reference.objects.create(key="quill-1871", title="Щука", authors="Quill, Ann", kind="thesis", language="ru")
    for query in ("q=QUILL", "q=щука", "kind__exact=thesis&q=quill", "language=ru&q=quill"):
        assert list(editor.get(f"{LIST}?{query}").context["cl"].result_list) == [row]


def test_the_list_makes_as_many_queries_for_many_references_as_for_few(editor: Client) -> None:
    Reference.objects.create(key="quill", title="Quill")
    few = count_queries(editor, f"{LIST}?q=quill")
    Reference.objects.bulk_create(Reference(key=f"quill-{number}", title="Quill") for number in range(30))
    assert count_queries(editor, f"{LIST}?q=quill") == few <= 10
