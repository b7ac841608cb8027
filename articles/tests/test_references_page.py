import pytest
from django.test import Client

from articles import citations, markdown
from articles.models import Article, Reference
from articles.tests.test_citing import read_bibtex, read_ris
from rlm_site.tests.html import parse, text_of, with_class

pytestmark = pytest.mark.django_db


def entry(client: Client, key: str) -> dict[str | None, str]:
    """Address -> text of the links in the entry of a work; empty where it is not listed."""
    for item in parse(client.get("/references/")).iter("li"):
        if item.get("id") == key:
            return {link.get("href"): text_of(link) for link in item.iter("a")}
    return {}


def test_every_cited_work_is_listed_with_the_pages_that_cite_it(client: Client) -> None:
    pages = entry(client, "jones-after-the-flood")
    assert pages["/yarle-valley/the-millers/"] == "Yarle Valley - The Millers"


def test_a_work_that_no_page_cites_is_not_listed(client: Client) -> None:
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    assert "On Zorblax" not in text_of(parse(client.get("/references/")))


def test_a_work_appears_with_the_first_page_that_cites_it(client: Client) -> None:
    client.get("/references/")
    Reference.objects.create(key="zorblax-1950", title="On Zorblax", authors="Blax, Zora", year="1950")
    Article.objects.create(title="Zorblax", slug="zorblax", body="It is.[@zorblax-1950]", published=True)
    document = parse(client.get("/references/"))
    assert "Blax, Zora. On Zorblax (1950)." in text_of(document)
    assert "/zorblax/" in entry(client, "zorblax-1950")


def test_every_reference_record_is_cited(client: Client) -> None:
    listed = {item.get("id") for item in parse(client.get("/references/")).iter("li")}
    assert set(Reference.objects.values_list("key", flat=True)) <= listed


def test_no_citation_lacks_its_record() -> None:
    keys = set(Reference.objects.values_list("key", flat=True))
    unknown = {
        (article.slug, cited.key)
        for article in Article.objects.all()
        for cited in markdown.source(article.body).citations
        if cited.key not in keys
    }
    assert unknown == set()


def cite(*works: dict[str, str]) -> None:
    for fields in works:
        Reference.objects.create(**fields)
    keys = "; ".join(f"@{fields['key']}" for fields in works)
    Article.objects.create(title="Zorblax", slug="zorblax", body=f"It is.[{keys}]", published=True)


def groups(client: Client) -> dict[str, list[str | None]]:
    """Heading -> keys of the works of each group, in their order."""
    return {
        str(heading.text): [item.get("id") for item in part.iter("li")]
        for part in with_class(parse(client.get("/references/")), "part")
        if (heading := part.find("h2")) is not None and list(part.iter("li"))
    }


def test_works_stand_in_groups(client: Client) -> None:
    cite({"key": "zorb-memoir", "title": "My Days", "kind": "memoir", "authors": "Blax, Zora"})
    found = groups(client)
    assert list(found) == ["Documents", "Scholarship", "Memoirs", "Press and web"]
    assert found["Documents"] == ["tolby-court-rolls"]
    assert set(found["Scholarship"]) == {"arden-1987", "brandt-1911", "jones-after-the-flood"}
    assert (found["Memoirs"], found["Press and web"]) == (["zorb-memoir"], ["moss-mills"])


def test_every_kind_belongs_to_one_group() -> None:
    kinds = [kind for group in citations.groups() for kind in group.kinds]
    assert sorted(kinds) == sorted(Reference.Kind.values)


def test_works_stand_by_author_and_those_without_one_by_title(client: Client) -> None:
    cite(
        {"key": "m-3", "title": "B", "kind": "memoir", "authors": "Żak, Ann", "year": "1950"},
        {"key": "m-1", "title": "The Aardvark", "kind": "memoir"},
        {"key": "m-2", "title": "“Bread” and Water", "kind": "memoir"},
        {"key": "m-4", "title": "A", "kind": "memoir", "authors": "Zander, Eve", "year": "1951"},
        {"key": "m-5", "title": "A", "kind": "memoir", "authors": "Zander, Eve; Low, Ann", "year": "1940"},
    )
    assert groups(client)["Memoirs"] == ["m-1", "m-2", "m-3", "m-4", "m-5"]


def test_suffixes_and_others_stand_as_they_should(client: Client) -> None:
    cite({"key": "king", "title": "Dreams", "authors": "King, Martin Luther, Jr.; et al.", "year": "1958"})
    text = text_of(parse(client.get("/references/")))
    assert "King, Martin Luther, Jr., et al. Dreams (1958)." in text
    assert "Martin Luther King Jr. et al., Dreams (1958)." in text_of(parse(client.get("/zorblax/")))


@pytest.mark.parametrize("slug", ["all", "documents", "scholarship", "press-and-web"])
def test_a_group_is_exported_with_what_it_lists(client: Client, slug: str) -> None:
    Reference.objects.create(key="zorblax-1950", title="Uncited", kind="document")
    titles = {group.title for group in citations.groups() if slug in {"all", group.slug}}
    listed = [key for heading, keys in groups(client).items() for key in keys if heading in titles]
    in_bibtex, in_ris = client.get(f"/references/{slug}.bib"), client.get(f"/references/{slug}.ris")
    assert in_bibtex["Content-Type"] == "text/x-bibtex; charset=utf-8"
    assert in_ris["Content-Type"] == "application/x-research-info-systems; charset=utf-8"
    assert listed
    assert [entry["key"] for entry in read_bibtex(in_bibtex.content.decode())] == listed
    assert [entry["id"] for entry in read_ris(in_ris.content.decode())] == listed


def test_there_is_no_file_of_a_group_without_works(client: Client) -> None:
    assert client.get("/references/memoirs.bib").status_code == 404
    assert client.get("/references/zorblax.ris").status_code == 404
    Article.objects.update(published=False)
    assert client.get("/references/all.bib").content == b""
    assert client.get("/references/").status_code == 200
