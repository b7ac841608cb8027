"""The form of a quotation: what is printed, what is like it, where it is shown, languages by name, what is folded."""

import pytest
from django.test import Client

from articles.models import Article, QuoteChoice
from quotes.models import Person, Quote, Work
from rlm_site.editor.languages import NAMES, LanguageSelect, name_of
from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/quotes/quote/"
ADD = f"{LIST}add/"
PANELS = ("printed", "similar")


def test_what_is_printed_follows_the_form_before_it_is_saved() -> None:
    author = group_client("Authors")
    person = Person.objects.create(name="Ann Quill", born=1821, died=1896, description="printer")
    work = Work.objects.create(title="On Stripes", year=1871)
    typed = {"text": "Stripes\nare few.", "person": str(person.pk), "work": str(work.pk), "locator": "ch. 2"}
    text = author.post(f"{ADD}printed/", typed).content.decode()
    assert "Stripes<br>are few." in text
    assert "— Ann Quill (1821–1896), printer. On Stripes, ch. 2 (1871)" in text
    assert "Attributed to Ann Quill" in author.post(f"{ADD}printed/", {**typed, "status": "disputed"}).content.decode()
    odd = {"text": "<b>\0", "person": "9" * 30, "work": "x", "year_said": "--", "status": "none"}
    text = author.post(f"{ADD}printed/", odd).content.decode()
    assert "&lt;b&gt;" in text
    assert "— Anonymous" in text


def test_quotations_that_are_like_it_are_shown_while_it_is_typed() -> None:
    author = group_client("Authors")
    there = Quote.objects.filter(published=True).order_by("-pk")[0]
    text = author.post(f"{ADD}similar/", {"text": there.text.upper()}).content.decode()
    assert f"{LIST}{there.pk}/change/" in text
    assert "The same words:" in text
    assert "None found." in author.post(f"{ADD}similar/", {"text": "Zorblax."}).content.decode()
    editor = group_client("Editors")
    assert "None found." in editor.post(f"{LIST}{there.pk}/similar/", {"text": there.text}).content.decode()


@pytest.mark.parametrize("panel", PANELS)
def test_the_panels_are_for_those_who_may_write_the_quotation(panel: str) -> None:
    quote = Quote.objects.filter(published=True)[0]
    assert Client().post(f"{ADD}{panel}/").status_code == 302
    assert signed_in("other", "view_tag").post(f"{ADD}{panel}/").status_code == 403
    assert signed_in("reader", "view_quote").post(f"{ADD}{panel}/").status_code == 403
    author = group_client("Authors")
    assert author.post(f"{ADD}{panel}/").status_code == 200
    assert author.post(f"{LIST}{quote.pk}/{panel}/").status_code == 403
    assert author.post(f"{LIST}999999/{panel}/").status_code == 404
    assert group_client("Editors").post(f"{LIST}{quote.pk}/{panel}/").status_code == 200


def test_the_form_says_where_a_quotation_is_shown() -> None:
    editor = group_client("Editors")
    quote = Quote.objects.create(text="Zorblax abides.", status="reported", published=True)
    change = f"{LIST}{quote.pk}/change/"
    assert "No page shows it." in editor.get(change).content.decode()
    article = Article.objects.create(title="Quagga", slug="quagga", body="Striped.", published=True)
    QuoteChoice.objects.create(article=article, quote=quote)
    text = editor.get(change).content.decode()
    assert f'<a href="/admin/articles/article/{article.pk}/change/">Quagga</a>' in text
    assert "Where it is shown" not in editor.get(ADD).content.decode()
    assert "— Anonymous" in group_client("Authors").get(change).content.decode()


def test_languages_are_chosen_by_name_and_a_strange_one_stays() -> None:
    editor = group_client("Editors")
    text = editor.get(ADD).content.decode()
    assert '<option value="ru">Russian</option>' in text
    assert '<option value="en" selected>English</option>' in text
    quote = Quote.objects.create(text="Zorblax.", language="tlh")
    change = f"{LIST}{quote.pk}/change/"
    page = editor.get(change)
    assert '<option value="tlh" selected>tlh</option>' in page.content.decode()
    editor.post(change, form_data(page, text="Zorblax abides."))
    quote.refresh_from_db()
    assert (quote.text, quote.language, quote.original_language) == ("Zorblax abides.", "tlh", "")
    assert name_of("grc") == "Ancient Greek"
    assert len(set(map(name_of, NAMES))) == len(NAMES)
    assert "selected" in LanguageSelect().render("language", "xx")
    reference = group_client("Publishers").get("/admin/articles/reference/add/").content.decode()
    assert '<option value="la">Latin</option>' in reference


