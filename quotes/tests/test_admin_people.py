"""People and works at the editors' desk."""

from typing import Any

import pytest
from django.test import Client

from quotes.models import Person, Quote, Work
from rlm_site.tests.editor import count_queries, delete, form_data, signed_in

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/quotes/person/"
WORKS = "/admin/quotes/work/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def add(editor: Client, model: str, **typed: Any) -> Any:
    address = f"/admin/quotes/{model}/add/"
    return editor.post(address, form_data(editor.get(address), **typed))


def save(editor: Client, row: Person | Work, **typed: Any) -> Any:
    address = f"/admin/quotes/{row._meta.model_name}/{row.pk}/change/"
    return editor.post(address, form_data(editor.get(address), **typed))


def listed(editor: Client, address: str) -> list[Any]:
    return list(editor.get(address).context["cl"].result_list)


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {name: list(messages) for name, messages in response.context["adminform"].form.errors.items()}


def test_a_person_is_created_edited_and_deleted(editor: Client, client: Client) -> None:
    add(editor, "person", name="Анна Щука", aliases="A. Shchuka\r\n\r\n Nyura ")
    anna = Person.objects.get(name="Анна Щука")
    assert anna.slug == "anna-shchuka"
    assert anna.aliases == ["A. Shchuka", "Nyura"]
    Quote.objects.create(text="No quagga.", person=anna, published=True, status="reported")
    save(editor, anna, description="Russian poet", born="1890")
    page = client.get("/quotes/people/anna-shchuka/").content.decode()
    assert "Russian poet" in page
    assert "b. 1890" in page
    Quote.objects.filter(person=anna).delete()
    delete(editor, anna)
    assert not Person.objects.filter(pk=anna.pk).exists()


def test_other_names_are_shown_one_on_a_line_and_an_unchanged_save_keeps_them(editor: Client) -> None:
    ann = Person.objects.create(name="Ann", slug="ann", aliases=["A. Q.", "Анна"])
    assert form_data(editor.get(f"{PEOPLE}{ann.pk}/change/"))["aliases"] == "A. Q.\r\nАнна"
    save(editor, ann)
    ann.refresh_from_db()
    assert ann.aliases == ["A. Q.", "Анна"]


def test_a_new_name_is_in_the_attributions_on_the_next_request(editor: Client, client: Client) -> None:
    ann = Person.objects.create(name="Ann Quill", slug="ann-quill")
    quote = Quote.objects.create(text="No quagga.", person=ann, published=True, status="reported")
    assert "Ann Quill" in client.get(quote.get_absolute_url()).content.decode()
    save(editor, ann, name="Ann Quillfeather")
    assert "Ann Quillfeather" in client.get(quote.get_absolute_url()).content.decode()
    assert client.get("/search/?q=quillfeather").content.decode().count(quote.get_absolute_url())


@pytest.mark.parametrize("term", ["holmston", "шмысловский", "ШМЫСЛОВСКИЙ", "smyslo"])
def test_people_are_found_by_any_of_their_names(editor: Client, term: str) -> None:
    names = {"sort_name": "Smyslovsky, Boris", "aliases": ["Holmston", "Шмысловский"]}
    boris = Person.objects.create(name="Boris Smyslovsky-Test", slug="boris-test", **names)
    assert boris in listed(editor, f"{PEOPLE}?q={term}")


def test_people_are_filtered_by_kind_and_death(editor: Client) -> None:
    living = Person.objects.create(name="Living", slug="living", born=1990)
    group = Person.objects.create(name="Group", slug="group", kind="group", died=1945)
    assert group in listed(editor, f"{PEOPLE}?kind__exact=group&died_known=yes")
    assert living in listed(editor, f"{PEOPLE}?died_known=no")
    assert group not in listed(editor, f"{PEOPLE}?died_known=no")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Ann", "slug": "lena-sommer"}, "slug"),
        ({"name": "Ann", "born": "1900", "died": "1890"}, "died"),
        ({"name": "Ann", "born": "long ago"}, "born"),
    ],
)
def test_what_is_wrong_with_a_person_is_said_beside_its_field(
    editor: Client, typed: dict[str, str], field: str
) -> None:
    before = Person.objects.count()
    response = add(editor, "person", aliases="One\r\nTwo", **typed)
    assert list(errors(response)) == [field]
    assert form_data(response)["aliases"] == "One\r\nTwo"
    assert Person.objects.count() == before


def test_a_work_is_created_edited_found_and_deleted(editor: Client, client: Client) -> None:
    add(editor, "work", title="On Stripes", authors="Ann Quill", year="1871")
    work = Work.objects.get(title="On Stripes")
    quote = Quote.objects.create(text="No quagga.", work=work, published=True, status="reported")
    save(editor, work, year="-12")
    assert "On Stripes (12 BC)" in client.get(quote.get_absolute_url()).content.decode().replace("</cite>", "")
    assert listed(editor, f"{WORKS}?q=stripes") == [work]
    quote.delete()
    delete(editor, work)
    assert not Work.objects.filter(pk=work.pk).exists()


@pytest.mark.parametrize("year", ["1871", ""])
def test_a_work_that_is_there_already_is_refused_beside_its_title(editor: Client, year: str) -> None:
    Work.objects.create(title="On Stripes", authors="Ann Quill", year=int(year) if year else None)
    response = add(editor, "work", title="On Stripes", authors="Ann Quill", year=year)
    assert list(errors(response)) == ["title"]
    assert "A work with this title" in errors(response)["title"][0]


@pytest.mark.parametrize("use", ["person", "work", "quoted_in"])
def test_what_is_in_use_is_not_deleted(editor: Client, use: str) -> None:
    row = Person.objects.create(name="Ann", slug="ann") if use == "person" else Work.objects.create(title="W")
    quote = Quote.objects.create(text="No quagga.", **{use: row})
    address = f"/admin/quotes/{row._meta.model_name}/{row.pk}/delete/"
    for response in (editor.get(address), editor.post(address, {"post": "yes"})):
        page = response.content.decode()
        assert "is in use and cannot be deleted" in page
        assert f'href="/admin/quotes/quote/{quote.pk}/change/"' in page
    form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert "No quagga." in editor.post(f"/admin/quotes/{row._meta.model_name}/", form).content.decode()
    assert type(row).objects.filter(pk=row.pk).exists()


def test_lists_and_refusals_make_as_many_queries_for_many_rows_as_for_few(editor: Client) -> None:
    work = Work.objects.create(title="On Stripes")

    def furnish(count: int) -> None:
        for number in range(count):
            ann = Person.objects.create(name=f"Ann {number}", slug=f"ann-{count}-{number}")
            Quote.objects.create(text="No quagga.", person=ann, work=work)

    furnish(1)
    addresses = [f"{PEOPLE}?q=ann", f"{WORKS}?q=stripes", f"{WORKS}{work.pk}/change/", f"{WORKS}{work.pk}/delete/"]
    few = [count_queries(editor, address) for address in addresses]
    furnish(20)
    assert [count_queries(editor, address) for address in addresses] == few
    assert max(few) <= 15
