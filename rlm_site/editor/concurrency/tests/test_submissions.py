"""A form for a new record that is sent twice makes one record."""

from typing import Any

import pytest
from django.test import Client

from articles.models import Article
from quotes.models import Person
from rlm_site.editor.concurrency.models import SubmittedForm
from rlm_site.tests.editor import form_data, signed_in

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "/admin/articles/article/add/": {"title": "Zorblax", "slug": "zorblax", "summary": "It.", "body": "Once."},
    "/admin/quotes/quote/add/": {"text": "A zorblax, once.", "status": "reported"},
    "/admin/quotes/person/add/": {"name": "Zora Blax", "slug": "zora-blax"},
    "/admin/articles/reference/add/": {"key": "zorblax-1", "kind": "book", "title": "Zorblax"},
    "/admin/rlm_site/tag/add/": {"name": "zorblax", "slug": "zorblax"},
}


@pytest.fixture
def client() -> Client:
    return signed_in()


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_second_leads_to_what_the_first_has_made(client: Client, address: str) -> None:
    data = form_data(client.get(address), **ADDRESSES[address], _save="Save")
    first, second = client.post(address, data), client.post(address, data)
    assert (first.status_code, second.status_code) == (302, 302)
    made = SubmittedForm.objects.get().object_id
    assert second["Location"].endswith(f"/{made}/change/")
    assert "has already been saved" in client.get(second["Location"]).content.decode()


def test_another_button_makes_no_second_record(client: Client) -> None:
    address = "/admin/quotes/person/add/"
    data = form_data(client.get(address), name="Zora Blax", slug="zora-blax")
    client.post(address, {**data, "_save": "Save"})
    client.post(address, {**data, "_continue": "Save and continue editing"})
    assert Person.objects.filter(name="Zora Blax").count() == 1


def send_after_change(client: Client) -> tuple[Any, dict[str, Any]]:
    address = "/admin/articles/article/add/"
    data = form_data(client.get(address), **ADDRESSES[address], _save="Save")
    client.post(address, data)
    return client.post(address, {**data, "title": "Zorblax II", "slug": "zorblax-2", "body": "Twice."}), data


def test_what_was_typed_after_going_back_is_shown_and_asked_about(client: Client) -> None:
    shown, _data = send_after_change(client)
    assert shown.status_code == 409
    assert "This form has already created “Zorblax”." in shown.content.decode()
    assert form_data(shown)["body"] == "Twice."
    assert not Article.objects.filter(slug="zorblax-2").exists()


def test_saving_that_makes_another_record(client: Client) -> None:
    shown, _data = send_after_change(client)
    assert client.post("/admin/articles/article/add/", form_data(shown, _save="Save")).status_code == 302
    assert Article.objects.filter(slug__startswith="zorblax").count() == 2


def test_a_record_that_was_deleted_since_can_be_made_again(client: Client) -> None:
    _shown, data = send_after_change(client)
    Article.objects.get(slug="zorblax").delete()
    client.post("/admin/articles/article/add/", data)
    client.post("/admin/articles/article/add/", data)
    assert Article.objects.filter(slug="zorblax").count() == 1


def test_a_form_that_was_refused_can_be_sent_again(client: Client) -> None:
    address = "/admin/quotes/person/add/"
    refused = client.post(address, form_data(client.get(address), name="", _save="Save"))
    assert refused.status_code == 200
    assert client.post(address, form_data(refused, name="Zora Blax", _save="Save")).status_code == 302
    assert Person.objects.filter(name="Zora Blax").count() == 1


def test_two_forms_with_the_same_text_are_two_records(client: Client) -> None:
    address = "/admin/quotes/quote/add/"
    before = SubmittedForm.objects.count()
    for text in ("One zorblax.", "Another zorblax."):
        client.post(address, form_data(client.get(address), text=text, status="reported", _save="Save"))
    assert SubmittedForm.objects.count() == before + 2
