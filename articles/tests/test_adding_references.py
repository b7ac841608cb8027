"""A reference that is missing is added beside the text, by authors as proposed, whatever is pasted as DOI or ISBN."""

from typing import Any

import pytest
from django.test import Client

from articles.models import Article, Reference
from rlm_site.tests.editor import count_queries, form_data, group_client, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/references/add/"
NEAR = "/admin/articles/article/references/near/"


def add(client: Client, **typed: str) -> Any:
    values = {f"new-{name}": value for name, value in typed.items()}
    return client.post(ADD, form_data(client.get(ADD), **values))


@pytest.mark.parametrize("group", ["Authors", "Editors", "Publishers"])
def test_whoever_writes_adds_a_reference_and_that_of_an_author_is_proposed(group: str) -> None:
    client = group_client(group)
    answer = add(client, authors="Quill, Ann; Moss, Tim", title="On Stripes", year="1871")
    row = Reference.objects.get(title="On Stripes")
    assert answer["Location"] == f"{ADD}?added={row.pk}"
    assert row.key == "quill-1871"
    assert row.proposed == (group == "Authors")
    said = client.get(answer["Location"]).content.decode()
    assert "[@quill-1871, p. ]" in said


@pytest.mark.parametrize("address", [ADD, NEAR])
def test_nobody_else_adds_one(address: str) -> None:
    assert Client().get(address).status_code == 302
    for other in (signed_in("other", "view_tag"), signed_in("reader", "view_article", "view_reference")):
        assert other.get(address).status_code == 403
        assert other.post(address, {"new-title": "X"}).status_code == 403
    assert not Reference.objects.filter(title="X").exists()


def test_keys_are_proposed_from_author_and_year_and_none_twice() -> None:
    client = signed_in()
    for _time in range(3):
        add(client, authors="Власов, Андрей", title="Письма", year="1942–1945", seen="")
        near = client.post(NEAR, {"new-authors": "Власов, Андрей", "new-year": "1942–1945"}).content.decode()
        assert "Письма" in near
        page = client.post(
            ADD,
            form_data(client.get(ADD), **{"new-authors": "Власов, А.", "new-title": "Письма", "new-year": "1942–1945"}),
        )
        client.post(ADD, form_data(page))
    keys = list(Reference.objects.filter(title="Письма").order_by("pk").values_list("key", flat=True))
    assert keys[:3] == ["vlasov-1942", "vlasov-1942b", "vlasov-1942c"]
    assert Reference(title="The Weirs of the Yarle").proposed_key() == "the-weirs-of"
    assert Reference(title="The Weirs", authors="Moss, Tim").proposed_key() == "moss-the"
    assert Reference(title="Weirs", authors="Archive of the Town of Tolby", year="c. 1800").proposed_key() == (
        "archive-of-the-1800"
    )


def test_a_reference_that_is_there_already_is_shown_before_it_is_added_again() -> None:
    client = group_client("Authors")
    there = Reference.objects.get(key="arden-1987")
    page = add(client, authors="Someone, Else", title="Another", isbn="978 0 00 000000 2", url="https://example.org/")
    assert page.status_code == 200
    text = page.content.decode()
    assert f'data-uses="{there.pk}"' in text
    assert "Is it one of these?" in text
    assert form_data(page)["new-url"] == "https://example.org/"
    assert not Reference.objects.filter(title="Another").exists()
    assert client.post(ADD, form_data(page)).status_code == 302
    assert Reference.objects.filter(title="Another").count() == 1


