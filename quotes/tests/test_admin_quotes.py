"""Quotations at the editors' desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from quotes.models import Check, IndexTerm, Person, Quote, Work
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, delete, form_data, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/quotes/quote/add/"
LIST = "/admin/quotes/quote/"
TEXT = "No quagga is an island."


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(quote: Quote) -> str:
    return f"/admin/quotes/quote/{quote.pk}/change/"


def add(editor: Client, **typed: Any) -> Any:
    return editor.post(ADD, form_data(editor.get(ADD), **{"text": TEXT, "status": "reported", **typed}))


def save(editor: Client, quote: Quote, **typed: Any) -> Any:
    return editor.post(change(quote), form_data(editor.get(change(quote)), **typed))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {name: list(messages) for name, messages in response.context["adminform"].form.errors.items()}


def person(name: str = "Ann Quill", **fields: Any) -> Person:
    return Person.objects.create(name=name, slug=name.lower().replace(" ", "-"), **fields)


def quotation(text: str = TEXT, **fields: Any) -> Quote:
    return Quote.objects.create(text=text, **{"status": "reported", "published": True, **fields})


def listed(editor: Client, query: str) -> list[Quote]:
    return list(editor.get(f"{LIST}{query}").context["cl"].result_list)


def test_readers_see_a_quotation_from_its_publication_to_its_deletion(editor: Client, client: Client) -> None:
    ann = person()
    add(editor, person=str(ann.pk), tags="free software")
    quote = Quote.objects.get(text=TEXT)
    assert client.get(quote.get_absolute_url()).status_code == 404
    transition(editor, quote, "publish")
    address = quote.get_absolute_url()
    assert TEXT in client.get(address).content.decode()
    assert TEXT in client.get("/quotes/people/ann-quill/").content.decode()
    assert client.get("/words/quagga/").status_code == 200
    save(editor, quote, text="No quagga was an island.")
    transition(editor, quote, "publish")
    assert "was an island" in client.get("/words/quagga/").content.decode()
    delete(editor, quote)
    assert client.get(address).status_code == 410
    assert client.get("/words/quagga/").status_code == 404


def test_verse_keeps_its_lines(editor: Client) -> None:
    add(editor, text="The quagga ran,\r\nThe quokka sat.")
    assert Quote.objects.get(text__startswith="The quagga").text == "The quagga ran,\nThe quokka sat."


def test_free_software_is_one_tag_and_stays_without_quotes(editor: Client) -> None:
    add(editor, tags='free software, "Oxmoor, Tolby"')
    quote = Quote.objects.get(text=TEXT)
    for words in ("One quagga.", "Two quaggas."):
        assert form_data(editor.get(change(quote)))["tags"] == 'free software, "Oxmoor, Tolby"'
        save(editor, quote, text=words)
    assert set(quote.tags.names()) == {"free software", "Oxmoor, Tolby"}
    assert Tag.objects.filter(folded="free software").count() == 1


def test_articles_and_quotations_share_their_tags(editor: Client) -> None:
    add(editor, tags="BREAD")
    assert [tag.name for tag in Quote.objects.get(text=TEXT).tags.all()] == ["bread"]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"text": ""}, "text", "required"),
        ({"tags": '"open'}, "tags", "closing quotation mark"),
        ({"status": "misattributed"}, "status", "wrongly attributed"),
        ({"key": "marsh-a-river-reads-no-map"}, "key", "already exists"),
        ({"year_said": "when?"}, "year_said", "whole number"),
        ({"person": "999999"}, "person", "valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    editor: Client, typed: dict[str, str], field: str, words: str
) -> None:
    before = Quote.objects.count()
    response = add(editor, **{"translator": "“T” & <T>", **typed})
    assert list(errors(response)) == [field]
    assert words in errors(response)[field][0]
    assert form_data(response)["translator"] == "“T” & <T>"
    assert Quote.objects.count() == before


def test_a_quotation_is_no_version_of_itself(editor: Client) -> None:
    quote = quotation()
    assert list(errors(save(editor, quote, version_of=str(quote.pk)))) == ["version_of"]


def test_a_quotation_that_ends_before_it_begins_is_told_so_beside_the_end(editor: Client) -> None:
    quote = quotation(publish_at=timezone.now() + timedelta(days=2))
    tomorrow = timezone.localtime() + timedelta(days=1)
    response = transition(editor, quote, "times", retire_at_0=f"{tomorrow:%Y-%m-%d}", retire_at_1="12:00")
    assert list(response.context["form"].errors) == ["retire_at"]


def test_verified_needs_evidence(editor: Client) -> None:
    quote = quotation()
    response = save(editor, quote, status="verified")
    assert "needs evidence" in response.content.decode()
    assert Quote.objects.get(pk=quote.pk).status == "reported"
    evidence = {"checks-TOTAL_FORMS": "1", "checks-0-checked_by": "A. Editor", "checks-0-checked_on": "2026-11-02"}
    save(editor, quote, status="verified", **evidence)
    transition(editor, quote, "publish")
    assert Quote.objects.get(pk=quote.pk).status == "verified"
    check = Check.objects.get(quote=quote)
    assert (check.checked_by, str(check.checked_on)) == ("A. Editor", "2026-11-02")
    without = save(editor, quote, **{"checks-0-DELETE": "on"})
    assert "needs evidence" in without.content.decode()
    assert Check.objects.filter(quote=quote).exists()


def test_a_veto_takes_effect_on_the_next_request(editor: Client, client: Client) -> None:
    quote = quotation("The millers of the quagga were few.")
    save(editor, quote, **{"index_terms-TOTAL_FORMS": "1", "index_terms-0-word": "herd"})
    assert IndexTerm.objects.get(quote=quote).word == "herd"
    assert quote.word_links.filter(word__text="herd", contained=False).exists()


def test_a_save_is_recorded_and_an_unchanged_one_is_not(editor: Client) -> None:
    quote = quotation(original_text="Ни одна…\n")
    save(editor, quote, text="Every quagga is an island.", change_comment="Misread.")
    save(editor, quote)
    before, after = quote.revisions.order_by("number")
    assert (before.content["text"], before.author) == (TEXT, None)
    assert (after.content["text"], str(after.author), after.comment) == (
        "Every quagga is an island.",
        "editor",
        "Misread.",
    )


def test_the_attribution_is_shown_as_it_will_be_printed(editor: Client) -> None:
    work = Work.objects.create(title="On Stripes", year=1871)
    quote = quotation(person=person(born=1818, died=1883), work=work, locator="ch. 4")
    assert "Ann Quill (1818–1883). On Stripes, ch. 4 (1871)" in editor.get(change(quote)).content.decode()


def test_the_key_is_set_once(editor: Client) -> None:
    quote = quotation()
    key = quote.key
    save(editor, quote, key="another")
    assert Quote.objects.get(pk=quote.pk).key == key


def test_lists_are_searched_and_filtered(editor: Client) -> None:
    ann = person()
    first = quotation(person=ann)
    second = quotation("Щука плывет.", language="ru", status="disputed", auto_pick=False, published=False)
    third = quotation("Unplaced quokka.", attribution_as_imported="Quill, somewhere")
    assert listed(editor, "?q=quagga") == listed(editor, "?q=ann+quill") == [first]
    assert listed(editor, f"?q={first.key}") == [first]
    assert listed(editor, "?q=щука") == listed(editor, "?language=ru&q=ЩУКА") == [second]
    assert second in listed(editor, "?status__exact=disputed")
    assert listed(editor, "?state=draft") == [second]
    assert second in listed(editor, "?auto_pick__exact=0")
    assert listed(editor, "?attribution=unparsed") == [third]
    assert third not in listed(editor, "?attribution=parts")


def test_what_a_quotation_refers_to_is_found_while_typing(editor: Client) -> None:
    quote = quotation(person=person(), work=Work.objects.create(title="On Stripes", authors="Ann Quill"))
    for field, term, found in [
        ("person", "ann q", "Ann Quill"),
        ("work", "stripes", "On Stripes, Ann Quill"),
        ("quoted_in", "stripes", "On Stripes, Ann Quill"),
        ("true_source", "quagga", str(quote)),
        ("version_of", "quagga", str(quote)),
    ]:
        query = f"?app_label=quotes&model_name=quote&field_name={field}&term={term}"
        results = editor.get(f"/admin/autocomplete/{query}").json()["results"]
        assert [row["text"] for row in results] == [found]


def test_the_list_makes_as_many_queries_for_many_quotations_as_for_few(editor: Client) -> None:
    quotation(person=person(), work=Work.objects.create(title="W"))
    few = count_queries(editor, f"{LIST}?q=quagga")
    for number in range(20):
        quotation(person=person(f"P {number}"), work=Work.objects.create(title=f"W{number}"))
    assert count_queries(editor, f"{LIST}?q=quagga") == few <= 15


def test_a_change_page_makes_as_many_queries_for_much_evidence_as_for_little(editor: Client) -> None:
    def furnish(quote: Quote, count: int) -> None:
        for number in range(count):
            work = Work.objects.create(title=f"{quote.pk}-{number}")
            Check.objects.create(quote=quote, checked_by="A", checked_on="2026-11-02", work=work, place=str(number))
            IndexTerm.objects.create(quote=quote, word=f"word{number}")
            quote.tags.add(f"tag {number}")

    small, large = quotation(), quotation()
    furnish(small, 1)
    furnish(large, 12)
    few = count_queries(editor, change(small))
    assert count_queries(editor, change(large)) == few <= 25


def test_a_change_page_that_refers_to_everything_makes_few_queries(editor: Client) -> None:
    other = quotation(person=person("Bob Quire"))
    work = Work.objects.create(title="W")
    quote = quotation(person=person(), work=work, quoted_in=work, true_source=other, version_of=other)
    assert count_queries(editor, change(quote)) <= 25


def test_an_editor_who_may_only_look_sees_the_page_and_saves_nothing() -> None:
    looker = signed_in("looker", "view_quote")
    quote = quotation()
    page = looker.get(change(quote)).content.decode()
    assert TEXT in page
    assert 'name="_save"' not in page
    assert looker.post(change(quote), {"text": "Gone"}).status_code == 403
