"""Two people at once: no save is silent, and nothing that anybody typed is lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.db.models import F
from django.test import Client

from articles.models import Article, Event, Group, Reference
from quotes.models import Check, Collection, IndexTerm, Person, Quote, Work
from rlm_site.editor.concurrency import locking
from rlm_site.editor.concurrency.change_form import OptimisticLockingMixin
from rlm_site.editor.concurrency.models import Presence
from rlm_site.editor.content import ContentAdmin
from rlm_site.editor.features import registered_admins
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.page_cache import versions
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import changelist_url, delete, form_data, run_action, signed_in, transition
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

ARTICLES = "/admin/articles/article/"
BODY = "The quagga had stripes. It lived in herds.\n\nThe last one died in 1883.\n\nNobody knew."


@pytest.fixture
def anna() -> Client:
    return signed_in("anna", first_name="Anna", last_name="Bauer")


@pytest.fixture
def ivan() -> Client:
    return signed_in("ivan")


@pytest.fixture
def quagga() -> Article:
    article = Article.objects.create(title="Quagga", slug="quagga", summary="An animal.", body=BODY)
    article.tags.set(["zebras", "Africa"])
    return article


def change(row: Any) -> str:
    return f"{changelist_url(row)}{row.pk}/change/"


def opened(somebody: Client, row: Any, **typed: Any) -> dict[str, Any]:
    """Return what is in the browser of somebody who has opened the form and typed this."""
    return form_data(somebody.get(change(row)), **typed)


def save(somebody: Client, row: Any, **typed: Any) -> Any:
    response = somebody.post(change(row), opened(somebody, row, **typed))
    assert response.status_code == 302, response.status_code
    row.refresh_from_db()
    return response


def conflict_of(response: Any) -> str:
    found = parse(response).find(".//section[@class='conflict']")
    assert found is not None
    return text_of(found)


def tags(row: Any) -> list[str]:
    return sorted(Article.objects.get(pk=row.pk).tags.names())


# What was opened and what is sent


def rows_of_every_kind() -> Iterator[Any]:
    models: list[Any] = [Article, Reference, Quote, Person, Work, Tag]
    for model in models:
        yield from model._default_manager.order_by("pk")[:3]
    yield Collection.objects.create(name="Sayings of the Yarle", register="light")
    yield Quote.objects.exclude(checks=None)[0]
    yield Quote.objects.exclude(year_said=None)[0]
    yield Person.objects.exclude(aliases=[])[0]
    yield Quote.objects.filter(text__contains="\n")[0]


def test_a_form_that_is_sent_as_it_was_opened_changes_nothing_and_conflicts_with_nothing(anna: Client) -> None:
    for row in rows_of_every_kind():
        form = opened(anna, row)
        assert form["form_token"]
        assert anna.post(change(row), form).status_code == 302, row
    assert not Revision.objects.filter(author__username="anna").exists()


def test_no_list_is_edited_in_place() -> None:
    assert [model for model, one in registered_admins(admin.site).items() if one.list_editable] == []
    assert {Article, Event, Group, Reference, Quote, Person, Work, Collection, Tag} == {
        model for model, one in registered_admins(admin.site).items() if isinstance(one, ContentAdmin)
    }


# Fields


def test_what_another_saved_meanwhile_is_shown_and_nothing_is_saved(
    anna: Client, ivan: Client, quagga: Article
) -> None:
    form = opened(ivan, quagga, quote_words="herds")
    save(anna, quagga, title="The Quagga")
    response = ivan.post(change(quagga), form)
    assert response.status_code == 409
    quagga.refresh_from_db()
    assert quagga.quote_words == ""
    told = conflict_of(response)
    assert "by Anna Bauer (" in told
    assert "Title" in told
    assert "Merged into the form below." in told
    assert "Changed only by you, and kept: Words to match." in told
    assert form_data(response)["title"] == "The Quagga"
    assert form_data(response)["quote_words"] == "herds"


def test_the_merged_form_is_saved_by_saving_it_again(anna: Client, ivan: Client, quagga: Article) -> None:
    form = opened(ivan, quagga, quote_words="herds", tags="zebras, horses")
    save(anna, quagga, title="The Quagga", tags="zebras, Africa, extinction")
    shown = ivan.post(change(quagga), form)
    assert ivan.post(change(quagga), form_data(shown)).status_code == 302
    quagga.refresh_from_db()
    assert (quagga.title, quagga.quote_words) == ("The Quagga", "herds")
    assert tags(quagga) == ["extinction", "horses", "zebras"]


def test_whoever_saves_between_the_two_tries_is_met_too(anna: Client, ivan: Client, quagga: Article) -> None:
    form = opened(ivan, quagga, quote_words="herds")
    save(anna, quagga, title="The Quagga")
    shown = ivan.post(change(quagga), form)
    save(anna, quagga, title="The Quaggas")
    again = ivan.post(change(quagga), form_data(shown))
    assert again.status_code == 409
    assert ivan.post(change(quagga), form_data(again)).status_code == 302
    quagga.refresh_from_db()
    assert (quagga.title, quagga.quote_words) == ("The Quaggas", "herds")


@pytest.mark.parametrize(("choice", "title"), [("mine", "Ivan’s Quagga"), ("theirs", "Anna’s Quagga")])
def test_a_field_that_both_changed_is_chosen(
    anna: Client, ivan: Client, quagga: Article, choice: str, title: str
) -> None:
    form = opened(ivan, quagga, title="Ivan’s Quagga")
    save(anna, quagga, title="Anna’s Quagga")
    shown = ivan.post(change(quagga), form)
    told = conflict_of(shown)
    assert "added: Ivan’s" in told
    assert "added: Anna’s" in told
    unchosen = ivan.post(change(quagga), form_data(shown, **{"choice-1": None}))
    assert unchosen.status_code == 409
    assert "Some changes still need a choice." in conflict_of(unchosen)
    quagga.refresh_from_db()
    assert quagga.title == "Anna’s Quagga"
    assert ivan.post(change(quagga), form_data(unchosen, **{"choice-1": choice})).status_code == 302
    quagga.refresh_from_db()
    assert quagga.title == title


def test_a_field_that_is_edited_after_the_conflict_is_chosen_by_that(
    anna: Client, ivan: Client, quagga: Article
) -> None:
    form = opened(ivan, quagga, title="Ivan’s Quagga")
    save(anna, quagga, title="Anna’s Quagga")
    shown = form_data(ivan.post(change(quagga), form), title="Everybody’s Quagga", **{"choice-1": None})
    assert ivan.post(change(quagga), shown).status_code == 302
    quagga.refresh_from_db()
    assert quagga.title == "Everybody’s Quagga"


def test_choices_can_be_looked_at_before_they_are_saved(anna: Client, ivan: Client, quagga: Article) -> None:
    form = opened(ivan, quagga, title="Ivan’s Quagga", quotations="none")
    save(anna, quagga, title="Anna’s Quagga", quotations="chosen")
    shown = ivan.post(change(quagga), form)
    looked = ivan.post(change(quagga), form_data(shown, _show="1", **{"choice-1": "theirs", "choice-2": "mine"}))
    assert looked.status_code == 200
    assert form_data(looked)["title"] == "Anna’s Quagga"
    quagga.refresh_from_db()
    assert quagga.quotations == "chosen"
    assert ivan.post(change(quagga), form_data(looked)).status_code == 302
    quagga.refresh_from_db()
    assert (quagga.title, quagga.quotations) == ("Anna’s Quagga", "none")


def test_values_are_told_in_words(anna: Client, ivan: Client) -> None:
    ann, bea = (Person.objects.create(name=name, slug=name.lower()) for name in ("Ann", "Bea"))
    quote = Quote.objects.create(text="No quagga.", person=ann)
    form = opened(ivan, quote, status="disputed", auto_pick=None)
    save(anna, quote, person=bea.pk, auto_pick=None, status="reported")
    told = conflict_of(ivan.post(change(quote), form))
    assert "removed: Ann" in told
    assert "added: Bea" in told
    assert "added: disputed" in told
    assert "added: reported" in told
    assert "Site" not in told  # both took the tick away: no difference


# Texts


def test_paragraphs_of_two_people_are_merged(anna: Client, ivan: Client, quagga: Article) -> None:
    form = opened(ivan, quagga, body=BODY.replace("1883", "1883 in Amsterdam").replace("\n", "\r\n"))
    save(anna, quagga, body=BODY.replace("stripes", "few stripes"))
    shown = ivan.post(change(quagga), form)
    both = BODY.replace("1883", "1883 in Amsterdam").replace("stripes", "few stripes")
    assert form_data(shown)["body"].replace("\r\n", "\n") == both
    assert ivan.post(change(quagga), form_data(shown)).status_code == 302
    quagga.refresh_from_db()
    assert quagga.body == both


def overlapping(anna: Client, ivan: Client, quagga: Article) -> Any:
    form = opened(ivan, quagga, body=BODY.replace("1883", "August 1883").replace("Nobody", "Hardly anybody"))
    save(anna, quagga, body=BODY.replace("1883", "1883 in Amsterdam").replace("stripes", "few stripes"))
    shown = ivan.post(change(quagga), form)
    assert shown.status_code == 409
    return shown


@pytest.mark.parametrize(
    ("choice", "text"),
    [
        ("mine", "The last one died in August 1883."),
        ("theirs", "The last one died in 1883 in Amsterdam."),
        ("both", "The last one died in August 1883.\n\nThe last one died in 1883 in Amsterdam."),
    ],
)
def test_an_overlap_in_the_text_is_chosen(anna: Client, ivan: Client, quagga: Article, choice: str, text: str) -> None:
    shown = overlapping(anna, ivan, quagga)
    assert "▼ [1]" in form_data(shown)["body"]
    assert ivan.post(change(quagga), form_data(shown, **{"choice-1": choice})).status_code == 302
    quagga.refresh_from_db()
    assert quagga.body == (
        BODY.replace("The last one died in 1883.", text)
        .replace("stripes", "few stripes")
        .replace("Nobody", "Hardly anybody")
    )


def test_a_text_with_an_open_overlap_is_not_saved(anna: Client, ivan: Client, quagga: Article) -> None:
    shown = overlapping(anna, ivan, quagga)
    saved = quagga.revisions.count()
    form = form_data(shown, **{"choice-1": None})
    for body in (form["body"], form["body"].replace("▼ [1]", "oops")):
        again = ivan.post(change(quagga), {**form, "body": body})
        assert again.status_code == 409
        assert "In the text below, it is between" in conflict_of(again)
        assert form_data(again)["body"].replace("\r\n", "\n") == body.replace("\r\n", "\n")
    assert quagga.revisions.count() == saved


def test_an_overlap_can_be_settled_by_hand(anna: Client, ivan: Client, quagga: Article) -> None:
    form = form_data(overlapping(anna, ivan, quagga), **{"choice-1": None, "body": "Written anew.\r\n\r\nBy hand."})
    assert ivan.post(change(quagga), form).status_code == 302
    quagga.refresh_from_db()
    assert quagga.body == "Written anew.\n\nBy hand."


def test_an_overlap_within_an_open_overlap_keeps_all_three(anna: Client, ivan: Client, quagga: Article) -> None:
    shown = overlapping(anna, ivan, quagga)
    save(anna, quagga, body=quagga.body.replace("1883 in Amsterdam", "1883, in the zoo of Amsterdam"))
    again = ivan.post(change(quagga), form_data(shown, **{"choice-1": None}))
    body = form_data(again)["body"]
    for words in ("August 1883", "1883 in Amsterdam", "zoo of Amsterdam"):
        assert words in body
    chosen = ivan.post(change(quagga), form_data(again, **{"choice-1": "mine", "choice-2": "mine"}))
    assert chosen.status_code == 302
    quagga.refresh_from_db()
    assert "August 1883" in quagga.body
    assert "▼" not in quagga.body


# Published records: the working copy is what two people meet in


def test_drafts_of_a_published_page_meet_each_other(anna: Client, ivan: Client, quagga: Article) -> None:
    transition(anna, quagga, "publish")
    form = opened(ivan, quagga, body=f"{BODY} Ivan.")
    save(anna, quagga, title="The Quagga")
    shown = ivan.post(change(quagga), form)
    assert shown.status_code == 409
    assert ivan.post(change(quagga), form_data(shown)).status_code == 302
    quagga.refresh_from_db()
    assert quagga.title == "Quagga"
    copy = revisions.working_copy(quagga)
    assert copy is not None
    assert (copy.content["title"], copy.content["body"]) == ("The Quagga", f"{BODY} Ivan.")


# From elsewhere, by oneself, and without knowing


def test_a_change_from_outside_is_met_and_named(ivan: Client, quagga: Article) -> None:
    form = opened(ivan, quagga, quote_words="herds")
    Article.objects.filter(pk=quagga.pk).update(title="The Quagga")
    shown = ivan.post(change(quagga), form)
    assert shown.status_code == 409
    assert "by another program" in conflict_of(shown)
    assert form_data(shown)["title"] == "The Quagga"


def test_what_one_has_saved_in_another_window_is_taken_along_if_it_does_not_overlap(
    ivan: Client, quagga: Article
) -> None:
    form = opened(ivan, quagga, quote_words="herds")
    save(ivan, quagga, title="The Quagga")
    response = ivan.post(change(quagga), form, follow=True)
    assert "merged with those you saved in another window" in response.content.decode()
    quagga.refresh_from_db()
    assert (quagga.title, quagga.quote_words) == ("The Quagga", "herds")
    form = opened(ivan, quagga, title="One Quagga")
    save(ivan, quagga, title="Two Quaggas")
    shown = ivan.post(change(quagga), form)
    assert "by you in another window (" in conflict_of(shown)


@pytest.mark.parametrize("mark", [None, "", "forged", "x:y:z"])
def test_a_form_that_does_not_say_what_it_was_opened_with_is_not_saved(
    ivan: Client, quagga: Article, mark: str | None
) -> None:
    form = opened(ivan, quagga, title="The Quagga", form_token=mark)
    shown = ivan.post(change(quagga), form)
    assert shown.status_code == 409
    assert "does not record which version it was opened with" in conflict_of(shown)
    assert form_data(shown)["title"] == "The Quagga"
    quagga.refresh_from_db()
    assert quagga.title == "Quagga"
    assert ivan.post(change(quagga), form_data(shown, **{"choice-1": "mine"})).status_code == 302
    quagga.refresh_from_db()
    assert quagga.title == "The Quagga"


def test_a_form_cannot_be_opened_with_another_record(ivan: Client, quagga: Article) -> None:
    other = Article.objects.create(title="Quokka", slug="quokka", body=BODY)
    mark = opened(ivan, other)["form_token"]
    assert ivan.post(change(quagga), opened(ivan, quagga, form_token=mark)).status_code == 409


def test_whoever_may_not_change_it_learns_nothing(quagga: Article, ivan: Client) -> None:
    reader = signed_in("reader", "view_article")
    assert "form_token" not in form_data(reader.get(change(quagga)))
    response = reader.post(change(quagga), opened(ivan, quagga))
    assert response.status_code == 403


# Rows


@pytest.fixture
def quote() -> Quote:
    return Quote.objects.create(text="No quagga was ever seen.")


def terms(quote: Quote) -> dict[str, str]:
    return {row.word: row.note for row in IndexTerm.objects.filter(quote=quote)}


def test_rows_of_two_people_are_merged(ivan: Client, quote: Quote) -> None:
    mine = IndexTerm.objects.create(quote=quote, word="zebra")
    theirs = IndexTerm.objects.create(quote=quote, word="horse")
    form = opened(ivan, quote, **{"index_terms-0-note": "Ivan’s"})
    form |= {"index_terms-TOTAL_FORMS": "3", "index_terms-2-word": "donkey", "index_terms-2-note": "new"}
    theirs.delete()
    added = IndexTerm.objects.create(quote=quote, word="mule", note="Anna’s")
    shown = ivan.post(change(quote), form)
    assert shown.status_code == 409
    told = conflict_of(shown)
    assert "added: Word: mule" in told
    assert "removed: Word: horse" in told
    assert ivan.post(change(quote), form_data(shown)).status_code == 302
    assert terms(quote) == {"zebra": "Ivan’s", "mule": "Anna’s", "donkey": "new"}
    assert {mine.pk, added.pk} < set(IndexTerm.objects.filter(quote=quote).values_list("pk", flat=True))


@pytest.mark.parametrize(("choice", "kept"), [("mine", {"zebra": "Mine"}), ("theirs", {})])
def test_a_row_that_they_deleted_and_i_changed_is_chosen(
    ivan: Client, quote: Quote, choice: str, kept: dict[str, str]
) -> None:
    row = IndexTerm.objects.create(quote=quote, word="zebra", note="Old")
    form = opened(ivan, quote, **{"index_terms-0-note": "Mine"})
    row.delete()
    shown = ivan.post(change(quote), form)
    told = conflict_of(shown)
    assert "added: Mine" in told
    assert "deleted" in told
    assert ivan.post(change(quote), form_data(shown, **{"choice-1": None})).status_code == 409
    assert ivan.post(change(quote), form_data(shown, **{"choice-1": choice})).status_code == 302
    assert terms(quote) == kept


@pytest.mark.parametrize(("choice", "kept"), [("mine", {}), ("theirs", {"zebra": "Theirs"})])
def test_a_row_that_i_deleted_and_they_changed_is_chosen(
    ivan: Client, quote: Quote, choice: str, kept: dict[str, str]
) -> None:
    row = IndexTerm.objects.create(quote=quote, word="zebra", note="Old")
    form = opened(ivan, quote, **{"index_terms-0-DELETE": "on"})
    IndexTerm.objects.filter(pk=row.pk).update(note="Theirs")
    shown = ivan.post(change(quote), form)
    assert shown.status_code == 409
    assert "added: Theirs" in conflict_of(shown)
    assert ivan.post(change(quote), form_data(shown, **{"choice-1": choice})).status_code == 302
    assert terms(quote) == kept


def test_texts_of_rows_are_merged_and_chosen_too(ivan: Client, quote: Quote) -> None:
    row = Check.objects.create(quote=quote, checked_by="A", checked_on="2026-01-02", found="One.\nTwo.\nThree.")
    IndexTerm.objects.create(quote=quote, word="zebra")
    form = opened(ivan, quote, **{"checks-0-found": "One.\r\nTwo.\r\nMine.", "checks-0-place": "p. 1"})
    Check.objects.filter(pk=row.pk).update(found="Theirs.\nTwo.\nTheirs too.")
    shown = ivan.post(change(quote), form)
    assert "▼ [1]" in form_data(shown)["checks-0-found"]
    assert ivan.post(change(quote), form_data(shown, **{"choice-1": "theirs"})).status_code == 302
    row.refresh_from_db()
    assert (row.found, row.place) == ("Theirs.\nTwo.\nTheirs too.", "p. 1")


# Deleted meanwhile


def test_what_was_typed_into_a_record_that_was_deleted_can_be_saved_as_another(
    anna: Client, ivan: Client, quagga: Article
) -> None:
    form = opened(ivan, quagga, body="All that Ivan wrote.")
    delete(anna, quagga)
    shown = ivan.post(change(quagga), form)
    assert shown.status_code == 409
    assert "was deleted while you had it open" in conflict_of(shown)
    sent_to = [form.get("action") for form in parse(shown).iter("form")]
    assert f"{ARTICLES}add/" in sent_to
    assert ivan.post(f"{ARTICLES}add/", form_data(shown)).status_code == 302
    assert Article.objects.get(slug="quagga").body == "All that Ivan wrote."


def test_an_empty_form_of_what_was_deleted_asks_for_what_it_needs(anna: Client, ivan: Client) -> None:
    quote = Quote.objects.create(text="No quagga.")
    IndexTerm.objects.create(quote=quote, word="zebra")
    form = opened(ivan, quote, text="Not one quagga.", **{"index_terms-0-note": "Mine"})
    delete(anna, quote)
    shown = form_data(ivan.post(change(quote), form))
    assert shown["text"] == "Not one quagga."
    assert shown["key"]
    assert ivan.post("/admin/quotes/quote/add/", shown).status_code == 302
    assert terms(Quote.objects.get(text="Not one quagga.")) == {"zebra": "Mine"}


def test_whoever_may_not_add_one_sees_what_was_typed(anna: Client) -> None:
    tag = Tag.objects.create(name="Quagga", slug="quagga")
    clerk = signed_in("clerk", "view_tag", "change_tag")
    form = opened(clerk, tag, description="All that the clerk wrote.")
    delete(anna, tag)
    response = clerk.post(change(tag), form)
    assert response.status_code == 409
    assert "All that the clerk wrote." in response.content.decode()
    stranger = signed_in("stranger", "view_tag")
    assert stranger.post(change(tag), form).status_code == 403


# Lists and deletions


def test_a_record_that_was_changed_after_the_question_is_not_deleted(
    anna: Client, ivan: Client, quagga: Article
) -> None:
    section = Article.objects.create(title="Stripes", slug="stripes", parent=quagga)
    address = f"{ARTICLES}{quagga.pk}/delete/"
    sure = form_data(ivan.get(address))
    save(anna, section, body="A long text.")
    response = ivan.post(address, sure)
    assert response.status_code == 409
    page = response.content.decode()
    assert "Nothing was deleted" in page
    assert "Article: Quagga - Stripes" in page
    assert Article.objects.filter(pk__in=[quagga.pk, section.pk]).count() == 2
    assert delete(ivan, quagga).status_code == 302
    assert not Article.objects.filter(pk=quagga.pk).exists()


@pytest.mark.parametrize("seen", [None, "", "forged"])
def test_a_deletion_without_what_its_page_showed_is_refused(ivan: Client, quagga: Article, seen: str | None) -> None:
    address = f"{ARTICLES}{quagga.pk}/delete/"
    assert ivan.post(address, form_data(ivan.get(address), seen=seen)).status_code == 409
    assert Article.objects.filter(pk=quagga.pk).exists()


def test_an_action_on_rows_that_changed_since_the_list_was_opened_does_nothing_to_any(
    anna: Client, ivan: Client
) -> None:
    people = [Person.objects.create(name=f"P{number}", slug=f"p{number}", born=1960) for number in range(3)]
    address = "/admin/quotes/person/?q=P"
    page = form_data(ivan.get(address), action="known_to_be_living", _selected_action=[one.pk for one in people])
    save(anna, people[1], description="poet")
    response = ivan.post(address, page, follow=True)
    assert "Changed since you opened this list: “P1”. Nothing was done" in response.content.decode()
    assert not Person.objects.filter(pk__in=[one.pk for one in people]).exclude(living_checked_on=None).exists()
    run_action(ivan, "known_to_be_living", *people)
    assert Person.objects.filter(pk__in=[one.pk for one in people], living_checked_on=None).count() == 0


def test_rows_beyond_the_page_are_chosen_only_while_nothing_changes(anna: Client, ivan: Client) -> None:
    people = [Person.objects.create(name=f"P{number}", slug=f"p{number}", born=1960) for number in range(2)]
    address = "/admin/quotes/person/?q=P"
    page = form_data(ivan.get(address), action="known_to_be_living", select_across="1", _selected_action=[people[0].pk])
    quagga = Article.objects.create(title="Quagga", slug="quagga", summary="An animal.", body=BODY)
    save(anna, quagga, title="The Quagga")
    response = ivan.post(address, page, follow=True)
    assert "Something has changed since you opened this list" in response.content.decode()
    assert Person.objects.filter(living_checked_on=None, pk__in=[one.pk for one in people]).count() == 2
    page = form_data(ivan.get(address), action="known_to_be_living", select_across="1", _selected_action=[people[0].pk])
    ivan.post(address, page)
    assert not Person.objects.filter(living_checked_on=None, pk__in=[one.pk for one in people]).exists()


def test_several_records_are_not_deleted_if_one_was_changed_after_the_question(anna: Client, ivan: Client) -> None:
    rows = [Article.objects.create(title=f"Q{number}", slug=f"q{number}") for number in range(3)]
    page = run_action(ivan, "delete_selected", *rows)
    form = form_data(page, _selected_action=[row.pk for row in rows])
    rows[2].tags.set(["zebras"])
    response = ivan.post(ARTICLES, form)
    assert "Nothing was deleted" in response.content.decode()
    assert Article.objects.filter(pk__in=[row.pk for row in rows]).count() == 3


# Putting back what the browser kept (static/js/autosave.js)


def test_kept_text_is_shown_and_not_saved(ivan: Client, anna: Client, quagga: Article) -> None:
    kept = opened(ivan, quagga, quote_words="herds", draft_id="abcdefghij")
    shown = ivan.post(change(quagga), {**kept, "_show": "1"})
    assert shown.status_code == 200
    assert "This is not saved yet." in conflict_of(shown)
    assert form_data(shown)["quote_words"] == "herds"
    assert form_data(shown)["draft_id"] == "abcdefghij"
    assert "saved" not in shown.cookies
    quagga.refresh_from_db()
    assert quagga.quote_words == ""
    save(anna, quagga, title="The Quagga")
    assert ivan.post(change(quagga), {**kept, "_show": "1"}).status_code == 409


def test_kept_text_of_a_new_record_is_shown_and_not_saved(ivan: Client) -> None:
    form = form_data(ivan.get(f"{ARTICLES}add/"), title="Quagga", body="Kept.", _show="1")
    shown = ivan.post(f"{ARTICLES}add/", form)
    assert form_data(shown)["body"] == "Kept."
    assert not Article.objects.filter(title="Quagga").exists()


def test_the_browser_is_told_what_was_saved_and_may_be_forgotten(ivan: Client, quagga: Article) -> None:
    refused = ivan.post(change(quagga), opened(ivan, quagga, title="", draft_id="abcdefghij"))
    assert "saved" not in refused.cookies
    cookie = save(ivan, quagga, title="The Quagga", draft_id="abcdefghij").cookies["saved"]
    assert (cookie.value, cookie["path"], cookie["httponly"]) == ("abcdefghij", "/admin/", "")
    cookie = save(ivan, quagga, title="Quagga", draft_id="0123456789").cookies["saved"]
    assert cookie.value == "0123456789.abcdefghij"
    assert "saved" not in save(ivan, quagga, title="A Quagga", draft_id="x; Path=/").cookies


# Who else is here


def presence(row: Any) -> str:
    return f"{changelist_url(row)}{row.pk}/presence/"


def test_whoever_has_the_form_open_is_named_to_the_others(anna: Client, ivan: Client, quagga: Article) -> None:
    assert anna.post(presence(quagga)).content == b""
    assert ivan.post(presence(quagga)).content.decode().startswith("Anna Bauer has had this page open since ")
    assert anna.post(presence(quagga)).content.decode().startswith("ivan has had this page open since ")
    assert anna.post(presence(quagga), {"leaving": "1"}).status_code == 200
    assert ivan.post(presence(quagga)).content == b""


def test_who_has_long_said_nothing_is_gone(anna: Client, ivan: Client, quagga: Article) -> None:
    anna.post(presence(quagga))
    since = Presence.objects.get().since
    anna.post(presence(quagga))
    assert Presence.objects.get().since == since
    Presence.objects.update(seen=F("seen") - timedelta(seconds=91))
    assert ivan.post(presence(quagga)).content == b""
    assert [one.user.username for one in Presence.objects.all()] == ["ivan"]


def test_presence_is_for_those_who_may_see_the_form(quagga: Article, client: Client) -> None:
    stranger = signed_in("stranger", "view_tag")
    assert stranger.post(presence(quagga)).status_code == 403
    assert client.post(presence(quagga)).status_code == 302
    assert stranger.get(presence(quagga)).status_code == 403
    assert signed_in("reader", "view_article").get(presence(quagga)).status_code == 405
    assert not Presence.objects.exists()


def test_presence_changes_no_page_and_keeps_nobody_signed_in(anna: Client, quagga: Article) -> None:
    def session_ends() -> Any:
        return Session.objects.get(pk=anna.session.session_key).expire_date

    before, expires = versions.read_versions(), session_ends()
    assert anna.post(presence(quagga)).cookies == {}
    assert versions.read_versions() == before
    assert session_ends() == expires


def test_the_form_says_where_to_report(anna: Client, quagga: Article) -> None:
    assert f'role="status" data-presence="{presence(quagga)}"' in anna.get(change(quagga)).content.decode()
    assert "data-presence" not in anna.get(f"{ARTICLES}add/").content.decode()


# Where not even the form can be shown


def test_what_was_typed_is_there_where_the_database_lets_nothing_else_be_shown(
    ivan: Client, quagga: Article, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = opened(ivan, quagga, body="All that Ivan wrote.", draft_id="abcdefghij", _save="Save")

    def refuse(*args: Any) -> Any:
        raise locking.BusyError

    with monkeypatch.context() as patched:
        patched.setattr(locking, "write_transaction", refuse)
        patched.setattr(OptimisticLockingMixin, "_show", refuse)
        response = ivan.post(change(quagga), form)
    assert response.status_code == 503
    assert "All that Ivan wrote." in text_of(parse(response).find(".//dl"))
    assert form_data(response)["form_token"] == form["form_token"]
    assert ivan.post(change(quagga), form_data(response)).status_code == 302
    quagga.refresh_from_db()
    assert quagga.body == "All that Ivan wrote."


@pytest.mark.parametrize("error", [OperationalError("no such table"), OperationalError("server closed the connection")])
def test_other_failures_of_the_database_are_not_taken_for_that(error: OperationalError) -> None:
    assert not locking.is_busy(error)
