"""The desk's first page: what there is to do, for whom, and the lists that its numbers lead to."""

import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from articles.models import Article, Reference
from quotes.models import Person, Quote
from rlm_site.editor import dashboard
from rlm_site.editor.dashboard import Task
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.page_cache import versions
from rlm_site.tests.editor import count_queries, group_client, signed_in, user_of
from rlm_site.tests.html import parse, text_of

pytestmark = pytest.mark.django_db

State = Revision.State


def tasks(somebody: Client) -> dict[str, Task]:
    context = somebody.get("/admin/").context
    return {str(task.title): task for task in [*context["in_stages"], *context["of_apps"]]}


def counts(somebody: Client) -> dict[str, int]:
    return {title: sum(pile.count for pile in task.piles) for title, task in tasks(somebody).items()}


def draft(row: Any, author: User | None = None, state: str = State.DRAFT, **changed: Any) -> Revision:
    revisions.record_external_changes(row)
    content = {**revisions.content_of(row), **(changed or {"tags": ["zorblax"]})}
    if state == State.DRAFT:
        return revisions.save_draft(row, content, author=author)
    return revisions.record_revision(row, state=state, content=content, author=author)


@pytest.fixture
def busy_desk() -> Client:
    """Somebody with work of every kind."""
    editor = signed_in("anna")
    anna, boris, now = user_of(editor), User.objects.create(username="boris"), timezone.now()
    articles, quotes = list(Article.objects.order_by("pk")), list(Quote.objects.order_by("pk"))
    for row in (*articles[:2], quotes[0]):
        draft(row, anna)
    for row in articles[2:5]:
        draft(row, anna)
        draft(row, boris, state=State.RETURNED)
    draft(articles[5], anna)
    draft(articles[5], anna, state=State.IN_REVIEW)
    draft(quotes[1], boris)
    draft(quotes[1], boris, state=State.APPROVED)
    draft(quotes[2], boris)
    Article.objects.filter(pk=articles[6].pk).update(publish_at=now + timedelta(days=1))
    Quote.objects.filter(pk=quotes[3].pk).update(retire_at=now + timedelta(days=1))
    Article.objects.filter(pk=articles[7].pk).update(body="See [[No Such Page]].", reviewed_on="2020-01-01")
    Article.objects.filter(pk=articles[9].pk).update(body="They were deported and killed.")
    Article.objects.filter(pk=articles[8].pk).update(title="Zorblax", quote_words="", body="")
    Quote.objects.filter(pk=quotes[4].pk).update(attribution_as_imported="Zorblax, somewhere")
    Person.objects.create(name="Zorblax", slug="zorblax", born=1990)
    articles[9].tags.clear()
    Reference.objects.filter(key="arden-1987").update(proposed=True)
    queue.process_queue()
    return editor


def test_each_number_leads_to_a_list_of_just_so_many(busy_desk: Client) -> None:
    found = tasks(busy_desk)
    assert all(task.waiting for task in found.values())
    for title, task in found.items():
        for pile in task.piles:
            context = busy_desk.get(pile.address).context
            rows = {link.row for link in context.get("page", ()) if isinstance(link.row, pile.model)}
            listed = context["cl"].result_count if "cl" in context else len(rows)
            assert listed == pile.count, title


def test_what_is_in_work_is_counted_by_its_stage(busy_desk: Client) -> None:
    found = tasks(busy_desk)
    assert {title: [pile.count for pile in task.piles] for title, task in found.items() if len(task.piles) > 1} == {
        "Broken links": [1, 0],
        "Without citations": [2, 0],  # articles, events
        "Claims without a source": [2, 0],
        "Proposed references": [1, 7],  # references, pages that cite them
        "Returned to you": [3, 0, 0],  # articles, events, quotations
        "Your drafts": [2, 0, 1],
        "Sent by you": [1, 0, 0],
        "Waiting for review": [1, 0, 0],
        "Approved, ready to publish": [0, 0, 1],
        "Scheduled": [1, 0, 0],
        "To be unpublished": [0, 0, 1],
    }


def test_a_number_is_a_link_and_nothing_is_said_in_words(busy_desk: Client) -> None:
    page = parse(busy_desk.get("/admin/"))
    [link] = [link for link in page.iter("a") if link.get("href") == "/admin/articles/article/?work=returned"]
    assert text_of(link) == "3 articles"
    quiet = signed_in("quiet", "add_article", "view_article")
    assert "You have no drafts." in quiet.get("/admin/").content.decode()


def test_what_is_published_or_discarded_is_nobodys_draft_any_more(busy_desk: Client) -> None:
    first, second = Article.objects.order_by("pk")[:2]
    copy = revisions.working_copy(first)
    assert copy is not None
    revisions.publish(first, copy.content)
    draft(second, state=State.DISCARDED)
    assert counts(busy_desk)["Your drafts"] == 1
    draft(first, User.objects.get(username="boris"), tags=["quagga"])
    assert counts(busy_desk)["Your drafts"] == 1


