"""The way around the admin: what every page links to, for whom, and what is only for superusers."""

import re
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from django.contrib.contenttypes.models import ContentType
from django.test import Client

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.history.models import Import, Revision
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import delete, group_client, signed_in
from rlm_site.tests.html import links, parse, text_of, with_class

pytestmark = pytest.mark.django_db

ALL = ["Dashboard", "Articles", "Quotations", "People", "References", "Tags"]
ARTICLES = "/admin/articles/article/"


@pytest.fixture
def editor() -> Client:
    return group_client("Editors")


def navigation(page: Element) -> dict[str, str | None]:
    """Return the links of the header, each with how it is marked."""
    [nav] = with_class(page, "main-navigation")
    return {text_of(link): link.get("aria-current") for link in nav.iter("a")}


def pages() -> dict[str, str]:
    """One page of every kind, with the link of the header that is marked there."""
    article, quote = Article.objects.get(slug="the-millers"), Quote.objects.order_by("pk")[0]
    return {
        "/admin/": "Dashboard",
        ARTICLES: "Articles",
        f"{ARTICLES}{article.pk}/change/": "Articles",
        f"{ARTICLES}{article.pk}/history/": "Articles",
        f"{ARTICLES}add/": "Articles",
        f"/admin/quotes/quote/{quote.pk}/change/": "Quotations",
        "/admin/rlm_site/tag/?q=bread": "Tags",
        "/admin/quotes/person/add/": "People",
        "/admin/search/?q=bread": "",
        "/admin/password_change/": "",
        "/admin/quotes/work/": "",
    }


def test_every_page_has_the_navigation_and_marks_where_one_is(editor: Client) -> None:
    for address, current in pages().items():
        found = navigation(parse(editor.get(address)))
        assert list(found) == ALL, address
        assert [name for name, mark in found.items() if mark] == ([current] if current else []), address


def test_who_may_not_see_a_kind_has_no_link_to_it() -> None:
    assert list(navigation(parse(signed_in("quinn", "view_quote").get("/admin/")))) == ["Dashboard", "Quotations"]
    assert list(navigation(parse(signed_in("wanda", "add_article").get("/admin/")))) == ["Dashboard", "Articles"]
    assert list(navigation(parse(signed_in("uma", "view_user").get("/admin/")))) == ["Dashboard"]
    for address in ("/admin/login/", "/admin/password_reset/"):
        assert not with_class(parse(Client(HTTP_HOST="127.0.0.1").get(address)), "main-navigation")


@pytest.mark.parametrize(
    ("client_of", "names"),
    [
        (lambda: group_client("Authors"), ["New article", "New quotation"]),
        (lambda: signed_in("quinn", "add_quote"), ["New quotation"]),
        (lambda: signed_in("rita", "view_article", "view_quote"), []),
    ],
)
def test_the_dashboard_begins_what_one_may_write(client_of: Any, names: list[str]) -> None:
    page = parse(client_of().get("/admin/"))
    found = [link for box in with_class(page, "new-records") for link in box.iter("a")]
    assert [text_of(link) for link in found] == names
    assert all(str(link.get("href")).endswith("/add/") for link in found)


# Nothing of the workshop


def test_breadcrumbs_name_records_and_never_apps(editor: Client) -> None:
    article = Article.objects.get(slug="the-millers")
    expected = {
        ARTICLES: "",
        f"{ARTICLES}add/": "Articles › Add article",
        f"{ARTICLES}{article.pk}/change/": "Articles › Yarle Valley - The Millers",
        f"{ARTICLES}{article.pk}/history/compare/?from=1&to=1": None,
        "/admin/search/?q=bread": "",
    }
    for address, words in expected.items():
        response = editor.get(address)
        crumbs = with_class(parse(response), "breadcrumbs")
        if words is not None:
            assert [text_of(each) for each in crumbs] == ([words] if words else []), address
        for each in crumbs:
            assert "/admin/articles/" not in [link.get("href") for link in each.iter("a")]
    assert text_of(with_class(parse(editor.get(f"{ARTICLES}{article.pk}/history/")), "breadcrumbs")[0]).startswith(
        "Articles › Yarle Valley - The Millers › "
    )


