"""A text in review: it stays there while words are corrected, and nobody approves alone what they wrote."""

from typing import Any

import pytest
from django.test import Client

from articles.models import Article
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.tests.editor import form_data, group_client, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"


def change(row: Article) -> str:
    return f"/admin/articles/article/{row.pk}/change/"


def save(somebody: Client, row: Article, **typed: Any) -> Any:
    return somebody.post(change(row), form_data(somebody.get(change(row)), **typed, _continue="1"), follow=True)


@pytest.fixture
def author() -> Client:
    return group_client("Authors", "anna")


@pytest.fixture
def sent(author: Client) -> Article:
    page = author.get(ADD)
    author.post(ADD, form_data(page, title="Quagga", summary="An animal.", body="It had strips."))
    row = Article.objects.get(slug="quagga")
    transition(author, row, "review")
    return row


def state(row: Article) -> str:
    copy = revisions.working_copy(row)
    return copy.state if copy else ""


def test_a_correction_leaves_a_text_in_review_and_is_shown_to_both(sent: Article, author: Client) -> None:
    editor = group_client("Editors", "boris")
    said = save(editor, sent, body="It had stripes.").content.decode()
    assert "was saved. It is in review." in said
    assert state(sent) == "in_review"
    for somebody in (editor, author):
        page = somebody.get(change(sent)).content.decode()
        assert "anna sent it for review on" in page
        assert "boris changed it on" in page
        numbers = sent.revisions.filter(state="in_review").order_by("number").values_list("number", flat=True)
        link = f"/admin/articles/article/{sent.pk}/history/compare/?from={numbers[0]}&amp;to={numbers[1]}"
        assert link in page
        assert "strip" in somebody.get(link.replace("&amp;", "&")).content.decode()
    assert "Changed in review" in editor.get(f"/admin/articles/article/{sent.pk}/approve/").content.decode()


def test_an_approved_text_that_is_changed_is_to_be_approved_again(sent: Article) -> None:
    editor = group_client("Editors", "boris")
    transition(editor, sent, "approve")
    assert state(sent) == "approved"
    save(editor, sent, body="It had stripes.")
    assert state(sent) == "in_review"


@pytest.mark.parametrize(("leaves", "left"), [("approve", "approved"), ("return", "returned"), ("withdraw", "draft")])
def test_a_text_leaves_review_by_an_act_of_its_own(leaves: str, left: str, sent: Article, author: Client) -> None:
    somebody = author if leaves == "withdraw" else group_client("Editors", "boris")
    transition(somebody, sent, leaves, comment="Stripes.")
    assert state(sent) == left


def test_a_change_from_outside_leaves_it_in_review(sent: Article) -> None:
    editor = group_client("Editors", "boris")
    Article.objects.filter(pk=sent.pk).update(body="It had no stripes.")
    editor.get(change(sent))
    assert state(sent) == "in_review"
    assert sent.revisions.order_by("-number")[0].content["body"] == "It had no stripes."


def test_what_changed_since_the_page_was_opened_comes_first(sent: Article, author: Client) -> None:
    editor = group_client("Editors", "boris")
    address = f"/admin/articles/article/{sent.pk}/approve/"
    opened = form_data(editor.get(address))
    save(author, sent, body="It had spots.")
    refused = editor.post(address, opened)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert page.index("Changed since you opened this page") < page.index("What readers will see")
    assert state(sent) == "in_review"


# Where a second person has to approve


@pytest.fixture
def four_eyes(settings: Any) -> None:
    settings.REVIEW_BY_ANOTHER = True


@pytest.mark.usefixtures("four_eyes")
def test_who_corrected_a_word_does_not_approve_it_and_the_author_may(sent: Article, author: Client) -> None:
    editor = group_client("Publishers", "boris")
    assert author.get(f"/admin/articles/article/{sent.pk}/approve/").status_code == 403
    save(editor, sent, body="It had stripes.")
    for name in ("approve", "publish"):
        told = transition(editor, sent, name).content.decode()
        assert "You corrected this text in review. Its author or another editor has to approve it." in told
    assert state(sent) == "in_review"
    transition(author, sent, "approve")
    assert state(sent) == "approved"
    transition(editor, sent, "publish")
    sent.refresh_from_db()
    assert sent.published


@pytest.mark.usefixtures("four_eyes")
def test_a_third_person_may_approve_a_correction(sent: Article) -> None:
    boris, clara = group_client("Editors", "boris"), group_client("Editors", "clara")
    save(boris, sent, body="It had stripes.")
    transition(clara, sent, "approve")
    assert state(sent) == "approved"


@pytest.mark.usefixtures("four_eyes")
def test_an_author_who_goes_on_after_a_correction_is_read_again(sent: Article, author: Client) -> None:
    editor = group_client("Editors", "boris")
    save(editor, sent, body="It had stripes.")
    save(author, sent, body="It had stripes and spots.")
    assert author.get(f"/admin/articles/article/{sent.pk}/approve/").status_code == 403
    transition(editor, sent, "approve")
    assert state(sent) == "approved"


@pytest.mark.usefixtures("four_eyes")
def test_an_approved_text_is_published_by_whoever_may(sent: Article) -> None:
    """Also by who wrote in it: somebody else has approved just this version."""
    boris = signed_in("boris")
    save(boris, sent, body="It had stripes.")
    transition(group_client("Editors", "clara"), sent, "approve")
    transition(boris, sent, "publish")
    assert sent.revisions.filter(state=Revision.State.PUBLISHED).exists()
    save(boris, sent, body="It had spots.")
    transition(boris, sent, "review")
    assert "Somebody else has to approve it." in transition(boris, sent, "publish").content.decode()