def test_everybody_sees_their_own_drafts_and_what_they_may_do(busy_desk: Client) -> None:
    own = ["Returned to you", "Your drafts", "Sent by you", "Approved, ready to publish", "Scheduled"]
    author = counts(group_client("Authors"))
    assert set(own) <= set(author)
    assert not any(author[title] for title in own)  # of others' records an author learns nothing
    assert "Waiting for review" not in author
    editor = counts(group_client("Editors"))
    assert (editor["Your drafts"], editor["Waiting for review"]) == (0, 1)
    assert "Broken links" in editor
    assert counts(group_client("Publishers"))["Approved, ready to publish"] == 1


def test_nobody_learns_of_what_they_may_not_see(busy_desk: Client) -> None:
    somebody = signed_in("boring", "view_quote", "change_quote")
    page = somebody.get("/admin/").content.decode()
    assert "/admin/articles/" not in page
    assert "zorblax" not in page.lower()
    assert {pile.model for task in tasks(somebody).values() for pile in task.piles} == {Quote}
    assert {change.revision.content_type.model for change in somebody.get("/admin/").context["newest"]} == {"quote"}


def test_somebody_with_nothing_to_do_here_is_shown_nothing() -> None:
    page = signed_in("stranger", "view_user").get("/admin/")
    assert not page.context["in_stages"]
    assert not page.context["of_apps"]
    assert page.context["newest"] is None
    assert "Recent changes" not in page.content.decode()


def test_the_newest_changes_are_there_with_who_and_why() -> None:
    editor = signed_in("anna")
    article = Article.objects.get(slug="the-millers")
    revisions.record_external_changes(article)
    content = {**revisions.content_of(article), "title": "The Zorblaxes"}
    revisions.save_draft(article, content, author=user_of(editor), comment="More than one.")
    page = parse(editor.get("/admin/"))
    [first, *_others] = page.findall(".//ul[@class='newest-changes']/li")
    assert text_of(first).startswith("The Zorblaxes Draft anna,")
    assert text_of(first).endswith("More than one.")
    addresses = [f"/admin/articles/article/{article.pk}/{page}/" for page in ("change", "history")]
    assert [link.get("href") for link in first.findall("a")] == addresses


def test_a_change_of_what_is_deleted_leads_nowhere() -> None:
    article = Article.objects.create(title="Zorblax", slug="zorblax")
    revisions.record_revision(article)
    article.delete()
    [first, *_others] = parse(signed_in().get("/admin/")).findall(".//ul[@class='newest-changes']/li")
    assert "Zorblax" in text_of(first)
    assert first.find("a") is None


def test_a_loose_end_that_is_tied_is_gone_at_once(busy_desk: Client) -> None:
    before = counts(busy_desk)["Broken links"]
    assert counts(busy_desk)["Broken links"] == before
    Article.objects.filter(body__contains="[[No Such Page]]").update(body="No link.")
    assert counts(busy_desk)["Broken links"] == before - 1


def test_what_is_costly_is_made_anew_after_a_change_and_when_the_clock_changes_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[datetime] = []
    token = ["one"]
    monkeypatch.setattr(queue, "ensure_indexed", lambda: versions.Versions({"all": token[0]}, stale=False))

    def make(now: datetime) -> int:
        made.append(now)
        return len(made)

    def ask() -> int:
        return dashboard.cached_report("zorblaxes", make, Article)

    assert (ask(), ask()) == (1, 1)
    token[0] = "two"
    assert (ask(), ask()) == (2, 2)
    token[0] = "three"
    Article.objects.filter(slug="the-millers").update(publish_at=timezone.now() + timedelta(milliseconds=300))
    assert (ask(), ask()) == (3, 3)
    time.sleep(0.3)
    assert ask() == 4
    token[0] = ""  # within a transaction nothing is known of its own changes
    assert (ask(), ask()) == (5, 6)


def test_it_makes_as_many_queries_however_much_there_is(busy_desk: Client) -> None:
    few = count_queries(busy_desk, "/admin/")
    anna = user_of(busy_desk)
    made = Quote.objects.bulk_create(Quote(text=f"Zorblax {number}", key=f"zorblax-{number}") for number in range(300))
    pages = Article.objects.bulk_create(Article(title=f"Zorblax {n}", slug=f"zorblax-{n}") for n in range(30))
    for row in [*made[:60], *pages]:
        draft(row, anna)
    queue.process_queue()
    assert counts(busy_desk)["Your drafts"] >= 90
    assert count_queries(busy_desk, "/admin/") <= few
    assert few <= 42


@pytest.mark.parametrize("query", ["work=", "work=zorblax", "check=zorblax", "review=zorblax"])
def test_a_filter_that_is_none_leaves_the_list_as_it_is(query: str) -> None:
    listed = signed_in().get(f"/admin/articles/article/?{query}").context["cl"].result_count
    assert listed == Article.objects.count()


def test_what_was_done_in_one_go_is_one_change() -> None:
    editor = signed_in("anna")
    anna = user_of(editor)
    pages = Article.objects.bulk_create(Article(title=f"Quagga {n}", slug=f"quagga-{n}") for n in range(20))
    for page in pages:
        revisions.save_draft(page, revisions.content_of(page), author=anna)
    revisions.save_draft(pages[0], revisions.content_of(pages[0]), author=User.objects.create(username="boris"))
    changes = editor.get("/admin/").context["newest"]
    assert [(change.title, change.others) for change in changes[:2]] == [("Quagga 0", 0), ("Quagga 19", 19)]
