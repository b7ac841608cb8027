"""Acts on many records: shown first, done in parts, each as by the record's own page."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Article
from quotes.models import Collection, Quote
from rlm_site.editor import bulk
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.tests.editor import form_data, group_client, run_action, signed_in, transition, user_of

pytestmark = pytest.mark.django_db


def pages(count: int, parent: Article | None = None, **fields: Any) -> list[Article]:
    """Make drafts as an author's file would: one revision each."""
    made = [
        Article.objects.create(title=f"Quagga {n}", slug=f"quagga-{n}", parent=parent, body="Stripes.", **fields)
        for n in range(count)
    ]
    for row in made:
        revisions.save_draft(row, revisions.content_of(row))
    return made


def preview(somebody: Client, act: str, *rows: Any, **given: Any) -> Any:
    return run_action(somebody, f"many_{act}", *rows, **given)


def address(act: str, row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/many/{act}/"


def do(somebody: Client, act: str, *rows: Any, page: Any = None, **typed: Any) -> Any:
    """Confirm a preview, and go on to the end as the script does."""
    page = page or preview(somebody, act, *rows)
    if typed and "apply" not in page.content.decode():
        page = somebody.post(address(act, rows[0]), form_data(page, **typed, preview="1"))
    page = somebody.post(address(act, rows[0]), form_data(page, **typed, apply="1"))
    while not page.context["finished"]:
        page = somebody.post(address(act, rows[0]), form_data(page, go_on="1"))
    return page


def states(rows: list[Article]) -> set[str]:
    return {copy.state if (copy := revisions.working_copy(row)) else "" for row in rows}


def refused(page: Any) -> dict[str, str]:
    return {title: why for _address, title, why in page.context["refused"]}


# From drafts to what readers see


def test_drafts_are_sent_approved_and_published_with_an_entry_each(client: Client) -> None:
    editor, publisher = group_client("Editors"), group_client("Publishers")
    rows = pages(3)
    page = preview(editor, "review", *rows)
    assert [plan.outcome for *_row, plan in page.context["lines"]] == ["Will be sent for review"] * 3
    assert states(rows) == {"draft"}
    do(editor, "review", *rows, page=page, comment="All three.")
    assert states(rows) == {"in_review"}
    do(publisher, "approve", *rows)
    assert states(rows) == {"approved"}
    assert client.get("/quagga-1/").status_code == 404
    done = do(publisher, "publish", *rows)
    assert (done.context["job"].changed, refused(done)) == (3, {})
    assert client.get("/quagga-1/").status_code == 200
    for row in rows:
        assert [revision.state for revision in row.revisions.order_by("number")] == [
            "draft", "in_review", "approved", "published",
        ]  # fmt: skip
    assert row.revisions.get(state="in_review").comment == "All three."
    assert LogEntry.objects.filter(user=user_of(publisher), object_id=rows[0].pk).count() == 2


def test_one_that_is_refused_leaves_the_others_alone(client: Client) -> None:
    publisher = group_client("Publishers")
    rows = pages(3)
    transition(publisher, rows[1], "publish")
    page = preview(publisher, "publish", *rows)
    plans = {row.title: plan.refusal for row, *_shown, plan in page.context["lines"]}
    assert plans == {"Quagga 0": "", "Quagga 1": "It has no draft that could be published.", "Quagga 2": ""}
    assert (page.context["will"], page.context["will_not"]) == (2, 1)
    done = do(publisher, "publish", *rows, page=page)
    assert refused(done) == {"Quagga 1": "It has no draft that could be published."}
    assert [client.get(f"/quagga-{n}/").status_code for n in range(3)] == [200] * 3
    assert rows[1].revisions.filter(state="published").count() == 1


def test_what_was_changed_since_the_preview_is_left_alone(client: Client) -> None:
    publisher = group_client("Publishers")
    rows = pages(3)
    page = preview(publisher, "publish", *rows)
    Article.objects.filter(pk=rows[0].pk).update(body="Spots.")
    revisions.save_draft(rows[1], revisions.content_of(rows[1]) | {"body": "Spots."})
    rows[2].delete()
    done = do(publisher, "publish", *rows, page=page)
    told = "It was changed since you opened the preview."
    assert [why for *_page, why in done.context["refused"]] == [told, told, "It was deleted."]
    assert not Article.objects.filter(title__startswith="Quagga", published=True).exists()


def test_a_draft_of_what_was_published_meanwhile_is_refused() -> None:
    publisher = group_client("Publishers")
    [row] = pages(1)
    transition(publisher, row, "publish")
    row.refresh_from_db()
    revisions.save_draft(row, revisions.content_of(row) | {"body": "Spots."})
    Article.objects.filter(pk=row.pk).update(body="Neither.")
    row.refresh_from_db()
    revisions.record_external_changes(row)
    page = preview(publisher, "publish", row)
    assert "has changed since this draft was started" in page.context["lines"][0][-1].refusal


def test_nobody_approves_alone_what_they_wrote(settings: Any) -> None:
    settings.REVIEW_BY_ANOTHER = True
    anna = signed_in("anna")
    rows = pages(2)
    revisions.save_draft(rows[0], revisions.content_of(rows[0]) | {"body": "Spots."}, author=user_of(anna))
    done = do(anna, "publish", *rows)
    assert refused(done) == {"Quagga 0": "You wrote part of this text. Somebody else has to approve it."}


def test_pages_are_unpublished_and_what_links_to_them_is_named(client: Client) -> None:
    publisher = group_client("Publishers")
    rows = pages(2, published=True)
    Article.objects.create(title="Okapi", slug="okapi", body="See [[Quagga 1]].", published=True)
    page = preview(publisher, "unpublish", *rows)
    assert "Okapi" in page.content.decode()
    assert refused(do(publisher, "unpublish", *rows, page=page)) == {}
    assert client.get("/quagga-1/").status_code == 410
    again = preview(publisher, "unpublish", *rows)
    assert {plan.refusal for *_row, plan in again.context["lines"]} == {"Readers cannot see it."}


def test_an_address_that_leads_elsewhere_is_not_taken_unasked() -> None:
    publisher = group_client("Publishers")
    other = Article.objects.create(title="Okapi", slug="quagga-0", published=True)
    queue.process_queue()
    Article.objects.filter(pk=other.pk).update(slug="okapi")
    queue.process_queue()
    [row] = pages(1)
    page = preview(publisher, "publish", row)
    told = "Its address leads readers elsewhere. Do this on its own page."
    assert page.context["lines"][0][-1].refusal == told
    assert refused(do(publisher, "publish", row, page=page)) == {"Quagga 0": told}


def test_a_whole_topic_is_sent_and_published_as_one(client: Client) -> None:
    publisher = group_client("Publishers")
    topic = Article.objects.create(title="Okapi", slug="okapi", body="It hides.")
    revisions.save_draft(topic, revisions.content_of(topic))
    rows = [topic, *pages(2, parent=topic)]
    form = publisher.get(f"/admin/articles/article/{topic.pk}/sections/").content.decode()
    for act in ("review", "approve", "publish"):
        link = f"{address(act, topic)}?of={topic.pk}"
        assert link in form
        page = publisher.get(link)
        assert [row for row, *_shown in page.context["lines"]] == rows
        do(publisher, act, *rows, page=page)
    assert client.get("/okapi/quagga-1/").status_code == 200


# Tags, topics, settings


def test_tags_are_added_to_drafts_and_taken_away(client: Client) -> None:
    editor = group_client("Editors")
    rows = pages(2)
    rows[0].tags.add("stripes")
    public = Article.objects.create(title="Okapi", slug="okapi", published=True)
    public.tags.add("forest")
    done = do(editor, "tag", *rows, public, tags="Stripes, zebra")
    assert refused(done) == {}
    assert [sorted(row.tags.names()) for row in rows] == [["stripes", "zebra"], ["stripes", "zebra"]]
    assert sorted(public.tags.names()) == ["forest"]  # readers see it once it is published
    copy = revisions.working_copy(public)
    assert copy is not None
    assert copy.content["tags"] == ["forest", "stripes", "zebra"]
    again = preview(editor, "tag", *rows)
    again = editor.post(address("tag", public), form_data(again, tags="zebra", preview="1"))
    assert {plan.refusal for *_row, plan in again.context["lines"]} == {"It has these tags already."}
    do(editor, "untag", *rows, public, tags="zebra, forest")
    assert sorted(rows[0].tags.names()) == ["stripes"]
    copy = revisions.working_copy(public)
    assert copy is not None
    assert copy.content["tags"] == ["stripes"]


def test_what_is_asked_for_has_to_be_told_first() -> None:
    editor = group_client("Editors")
    rows = pages(2)
    page = preview(editor, "tag", *rows)
    assert 'name="apply"' not in page.content.decode()
    wrong = editor.post(address("tag", rows[0]), form_data(page, tags="", apply="1"))
    assert wrong.status_code == 400
    assert "This field is required." in wrong.content.decode()
    shown = editor.post(address("tag", rows[0]), form_data(page, tags="zebra", preview="1"))
    assert 'name="apply"' in shown.content.decode()
    assert not rows[0].tags.exists()


def test_sections_are_moved_to_a_topic_and_old_addresses_lead_on(client: Client) -> None:
    publisher = group_client("Publishers")
    one = Article.objects.create(title="One", slug="one", published=True)
    two = Article.objects.create(title="Two", slug="two", published=True)
    rows = pages(2, parent=one, published=True)
    Article.objects.create(title="Quagga", slug="quagga-1", parent=two, published=True)
    assert client.get("/one/quagga-0/").status_code == 200
    done = do(publisher, "move", *rows, one, topic=str(two.pk))
    assert client.get("/one/quagga-0/")["Location"] == "/two/quagga-0/"
    assert refused(done) == {
        "One - Quagga 1": "A section of that topic has the same slug: quagga-1.",
        "One": "It has sections of its own.",
    }
    assert rows[0].revisions.order_by("-number")[0].act == "place"


def test_quotations_and_collections_get_a_pick_policy() -> None:
    editor = signed_in()
    quotes = list(Quote.objects.filter(auto_pick=True, published=True)[:2])
    done = do(editor, "pick", *quotes, value="no")
    assert done.context["job"].changed == 2
    copy = revisions.working_copy(quotes[0])
    assert copy is not None
    assert copy.content["auto_pick"] is False
    collection = Collection.objects.create(name="Quaggas", slug="quaggas", pick_policy="automatic")
    do(editor, "policy", collection, value="pinned")
    collection.refresh_from_db()
    assert collection.pick_policy == "pinned"
    valley = Article.objects.get(slug="yarle-valley")
    do(editor, "quotations", valley, value="none")
    copy = revisions.working_copy(valley)
    assert copy is not None
    assert copy.content["quotations"] == "none"


# Who may, and how many


@pytest.mark.parametrize(
    ("group", "offered"),
    [
        ("Authors", {"review", "tag", "untag", "move", "quotations"}),
        ("Editors", {"review", "approve", "tag", "untag", "move", "quotations"}),
        ("Publishers", {"review", "approve", "publish", "unpublish", "tag", "untag", "move", "quotations"}),
    ],
)
def test_everybody_is_offered_what_they_may_do(group: str, offered: set[str]) -> None:
    somebody = group_client(group)
    rows = pages(1)
    page = somebody.get("/admin/articles/article/?all=").content.decode()
    assert set(re.findall(r'<option value="many_(\w+)"', page)) == offered
    for act in bulk.PUBLISHING_ACTS:
        status = somebody.get(f"{address(act.name, rows[0])}?of={rows[0].pk}").status_code
        assert status == (200 if act.name in offered else 403), act.name


def test_an_author_acts_on_their_own_records_alone() -> None:
    author = group_client("Authors")
    mine, other = pages(2)
    Article.objects.filter(pk=mine.pk).update(owner=user_of(author))
    done = do(author, "review", mine, other)
    assert done.context["job"].changed == 1
    assert [why for *_page, why in done.context["refused"]] == ["You may not do this here."]


def test_a_job_is_good_for_one_person_and_one_act_alone() -> None:
    anna, boris = signed_in("anna"), signed_in("boris")
    rows = pages(1)
    form = form_data(preview(anna, "publish", *rows), apply="1")
    for somebody, act in ((boris, "publish"), (anna, "review")):
        answer = somebody.post(address(act, rows[0]), form)
        assert answer.status_code == 400
        assert "Nothing was done" in answer.content.decode()
    assert anna.post(address("publish", rows[0]), {**form, "job": "nonsense"}).status_code == 400
    assert states(rows) == {"draft"}


@pytest.mark.parametrize("of", ["", "0", "nonsense", "9" * 30, "²", "1\0"])
def test_a_topic_that_is_none_is_not_found(of: str) -> None:
    assert signed_in().get("/admin/articles/article/many/publish/", {"of": of}).status_code == 404


def test_too_many_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST", 2)
    answer = preview(signed_in(), "publish", *pages(3))
    assert answer.status_code == 400
    assert "Choose at most 2 records at once." in answer.content.decode()


def test_it_goes_on_in_parts_and_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "AT_A_TIME", 2)
    publisher = signed_in()
    rows = pages(5)
    page = publisher.post(address("publish", rows[0]), form_data(preview(publisher, "publish", *rows), apply="1"))
    assert (page.context["job"].done, page.context["finished"]) == (2, False)
    assert '<progress id="bulk-progress" max="5" value="2">' in page.content.decode()
    assert Article.objects.filter(title__startswith="Quagga", published=True).count() == 2
    repeated = publisher.post(address("publish", rows[0]), form_data(page, go_on="1"))
    publisher.post(address("publish", rows[0]), form_data(page, go_on="1"))  # sent twice
    publisher.post(address("publish", rows[0]), form_data(repeated, go_on="1"))
    assert Article.objects.filter(title__startswith="Quagga", published=True).count() == 5
    assert Revision.objects.filter(object_id__in=[row.pk for row in rows], state="published").count() == 5


@pytest.mark.parametrize("act", ["review", "publish", "unpublish", "tag", "move", "quotations"])
def test_a_preview_makes_as_many_queries_however_many_there_are(act: str) -> None:
    publisher = signed_in()
    topic = Article.objects.create(title="Okapi", slug="okapi", published=True)
    typed = {"tag": {"tags": "zebra"}, "move": {"topic": str(topic.pk)}, "quotations": {"value": "none"}}.get(act, {})
    parent = Article.objects.get(slug="yarle-valley")
    rows = pages(30, parent=parent, published=act == "unpublish", publish_at=timezone.now() - timedelta(days=1))

    def queries(of: list[Article]) -> int:
        page = preview(publisher, act, *of)
        with CaptureQueriesContext(connection) as made:
            answer = publisher.post(address(act, topic), form_data(page, **typed, preview="1"))
        assert answer.context["will"] == len(of)
        return len(made)

    queries(rows[:2])
    assert queries(rows) <= queries(rows[:3])
