"""Read every page of the content that ships with the site."""

import re
from typing import Any
from xml.etree.ElementTree import Element

import brotli
import pytest
from django.test import Client

from articles.models import Article, Event, QuoteChoice, Reference
from quotes.models import Quote
from rlm_site.page_cache.memory import BROTLI_QUALITY
from rlm_site.testing.variables import ROOT
from rlm_site.tests.crawl import assert_every_link_leads_somewhere
from rlm_site.tests.html import parse, text_of, with_class

pytestmark = [pytest.mark.django_db, pytest.mark.content]

WORDS, WORD = "Famous quotes containing the words ", "Famous quotes containing the word "
STYLES = [ROOT / "static" / "css" / name for name in ("tokens.css", "site.css")]
AT_MOST = 3  # quotations of a page
HEAVIEST = 10_000  # bytes of a page, as it is sent; of one with a diagram, which stands there as a table, too
WITH_STYLE = 20_000  # bytes of the front page and of a list with all that they load
OF_AN_EVENT = 275  # bytes of the chronology with its style: it has all sentences and notes on one page


_read: list[tuple[Article, Any]] = []


def pages(client: Client) -> list[tuple[Article, Any]]:
    """Return every article with its page, asked for once a process: no test here writes."""
    if not _read:
        articles = Article.objects.select_related("parent")
        _read.extend((article, client.get(article.get_absolute_url())) for article in articles if not article.is_gloss)
    return _read


def figures(document: Element) -> list[Element]:
    return [quotation for block in with_class(document, "quotations") for quotation in block.iter("figure")]


@pytest.mark.full
def test_every_internal_link_leads_somewhere(client: Client) -> None:
    assert_every_link_leads_somewhere(client, {article.get_absolute_url(): page for article, page in pages(client)})


@pytest.mark.full
def test_every_shown_quotation_bears_out_a_word_of_the_line_above_it(client: Client) -> None:
    lines = set()
    for article, page in pages(client):
        document = parse(page)
        headings = [text_of(heading) for heading in document.iter("h2")]
        line = next((heading for heading in headings if heading.startswith((WORDS, WORD))), "")
        words = set(re.sub(r"^.*the words? |:$", "", line).replace(" and/or ", ", ").split(", "))
        quotations = figures(document) if line else []
        assert bool(quotations) == bool(line), article
        for quotation in quotations:
            assert words & {text_of(mark).lower() for mark in quotation.iter("mark")}, article
        lines.add(line)
    assert len(lines) >= 8


@pytest.mark.full
def test_no_page_is_heavy(client: Client) -> None:
    heavy = {article.slug: size for article, page in pages(client) if (size := len(brotli.compress(page.content)))}
    assert {slug: size for slug, size in heavy.items() if size > HEAVIEST} == {}


def test_no_list_is_heavy_with_its_style(client: Client) -> None:
    style = sum(len(brotli.compress(path.read_bytes())) for path in STYLES)
    lists = (
        "/",
        "/people/",
        "/places/",
        "/map/",
        "/chronology/",
        "/documents/",
        "/glossary/",
        "/index/",
        "/index/?page=2",
    )
    sent = {path: style + len(brotli.compress(client.get(path).content, quality=BROTLI_QUALITY)) for path in lists}
    assert sent.pop("/chronology/") <= OF_AN_EVENT * Event.objects.count()
    assert {path: size for path, size in sent.items() if size > WITH_STYLE} == {}
    assert client.get("/index/").context["page"].has_other_pages()  # so that it stays so, however long it grows


# What the about page says of the content


@pytest.mark.full
def test_under_a_page_stand_up_to_three_quotations(client: Client) -> None:
    numbers = {article.slug: len(figures(parse(page))) for article, page in pages(client)}
    assert {slug: number for slug, number in numbers.items() if number > AT_MOST} == {}
    assert AT_MOST in numbers.values()


@pytest.mark.full
def test_a_doubtful_quotation_is_shown_only_where_an_editor_chose_it(client: Client) -> None:
    doubtful = {quote.pk: quote for quote in Quote.objects.exclude(status__in=Quote.PICKED_STATUSES)}
    chosen = set(QuoteChoice.objects.filter(action="pin").values_list("article", "quote"))
    for article, page in pages(client):
        shown = {int(key) for key in re.findall(r'href="/quotes/(\d+)/', page.content.decode())}
        for key in shown & doubtful.keys():
            assert (article.pk, key) in chosen, article
            assert doubtful[key].status != Quote.Status.MISATTRIBUTED, article


def test_encyclopedias_that_anybody_can_edit_are_not_cited() -> None:
    references = list(Reference.objects.values())
    assert references
    assert [row["key"] for row in references if re.search(r"wiki|fandom", str(row), re.IGNORECASE)] == []


def test_vlasovites_is_said_in_quotations_alone() -> None:
    said = [
        (article.slug, found)
        for article in Article.objects.all()
        for found in re.findall(r".{5}vlasovites?.", article.body, re.IGNORECASE | re.DOTALL)
    ]
    assert said
    assert [(slug, found) for slug, found in said if not re.fullmatch(r'.*["“](the )?\w+["”]', found)] == []
