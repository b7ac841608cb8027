"""Events at the editors' desk: written from their page, drafted, reviewed, published, restored and recovered."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article, Event
from articles.tests.test_events import add, page
from rlm_site.history import revisions
from rlm_site.history.models import Deletion, Revision
from rlm_site.tests.editor import (
    changelist_url,
    count_queries,
    delete,
    form_data,
    group_client,
    signed_in,
    transition,
    user_of,
)

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/event/add/"
TYPED = {
    "dates": "1901-09-14",
    "title": "The fire",
    "text": "It burnt.[@arden-1987, p. 4]",
    "place": "Upper Yarle",
    "people": "Zora Quill\r\n\r\nNobody ",
}


@pytest.fixture
def editor() -> Client:
    return signed_in()


def change(row: Any) -> str:
    return f"{changelist_url(row)}{row.pk}/change/"


def errors(response: Any) -> list[str]:
    return list(response.context["adminform"].form.errors)


def test_it_is_written_from_the_form_of_its_page(editor: Client) -> None:
    quagga = page()
    form = editor.get(change(quagga)).content.decode()
    assert f'href="{ADD}?article={quagga.pk}"' in form
    opened = editor.get(f"{ADD}?article={quagga.pk}")
    assert form_data(opened)["article"] == str(quagga.pk)
    assert editor.post(ADD, form_data(opened, **TYPED)).status_code == 302
    event = Event.objects.get()
    assert (event.article, event.key, event.people) == (quagga, "the-fire-1901", ["Zora Quill", "Nobody"])
    assert not event.published
    form = editor.get(change(quagga)).content.decode()
    assert re.search(rf'<a href="{change(event)}">14 September 1901: The fire</a>', form)


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(editor: Client) -> None:
    opened = editor.get(f"{ADD}?article={page().pk}")
    refused = editor.post(ADD, form_data(opened, **TYPED | {"dates": "soon", "text": "x" * 501}))
    assert {*errors(refused)} == {"dates", "text"}
    assert "soon" in refused.content.decode()
    assert "x" * 501 in refused.content.decode()
    refused = editor.post(ADD, form_data(opened, **TYPED | {"article": ""}))
    assert errors(refused) == ["article"]


def test_a_draft_is_published_and_a_change_of_it_waits(editor: Client, client: Client) -> None:
    editor.post(ADD, form_data(editor.get(f"{ADD}?article={page().pk}"), **TYPED))
    event = Event.objects.get()
    assert b"The fire" not in client.get("/chronology/").content
    assert transition(editor, event, "publish").status_code == 302
    assert b"The fire" in client.get("/chronology/").content
    editor.post(change(event), form_data(editor.get(change(event)), title="The blaze", people="Zora Quill"))
    event.refresh_from_db()
    assert (event.title, event.people) == ("The fire", ["Zora Quill", "Nobody"])
    copy = revisions.working_copy(event)
    assert copy is not None
    assert "tags" not in copy.content
    assert copy.content["people"] == ["Zora Quill"]
    compared = editor.get(f"{changelist_url(event)}{event.pk}/publish/").content.decode()
    assert "blaze" in compared
    assert transition(editor, event, "publish", kind="correction", note="It was a blaze.").status_code == 302
    assert b"The blaze" in client.get("/chronology/").content


def test_a_correction_waits_for_review_by_the_rights_of_each_group(client: Client) -> None:
    author, other = group_client("Authors"), group_client("Editors")
    publisher = group_client("Publishers")
    quagga = page()
    author.post(ADD, form_data(author.get(f"{ADD}?article={quagga.pk}"), **TYPED))
    event = Event.objects.get()
    assert event.owner == user_of(author)
    assert transition(author, event, "publish").status_code == 403
    assert transition(author, event, "review").status_code == 302
    assert transition(other, event, "publish").status_code == 403
    assert transition(other, event, "approve").status_code == 302
    assert transition(publisher, event, "publish").status_code == 302
    assert b"The fire" in client.get("/chronology/").content
    assert author.get(change(add(quagga, "The flood"))).status_code == 200  # to read
    assert delete(other, event).status_code == 403
    assert delete(publisher, event).status_code == 302


def test_an_old_version_is_restored_as_a_draft(editor: Client) -> None:
    event = add(page(), text="Burnt.", people=["Zora"])
    first = revisions.record_external_changes(event)
    assert first is not None
    editor.post(change(event), form_data(editor.get(change(event)), text="Drowned.", people=""))
    transition(editor, event, "publish", kind="revision")
    history = f"{changelist_url(event)}{event.pk}/history/"
    restore = f"{history}{first.number}/restore/"
    assert restore in editor.get(history).content.decode()
    assert editor.post(restore, form_data(editor.get(restore))).status_code == 302
    copy = revisions.working_copy(event)
    assert copy is not None
    assert (copy.content["text"], copy.content["people"]) == ("Burnt.", ["Zora"])


def test_a_deleted_event_comes_back_with_its_page(editor: Client, client: Client) -> None:
    quagga = page()
    event = add(quagga, people=["Zora"], place="Upper Yarle")
    before = {name: getattr(event, name) for name in (*Event.versioned_fields, "key", "pk")}
    assert delete(editor, quagga).status_code == 302
    assert not Event.objects.exists()
    deletion = Deletion.objects.get()
    address = f"/admin/rlm_site/deletion/{deletion.pk}/change/"
    assert "1 event" in editor.get(address).content.decode()
    assert editor.post(address, form_data(editor.get(address))).status_code == 302
    back = Event.objects.get()
    assert {name: getattr(back, name) for name in before} == before
    assert b"The fire" in client.get("/chronology/").content


def test_what_links_and_cites_wrongly_is_told_before_it_is_published(editor: Client) -> None:
    event = add(page(), text="See [[Nowhere at All]].[@gone]", people=["Tolby Market", "Nobody"], published=False)
    editor.get(change(event))
    publish = f"{changelist_url(event)}{event.pk}/publish/"
    told = {warning.where for warning in editor.get(publish).context["content_warnings"]}
    assert told == {"[[Nowhere at All]]", "@gone", "Nobody"}
    Event.objects.filter(pk=event.pk).update(text="It burnt.", people=[])
    warnings = [str(warning.what) for warning in editor.get(publish).context["content_warnings"]]
    assert warnings == ["This event has no citations"]


def test_an_event_of_a_page_that_readers_do_not_see_says_so(editor: Client) -> None:
    event = add(page(published=False))
    for address in (changelist_url(event), change(event)):
        assert "the page that tells it is not public" in editor.get(address).content.decode()


def test_the_list_is_in_order_and_finds_and_filters(editor: Client) -> None:
    quagga = page()
    for dates in ("1902", "c. 1901-05", "1901-06-02"):
        add(quagga, f"In {dates}", dates)
    add(page("Okapi"), "Elsewhere", "1900", published=False)
    rows = [str(row.title) for row in editor.get(changelist_url(Event())).context["cl"].result_list]
    assert rows == ["Elsewhere", "In c. 1901-05", "In 1901-06-02", "In 1902"]
    assert editor.get("/admin/articles/event/?q=1901-06").context["cl"].result_count == 1
    assert editor.get(f"/admin/articles/event/?article__id__exact={quagga.pk}").context["cl"].result_count == 3


def test_an_event_is_scheduled_and_retired_by_itself(editor: Client, client: Client) -> None:
    event = add(page(), published=False)
    editor.get(change(event))
    soon = timezone.localtime(timezone.now() + timedelta(days=2))
    response = transition(
        editor, event, "publish", publish_at_0=soon.strftime("%Y-%m-%d"), publish_at_1=soon.strftime("%H:%M:%S")
    )
    assert response.status_code == 302
    assert b"The fire" not in client.get("/chronology/").content
    Event.objects.update(publish_at=None)
    assert b"The fire" in client.get("/chronology/").content
    assert transition(editor, event, "times", retire_now="on").status_code == 302
    assert b"The fire" not in client.get("/chronology/").content


def test_a_moved_event_takes_effect_at_once_and_is_in_the_history(editor: Client) -> None:
    event, other = add(page()), page("Okapi")
    editor.post(change(event), form_data(editor.get(change(event)), article=str(other.pk)))
    event.refresh_from_db()
    assert event.article == other
    assert event.revisions.filter(act=Revision.Act.PLACE).exists()


def test_the_form_of_a_page_with_many_events_costs_no_more_queries(editor: Client) -> None:
    quagga = page()
    add(quagga)
    before = count_queries(editor, change(quagga))
    for number in range(20):
        add(quagga, f"Event {number}")
    assert count_queries(editor, change(quagga)) <= before
    assert Article.objects.filter(events__title="Event 3").count() == 1