def test_only_what_is_empty_is_folded() -> None:
    editor = group_client("Editors")
    assert editor.get(ADD).content.decode().count("<details><summary>") == 3
    plain = Quote.objects.create(text="Zorblax.")
    assert editor.get(f"{LIST}{plain.pk}/change/").content.decode().count("<details><summary>") == 3
    translated = Quote.objects.create(text="Zorblax.", translator="Ann", attribution_as_imported="Zorblax: Odes")
    assert editor.get(f"{LIST}{translated.pk}/change/").content.decode().count("<details><summary>") == 1


def test_the_pages_cost_a_fixed_number_of_queries() -> None:
    editor = group_client("Editors")
    quote = Quote.objects.create(text="Zorblax abides by the river.", status="reported", published=True)
    first, *others = Article.objects.filter(parent=None, published=True)[:3]
    QuoteChoice.objects.create(article=first, quote=quote)
    addresses = (ADD, f"{LIST}{quote.pk}/change/", f"{LIST}people/add/", f"{LIST}works/add/")
    few = [count_queries(editor, address) for address in addresses]
    person = Person.objects.create(name="Ann Quill")
    Quote.objects.bulk_create(Quote(text=f"Zorblax {number}", person=person) for number in range(30))
    Work.objects.bulk_create(Work(title=f"Odes {number}") for number in range(30))
    for article in others:
        QuoteChoice.objects.create(article=article, quote=quote)
    assert [count_queries(editor, address) for address in addresses] == few


# People and works that are missing


def near(client: Client, kind: str, **typed: str) -> str:
    return client.post(f"{LIST}{kind}/near/", {f"new-{name}": value for name, value in typed.items()}).content.decode()


@pytest.mark.parametrize("kind", ["people", "works"])
def test_whoever_enters_quotations_adds_people_and_works(kind: str) -> None:
    for address in (f"{LIST}{kind}/add/", f"{LIST}{kind}/near/"):
        assert Client().get(address).status_code == 302
        assert signed_in("other" + address[-5:-1], "view_tag", "view_person").get(address).status_code == 403
    author = group_client("Authors")
    page = author.get(f"{LIST}{kind}/add/")
    typed = {"new-name": "Zorblax, the Elder", "new-title": "Odes of Zorblax"}
    answer = author.post(f"{LIST}{kind}/add/", form_data(page, **typed))
    assert answer.status_code == 302
    assert "was added" in author.get(answer["Location"]).content.decode()
    assert (Person if kind == "people" else Work).objects.order_by("-pk")[0].pk == int(answer["Location"].split("=")[1])


@pytest.mark.parametrize(
    "typed",
    [
        "ann quill",
        "Quill, Ann",
        "A. Quill",
        "Anne Quill",
        "Ann Qiull",
        "Quill",
        "Ann Mary Quill",
        "Энн Куилл",
        "The Printer",
    ],
)
def test_people_who_are_there_already_are_shown(typed: str) -> None:
    author = group_client("Authors")
    person = Person.objects.create(name="Ann Quill", aliases=["Энн Куилл", "The Printer"], born=1821)
    text = near(author, "people", name=typed)
    assert f'data-uses="{person.pk}"' in text
    assert "b. 1821" in text


@pytest.mark.parametrize("typed", ["", "An", "Tim Quagga", "Bob", "Ann", "A. B."])
def test_people_who_are_not_like_it_are_not_shown(typed: str) -> None:
    Person.objects.create(name="Ann Quill")
    assert "Ann Quill" not in near(group_client("Authors"), "people", name=typed)


def test_works_that_are_there_already_are_shown_before_one_is_added_again() -> None:
    author = group_client("Authors")
    work = Work.objects.create(title="The Weirs of the Yarle", authors="Moss", year=1987)
    for title in ("the weirs of the yarle", "The Weirs of the Yarle: A Survey", "The Weirs of the Yarel"):
        assert f'data-uses="{work.pk}"' in near(author, "works", title=title)
    assert "data-uses" not in near(author, "works", title="Odes")
    address = f"{LIST}works/add/"
    again = form_data(author.get(address), **{"new-title": "The Weirs of the Yarle"})
    page = author.post(address, again)
    assert page.status_code == 200
    assert "Is it one of these?" in page.content.decode()
    assert author.post(address, form_data(page)).status_code == 302
    assert Work.objects.filter(title="The Weirs of the Yarle").count() == 2
