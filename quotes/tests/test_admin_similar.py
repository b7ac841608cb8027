"""A quotation that is already there is shown before it is saved a second time."""

import pytest
from django.test import Client

from quotes.models import Person, Quote
from rlm_site.indexing import queue
from rlm_site.tests.editor import form_data, run_action, signed_in

pytestmark = pytest.mark.django_db

OLD = "A surrender of glory is the beginning of wisdom, said the old captain."


@pytest.fixture
def editor() -> Client:
    return signed_in()


@pytest.fixture
def old() -> Quote:
    quote = Quote.objects.create(text=OLD, published=True, status="reported")
    queue.process_queue()
    return quote


def save(editor: Client, **fields: object) -> tuple[int, str]:
    address = "/admin/quotes/quote/add/"
    answer = editor.post(address, form_data(editor.get(address), **fields))
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        OLD,
        "“A surrender of glory is the beginning of wisdom,” said the old captain",
        "A surrender of glory is the beginning of wisdom",
    ],
)
def test_the_existing_one_is_shown_and_nothing_is_saved_or_lost(editor: Client, old: Quote, text: str) -> None:
    before = Quote.objects.count()
    status, page = save(editor, text=text, translator="Somebody")
    assert status == 200
    assert Quote.objects.count() == before
    assert "There are similar quotations." in page
    assert f'href="/admin/quotes/quote/{old.pk}/change/"' in page
    assert 'value="Somebody"' in page


def test_it_can_be_saved_as_another_version_of_the_old_one(editor: Client, old: Quote) -> None:
    status, _page = save(editor, text=OLD.rstrip("."), similar=f"version-{old.pk}")
    assert status == 302
    assert Quote.objects.latest("pk").version_of == old


def test_it_can_be_saved_as_a_different_one(editor: Client, old: Quote) -> None:
    status, _page = save(editor, text=OLD.rstrip("."), similar="different")
    assert status == 302
    assert Quote.objects.latest("pk").version_of is None


def test_a_new_text_is_saved_without_a_question(editor: Client, old: Quote) -> None:
    assert save(editor, text="Quite another thing was said by quite another man.")[0] == 302


def test_the_old_one_itself_can_be_saved_again(editor: Client, old: Quote) -> None:
    address = f"/admin/quotes/quote/{old.pk}/change/"
    assert editor.post(address, form_data(editor.get(address), text=OLD + "..", translator="X")).status_code == 302


def test_people_printed_as_living_are_listed_until_somebody_checks(editor: Client) -> None:
    person = Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax", born=1960)
    address = "/admin/quotes/person/?living=unchecked"
    assert "Zora Blax" in editor.get(address).content.decode()
    assert run_action(editor, "known_to_be_living", person).status_code == 302
    assert "Zora Blax" not in editor.get(address).content.decode()
    dead = Person.objects.create(name="Zeno Blax", slug="zeno-blax", born=1960, died=2001)
    assert dead.name not in editor.get(address).content.decode()
