"""Entries at the editors' desk: kind, summary, other names and facts, drafted and reviewed like the text."""

import re
from typing import Any

import pytest
from django.test import Client

from articles.models import Article, Group
from rlm_site.history import revisions
from rlm_site.tests.editor import form_data, group_client, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/change/"


def rows(name: str, *typed: dict[str, str]) -> dict[str, str]:
    return {f"{name}-{number}-{column}": text for number, row in enumerate(typed) for column, text in row.items()}


def entry(**fields: Any) -> Article:
    values = {"title": "Quagga", "slug": "quagga", "published": True, "kind": "person", "summary": "A miller."}
    return Article.objects.create(**{**values, **fields})


def fact(name: str, value: str, detail: str = "", source: str = "") -> dict[str, str]:
    return {"fact": name, "value": value, "detail": detail, "source": source}


def alias(name: str, language: str = "") -> dict[str, str]:
    return {"name": name, "language": language, "note": ""}


def test_an_entry_is_created_with_its_names_and_facts(editor: Client) -> None:
    typed = rows("aliases", alias("Квагга", "ru")) | rows("facts", fact("born", "1901-09-14", "Upper Yarle"))
    data = form_data(editor.get(ADD), title="Quagga", kind="person", summary="A miller.", **typed)
    assert editor.post(ADD, data).status_code == 302
    made = Article.objects.get(slug="quagga")
    assert (made.kind, made.summary) == ("person", "A miller.")
    assert made.aliases == [alias("Квагга", "ru")]
    assert made.facts == [fact("born", "1901-09-14", "Upper Yarle")]
    assert made.original_name == alias("Квагга", "ru")


def test_a_new_page_needs_a_summary_and_an_old_one_does_not(editor: Client) -> None:
    response = editor.post(ADD, form_data(editor.get(ADD), title="Quagga"))
    assert list(response.context["adminform"].form.errors) == ["summary"]
    old = entry(summary="")
    assert editor.post(change(old), form_data(editor.get(change(old)), body="Mended.")).status_code == 302
    warnings = [str(warning.what) for warning in editor.get(change(old)).context["content_warnings"]]
    assert any("has no summary" in warning for warning in warnings)


def test_a_wrong_row_is_named_and_nothing_typed_is_lost(editor: Client) -> None:
    old = entry()
    typed = rows("facts", fact("born", "1901"), fact("strength", "3 <men>", "all", "him"))
    response = editor.post(change(old), form_data(editor.get(change(old)), **typed))
    assert response.status_code == 200
    [told] = response.context["adminform"].form.errors["facts"]
    assert told.startswith("Row 2: “Strength” is not a fact of this kind of page.")
    shown = form_data(response)
    assert [shown[f"facts-1-{name}"] for name in ("fact", "detail", "source")] == ["strength", "all", "him"]
    assert "3 &lt;men&gt;" in response.content.decode()
    assert not old.revisions.filter(state="draft").exists()


def test_a_kind_is_changed_with_its_facts(editor: Client) -> None:
    old = entry(facts=[fact("born", "1901")])
    response = editor.post(change(old), form_data(editor.get(change(old)), kind="formation"))
    assert "“Born” is not a fact of this kind" in str(response.context["adminform"].form.errors["facts"])
    typed = {"kind": "formation", **rows("facts", fact("founded", "1941"))}
    assert editor.post(change(old), form_data(editor.get(change(old)), **typed)).status_code == 302
    old.refresh_from_db()
    assert old.kind == "person"  # readers see it when it is published
    transition(editor, old, "publish", kind="revision")
    old.refresh_from_db()
    assert (old.kind, old.facts) == ("formation", [fact("founded", "1941")])


def test_drafted_names_lead_nowhere_before_they_are_published(editor: Client, client: Client) -> None:
    old = entry(aliases=[alias("Okapi")])
    editor.post(change(old), form_data(editor.get(change(old)), **rows("aliases", alias("Gnu"))))
    assert client.get("/gnu/").status_code == 404
    assert client.get("/okapi/").status_code == 301
    transition(editor, old, "publish", kind="revision")
    assert client.get("/gnu/").status_code == 301
    assert client.get("/okapi/").status_code == 404


