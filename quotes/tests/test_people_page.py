import pytest
from django.test import Client

from quotes.models import Person, Quote
from rlm_site.tests.html import links, parse, text_of

pytestmark = pytest.mark.django_db


def test_people_stand_under_the_first_letter_of_their_sort_name(client: Client) -> None:
    sommer = Person.objects.get(slug="lena-sommer")
    assert sommer.sort_name.startswith("Sommer")
    letters = dict(client.get("/quotes/people/").context["letters"])
    assert sommer in letters["S"]
    assert list(letters) == sorted(letters)


def test_accents_and_case_do_not_make_a_letter_of_their_own(client: Client) -> None:
    for name in ("Éva Zorb", "Eva Zorb", "eva zorb"):
        person = Person.objects.create(name=name, sort_name=name, slug=f"p{Person.objects.count()}")
        Quote.objects.create(text="A zorblax.", person=person, status="reported", published=True)
    response = client.get("/quotes/people/")
    letters = [letter for letter, _people in response.context["letters"]]
    assert len(letters) == len(set(letters))
    parse(response)


def test_each_is_linked_with_dates_and_number_of_quotations(client: Client) -> None:
    document = parse(client.get("/quotes/people/"))
    assert links(document)["/quotes/people/lena-sommer/"] == "Lena Sommer"
    [item] = [li for li in document.iter("li") if "Lena Sommer" in text_of(li)]
    assert "1933–2004" in text_of(item)
    person = Person.objects.get(slug="lena-sommer")
    assert {p.pk: p.quote_count for _letter, group in client.get("/quotes/people/").context["letters"] for p in group}[
        person.pk
    ] == Quote.objects.filter(person=person).count()


def test_nobody_without_a_public_quotation_is_listed(client: Client) -> None:
    Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax")
    assert "/quotes/people/zora-blax/" not in links(parse(client.get("/quotes/people/")))
    assert client.get("/quotes/people/zora-blax/").status_code == 404


def test_somebody_who_said_only_what_is_not_theirs_is_not_listed(client: Client) -> None:
    person = Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax")
    Quote.objects.create(text="A zorblax.", person=person, status="misattributed", published=True)
    assert "/quotes/people/zora-blax/" not in links(parse(client.get("/quotes/people/")))


def test_misattributed_quotations_do_not_count(client: Client) -> None:
    person = Person.objects.create(name="Zora Blax", sort_name="Blax, Zora", slug="zora-blax")
    for status in ("misattributed", "reported", "disputed"):
        Quote.objects.create(text=f"A {status} zorblax.", person=person, status=status, published=True)
    [listed] = [
        p for _letter, group in client.get("/quotes/people/").context["letters"] for p in group if p.slug == "zora-blax"
    ]
    assert listed.quote_count == 2
