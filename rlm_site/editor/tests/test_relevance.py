"""What is searched for comes first: in lists, in suggestions and in the search of all kinds."""

from typing import Any

import pytest
from django.test import Client

from articles.models import Article, Reference
from quotes.models import Person, Quote
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, group_client, signed_in
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db

ARTICLES, SEARCH = "/admin/articles/article/", "/admin/search/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def page(title: str, body: str = "", **fields: Any) -> Article:
    return Article.objects.create(**{"title": title, "body": body, "position": 0, **fields})


def titles(somebody: Client, search: str, address: str = ARTICLES) -> list[str]:
    found = somebody.get(address, {"q": search, "all": ""}).context["cl"].result_list
    return [getattr(row, "title", "") or getattr(row, "name", "") or row.text for row in found]


ORDER = [
    "The Quaggas",
    "The Quaggas’ end",
    "Of quaggas and the zebra",
    "A page of the quaggas, or their herds",
    "Zebra",
]


def add_pages(*names: str) -> None:
    page("Aardvark")  # a topic whose sections come before all others
    for name in names:
        page(name, "Here are the quaggas." if name == "Zebra" else "", position=9 - len(name) % 7)


def test_what_is_called_so_comes_first_and_what_only_tells_of_it_last(editor: Client) -> None:
    add_pages(*reversed(ORDER))
    assert titles(editor, "The Quaggas")[:2] == ORDER[:2]
    assert set(titles(editor, "The Quaggas")[2:4]) == {*ORDER[2:4]}
    assert titles(editor, "The Quaggas")[4:] == ["Zebra"]
    assert titles(editor, "  the   QUAGGAS ")[0] == ORDER[0]


@pytest.mark.parametrize("typed", ["Щука", "щука", "ЩУКА", '"щука"'])
def test_case_does_not_matter_in_any_script(editor: Client, typed: str) -> None:
    above = page("Рыба и щука")
    page("Aal", "Не щука", parent=above)
    page("Щука", parent=above, position=99)
    assert titles(editor, typed)[:1] == ["Щука"]
    assert titles(editor, typed)[-1] == "Aal"


def test_a_column_that_somebody_chose_is_kept_to(editor: Client) -> None:
    add_pages(*ORDER)
    found = [row.title for row in editor.get(f"{ARTICLES}?q=quaggas&o=1&all=").context["cl"].result_list]
    assert found == sorted(found, key=str.lower)


def test_every_list_puts_first_what_is_called_so(editor: Client) -> None:
    for name in ("Ábel the elder", "Abel", "Zelda Abel"):
        Person.objects.create(name=name, sort_name=name, slug="")
        Tag.objects.create(name=name)
    assert titles(editor, "abel", "/admin/quotes/person/")[0] == "Abel"
    assert titles(editor, "ÁBEL", "/admin/rlm_site/tag/")[:2] == ["Abel", "Ábel the elder"]
    Reference.objects.create(key="quagga", title="Herds", authors="Z")
    Reference.objects.create(key="a-quagga", title="The quagga", authors="A")
    Reference.objects.create(key="herds", title="Quagga", authors="M")
    found = editor.get("/admin/articles/reference/?q=quagga").context["cl"].result_list
    assert {row.key for row in found[:2]} == {"quagga", "herds"}
    assert [row.key for row in found[2:]] == ["a-quagga"]


def test_the_suggestions_of_a_form_begin_with_what_is_called_so(editor: Client) -> None:
    page("A herd of quaggas")
    page("Quaggas")
    address = "/admin/autocomplete/?app_label=articles&model_name=article&field_name=parent&term=quaggas"
    assert [each["text"] for each in editor.get(address).json()["results"]] == ["Quaggas", "A herd of quaggas"]


# All kinds at once


