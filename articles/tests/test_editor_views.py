"""Beside the form of an article: checks, preview, and the search for what to link and cite."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Article, QuoteChoice, Reference
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import form_data, signed_in
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"
BASE = "/admin/articles/article"


@pytest.fixture
def editor() -> Client:
    return signed_in()


@pytest.fixture
def millers() -> Article:
    return Article.objects.select_related("parent").get(slug="the-millers")


def change(article: Article) -> str:
    return f"{BASE}/{article.pk}/change/"


def preview(editor: Client, article: Article | None = None, /, **typed: Any) -> Any:
    """Return what the button beside the form shows after these were typed."""
    form = form_data(editor.get(change(article) if article else ADD), **typed)
    response = editor.post(f"{BASE}/{article.pk}/preview/" if article else f"{BASE}/add/preview/", form)
    assert response.status_code == 200
    return response


# Preview


def test_the_preview_is_the_page_with_what_was_typed_and_saves_nothing(
    editor: Client, client: Client, millers: Article
) -> None:
    address = "/yarle-valley/the-millers/"
    before = client.get(address).content
    count = millers.revisions.count()
    body = "A *new* text, see [[Edgar Tarlow]].[@arden-1987, p. 42]"
    page = parse(preview(editor, millers, title="Sun and Bread", body=body, tags="bread"))
    assert text_of(page.find(".//h1")) == "Yarle Valley - Sun and Bread"
    text = text_of(page.find(".//main"))
    assert "A new text, see Edgar Tarlow." in text
    assert ", p. 42." in text
    assert "Famous quotes containing the word" in text
    assert "millers:" not in text
    assert [text_of(link) for link in page.iter("a") if link.get("rel") == "tag"] == ["bread"]
    assert client.get(address).content == before
    assert millers.revisions.count() == count


def test_the_preview_shows_the_quotations_as_the_page_will(editor: Client, client: Client, millers: Article) -> None:
    seen = preview(editor, millers, title="Sun and Bread")
    Article.objects.filter(pk=millers.pk).update(title="Sun and Bread")
    page = client.get("/yarle-valley/the-millers/")

    def block(response: Any) -> list[str]:
        return [text_of(figure) for figure in parse(response).iter("figure")]

    assert block(seen) == block(page) != []


def test_the_preview_begins_with_the_working_copy(editor: Client, millers: Article) -> None:
    content = revisions.content_of(millers) | {"body": "Only drafted.", "tags": ["memory"]}
    revisions.save_draft(millers, content)
    page = editor.get(f"{BASE}/{millers.pk}/preview/").content.decode()
    assert "Only drafted." in page
    assert "/tags/memory/" in page
    assert "/tags/bread/" not in page


def test_a_page_that_was_never_saved_has_a_preview_in_its_place(editor: Client) -> None:
    above = Article.objects.get(slug="yarle-valley")
    first = above.sections.in_reading_order()[0]
    typed = {"title": "A Quagga", "body": "Stripes.", "position": "0", "tags": "bread"}
    page = parse(preview(editor, parent=str(above.pk), **typed))
    assert text_of(page.find(".//h1")) == "Yarle Valley - A Quagga"
    assert {link.get("rel"): text_of(link) for link in page.iter("a")}["next"].endswith(first.title)
    page = parse(preview(editor, title="Quagga", body="A topic of its own."))
    assert text_of(page.find(".//h1")) == "Quagga"
    assert "Read more about" not in text_of(page)
    assert not Article.objects.filter(title__contains="Quagga").exists()


def test_a_new_form_has_a_preview_before_anything_is_typed(editor: Client) -> None:
    above = Article.objects.get(slug="yarle-valley")
    page = editor.get(f"{BASE}/add/preview/?parent={above.pk}")
    assert text_of(parse(page).find(".//h1")) == "Yarle Valley - Untitled"


@pytest.mark.parametrize(
    "typed",
    [
        {"title": ""},
        {"title": "\0"},
        {"tags": 'bread, "open'},
        {"tags": "никогда, " * 30},
        {"slug": "no spaces / at all?"},
        {"position": "-1"},
        {"position": "9" * 40},
        {"parent": "x"},
        {"parent": "999999999"},
        {"parent": "9" * 40},
        {"quotations": "nonsense"},
        {"quote_words": ",,,"},
        {"body": "[[" * 500 + "<script>alert(1)</script>"},
    ],
)
def test_a_form_that_is_not_right_yet_has_a_preview_all_the_same(
    editor: Client, millers: Article, typed: dict[str, str]
) -> None:
    for article in (millers, None):
        shown = preview(editor, article, **({"title": "Quagga", "body": "Stripes."} | typed))
        assert "<script>alert" not in shown.content.decode()


def test_a_section_is_previewed_under_the_topic_it_is_moved_to(editor: Client, millers: Article) -> None:
    other = Article.objects.get(slug="tolby-market")
    page = parse(preview(editor, millers, parent=str(other.pk)))
    assert text_of(page.find(".//h1")) == "Tolby Market - The Millers"


def test_only_the_preview_may_stand_in_a_frame_and_only_in_one_of_this_site(editor: Client, millers: Article) -> None:
    response = editor.get(f"{BASE}/{millers.pk}/preview/")
    policy = response["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'none'" in policy
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "no-store" in response["Cache-Control"]
    assert "noindex" in response["X-Robots-Tag"]
    form = editor.get(change(millers))
    assert "frame-ancestors 'none'" in form["Content-Security-Policy"]
    assert "frame-src 'self'" in form["Content-Security-Policy"]
    assert form["X-Frame-Options"] == "DENY"


def test_without_scripts_a_button_opens_the_preview_and_enter_still_saves(editor: Client, millers: Article) -> None:
    buttons = [field for field in parse(editor.get(change(millers))).iter("input") if field.get("type") == "submit"]
    in_form = [button for button in buttons if button.get("name") or button.get("formaction")]
    assert in_form[0].get("formaction") is None  # what Enter in a field presses
    [button] = [button for button in in_form if button.get("formaction")]
    assert button.get("formaction") == f"{BASE}/{millers.pk}/preview/"
    assert button.get("formtarget") == "_blank"
    new = [field.get("formaction") for field in parse(editor.get(ADD)).iter("input") if field.get("formaction")]
    assert new == [f"{BASE}/add/preview/"]


def test_the_warning_stands_where_the_preview_is_a_page_of_its_own(editor: Client, millers: Article) -> None:
    address = f"{BASE}/{millers.pk}/preview/"
    assert "Do not cite it." in editor.get(address).content.decode()
    assert "Do not cite it." not in editor.get(address, headers={"Sec-Fetch-Dest": "iframe"}).content.decode()


def test_the_preview_makes_as_many_queries_for_much_as_for_little(editor: Client, millers: Article) -> None:
    address = f"{BASE}/{millers.pk}/preview/"

    def queries() -> int:
        queue.process_queue()
        editor.get(address)
        with CaptureQueriesContext(connection) as captured:
            editor.get(address)
        return len(captured)

    Article.objects.filter(pk=millers.pk).update(body="[[Edgar Tarlow]] [@arden-1987]")
    few = queries()
    for number in range(20):
        Reference.objects.create(key=f"zorb-{number}", title=f"Zorb {number}")
        millers.tags.add(f"tag {number}")
        Article.objects.create(title=f"Z{number}", slug=f"z{number}", parent=millers.parent, published=True)
        quote = Quote.objects.create(text=f"Millers number {number}.", published=True, status="reported")
        QuoteChoice.objects.create(article=millers, quote=quote)
    body = " ".join(f"[[Z{number}]] [@zorb-{number}]" for number in range(20))
    Article.objects.filter(pk=millers.pk).update(body=body)
    assert queries() <= few <= 25


# Checks


def test_the_checks_follow_what_is_typed(editor: Client, millers: Article) -> None:
    text = "They ground the corn of the town.[@arden-1987, p. 61]"
    Article.objects.filter(pk=millers.pk).update(summary="Who ground the corn.", body=text)
    page = editor.get(change(millers)).content.decode()
    assert "No problems found." in page
    form = form_data(editor.get(change(millers)), body="[[No Such Page]]")
    answer = editor.post(f"{BASE}/{millers.pk}/checks/", form).content.decode()
    assert "[[No Such Page]]</code>" in answer
    answer = editor.post(f"{BASE}/add/checks/", {"title": "edgar TARLOW", "body": "Text."}).content.decode()
    assert "This page has no citations" in answer
    assert "Edgar Tarlow</code>" in answer


def test_the_checks_are_made_of_the_working_copy(editor: Client, millers: Article) -> None:
    revisions.save_draft(millers, revisions.content_of(millers) | {"body": "[[No Such Page]][@arden-1987]"})
    assert "[[No Such Page]]</code>" in editor.get(change(millers)).content.decode()
    form = editor.get(change(millers))
    refused = editor.post(change(millers), form_data(form, title="", body="[[Nor This One]]")).content.decode()
    assert "[[Nor This One]]</code>" in refused


# What to link and cite


def pages_found(editor: Client, asked: str) -> list[dict[str, str]]:
    results: list[dict[str, str]] = editor.get(f"{BASE}/pages/", {"q": asked}).json()["results"]
    return results


def references_found(editor: Client, asked: str) -> list[dict[str, str]]:
    results: list[dict[str, str]] = editor.get(f"{BASE}/references/", {"q": asked}).json()["results"]
    return results


def test_pages_are_found_by_words_of_their_title_and_linked_by_it(editor: Client) -> None:
    assert pages_found(editor, "edgar t")[0] == {
        "label": "Edgar Tarlow", "detail": "Topic", "text": "[[Edgar Tarlow]]", "target": "Edgar Tarlow",
    }  # fmt: skip
    found = pages_found(editor, "tarlow ledg")
    assert [(row["text"], row["detail"]) for row in found] == [
        ("[[Edgar Tarlow#Ledgers and Maps]]", "Section of Edgar Tarlow")
    ]


def test_what_is_inserted_leads_to_the_page_that_was_chosen(editor: Client, client: Client) -> None:
    Article.objects.create(title="Zorb [1] | #2", slug="zorb-1-2", published=True)
    above = Article.objects.create(title="Щука", slug="shchuka-2", published=True)
    Article.objects.create(title="Щит", slug="shchit", parent=above, published=True)
    texts = [pages_found(editor, asked)[0]["text"] for asked in ("zorb", "ЩУКА", "щит")]
    Article.objects.create(title="Linker", slug="linker", body="\n\n".join(texts), published=True)
    html = client.get("/linker/").content.decode().partition("<article")[2].partition("see-also")[0]
    links = dict(re.findall(r'<a href="([^"]+)">([^<]+)</a>', html))
    assert links["/zorb-1-2/"].split() == ["Zorb", "1", "#2"]
    assert links["/shchuka-2/"] == "Щука"
    assert links["/shchuka-2/shchit/"] == "Щит"


def test_pages_that_readers_cannot_see_are_offered_and_marked(editor: Client) -> None:
    draft = Article.objects.create(title="Quagga One", slug="quagga-one")
    Article.objects.create(title="Quagga Two", slug="quagga-two", parent=draft, published=True)
    later = timezone.now() + timedelta(days=1)
    Article.objects.create(title="Quagga Three", slug="quagga-three", published=True, publish_at=later)
    details = {row["label"]: row["detail"] for row in pages_found(editor, "quagga")}
    assert details == {
        "Quagga One": "Topic · Draft",
        "Quagga Two": "Section of Quagga One · Draft",
        "Quagga Three": "Topic · Scheduled",
    }


def test_references_are_found_by_key_author_and_title(editor: Client) -> None:
    Reference.objects.create(key="lodz-1950", title="Das Ende von Łódź", authors="Żółty, Jan", year="1950")
    for asked in ("lodz-1950", "LODZ", "zolty", "żółty ende", "das ende"):
        assert references_found(editor, asked) == [
            {"label": "Das Ende von Łódź", "detail": "Jan Żółty · 1950 · lodz-1950", "text": "[@lodz-1950, p. ]"}
        ]


@pytest.mark.parametrize("asked", ["", " ", "\0", "zzzz qqqq", "%", "_", "x" * 5000])
def test_nothing_is_found_for_nothing(editor: Client, asked: str) -> None:
    assert pages_found(editor, asked) == references_found(editor, asked) == []


def test_at_most_eight_are_offered_with_a_fixed_number_of_queries(
    editor: Client, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    for number in range(30):
        Article.objects.create(title=f"Quagga {number}", slug=f"quagga-{number}")
        Reference.objects.create(key=f"quagga-{number}", title=f"Quagga {number}")
    for found in (pages_found, references_found):
        found(editor, "quagga")
        with django_assert_max_num_queries(6):  # session and user, permissions, two of the search
            assert len(found(editor, "quagga")) == 8


# Who may


def test_a_lesser_role_gets_none_of_it(millers: Article) -> None:
    looker, author = signed_in("looker", "view_article"), signed_in("author", "view_article", "add_article")
    for address in (f"{millers.pk}/preview/", f"{millers.pk}/checks/"):
        for somebody in (looker, author):
            assert somebody.get(f"{BASE}/{address}").status_code == 403
            assert somebody.post(f"{BASE}/{address}", {"body": "Gone"}).status_code == 403
    for address in ("add/preview/", "add/checks/", "pages/", "references/"):
        assert looker.get(f"{BASE}/{address}").status_code == 403
        assert author.get(f"{BASE}/{address}").status_code == 200
        assert Client(HTTP_HOST="127.0.0.1").get(f"{BASE}/{address}").status_code == 302
    page = looker.get(change(millers)).content.decode()
    assert "<iframe" not in page
    assert "data-toolbar-for" not in page


def test_an_author_writes_with_all_of_it_on_what_they_began(millers: Article) -> None:
    author = signed_in("author", "view_article", "add_article")
    own = Article.objects.create(title="Quagga", slug="quagga", owner=User.objects.get(username="author"))
    assert "Stripes." in author.post(f"{BASE}/{own.pk}/preview/", {"body": "Stripes."}).content.decode()
    assert author.post(f"{BASE}/{own.pk}/checks/", {}).status_code == 200
    assert "<iframe" in author.get(change(own)).content.decode()


def test_what_is_not_there_is_not_found(editor: Client) -> None:
    assert editor.get(f"{BASE}/999999/preview/").status_code == 404
    assert editor.get(f"{BASE}/999999/checks/").status_code == 404
    assert editor.get(f"{BASE}/999999/preview-links/").status_code == 404


# Moving to another topic


def test_a_section_moved_to_another_topic_keeps_what_hangs_on_it(editor: Client, client: Client) -> None:
    old, new = (Article.objects.create(title=name, slug=name.lower(), published=True) for name in ("Okapi", "Gnu"))
    Article.objects.create(title="Horns", slug="horns", parent=new, position=7, published=True)
    body = "Stripes.[@arden-1987, p. 3] And a remark.[^1]\n\n[^1]: Said twice."
    section = Article.objects.create(title="Stripes", slug="stripes", parent=old, position=2, body=body, published=True)
    section.tags.add("bread", "memory")
    pin = Quote.objects.create(text="A quagga has no horns.", published=True, status="reported")
    QuoteChoice.objects.create(article=section, quote=pin, reason="It fits.")
    queue.process_queue()
    assert client.get("/okapi/stripes/").status_code == 200

    response = editor.post(change(section), form_data(editor.get(change(section)), parent=str(new.pk)))
    assert response.status_code == 302
    moved = client.get("/okapi/stripes/")
    assert (moved.status_code, moved["Location"]) == (301, "/gnu/stripes/")
    page = client.get("/gnu/stripes/").content.decode()
    assert "A quagga has no horns." in page
    assert "Said twice." in page
    assert "p. 3" in page
    assert "/tags/memory/" in page
    section.refresh_from_db()
    assert (section.parent, section.position) == (new, 8)
    assert section.quote_choices.get().reason == "It fits."
    newest = section.revisions.order_by("-number")[0]
    assert (newest.act, newest.standing["parent"]) == (Revision.Act.PLACE, new.pk)
    assert "Stripes" not in client.get("/okapi/").content.decode()


def test_a_place_that_was_typed_stands(editor: Client) -> None:
    old, new = (Article.objects.create(title=name, slug=name.lower(), published=True) for name in ("Okapi", "Gnu"))
    Article.objects.create(title="Horns", slug="horns", parent=new, position=7, published=True)
    section = Article.objects.create(title="Stripes", slug="stripes", parent=old, position=2, published=True)
    editor.post(change(section), form_data(editor.get(change(section)), parent=str(new.pk), position="1"))
    assert Article.objects.get(pk=section.pk).position == 1


def test_an_editor_without_the_right_to_publish_moves_no_public_section(millers: Article) -> None:
    someone = signed_in("someone", "view_article", "add_article", "change_article")
    other = Article.objects.get(slug="tolby-market")
    form = form_data(someone.get(change(millers)), parent=str(other.pk), slug="elsewhere", position="0")
    someone.post(change(millers), form)
    after = Article.objects.get(pk=millers.pk)
    assert (after.parent_id, after.slug, after.position) == (millers.parent_id, millers.slug, millers.position)


def test_tags_of_a_preview_are_found_whatever_their_letters(editor: Client, millers: Article) -> None:
    Tag.objects.create(name="Ёлка", slug="elka")
    page = parse(preview(editor, millers, tags="ЕЛКА"))
    assert [text_of(link) for link in page.iter("a") if link.get("rel") == "tag"] == ["Ёлка"]