WORKSHOP = re.compile(r"\baxes\b|access attempt|access log|sha-256|object id|content type|>addresses<", re.IGNORECASE)


@pytest.mark.parametrize("group", ["Authors", "Editors", "Publishers"])
def test_members_see_nothing_of_the_workshop(group: str) -> None:
    member = group_client(group)
    record = Import.objects.create(name="zoo.csv", digest="ab12" * 16, model=_content_type(Quote))
    version = Revision.objects.order_by("pk")[0]
    addresses = [
        "/admin/", ARTICLES, "/admin/rlm_site/revision/", f"/admin/rlm_site/revision/{version.pk}/change/",
        "/admin/rlm_site/import/", f"/admin/rlm_site/import/{record.pk}/change/", "/admin/rlm_site/deletion/",
    ]  # fmt: skip
    seen = 0
    for address in addresses:
        response = member.get(address)
        if response.status_code == 403:
            continue
        seen += 1
        page = response.content.decode()
        assert not WORKSHOP.search(page), (address, WORKSHOP.search(page))
        assert record.digest[:12] not in page
        assert str(version) not in page
    assert seen >= 4
    titles = [group.title for group in member.get("/admin/").context["groups"]]
    assert titles == (["Content", "History", "Administration"] if group == "Publishers" else ["Content", "History"])


def _content_type(model: Any) -> Any:
    return ContentType.objects.get_for_model(model)


def test_a_superuser_reaches_everything_under_administration() -> None:
    root = signed_in("root")
    groups = {
        group.title: [entry.address for entry in group.entries] for group in root.get("/admin/").context["groups"]
    }
    assert {"/admin/axes/accessattempt/", "/admin/auth/user/", "/admin/auth/group/", "/admin/rlm_site/address/"} <= {
        *groups["Administration"]
    }
    assert [
        address for addresses in groups.values() for address in addresses if root.get(address).status_code != 200
    ] == []


# Lists


def test_titles_in_lists_open_the_form_and_public_ones_their_page(editor: Client) -> None:
    public, draft = Article.objects.get(slug="the-millers"), Article.objects.create(title="Quagga", slug="quagga")
    for row in (public, draft):
        page = parse(editor.get(ARTICLES, {"q": row.title}))
        shown = links(page)
        form = next(address for address in shown if address.startswith(f"{ARTICLES}{row.pk}/change/"))
        assert shown[form] == row.title
        assert (row.get_absolute_url() in shown) is (row == public)
    section = Article.objects.create(title="Zebra", slug="zebra", parent=draft, published=True)
    assert section.get_absolute_url() not in links(parse(editor.get(f"{ARTICLES}?q=zebra")))


def test_all_changes_lead_to_the_forms_of_what_is_there() -> None:
    root = signed_in("root")
    article = Article.objects.get(slug="the-ferry")
    revisions = "/admin/rlm_site/revision/?all="
    assert links(parse(root.get(revisions)))[f"{ARTICLES}{article.pk}/change/"] == "The Ferry"
    delete(root, article)
    shown = links(parse(root.get(revisions)))
    assert f"{ARTICLES}{article.pk}/change/" not in shown
    assert text_of(parse(root.get(revisions)).find(".//h1")) == "All changes"


def test_dates_have_one_form_everywhere() -> None:
    root = signed_in("root")
    Person.objects.filter(slug="lena-sommer").update(living_checked_on="2026-11-29")
    delete(root, Tag.objects.create(name="quagga"))
    Import.objects.create(name="zoo.csv", digest="ab12" * 16, model=_content_type(Quote))
    pages = [
        ARTICLES, "/admin/", "/admin/auth/user/", "/admin/rlm_site/import/", "/admin/rlm_site/deletion/",
        "/admin/rlm_site/revision/", "/admin/axes/accessattempt/",
    ]  # fmt: skip
    for address in pages:
        page = root.get(address).content.decode()
        assert not re.search(r"\b[ap]\.m\.|noon<|midnight<|\b[A-Z][a-z]+\.? \d{1,2}, \d{4}", page), address