def test_one_search_finds_records_of_all_kinds(editor: Client) -> None:
    person = Person.objects.create(name="Quagga", slug="quagga", sort_name="Quagga")
    article = page("Quagga")
    quote = Quote.objects.create(text="A quagga is a quagga.")
    tag = Tag.objects.create(name="quagga")
    shown = editor.get(SEARCH, {"q": "quagga"})
    assert shown.status_code == 200
    addresses = links(parse(shown))
    for kind, row in (
        ("articles/article", article),
        ("quotes/person", person),
        ("quotes/quote", quote),
        ("rlm_site/tag", tag),
    ):
        assert f"/admin/{kind}/{row.pk}/change/" in addresses
        assert f"/admin/{kind}/?q=quagga" in addresses
    assert editor.get(f"{ARTICLES}?q=quagga").context["cl"].result_count == 1
    assert "Draft" in text_of(parse(shown).find(".//ul[@class='hits']"))


def test_a_kind_with_many_hits_shows_the_best_and_leads_to_all(editor: Client) -> None:
    for number in range(20):
        page(f"A herd of quaggas {number}")
    page("Quaggas")
    [kind] = editor.get(SEARCH, {"q": "quaggas"}).context["found"]
    assert kind.hits[0].title == "Quaggas"
    assert len(kind.hits) == 5
    assert kind.has_more
    assert "All articles that match" in editor.get(SEARCH, {"q": "quaggas"}).content.decode()


def test_nobody_finds_what_they_may_not_see() -> None:
    page("Quagga")
    Quote.objects.create(text="A quagga.", published=False)
    Person.objects.create(name="Quagga", slug="quagga")
    reader_of_quotes = signed_in("boris", "view_quote")
    assert [kind.names for kind in reader_of_quotes.get(SEARCH, {"q": "quagga"}).context["found"]] == ["quotations"]
    writer = signed_in("carla", "add_article")
    assert writer.get(SEARCH, {"q": "quagga"}).context["found"] == []
    assert signed_in("dora", "view_user").get(SEARCH, {"q": "dora"}).context["found"] == []
    names = {kind.names for kind in group_client("Authors").get(SEARCH, {"q": "quagga"}).context["found"]}
    assert names == {"articles", "quotations", "people"}
    assert Client(HTTP_HOST="127.0.0.1").get(f"{SEARCH}?q=quagga")["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("typed", ["a " * 13, "x" * 201, "дом " * 100])
def test_what_is_too_long_is_told_and_not_looked_for(editor: Client, typed: str) -> None:
    shown = editor.get(SEARCH, {"q": typed})
    assert shown.status_code == 200
    assert "Search for at most 12 words and 200 characters." in shown.content.decode()


@pytest.mark.parametrize("typed", ["", "  ", "\0", "%", "_", '"', "'", "\\", "quagga\0", '" "', "<b>", "[@", "zzzz"])
def test_nothing_that_can_be_typed_is_a_failure(editor: Client, typed: str) -> None:
    page("Quagga <b>")
    shown = editor.get(SEARCH, {"q": typed})
    assert shown.status_code == 200
    assert "<b>" not in shown.content.decode()
    assert editor.get(ARTICLES, {"q": typed}).status_code == 200


def test_the_field_is_in_the_header_of_every_page(editor: Client) -> None:
    article = page("Quagga")
    for address in ("/admin/", ARTICLES, f"{ARTICLES}{article.pk}/change/", "/admin/password_change/", SEARCH):
        forms = parse(editor.get(address)).findall(".//header//form[@role='search']")
        assert [form.get("action") for form in forms] == [SEARCH], address
    assert "/admin/search/" not in editor.get("/admin/quotes/person/add/?_popup=1").content.decode()
    assert "/admin/search/" not in Client(HTTP_HOST="127.0.0.1").get("/admin/login/").content.decode()


def test_it_makes_as_many_queries_however_much_there_is(editor: Client) -> None:
    page("Quagga")
    few = count_queries(editor, f"{SEARCH}?q=quagga")
    above = page("Herds")
    for number in range(30):
        page(f"Quagga {number}", parent=above)
        person = Person.objects.create(name=f"Quagga {number}", slug=f"quagga-{number}")
        Quote.objects.create(text=f"A quagga {number}.", person=person)
    assert count_queries(editor, f"{SEARCH}?q=quagga") <= few <= 16
