"""What the article form says of what a save does: before it is saved, and afterwards."""

from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.tests.editor import form_data, group_client, signed_in

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"


def change(row: Article) -> str:
    return f"/admin/articles/article/{row.pk}/change/"


def save(somebody: Client, row: Article, **typed: Any) -> str:
    """Save the form, and return what is said of it."""
    answer = somebody.post(change(row), form_data(somebody.get(change(row)), **typed))
    assert answer.status_code == 302
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


@pytest.fixture
def section() -> Article:
    return Article.objects.get(slug="the-millers")


def test_fields_that_act_at_once_say_so_before_they_are_saved(section: Article) -> None:
    publisher = group_client("Publishers")
    fields = publisher.get(change(section)).context["adminform"].form.fields
    for name in ("slug", "parent", "position"):
        assert "Readers see a change as soon as you save." in fields[name].help_text
    assert "They are redirected from the old address." in fields["slug"].help_text
    assert "redirected" not in fields["position"].help_text
    assert "as soon as you save" not in fields["title"].help_text
    draft = Article.objects.create(title="Quagga", slug="quagga")
    assert "as soon as you save" not in publisher.get(change(draft)).context["adminform"].form.fields["slug"].help_text


def test_a_new_address_is_told_and_nothing_is_called_a_draft(section: Article) -> None:
    said = save(signed_in(), section, slug="millers")
    assert said == (
        "“Yarle Valley - The Millers” was saved."
        " Readers are redirected from /yarle-valley/the-millers/ to /yarle-valley/millers/ as of now."
    )


def test_a_draft_and_what_is_public_at_once_are_told_apart(section: Article) -> None:
    said = save(signed_in(), section, body="Other words.", position="7")
    assert said == (
        "The draft of “Yarle Valley - The Millers” was saved. For readers this is changed at once: position."
        " Readers still see the published text."
    )


def test_a_draft_that_readers_do_not_know_says_so() -> None:
    row = Article.objects.create(title="Quagga", slug="quagga", body="Stripes.")
    revisions.save_draft(row, revisions.content_of(row))
    assert save(signed_in(), row, body="Spots.") == "The draft of “Quagga” was saved. Readers cannot see it yet."


def test_a_public_section_of_a_draft_topic_is_not_said_to_be_seen() -> None:
    topic = Article.objects.create(title="Quagga", slug="quagga")
    section = Article.objects.create(title="Stripes", slug="stripes", parent=topic, published=True)
    editor = signed_in()
    page = editor.get(change(section)).content.decode()
    assert "Readers cannot see it: its topic is not public." in page
    assert "Readers can see it." not in page


# Titles that exist


def test_a_title_that_exists_is_asked_about(section: Article) -> None:
    editor = signed_in()
    typed = {"title": "The  MILLERS", "parent": str(section.parent_id), "summary": "Again.", "slug": "again"}
    asked = editor.post(ADD, form_data(editor.get(ADD), **typed))
    page = asked.content.decode()
    assert asked.status_code == 200
    assert "“The Millers” exists already, at /yarle-valley/the-millers/." in page
    assert Article.objects.filter(parent=section.parent_id, slug="again").count() == 0
    form = asked.context["adminform"].form
    ticked = form_data(asked, same_title=form.fields["same_title"].widget.value)
    assert editor.post(ADD, ticked).status_code == 302
    assert Article.objects.filter(parent=section.parent_id, slug="again").count() == 1


def test_a_title_of_another_topic_is_not_asked_about(section: Article) -> None:
    editor = signed_in()
    other = Article.objects.create(title="Quagga", slug="quagga")
    typed = {"title": "The Millers", "parent": str(other.pk), "summary": "Others."}
    assert editor.post(ADD, form_data(editor.get(ADD), **typed)).status_code == 302


def test_an_agreement_to_one_title_is_none_to_another(section: Article) -> None:
    editor = signed_in()
    typed = {"title": "The Millers", "parent": str(section.parent_id), "summary": "Again.", "slug": "again"}
    asked = editor.post(ADD, form_data(editor.get(ADD), **typed))
    agreed = asked.context["adminform"].form.fields["same_title"].widget.value
    form = form_data(asked, same_title=agreed, title="The Great Flood")
    refused = editor.post(ADD, form)
    assert refused.status_code == 200
    assert "exists already" in refused.content.decode()
    form = refused.context["adminform"].form
    assert form["same_title"].errors


def test_a_page_saved_with_its_own_title_is_not_asked(section: Article) -> None:
    assert "was saved" in save(signed_in(), section, body="Other words.")
