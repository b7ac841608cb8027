"""Lists that find work: pages that lack something, and pages by tag, editor and age."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from articles import markdown
from articles.models import Article, Event, Reference
from quotes.models import Quote
from rlm_site.history import revisions
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag
from rlm_site.tests.editor import count_queries, signed_in, user_of
from rlm_site.tests.html import parse

pytestmark = pytest.mark.django_db

LIST, QUOTES, EVENTS = "/admin/articles/article/", "/admin/quotes/quote/", "/admin/articles/event/"


@pytest.fixture
def editor() -> Client:
    return signed_in("anna")


def page(title: str, body: str = "", **fields: Any) -> Article:
    row = Article.objects.create(**{"title": title, "body": body, "published": True, **fields})
    revisions.record_external_changes(row)
    return row


def listed(somebody: Client, address: str) -> set[Any]:
    queue.process_queue()
    return set(somebody.get(f"{address}&all=").context["cl"].result_list)


def test_pages_without_citations_are_those_whose_check_says_so(editor: Client) -> None:
    facts = [{"fact": "flag", "value": "A flag.", "detail": "", "source": "[@arden-1987]"}]
    page("Quagga", "It ran.")
    page("Quagga in facts", "It ran.", facts=facts)
    page("Quagga with a note", "It ran.[^a]\n\n[^a]: Fast.")
    page("Quagga cited", "It ran.[@arden-1987]")
    page("Quagga of nothing")
    page("Draft of a quagga", "It ran.", published=False)
    found = listed(editor, f"{LIST}?check=no-citations")
    uncited = {
        row
        for row in Article.objects.published(timezone.now())
        if (source := markdown.source(row.body)).words and not any(part.has_citation for part in source.passages)
    }
    assert {row.title for row in found if "uagga" in row.title} >= {"Quagga", "Quagga in facts"}
    assert found == uncited


def test_an_event_without_citations_is_found(editor: Client) -> None:
    told = Article.objects.get(slug="the-millers")
    fields: dict[str, Any] = {"article": told, "dates": "1901", "published": True}
    bare = Event.objects.create(title="A quagga ran", key="ran", text="Fast.", **fields)
    Event.objects.create(title="A quagga slept", key="slept", text="Long.[@arden-1987]", **fields)
    assert listed(editor, f"{EVENTS}?check=no-citations") == {bare}


def test_pages_without_tags_are_found(editor: Client) -> None:
    bare, tagged, draft = page("Quagga"), page("Zebra"), page("Okapi", published=False)
    tagged.tags.add("bread")
    found = listed(editor, f"{LIST}?check=no-tags")
    assert bare in found
    assert not found & {tagged, draft}
    assert draft in listed(editor, f"{LIST}?tag=none")
    assert tagged not in listed(editor, f"{LIST}?tag=none")


@pytest.mark.parametrize("is_draft", [False, True])
def test_pages_that_cite_a_proposed_reference_are_found_before_they_are_public(editor: Client, is_draft: bool) -> None:
    proposed = Reference.objects.create(key="Quagga-1", title="Quaggas", proposed=True)
    Reference.objects.create(key="quagga-10", title="More quaggas")
    citing, other = page("Quagga", published=not is_draft), page("Zebra", "[@quagga-10] [[quagga-1]]")
    if is_draft:
        citing.body = "It ran.[@quagga-1, p. 3]"
        citing.save()
    else:  # a draft of a public page
        revisions.save_draft(citing, {**revisions.content_of(citing), "body": "It ran.[@quagga-1]"})
    assert listed(editor, f"{LIST}?check=proposed-reference") == {citing}
    assert other not in listed(editor, f"{LIST}?check=proposed-reference")
    assert listed(editor, "/admin/articles/reference/?proposed__exact=1") == {proposed}
    Reference.objects.filter(pk=proposed.pk).update(proposed=False)
    assert listed(editor, f"{LIST}?check=proposed-reference") == set()


def test_a_list_is_narrowed_to_one_tag_by_a_select(editor: Client) -> None:
    for number in range(40):
        page(f"Quagga {number}").tags.add(f"zorb {number}")
    Tag.objects.create(name="unused", slug="unused", folded="unused")
    tag = Tag.objects.get(name="zorb 7")
    assert {row.title for row in listed(editor, f"{LIST}?tag={tag.pk}")} == {"Quagga 7"}
    shown = parse(editor.get(f"{LIST}?tag={tag.pk}&q=quagga&state=published"))
    [select] = shown.findall(".//select[@name='tag']")
    options = {option.text: option.get("value") for option in select.iter("option")}
    assert len(options) > 40
    assert "unused" not in options
    assert [option.text for option in select.iter("option") if option.get("selected") is not None] == ["zorb 7"]
    form = next(form for form in shown.iter("form") if select in form.iter())
    sent = {field.get("name"): field.get("value") for field in form.iter("input")}
    assert sent == {"q": "quagga", "state": "published"}
    assert not [link for link in shown.iter("a") if (link.text or "").startswith("zorb")]


@pytest.mark.parametrize(
    "query", ["tag=", "tag=x", "tag=987654", "tag=%00", "editor=", "editor=x", "changed=", "changed=x"]
)
@pytest.mark.parametrize("address", [LIST, QUOTES])
def test_a_choice_that_is_none_leaves_the_list_as_it_is(editor: Client, address: str, query: str) -> None:
    response = editor.get(f"{address}?{query}")
    assert response.status_code == 200
    assert response.context["cl"].result_count == response.context["cl"].root_queryset.count()


def test_a_select_that_is_sent_without_a_choice_is_no_failure(editor: Client) -> None:
    for query in ("parent__id__exact=", "tag=&parent__id__exact=&state="):
        assert editor.get(f"{LIST}?{query}").context["cl"].result_count == Article.objects.count()
    assert listed(editor, f"{LIST}?parent__id__exact=none") == set(Article.objects.filter(parent=None))


def test_a_list_is_narrowed_to_those_who_began_or_last_changed(editor: Client) -> None:
    anna, boris = user_of(editor), User.objects.create(username="boris")
    own, taken_over, other = page("Quagga", owner=anna), page("Zebra"), page("Okapi", owner=boris)
    for row, author in ((taken_over, boris), (taken_over, anna), (other, anna), (other, boris)):
        revisions.save_draft(row, {**revisions.content_of(row), "body": f"By {author} ."}, author=author)
    assert listed(editor, f"{LIST}?editor={anna.pk}") == {own, taken_over}
    assert listed(editor, f"{LIST}?editor={boris.pk}") == {other}
    quote = Quote.objects.create(text="A quagga.", owner=boris)
    assert listed(editor, f"{QUOTES}?editor={boris.pk}") == {quote}


def test_a_list_is_narrowed_by_the_last_change(editor: Client) -> None:
    now = timezone.now()
    rows = {days: page(f"Quagga {days}") for days in (2, 20, 300, 400)}
    for days, row in rows.items():
        Article.objects.filter(pk=row.pk).update(updated=now - timedelta(days=days))
        row.revisions.update(created=now - timedelta(days=days))

    def found(changed: str) -> list[int]:
        return [days for days, row in rows.items() if row in listed(editor, f"{LIST}?changed={changed}")]

    assert found("week") == [2]
    assert found("month") == [2, 20]
    assert found("not-for-a-year") == [400]
    revisions.save_draft(rows[400], {**revisions.content_of(rows[400]), "body": "Newer."})
    assert (found("week"), found("not-for-a-year")) == ([2, 400], [])


def test_what_somebody_may_not_read_is_no_choice() -> None:
    boris = User.objects.create(username="boris")
    page("Quagga", owner=boris, published=False).tags.add("zqhidden")
    somebody = signed_in("somebody", "add_article")
    shown = somebody.get(LIST).content.decode()
    assert "zqhidden" not in shown
    assert "boris" not in shown


def test_no_two_filters_of_a_list_have_one_name(editor: Client) -> None:
    for address in (LIST, QUOTES, EVENTS, "/admin/articles/reference/", "/admin/quotes/person/"):
        titles = [str(each.title) for each in editor.get(address).context["cl"].filter_specs]
        assert len(titles) == len(set(titles)), address


def test_more_tags_and_editors_cost_no_more_queries(editor: Client) -> None:
    address = f"{LIST}?tag=none&changed=week&editor={user_of(editor).pk}&check=no-tags"
    few = count_queries(editor, address)
    for number in range(20):
        owner = User.objects.create(username=f"quagga {number}")
        page(f"Quagga {number}", owner=owner).tags.add(f"zorb {number}")
    queue.process_queue()
    assert count_queries(editor, address) <= few