def test_near_references_are_found_by_doi_isbn_title_and_author_with_year() -> None:
    client = group_client("Authors")
    for typed, key in (
        ({"doi": "https://doi.org/10.0000/SMALL-rivers.4.2.11"}, "jones-after-the-flood"),
        ({"isbn": "0-00-000000-0"}, "arden-1987"),
        ({"title": "mills and millers of the yarle"}, "arden-1987"),
        ({"authors": "ARDEN, C.", "year": "1987"}, "arden-1987"),
    ):
        answer = client.post(NEAR, {f"new-{name}": value for name, value in typed.items()}).content.decode()
        assert f"[@{key}, p. ]" in answer, typed
    assert "one of these" not in client.post(NEAR, {"new-title": "Zorblax", "new-year": "1987"}).content.decode()
    assert client.post(NEAR, {"new-title": "\0" * 3, "new-doi": "x" * 5000}).status_code == 200


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost() -> None:
    client = group_client("Authors")
    page = add(client, title="On Stripes", isbn="978-0-521-30536-6", doi="none", authors="“Q” & <Q>")
    assert set(page.context["form"].errors) == {"isbn", "doi"}
    assert form_data(page)["new-authors"] == "“Q” & <Q>"
    assert form_data(page)["new-isbn"] == "978-0-521-30536-6"
    assert not Reference.objects.filter(title="On Stripes").exists()


def test_the_address_of_a_doi_is_not_doubled_whichever_way_it_came_in(client: Client) -> None:
    pasted = "https://doi.org/10.1093/ehr/cez001"
    editor = signed_in()
    add_page = "/admin/articles/reference/add/"
    isbn = "ISBN-13: 978 0 521 30536 5 "
    typed = {"key": "by-form", "title": "By Form", "doi": pasted, "isbn": isbn}
    assert editor.post(add_page, form_data(editor.get(add_page), **typed)).status_code == 302
    Reference.objects.create(key="by-code", title="By Code", doi=pasted)
    Reference.objects.bulk_create([Reference(key="in-bulk", title="In Bulk", doi=pasted)])
    Reference.objects.filter(key="in-bulk").update(doi=f"doi:{pasted}")
    assert set(Reference.objects.filter(doi__startswith="10.1093").values_list("key", flat=True)) == {
        "by-form", "by-code", "in-bulk",
    }  # fmt: skip
    assert Reference.objects.get(key="by-form").isbn == "978-0-521-30536-5"
    body = "Striped.[@by-form] [@by-code] [@in-bulk]"
    Article.objects.create(title="Quagga", slug="quagga", body=body, published=True)
    text = client.get("/quagga/").content.decode()
    assert text.count('href="https://doi.org/10.1093/ehr/cez001"') >= 3
    assert "doi.org/https" not in text


def test_an_editor_confirms_and_until_then_the_publisher_is_told() -> None:
    author, publisher = group_client("Authors"), group_client("Publishers")
    add(author, authors="Quill, Ann", title="On Stripes", year="1871")
    row = Reference.objects.get(key="quill-1871")
    form = "/admin/articles/article/add/"
    author.post(form, form_data(author.get(form), title="Quagga", summary="It.", body="Striped.[@quill-1871, p. 4]"))
    article = Article.objects.get(title="Quagga")
    told = "This cites a proposed reference. An editor has to confirm it"
    publish = f"/admin/articles/article/{article.pk}/publish/"
    assert told in publisher.get(publish).content.decode()
    assert told in author.get(f"/admin/articles/article/{article.pk}/change/").content.decode()
    assert "proposed" in author.get("/admin/articles/article/references/?q=quill").json()["results"][0]["detail"]
    change = f"/admin/articles/reference/{row.pk}/change/"
    assert author.post(change, {"title": "X"}).status_code == 403
    publisher.post(change, form_data(publisher.get(change), proposed=None))
    row.refresh_from_db()
    assert not row.proposed
    assert told not in publisher.get(publish).content.decode()
    assert transition(publisher, article, "publish").status_code == 302


def test_the_pages_cost_a_fixed_number_of_queries() -> None:
    client = group_client("Authors")
    few = count_queries(client, ADD)
    Reference.objects.bulk_create(Reference(key=f"quill-{number}", title=f"Quill {number}") for number in range(50))
    assert count_queries(client, ADD) == few <= 8