def test_an_old_version_is_restored_with_its_names(editor: Client) -> None:
    old = entry(aliases=[alias("Okapi")], facts=[fact("born", "1901")])
    editor.post(
        change(old),
        form_data(
            editor.get(change(old)),
            **rows("aliases", alias("Gnu")),
            kind="subject",
            **{"facts-0-fact": "", "facts-0-value": ""},
        ),
    )
    transition(editor, old, "publish", kind="revision")
    first = old.revisions.order_by("number")[0]
    address = f"/admin/articles/article/{old.pk}/history/{first.number}/restore/"
    page = editor.get(address)
    html = page.content.decode()
    assert "Okapi" in html
    assert "Born · 1901" in html
    assert editor.post(address, form_data(page)).status_code == 302
    shown = form_data(editor.get(change(old)))
    assert (shown["aliases-0-name"], shown["facts-0-fact"], shown["kind"]) == ("Okapi", "born", "person")
    transition(editor, old, "publish", kind="correction", note="Mended.")
    old.refresh_from_db()
    assert (old.aliases, old.facts, old.kind) == ([alias("Okapi")], [fact("born", "1901")], "person")


def test_two_editors_of_different_facts_are_merged(editor: Client) -> None:
    old = entry(facts=[fact("born", "1901"), fact("died", "1946")])
    other = signed_in("other")
    mine, theirs = editor.get(change(old)), other.get(change(old))
    other.post(change(old), form_data(theirs, **{"facts-1-detail": "Mill Lane"}))
    response = editor.post(change(old), form_data(mine, **{"facts-0-value": "1902"}))
    assert response.status_code == 409
    html = response.content.decode()
    assert re.search(r"Died · 1946<ins>.{0,60} · Mill Lane</ins>", html)
    assert editor.post(change(old), form_data(response)).status_code == 302
    copy = revisions.working_copy(old)
    assert copy is not None
    assert copy.content["facts"] == [fact("born", "1902"), fact("died", "1946", "Mill Lane")]


def test_two_editors_of_one_fact_choose(editor: Client) -> None:
    old = entry(facts=[fact("born", "1901")])
    other = signed_in("other")
    mine, theirs = editor.get(change(old)), other.get(change(old))
    other.post(change(old), form_data(theirs, **{"facts-0-value": "1903"}))
    response = editor.post(change(old), form_data(mine, **{"facts-0-value": "1902"}))
    html = response.content.decode()
    assert response.status_code == 409
    assert "1902" in html
    assert "1903" in html
    assert form_data(response)["facts-0-value"] == "1902"
    assert editor.post(change(old), form_data(response, **{"choice-1": "theirs"})).status_code == 302
    copy = revisions.working_copy(old)
    assert copy is not None
    assert copy.content["facts"] == [fact("born", "1903")]


def test_versions_are_compared_row_by_row(editor: Client) -> None:
    old = entry(facts=[fact("born", "1901"), fact("died", "1946")])
    editor.post(change(old), form_data(editor.get(change(old)), **{"facts-0-value": "1902", "summary": "A mother."}))
    html = editor.get(f"/admin/articles/article/{old.pk}/history/compare/").content.decode()
    assert re.search(r"Born · .{0,60}1902", html, re.DOTALL)
    assert "mother" in html


@pytest.mark.parametrize("role", ["Authors", "Editors"])
def test_only_publishers_move_a_public_page_to_another_group(role: str) -> None:
    group = Group.objects.create(title="Mills")
    old = entry()
    client = group_client(role)
    page = client.get(change(old))
    if page.status_code == 200:
        client.post(change(old), form_data(page, group=str(group.pk)))
    old.refresh_from_db()
    assert old.group is None
    publisher = group_client("Publishers")
    publisher.post(change(old), form_data(publisher.get(change(old)), group=str(group.pk)))
    old.refresh_from_db()
    assert old.group == group


@pytest.mark.parametrize(("role", "status"), [("Authors", 403), ("Editors", 403), ("Publishers", 200)])
def test_publishers_keep_the_groups(role: str, status: int) -> None:
    client = group_client(role)
    assert client.get("/admin/articles/group/add/").status_code == status
    assert client.get("/admin/articles/group/").status_code == 200


@pytest.mark.parametrize("slug", ["all", "versions"])
def test_addresses_below_a_topic_that_the_site_needs_are_reserved(editor: Client, slug: str) -> None:
    topic = entry()
    typed = {"title": "Quagga", "summary": "It.", "parent": str(topic.pk), "slug": slug}
    response = editor.post(ADD, form_data(editor.get(f"{ADD}?parent={topic.pk}"), **typed))
    [told] = response.context["adminform"].form.errors["slug"]
    assert f"such as “{slug}-section”" in told
    made = Article(title=slug.title(), parent=topic)
    made.full_clean()
    assert made.slug == f"{slug}-2"


def test_links_and_citations_of_facts_are_checked(editor: Client) -> None:
    old = entry(facts=[fact("role", "[[Nobody]]", source="[@nobody-1900, p. 3]")])
    warnings = {(str(told), where) for told, where in editor.get(change(old)).context["content_warnings"]}
    assert ("The linked page does not exist", "[[Nobody]]") in warnings
    assert ("The cited work is not among the references", "@nobody-1900") in warnings
