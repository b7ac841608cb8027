"""Topics and sections at the editors' desk."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article, QuoteChoice
from quotes.models import Person, Quote
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, delete, delete_selected, form_data, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"
LIST = "/admin/articles/article/"


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(article: Article) -> str:
    return f"/admin/articles/article/{article.pk}/change/"


def add(editor: Client, **typed: Any) -> Any:
    return editor.post(ADD, form_data(editor.get(ADD), **{"summary": "An animal.", **typed}))


def save(editor: Client, article: Article, **typed: Any) -> Any:
    return editor.post(change(article), form_data(editor.get(change(article)), **typed))


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 200
    return {name: list(messages) for name, messages in response.context["adminform"].form.errors.items()}


def topic(title: str = "Quagga", **fields: Any) -> Article:
    return Article.objects.create(**{"title": title, "slug": title.lower(), "published": True, **fields})


# Create, edit, delete


def test_readers_see_a_topic_from_its_publication_to_its_deletion(editor: Client, client: Client) -> None:
    assert add(editor, title="Quagga", body="It had stripes.").status_code == 302
    quagga = Article.objects.get(slug="quagga")
    assert client.get("/quagga/").status_code == 404
    transition(editor, quagga, "publish")
    assert "It had stripes." in client.get("/quagga/").content.decode()
    save(editor, quagga, body="It had *few* stripes.")
    assert "It had stripes." in client.get("/quagga/").content.decode()
    transition(editor, quagga, "publish")
    assert "It had <em>few</em> stripes." in client.get("/quagga/").content.decode()
    delete(editor, quagga)
    assert client.get("/quagga/").status_code == 410
    assert not Article.objects.filter(pk=quagga.pk).exists()


def test_a_section_is_added_from_its_topic_at_the_end(editor: Client, client: Client) -> None:
    above = Article.objects.get(slug="yarle-valley", parent=None)
    last = max(above.sections.values_list("position", flat=True))
    page = editor.get(change(above)).content.decode()
    assert f'href="{ADD}?parent={above.pk}"' in page
    form = form_data(editor.get(f"{ADD}?parent={above.pk}"), title="A Quagga", summary="An animal.", body="Stripes.")
    assert form["position"] == str(last + 1)
    editor.post(ADD, form)
    transition(editor, Article.objects.get(slug="a-quagga"), "publish")
    assert client.get("/yarle-valley/a-quagga/").status_code == 200
    assert "A Quagga" in client.get("/yarle-valley/").content.decode()


def test_only_topics_are_offered_as_the_topic_of_a_section(editor: Client) -> None:
    topic("Quagga", parent=topic("Quaggas"))
    found = editor.get(
        "/admin/autocomplete/?app_label=articles&model_name=article&field_name=parent&term=quagga"
    ).json()
    assert [row["text"] for row in found["results"]] == ["Quaggas"]


def test_the_slug_is_made_of_a_title_in_any_letters(editor: Client, client: Client) -> None:
    add(editor, title="Щука и война", body="Text.")
    transition(editor, Article.objects.get(title="Щука и война"), "publish")
    assert client.get("/shchuka-i-voina/").status_code == 200


def test_a_new_slug_leaves_the_old_address_leading_to_it(editor: Client, client: Client) -> None:
    quagga = topic()
    queue.process_queue()
    save(editor, quagga, slug="plains-zebra")
    assert client.get("/quagga/", follow=False)["Location"] == "/plains-zebra/"


def test_text_is_stored_with_the_line_ends_it_was_written_with(editor: Client) -> None:
    add(editor, title="Quagga", body="One.\r\n\r\nTwo.")
    assert Article.objects.get(slug="quagga").body == "One.\n\nTwo."


def test_several_pages_are_deleted_from_the_list(editor: Client, client: Client) -> None:
    rows = [topic("Quagga"), topic("Quokka")]
    topic("Stripes", parent=rows[0])
    queue.process_queue()
    assert client.get("/quagga/stripes/").status_code == 200
    delete_selected(editor, *rows)
    assert client.get("/quagga/").status_code == client.get("/quagga/stripes/").status_code == 410


def test_a_pin_shows_its_quotation_on_the_next_request(editor: Client, client: Client) -> None:
    quagga = topic()
    quote = Quote.objects.create(text="Zebras are horses that a quagga outran.", published=True, status="disputed")
    queue.process_queue()
    assert "outran" not in client.get("/quagga/").content.decode()
    editor.post(f"/admin/articles/article/{quagga.pk}/quotations/", {"action": "pin", "quote": str(quote.pk)})
    assert "outran" in client.get("/quagga/").content.decode()


# Tags


def test_free_software_is_one_tag_and_stays_without_quotes(editor: Client, client: Client) -> None:
    add(editor, title="Quagga", body="Text.", tags="free software, bread")
    quagga = Article.objects.get(slug="quagga")
    transition(editor, quagga, "publish")
    for _again in range(2):
        page = editor.get(change(quagga))
        assert form_data(page)["tags"] == "bread, free software"
        editor.post(change(quagga), form_data(page, body=f"{quagga.body} More."))
        transition(editor, quagga, "publish")
        assert sorted(quagga.tags.names()) == ["bread", "free software"]
    assert Tag.objects.filter(folded__contains="software").count() == 1
    assert "Quagga" in client.get("/tags/free-software/").content.decode()


def test_tags_that_differ_in_capitals_are_one(editor: Client) -> None:
    add(editor, title="Quagga", tags="Щука, щука")
    add(editor, title="Quokka", tags="ЩУКА")
    assert list(Tag.objects.filter(folded="щука").values_list("name", flat=True)) == ["Щука"]
    assert Tag.objects.get(folded="щука").taggedarticle_items.count() == 2


# What is refused


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"slug": "edgar-tarlow"}, "slug", "Another topic has this slug."),
        ({"slug": "search"}, "slug", "reserved for the site itself"),
        ({"slug": "no spaces"}, "slug", "valid “slug”"),
        ({"title": ""}, "title", "required"),
        ({"tags": 'bread, "open'}, "tags", "closing quotation mark"),
        ({"tags": "x" * 101}, "tags", "too long"),
        ({"tags": "bread, !"}, "tags", "at least one letter"),
        ({"position": "-1"}, "position", "greater than"),
        ({"parent": "999999"}, "parent", "valid choice"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    editor: Client, typed: dict[str, str], field: str, words: str
) -> None:
    before = Article.objects.count(), Tag.objects.count(), Revision.objects.count()
    body = "Every character: “ ” & < > \\ \t… [[Щука]]"
    response = add(editor, **{"title": "Quagga", "body": body, "change_comment": "A note & more", **typed})
    assert list(errors(response)) == [field]
    assert words in errors(response)[field][0]
    again = form_data(response)
    assert again["body"] == body
    assert again["change_comment"] == "A note & more"
    assert typed.items() <= again.items() or field == "parent"
    assert (Article.objects.count(), Tag.objects.count(), Revision.objects.count()) == before
    assert 'class="error-summary"' in response.content.decode()


def test_a_slug_that_another_section_has_is_refused_on_change(editor: Client, client: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    other = Article.objects.filter(parent=section.parent).exclude(pk=section.pk)[0]
    response = save(editor, section, slug=other.slug, body="Gone?")
    assert errors(response) == {"slug": ["Another section of the topic has this slug."]}
    assert "Gone?" not in client.get("/yarle-valley/the-millers/").content.decode()


def test_a_topic_with_sections_does_not_become_a_section(editor: Client) -> None:
    above, other = topic("Quagga"), topic("Quokka")
    topic("Stripes", parent=above)
    assert list(errors(save(editor, above, parent=str(other.pk)))) == ["parent"]


# History


def test_a_publication_is_recorded_with_what_readers_and_editors_are_told(editor: Client, client: Client) -> None:
    quagga = topic(body="First.")
    queue.process_queue()
    save(editor, quagga, body="Second.", tags="bread", change_comment="See the museum's list.")
    told = {"kind": "correction", "note": "Stripes counted again.", "comment": "Read twice."}
    assert "Stripes counted again." not in client.get("/changes/").content.decode()
    transition(editor, quagga, "publish", **told)
    newest, draft, _first = quagga.revisions.order_by("-number")
    assert (draft.state, draft.comment, draft.content["body"]) == ("draft", "See the museum's list.", "Second.")
    assert (newest.number, newest.state, newest.kind, str(newest.author)) == (3, "published", "correction", "editor")
    assert (newest.note, newest.comment) == ("Stripes counted again.", "Read twice.")
    assert newest.content["tags"] == ["bread"]
    assert "Stripes counted again." in client.get("/changes/").content.decode()


def test_an_unchanged_save_leaves_no_trace(editor: Client) -> None:
    section = Article.objects.get(slug="the-millers")
    before = Article.objects.filter(pk=section.pk).values().get(), section.revisions.count()
    assert save(editor, section).status_code == 302
    assert (Article.objects.filter(pk=section.pk).values().get(), section.revisions.count()) == before


def test_the_first_publication_is_recorded_once_and_is_new_to_readers(editor: Client) -> None:
    add(editor, title="Quagga", body="Text.")
    quagga = Article.objects.get(slug="quagga")
    transition(editor, quagga, "publish")
    save(editor, quagga, body="Other text.")
    transition(editor, quagga, "publish", kind="none")
    recorded = quagga.revisions.order_by("number").values_list("state", "kind")
    assert list(recorded) == [
        ("draft", "none"),
        ("published", "new"),
        ("draft", "none"),
        ("published", "none"),
    ]


def test_a_scheduled_page_is_news_on_the_day_it_appears(editor: Client) -> None:
    later = timezone.now().replace(microsecond=0, second=0) + timedelta(days=3)
    when = {"publish_at_0": f"{later:%Y-%m-%d}", "publish_at_1": f"{later:%H:%M}"}
    add(editor, title="Quagga", body="Text.")
    quagga = Article.objects.get(slug="quagga")
    transition(editor, quagga, "publish", **when)
    assert quagga.revisions.get(state="published").created == later


def test_the_text_before_the_first_edit_here_is_kept(editor: Client) -> None:
    quagga = topic(body="As it was.", published=False)
    save(editor, quagga, body="As it is.")
    assert [row.content["body"] for row in quagga.revisions.order_by("number")] == [
        "As it was.",
        "As it is.",
    ]


# What the pages of the desk show


def test_loose_ends_and_length_are_shown_beside_the_text(editor: Client) -> None:
    quagga = topic(body="See [[No Such Page]], [[Edgar Tarlow]] and a book.[@no-such-key, p. 4]")
    page = editor.get(change(quagga)).content.decode()
    assert "[[No Such Page]]</code>" in page
    assert "[[Edgar Tarlow]]</code>" not in page
    assert "@no-such-key</code>" in page
    assert ">9 words</output>" in page


@pytest.mark.parametrize(
    ("fields", "word", "sentence"),
    [
        ({"published": False}, "Draft", "Readers cannot see it."),
        ({"publish_at": timedelta(days=1)}, "Scheduled", "Readers will see it from"),
        ({}, "Published", "Readers can see it."),
        ({"retire_at": timedelta(days=1)}, "Published", "Readers can see it until"),
        ({"retire_at": timedelta(days=-1)}, "Unpublished", "readers have been told that it was withdrawn"),
    ],
)
def test_the_state_is_said_in_words(editor: Client, fields: dict[str, Any], word: str, sentence: str) -> None:
    now = timezone.now()
    times: dict[str, Any] = {
        name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()
    }
    quagga = topic(**times)
    page = editor.get(change(quagga)).content.decode()
    assert f">{word}</span> " in page
    assert sentence in page
    state = {"Unpublished": "retired"}.get(word, word.lower())
    assert [row.pk for row in listed(editor, f"?q=quagga&state={state}")] == [quagga.pk]
    others = {"draft", "scheduled", "published", "retired"} - {state}
    assert not any(listed(editor, f"?q=quagga&state={other}") for other in others)


def test_a_public_section_of_a_draft_topic_is_said_to_be_hidden(editor: Client) -> None:
    section = topic("Stripes", parent=topic(published=False))
    page = editor.get(change(section)).content.decode()
    assert "Readers cannot see it: its topic is not public." in page
    assert "View on site" not in page


def listed(editor: Client, query: str) -> list[Article]:
    return list(editor.get(f"{LIST}{query}").context["cl"].result_list)


def test_lists_are_searched_and_filtered(editor: Client) -> None:
    above = topic("Quagga", body="It ran.")
    section = topic("Щука и щит", slug="shchuka", parent=above, quotations="none")
    assert listed(editor, "?q=quagga") == [above]
    assert listed(editor, "?q=ЩУКА") == listed(editor, "?q=щука") == [section]
    assert listed(editor, f"?parent__id__exact={above.pk}") == [section]
    assert listed(editor, f"?parent__id__exact={above.pk}&place=topic") == []
    assert section in listed(editor, "?quotations__exact=none&place=section&all=")
    assert "Nothing matches." in editor.get(f"{LIST}?q=zzzz").content.decode()


def test_a_list_shows_each_topic_before_its_sections(editor: Client) -> None:
    above = topic("Quagga", position=9)
    sections = [topic(title, parent=above, position=place) for place, title in enumerate(["Zeal", "Art"], 1)]
    rows = [row for row in listed(editor, "?all=") if row.topic == above]
    assert rows == [above, *sections]


@pytest.mark.parametrize(
    "query", ["?parent__id__exact=x", "?state=nonsense", "?q=%00", "?p=999", "?o=99", "?nonsense=1"]
)
def test_nonsense_in_the_address_of_a_list_is_no_error(editor: Client, query: str) -> None:
    assert editor.get(f"{LIST}{query}", follow=True).status_code == 200


def test_a_page_that_is_not_there_leads_back_to_the_desk(editor: Client) -> None:
    response = editor.get("/admin/articles/article/999999/change/", follow=True)
    assert "It may have been deleted." in response.content.decode()


# Queries


def test_the_list_makes_as_many_queries_for_many_pages_as_for_few(editor: Client) -> None:
    topic("Quagga 1", slug="quagga-1").tags.add("bread", "memory")
    few = count_queries(editor, f"{LIST}?q=quagga")
    above = topic("Quagga 2", slug="quagga-2")
    for number in range(20):
        topic(f"Quagga {number}", slug=f"q-{number}", parent=above).tags.add("bread", f"tag {number}")
    assert count_queries(editor, f"{LIST}?q=quagga") == few <= 15


def test_a_change_page_makes_as_many_queries_for_many_sections_and_pins_as_for_few(editor: Client) -> None:
    def furnish(article: Article, count: int) -> None:
        for number in range(count):
            topic(f"Part {number}", slug=f"part-{number}", parent=article)
            person = Person.objects.create(name=f"P{number}", slug=f"p{article.pk}-{number}")
            quote = Quote.objects.create(text=f"Quote {number}", person=person)
            QuoteChoice.objects.create(article=article, quote=quote)
            article.tags.add(f"tag {number}")

    small, large = topic("Quagga", body="[[A]] [@b]"), topic("Quokka", body="[[A]] [[C]] [@b] [@d]")
    furnish(small, 1)
    furnish(large, 12)
    few = count_queries(editor, change(small))
    assert count_queries(editor, change(large)) == few <= 31


def test_the_question_before_a_deletion_makes_as_many_queries_for_many_sections_as_for_few(
    editor: Client,
) -> None:
    above = topic()
    address = f"/admin/articles/article/{above.pk}/delete/"
    topic("Part", slug="part", parent=above).tags.add("bread")
    few = count_queries(editor, address)
    for number in range(8):
        topic(f"Part {number}", slug=f"part-{number}", parent=above).tags.add("bread", f"tag {number}")
    assert count_queries(editor, address) == few
    assert "Quagga - Part 7" in editor.get(address).content.decode()


# Who may


def test_an_editor_who_may_only_look_sees_the_page_and_saves_nothing() -> None:
    looker = signed_in("looker", "view_article")
    quagga = topic(body="It had stripes.")
    quagga.tags.add("bread")
    page = looker.get(change(quagga))
    assert "It had stripes." in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert looker.post(change(quagga), {"title": "Gone"}).status_code == 403
    assert Article.objects.get(pk=quagga.pk).title == "Quagga"
