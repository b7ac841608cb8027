"""From a draft to what readers see: review, publication, taking back, and who may do each of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from articles.models import Article
from quotes.models import Person, Quote
from rlm_site.editor.concurrency import locking
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.publishing import visibility
from rlm_site.tags import changes
from rlm_site.tests.editor import form_data, group_client, signed_in, transition

pytestmark = pytest.mark.django_db

ADD = "/admin/articles/article/add/"
MILLERS = "/yarle-valley/the-millers/"


@pytest.fixture
def section() -> Article:
    return Article.objects.get(slug="the-millers")


def change(row: Any) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def save(somebody: Client, row: Any, **typed: Any) -> Any:
    return somebody.post(change(row), form_data(somebody.get(change(row)), **typed))


def write(somebody: Client, **typed: Any) -> Article:
    page = somebody.get(ADD)
    response = somebody.post(
        ADD, form_data(page, **{"title": "Quagga", "summary": "An animal.", "body": "It had stripes.", **typed})
    )
    assert response.status_code == 302
    return Article.objects.get(slug="quagga")


def seen(client: Client, path: str = MILLERS) -> str:
    return client.get(path).content.decode()


# Drafts


def test_a_draft_of_a_live_page_leaves_what_readers_see(section: Article, client: Client) -> None:
    editor = signed_in()
    before = seen(client)
    row = Article.objects.filter(pk=section.pk).values().get()
    save(editor, section, title="The Quaggas", body="Nothing but quaggas.", tags="quagga")
    assert seen(client) == before
    assert Article.objects.filter(pk=section.pk).values().get() == row
    form = form_data(editor.get(change(section)))
    assert (form["title"], form["body"], form["tags"]) == ("The Quaggas", "Nothing but quaggas.", "quagga")
    assert client.get("/tags/quagga/").status_code == 404
    assert section.get_absolute_url() not in seen(client, "/search/?q=quaggas")


def test_publishing_shows_it_at_once_with_its_tags(section: Article, client: Client) -> None:
    editor = signed_in()
    seen(client)
    save(editor, section, title="The Quaggas", body="Nothing but quaggas.", tags="quagga")
    page = editor.get(f"/admin/articles/article/{section.pk}/publish/").content.decode()
    assert "<del" in page
    assert "<ins" in page
    transition(editor, section, "publish", kind="revision", note="About other animals.")
    assert "Nothing but quaggas." in seen(client)
    assert client.get("/tags/quagga/").status_code == 200
    assert "About other animals." in seen(client, "/changes/")
    assert revisions.working_copy(section) is None


def test_a_draft_of_a_quotation_leaves_what_readers_see(client: Client) -> None:
    editor = signed_in()
    quote = Quote.objects.create(text="A quagga outran them all.", published=True, status="reported")
    queue.process_queue()
    assert save(editor, quote, text="A quagga outran hardly anybody.").status_code == 302
    assert "them all" in seen(client, quote.get_absolute_url())
    assert "outran them all" in seen(client, "/words/quagga/")
    transition(editor, quote, "publish", kind="correction", note="As it is printed.")
    quote.refresh_from_db()
    assert "hardly anybody" in seen(client, quote.get_absolute_url())
    assert "hardly anybody" in seen(client, "/words/quagga/")


def test_what_stands_acts_at_once_and_leaves_the_draft(section: Article, client: Client) -> None:
    editor = signed_in()
    save(editor, section, body="Nothing but quaggas.")
    save(editor, section, slug="millers", change_comment="Shorter.")
    assert client.get(MILLERS)["Location"] == "/yarle-valley/millers/"
    assert form_data(editor.get(change(section)))["body"] == "Nothing but quaggas."
    newest = section.revisions.order_by("-number")[0]
    assert (newest.act, newest.state, newest.comment, newest.standing["slug"]) == (
        "place",
        "published",
        "Shorter.",
        "millers",
    )
    assert "quaggas" not in newest.content["body"]


def test_a_draft_is_discarded_and_stays_in_the_history(section: Article) -> None:
    editor = signed_in()
    save(editor, section, body="Nothing but quaggas.")
    transition(editor, section, "discard", comment="Off the subject.")
    assert "quaggas" not in form_data(editor.get(change(section)))["body"]
    assert [row.state for row in section.revisions.order_by("-number")[:2]] == ["discarded", "draft"]
    assert editor.get(f"/admin/articles/article/{section.pk}/discard/").context["obstacle"]


# Review


def test_a_text_goes_from_its_author_through_review_to_readers(client: Client) -> None:
    author, editor, publisher = group_client("Authors"), group_client("Editors"), group_client("Publishers")
    quagga = write(author, body="It had strips.")
    transition(author, quagga, "review", comment="Please look at the numbers.")
    waiting = editor.get("/admin/articles/article/?state=in_review").content.decode()
    assert "Quagga" in waiting
    refused = editor.post(f"/admin/articles/article/{quagga.pk}/return/", {"seen": "2", "comment": ""})
    assert "required" in refused.content.decode()
    transition(editor, quagga, "return", comment="Stripes, not strips.")
    assert "“Stripes, not strips.”" in author.get(change(quagga)).content.decode()
    save(author, quagga, body="It had stripes.")
    transition(author, quagga, "review")
    transition(editor, quagga, "approve")
    assert client.get("/quagga/").status_code == 404
    transition(publisher, quagga, "publish")
    assert "It had stripes." in seen(client, "/quagga/")
    states = list(quagga.revisions.order_by("number").values_list("state", flat=True))
    assert states == ["draft", "in_review", "returned", "draft", "in_review", "approved", "published"]


def test_an_act_on_what_somebody_changed_meanwhile_is_refused(section: Article, client: Client) -> None:
    anna, boris = signed_in("anna"), signed_in("boris")
    save(anna, section, body="Anna's quaggas.")
    address = f"/admin/articles/article/{section.pk}/publish/"
    opened = form_data(boris.get(address), note="As seen.")
    save(anna, section, body="Anna's other quaggas.")
    response = boris.post(address, opened)
    assert response.status_code == 409
    page = response.content.decode()
    assert "anna saved a newer version" in page
    assert "other" in page
    assert 'value="As seen."' in page
    assert "quaggas" not in seen(client)


def test_nobody_publishes_their_own_text_where_that_is_forbidden(
    section: Article, client: Client, settings: Any
) -> None:
    settings.REVIEW_BY_ANOTHER = True
    anna, boris = signed_in("anna"), signed_in("boris")
    save(anna, section, body="Nothing but quaggas.")
    transition(anna, section, "review")
    for name in ("publish", "approve"):
        assert "Somebody else has to approve it." in transition(anna, section, name).content.decode()
    assert "quaggas" not in seen(client)
    transition(boris, section, "publish")
    assert "Nothing but quaggas." in seen(client)


# Times


def test_a_new_page_is_published_at_a_time(client: Client) -> None:
    editor = signed_in()
    quagga = write(editor)
    later = timezone.localtime() + timedelta(days=2)
    transition(editor, quagga, "publish", publish_at_0=f"{later:%Y-%m-%d}", publish_at_1=f"{later:%H:%M}")
    quagga.refresh_from_db()
    assert visibility.publication_state(quagga) == "scheduled"
    assert client.get("/quagga/").status_code == 404
    transition(editor, quagga, "times", publish_at_0="2026-01-01", publish_at_1="12:00")
    assert client.get("/quagga/").status_code == 200


def test_a_page_is_retired_and_put_back(section: Article, client: Client) -> None:
    editor = signed_in()
    transition(editor, section, "times", retire_now="on", retired_to="/edgar-tarlow/", comment="Doubled.")
    assert client.get(MILLERS)["Location"] == "/edgar-tarlow/"
    transition(editor, section, "times", retired_to="", retire_at_0="", retire_at_1="")
    assert client.get(MILLERS).status_code == 200
    acts = section.revisions.filter(act="times").order_by("number")
    assert [row.standing["retired_to"] for row in acts] == ["/edgar-tarlow/", ""]


def told(somebody: Client, row: Any, name: str, **typed: Any) -> str:
    """Return the message after a transition."""
    page = somebody.get(transition(somebody, row, name, **typed)["Location"])
    return " ".join(str(message) for message in page.context["messages"])


def test_the_message_says_what_readers_see_and_until_when(section: Article) -> None:
    editor = signed_in()
    quagga = write(editor)
    assert told(editor, quagga, "review") == "“Quagga” was sent for review."
    day = {"publish_at_0": "2126-11-30", "publish_at_1": "08:00"}
    assert told(editor, quagga, "publish", **day) == "“Quagga” will be published on 30 November 2126, 08:00 UTC."
    assert told(editor, quagga, "times") == "Nothing was changed."
    assert not quagga.revisions.filter(act="times").exists()
    assert "is published. <a href=" in told(editor, quagga, "times", publish_at_0="2026-01-01", publish_at_1="12:00")
    end = {"retire_at_0": "2126-11-30", "retire_at_1": "08:00"}
    assert "is published until 30 November 2126, 08:00 UTC." in told(editor, quagga, "times", **end)
    assert told(editor, quagga, "times", retire_now="on") == "“Quagga” is unpublished."
    assert told(editor, quagga, "times") == "Nothing was changed."
    moved = told(editor, quagga, "times", retired_to="/yarle-valley/")
    assert moved == "“Quagga” is unpublished. Its address redirects readers to /yarle-valley/."
    save(editor, quagga, body="It had no stripes.")
    assert told(editor, quagga, "publish") == "The changes are saved, but “Quagga” is still unpublished."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"retire_at_0": "2030-13-01", "retire_at_1": "12:00"}, "valid date"),
        ({"retired_to": "https://elsewhere.example/"}, "address on this site"),
        ({"retired_to": MILLERS, "retire_now": "on"}, "redirect readers to itself"),
    ],
)
def test_wrong_times_are_refused_beside_their_field(
    section: Article, client: Client, typed: dict[str, str], words: str
) -> None:
    response = transition(signed_in(), section, "times", **typed)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert client.get(MILLERS).status_code == 200


def test_reviewed_and_nothing_changed_is_an_act_of_its_own(section: Article, client: Client) -> None:
    before = seen(client)
    transition(signed_in(), section, "reviewed", comment="Read against Arden.")
    section.refresh_from_db()
    assert section.reviewed_on == timezone.localdate()
    assert seen(client) == before
    assert section.revisions.filter(act="reviewed", comment="Read against Arden.").exists()


def test_a_correction_tells_readers_what_was_wrong(section: Article, client: Client) -> None:
    editor = signed_in()
    save(editor, section, body="Nothing but quaggas.")
    response = transition(editor, section, "publish", kind="correction", note="")
    assert "tell readers what was wrong" in response.content.decode()
    assert "quaggas" not in seen(client)


# From outside of the desk


def test_a_change_from_outside_is_recorded_when_the_page_is_next_opened(section: Article) -> None:
    editor = signed_in()
    Article.objects.filter(pk=section.pk).update(body="Written by SQL.")
    editor.get(change(section))
    editor.get(change(section))
    newest, first = section.revisions.order_by("-number")
    assert (newest.act, newest.content["body"]) == ("outside", "Written by SQL.")
    assert first.content["body"] != "Written by SQL."


def test_a_draft_is_not_published_over_a_change_from_outside(section: Article, client: Client) -> None:
    editor = signed_in()
    save(editor, section, body="A draft about quaggas.")
    Article.objects.filter(pk=section.pk).update(body="Written by SQL.")
    response = transition(editor, section, "publish")
    assert f"{change(section)}?merge=3" in response.content.decode()
    assert "Written by SQL." in seen(client)


def test_a_draft_is_brought_together_with_a_change_from_outside(section: Article, client: Client) -> None:
    editor = signed_in()
    save(editor, section, title="The Quaggas")
    Article.objects.filter(pk=section.pk).update(body="Written by SQL.")
    editor.get(change(section))
    page = editor.get(f"{change(section)}?merge=3")
    assert form_data(page)["title"] == "The Quaggas"
    assert form_data(page)["body"] == "Written by SQL."
    assert editor.post(f"{change(section)}?merge=3", form_data(page)).status_code == 302
    assert transition(editor, section, "publish").status_code == 302
    section.refresh_from_db()
    assert (section.title, section.body) == ("The Quaggas", "Written by SQL.")


def test_a_draft_that_names_somebody_deleted_since_is_still_opened_and_published(client: Client) -> None:
    editor = signed_in()
    quote = Quote.objects.create(text="A quagga outran them all.", published=True, status="reported")
    queue.process_queue()
    somebody = Person.objects.create(name="Ann Quill", slug="ann-quill")
    assert save(editor, quote, text="A quagga slept.", person=str(somebody.pk)).status_code == 302
    somebody.delete()
    assert form_data(editor.get(change(quote)))["text"] == "A quagga slept."
    page = transition(editor, quote, "publish")
    assert "has been deleted" in page.content.decode()
    save(editor, quote, text="A quagga slept well.")
    assert transition(editor, quote, "publish").status_code == 302
    quote.refresh_from_db()
    assert "slept well" in seen(client, quote.get_absolute_url())


def test_a_draft_that_is_merged_to_what_it_was_can_be_published(section: Article) -> None:
    editor = signed_in()
    save(editor, section, title="The Quaggas", body="Nothing but quaggas.")
    Article.objects.filter(pk=section.pk).update(body="Written by SQL.")
    editor.get(change(section))
    page = editor.get(f"{change(section)}?merge=3")
    mine = form_data(page, **{"choice-1": "mine"})
    mine["body"] = "Nothing but quaggas."
    assert editor.post(f"{change(section)}?merge=3", mine).status_code == 302
    assert transition(editor, section, "publish").status_code == 302
    section.refresh_from_db()
    assert (section.title, section.body) == ("The Quaggas", "Nothing but quaggas.")


def test_a_draft_that_names_somebody_deleted_since_is_published_after_a_save_that_changes_nothing() -> None:
    editor = signed_in()
    quote = Quote.objects.create(text="A quagga outran them all.", published=True, status="reported")
    queue.process_queue()
    somebody = Person.objects.create(name="Ann Quill", slug="ann-quill")
    save(editor, quote, text="A quagga slept.", person=str(somebody.pk))
    somebody.delete()
    assert save(editor, quote).status_code == 302
    assert transition(editor, quote, "publish").status_code == 302
    quote.refresh_from_db()
    assert quote.text == "A quagga slept."


def test_a_tag_that_is_renamed_while_a_draft_waits_is_no_change_of_the_published_text(section: Article) -> None:
    editor = signed_in()
    section.tags.add("quagga")
    editor.get(change(section))
    save(editor, section, body="Nothing but quaggas.")
    tag = section.tags.get(name="quagga")
    tag.name = "plains zebra"
    changes.rename_tag(tag)
    save(editor, section, position="7")
    assert transition(editor, section, "publish").status_code == 302
    section.refresh_from_db()
    assert section.body == "Nothing but quaggas."


def test_times_that_are_refused_are_not_shown_as_if_they_held(section: Article) -> None:
    editor = signed_in()
    page = transition(editor, section, "times", retire_now="on", retired_to="nowhere")
    assert page.status_code == 200
    assert "state-retired" not in page.content.decode()
    assert "retire_now" in page.context["form"].fields


def test_while_the_database_is_busy_a_transition_does_nothing_and_keeps_the_comment(
    section: Article, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def never() -> Iterator[None]:
        raise locking.BusyError
        yield

    editor = signed_in()
    save(editor, section, body="Nothing but quaggas.")
    address = f"/admin/articles/article/{section.pk}/publish/"
    form = form_data(editor.get(address), comment="They are extinct.")
    monkeypatch.setattr(locking, "write_transaction", never)
    page = editor.post(address, form)
    assert page.status_code == 503
    assert "The database is busy." in page.content.decode()
    assert form_data(page)["comment"] == "They are extinct."
    assert Article.objects.get(pk=section.pk).body == section.body


def test_a_row_read_before_somebody_published_is_no_change_from_outside(section: Article) -> None:
    editor = signed_in()
    editor.get(change(section))
    stale = Article.objects.get(pk=section.pk)
    save(editor, section, body="Nothing but quaggas.")
    transition(editor, section, "publish")
    count = section.revisions.count()
    assert revisions.record_external_changes(stale) is None
    assert section.revisions.count() == count


# Who may


def _change_page(somebody: Client, row: Any) -> Any:
    return somebody.post(change(row), {"title": "Mine now", "body": "Mine."})


def _act(name: str) -> Any:
    return lambda somebody, row: somebody.post(
        f"/admin/articles/article/{row.pk}/{name}/", {"seen": "99", "comment": "x", "note": "", "kind": "none"}
    )


def _delete(somebody: Client, row: Any) -> Any:
    return somebody.post(f"/admin/articles/article/{row.pk}/delete/", {"post": "yes"})


def _pin(somebody: Client, row: Any) -> Any:
    quote = Quote.objects.filter(published=True).exclude(status="misattributed")[0]
    address = f"/admin/articles/article/{row.pk}/quotations/"
    return somebody.post(address, {"action": "pin", "quote": str(quote.pk)})


EVERYBODY = {"Authors", "Editors", "Publishers"}
PATHS = {  # what is done to another's public page in review -> by whom
    "change page": (_change_page, {"Editors", "Publishers"}),
    "approve": (_act("approve"), {"Editors", "Publishers"}),
    "return": (_act("return"), {"Editors", "Publishers"}),
    "discard": (_act("discard"), {"Editors", "Publishers"}),
    "review": (_act("review"), {"Editors", "Publishers"}),
    "reviewed": (_act("reviewed"), {"Editors", "Publishers"}),
    "publish": (_act("publish"), {"Publishers"}),
    "times": (_act("times"), {"Publishers"}),
    "delete": (_delete, {"Publishers"}),
    "pin": (_pin, {"Publishers"}),
}


def state_of_things(row: Article) -> Any:
    stored = Article.objects.filter(pk=row.pk).values().first()
    choices = list(row.quote_choices.values())
    return stored, choices, list(row.revisions.values("number", "state")), sorted(row.tags.names())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("group", sorted(EVERYBODY))
def test_a_lesser_role_is_refused_and_changes_nothing(section: Article, group: str, path: str) -> None:
    somebody = group_client(group)
    boss = signed_in("boss")
    save(boss, section, body="In review.")
    transition(boss, section, "review")
    before = state_of_things(section)
    do, may = PATHS[path]
    response = do(somebody, section)
    if group in may:
        assert response.status_code != 403
    else:
        assert response.status_code == 403
        assert state_of_things(section) == before


@pytest.mark.parametrize("group", sorted(EVERYBODY))
def test_only_publishers_move_a_public_page(section: Article, group: str) -> None:
    somebody = group_client(group)
    Article.objects.filter(pk=section.pk).update(owner=User.objects.get(username=group.lower()))
    page = somebody.get(change(section))
    assert ("slug" in form_data(page)) == (group == "Publishers")
    somebody.post(change(section), form_data(page, slug="moved", **{"quote_choices-TOTAL_FORMS": "0"}))
    section.refresh_from_db()
    assert (section.slug == "moved") == (group == "Publishers")


def test_an_author_goes_on_with_what_they_began_and_with_nothing_else(section: Article) -> None:
    author, other = group_client("Authors"), group_client("Authors", "other")
    quagga = write(author)
    assert save(author, quagga, body="More.").status_code == 302
    assert other.get(change(quagga)).status_code == 200
    assert other.post(change(quagga), {"title": "Mine now"}).status_code == 403
    assert quagga.owner == User.objects.get(username="authors")
    transition(signed_in("boss"), quagga, "publish")
    save(author, quagga, body="A draft of a live page.")
    quagga.refresh_from_db()
    assert quagga.body == "More."
    copy = revisions.working_copy(quagga)
    assert copy is not None
    assert copy.content["body"] == "A draft of a live page."
    assert author.get(f"/admin/articles/article/{quagga.pk}/publish/").status_code == 403


def test_a_list_action_is_refused_to_who_may_not_delete(section: Article) -> None:
    form = {"action": "delete_selected", "_selected_action": [section.pk], "post": "yes"}
    for group in ("Authors", "Editors"):
        group_client(group).post("/admin/articles/article/", form)
        assert Article.objects.filter(pk=section.pk).exists()


def test_drafts_renew_no_page_in_memory(section: Article) -> None:
    from rlm_site.page_cache import versions

    editor = signed_in()
    editor.get(change(section))
    queue.process_queue()
    before = versions.current_versions()
    save(editor, section, body="Nothing but quaggas.")
    transition(editor, section, "review")
    assert versions.current_versions() == before


def test_every_revision_remembers_what_it_was_begun_from(section: Article) -> None:
    editor = signed_in()
    save(editor, section, body="One.")
    transition(editor, section, "review")
    live = revisions.published_revision(section)
    working = section.revisions.filter(state__in=Revision.WORKING)
    assert {row.base for row in working} == {live}
