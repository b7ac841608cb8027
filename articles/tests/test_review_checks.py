"""What an editor is told of a text before it is reviewed or published."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from articles import review_checks
from articles.models import Article, Reference
from rlm_site.indexing import queue
from rlm_site.tests.editor import count_queries, signed_in

pytestmark = pytest.mark.django_db

LIST = "/admin/articles/article/"


def article(body: str = "", title: str = "Quagga", **fields: Any) -> Article:
    return Article(**{"title": title, "slug": title.lower(), "summary": "An animal.", "body": body, **fields})


def saved(title: str = "Quagga", **fields: Any) -> Article:
    slug = title.lower().replace(" ", "-")
    return Article.objects.create(**{"title": title, "slug": slug, "published": True, **fields})


def found(row: Article) -> list[tuple[str, str]]:
    return [(str(what), where) for what, where in review_checks.check_article(row, timezone.now())]


def where(row: Article, words: str) -> list[str]:
    return [place for what, place in found(row) if words in what]


@pytest.fixture(autouse=True)
def reference() -> Reference:
    return Reference.objects.create(key="zorb-1950", title="On Zorblax", kind="web")


def test_nothing_is_said_of_a_text_that_is_well() -> None:
    body = "A [[Edgar Tarlow]].[@zorb-1950, p. 3]\n\n## One\n\nMore.[@zorb-1950]\n\n### Two\n\nAnd more.[@zorb-1950]"
    assert found(article(body)) == []
    assert found(article("")) == []


# Links


def test_a_link_is_told_whether_its_page_is_missing_or_not_public() -> None:
    saved("Okapi", published=False)
    saved("Gnu", publish_at=timezone.now() + timedelta(days=1))
    row = article("[[No Such Page]] [[Okapi]] [[Gnu|gnus]] [[Edgar Tarlow]] [[Edgar Tarlow#Ledgers and Maps]]")
    assert where(row, "does not exist") == ["[[No Such Page]]"]
    assert where(row, "cannot see the linked page yet") == ["[[Okapi]]", "[[Gnu]]"]


def test_a_section_beside_the_page_is_found_by_its_title_alone() -> None:
    above = saved("Okapi")
    saved("Stripes", parent=above)
    assert where(article("[[Stripes]]", parent=above), "does not exist") == []
    assert where(article("[[Stripes]]", parent=saved("Gnu")), "does not exist") == ["[[Stripes]]"]


def test_a_public_section_of_a_draft_topic_is_not_public() -> None:
    saved("Stripes", parent=saved("Okapi", published=False))
    assert where(article("[[Okapi#Stripes]]"), "cannot see the linked page yet") == ["[[Okapi#Stripes]]"]


def test_a_public_page_is_not_hidden_by_a_draft_of_the_same_name() -> None:
    saved("Okapi", slug="okapi-2", published=False, position=0)
    saved("Okapi", position=5)
    assert where(article("[[Okapi]]"), "link") == []


def test_what_the_check_calls_missing_is_what_readers_see_as_plain_text(client: Client) -> None:
    known = ["Edgar Tarlow", "edgar-tarlow", "EDGAR TARLOW", "Edgar Tarlow#Ledgers and Maps"]
    targets = [*known, "Tarlow", "#x", "A#"]
    row = saved(body=" ".join(f"[[{target}]]" for target in targets))
    page = client.get("/quagga/").content.decode()
    text = page.split('<div class="text">')[1].split("</div>")[0]
    missing = where(row, "does not exist")
    assert text.count("<a ") == len(targets) - len(missing)
    assert missing == ["[[Tarlow]]", "[[#x]]", "[[A#]]"]


# Citations


def test_a_citation_without_a_record_is_told_once_with_its_key() -> None:
    row = article("One.[@zorb-1950, p. 1] Two.[@no-such, p. 4; @zorb-1950] Three.[@no-such]")
    assert where(row, "not among the references") == ["@no-such"]


@pytest.mark.parametrize("place", ["p.", "pp.", "vol.", "p"])
def test_a_citation_whose_page_was_not_filled_in_is_told(place: str) -> None:
    row = article(f"One.[@zorb-1950, {place} ] Two.[@zorb-1950, p. 3] Three.[@zorb-1950, Mazurkiewicz]")
    assert where(row, "no page number") == [f"[@zorb-1950, {place}]"]


@pytest.mark.parametrize("text", ["[@zorb-1950 p. 4]", "[[Edgar Tarlow]", "[@ zorb]"])
def test_what_was_meant_as_a_link_or_a_citation_and_is_none_is_told(text: str) -> None:
    assert where(article(f"One {text} two.[@zorb-1950]"), "Not a valid")[0].startswith(text[:2])


# Headings


@pytest.mark.parametrize(
    ("body", "skipping"),
    [
        ("## One\n\n### Two\n\n#### Three\n\n## Four", []),
        ("# One\n\n## Two\n\n### Three", []),
        ("### One\n\n## Two", ["### One"]),
        ("## One\n\n#### Two\n\n### Three", ["#### Two"]),
        ("Two\n---\n\n#### Deep", ["#### Deep"]),
        ("```\n#### not a heading\n```", []),
    ],
)
def test_headings_out_of_order_are_told(body: str, skipping: list[str]) -> None:
    assert where(article(body), "skips a level") == skipping


# Sections without a citation


def test_a_part_without_citation_is_told_by_its_heading() -> None:
    body = "Lead.\n\n## One\n\nText.[@zorb-1950]\n\n## Two\n\nText.\n\n## Three\n\n### Four\n\nText.[^r]"
    body += "\n\n[^r]: See [@zorb-1950]."
    assert where(article(body), "There is no citation under this heading") == ["Two"]


def test_a_page_without_any_citation_is_told_once() -> None:
    assert found(article("Text.\n\n## One\n\nText.")) == [("This page has no citations", "")]


def test_a_heading_within_a_remark_or_a_quotation_is_no_trouble() -> None:
    body = "Text.[@zorb-1950] [^r]\n\n> ## Said\n>\n> Words.\n\n[^r]: ## Aside\n\n    Words."
    assert where(article(body), "There is no citation under this heading") == ["Said"]


# Titles


@pytest.mark.parametrize("title", ["QUOKKA", "Quókka", "quokka", "Quokka"])
def test_a_title_that_another_topic_has_in_other_letters_is_told(title: str) -> None:
    saved("Quokka")
    assert where(article(title=title), "Another page has this title") == ["Quokka"]


def test_cyrillic_titles_are_folded_too() -> None:
    saved("Ёлкина", slug="elkina")
    assert where(article(title="ЕЛКИНА"), "Another page has this title") == ["Ёлкина"]


def test_sections_of_different_topics_may_have_the_very_same_title() -> None:
    above = saved("Okapi")
    section = saved("Background", parent=above)
    other = article(title="Background", parent=saved("Gnu"))
    assert where(other, "Another page has this title") == []
    other.title = "background"
    assert where(other, "Another page has this title") == ["Okapi - Background"]
    assert where(section, "Another page has this title") == []


def test_a_page_of_its_own_title_is_not_another_one() -> None:
    assert where(saved("Okapi"), "Another page has this title") == []


def test_the_checks_of_many_links_make_no_more_queries(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    few = article("[[A]] [@b] [x](/no/)")
    many = article(" ".join(f"[[Page {n}]] [[Okapi#Part {n}]] [@key-{n}] [x](/no/{n}/#y)" for n in range(100)))
    for row in (few, many):
        with django_assert_max_num_queries(9):
            review_checks.check_article(row, timezone.now())


# The whole site


def test_broken_links_of_public_pages_are_gathered(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    assert review_checks.broken_links(timezone.now()) == []
    saved("Hidden", published=False, body="[[No Such Page]]")
    okapi = saved("Okapi", body="[[Hidden]] [[Edgar Tarlow]] [[Gone]]")
    section = saved("Stripes", parent=okapi, body="[[Okapi]] [[Stripes]] [[Nowhere]]")
    for number in range(30):
        saved(f"Gnu {number}", body="[[Okapi]]")
    queue.process_queue()
    with django_assert_max_num_queries(9):
        rows = review_checks.broken_links(timezone.now())
    assert [(link.row, link.target) for link in rows] == [
        (okapi, "[[Gone]]"),
        (okapi, "[[Hidden]]"),
        (section, "[[Nowhere]]"),
    ]


def test_pages_not_reviewed_for_a_year() -> None:
    now = timezone.now()
    long_ago = now - timedelta(days=400)
    due = {
        saved("Okapi", reviewed_on=long_ago.date()),
        saved("Gnu", created=long_ago),
        saved("Eland", created=long_ago, reviewed_on=(now - timedelta(days=365)).date()),
    }
    saved("Kudu", created=long_ago, reviewed_on=now.date())
    saved("Oryx")
    saved("Draft", published=False, created=long_ago)
    assert set(review_checks.not_reviewed_for_a_year(now)) == due


def test_the_list_is_filtered_by_both() -> None:
    editor = signed_in()

    def listed(query: str) -> list[str]:
        return [row.title for row in editor.get(f"{LIST}{query}").context["cl"].result_list]

    saved("Okapi", body="[[No Such Page]]")
    saved("Gnu", created=timezone.now() - timedelta(days=400))
    assert listed("?check=broken-links") == ["Okapi"]
    assert listed("?review=due") == ["Gnu"]
    assert len(listed("?check=nonsense&review=nonsense")) > 2


def test_the_list_of_broken_links_makes_as_many_queries_for_many_as_for_few() -> None:
    editor = signed_in()
    saved("Okapi", body="[[No Such Page]]")
    few = count_queries(editor, f"{LIST}?check=broken-links")
    for number in range(20):
        saved(f"Gnu {number}", body=f"[[No Such Page]] [[Nor {number}]]")
    assert count_queries(editor, f"{LIST}?check=broken-links") == few <= 21
