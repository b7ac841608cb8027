"""A page costs a fixed, small number of queries, whatever there is to read, with nothing remembered."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from articles import markdown, previews
from articles.models import Article, QuoteChoice, Reference, TaggedArticle
from quotes import matching
from quotes.models import Check, Person, Quote, TaggedQuote
from rlm_site.history import revisions
from rlm_site.history.models import Revision
from rlm_site.indexing import queue
from rlm_site.tags.models import Tag

pytestmark = pytest.mark.django_db

AT_MOST = 9  # one of them for the lists in the header
# Pages of articles read the glossary and related topics, too; the last one searches for the words of the address.
MORE = {
    "/": 12, "/search/": 12, "/yarle-valley/": 13, "/yarle-valley/the-millers/": 11, "/tolby-market/the-fair/": 11,
    "/no-such-page/": 13,
}  # fmt: skip

PAGES = [
    "/",
    "/?page=2",
    "/about/",
    "/changes/",
    "/changes/?page=2",
    "/people/",
    "/places/",
    "/map/",
    "/documents/",
    "/glossary/",
    "/index/",
    "/yarle-valley/all/",
    "/quotes/people/",
    "/quotes/people/lena-sommer/",
    "/quotes/",
    "/quotes/?tag=bread&status=reported&word=bread",
    "/quotes/?person=lena-sommer&page=2",
    "/references/",
    "/references/all.bib",
    "/yarle-valley/versions/",
    "/yarle-valley/versions/1/",
    "/yarle-valley/the-millers/versions/1/",
    "/yarle-valley/the-millers/versions/1/cite/",
    "/yarle-valley/the-millers/versions/1/cite.ris",
    "/yarle-valley/",
    "/yarle-valley/the-millers/",
    "/tolby-market/the-fair/",
    "/search/?q=rain",
    "/search/?q=bread&kind=quotation&tag=bread",
    "/search/?q=weirs+of+the+yarle+valley",
    "/search/?q=weirs+of+xyzzyx",
    "/search/?q=vallye",
    "/search/?q=",
    "/tags/",
    "/tags/bread/",
    "/tags/bread/?page=2",
    "/words/millers/",
    "/words/rain/?page=2",
    "/feeds/changes/",
    "/feeds/quotes/",
    "/no-such-page/",
]


def queries(client: Client, address: str) -> int:
    """How many the page costs a server that has just started."""
    matching._block_cache.clear()
    markdown.render.cache_clear()
    markdown.source.cache_clear()
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(connection) as captured:
        response = client.get(address)
    assert response.status_code in {200, 404}
    return len(captured)


def grow() -> None:
    """Return some hundred more of everything that a page could walk along."""
    bread, millers = Tag.objects.get(slug="bread"), Article.objects.get(slug="the-millers")
    sommer, garland = Person.objects.get(slug="lena-sommer"), Quote.objects.get(key="garland-weights-and-measures")
    tags = Tag.objects.bulk_create(Tag(name=f"zorb {n}", slug=f"zorb-{n}", folded=f"zorb {n}") for n in range(150))
    people = Person.objects.bulk_create(Person(name=f"Zora {n}", slug=f"zora-{n}") for n in range(50))
    references = Reference.objects.bulk_create(Reference(key=f"zorb-{n}", title=f"Zorb {n}") for n in range(50))
    topics = Article.objects.bulk_create(
        Article(title=f"Zorb {n}", slug=f"zorb-{n}", body=f"[[Zorb {n + 1}]][@zorb-{n}]", published=True, position=n)
        for n in range(50)
    )
    sections = Article.objects.bulk_create(
        Article(
            parent=millers.parent if n % 2 else topics[n % 50],
            title=f"Rain and Millers {n}",
            slug=f"rain-and-millers-{n}",
            body=f"The millers of bread.[@zorb-{n % 50}]",
            published=True,
            position=n,
        )
        for n in range(100)
    )
    quotes = Quote.objects.bulk_create(
        Quote(
            text=f"No bread without rain and millers, number {n}.",
            person=people[n % 50] if n % 3 else sommer,
            status="reported",
            published=True,
        )
        for n in range(150)
    )
    TaggedArticle.objects.bulk_create(
        TaggedArticle(tag=tag, content_object=article)
        for article, own in zip([*topics, *sections], tags, strict=True)
        for tag in (bread, own)
    )
    TaggedQuote.objects.bulk_create(
        TaggedQuote(tag=tag, content_object=quote)
        for quote, own in zip(quotes, tags, strict=True)
        for tag in (bread, own)
    )
    QuoteChoice.objects.bulk_create(QuoteChoice(article=millers, quote=quote, action="ban") for quote in quotes[:50])
    QuoteChoice.objects.bulk_create(QuoteChoice(article=section, quote=garland) for section in sections[:50])
    Check.objects.bulk_create(
        Check(quote=garland, checked_by=f"Reader {n}", checked_on="2026-05-04", work=garland.quoted_in)
        for n in range(20)
    )
    many = " ".join(f"[@{reference.key}]" for reference in references)
    Article.objects.filter(pk=millers.pk).update(body=many + " ".join(f"[[Zorb {n}]]" for n in range(100)))
    queue.process_queue()


def test_no_page_costs_more_queries_when_there_is_more_to_read(client: Client) -> None:
    garland = Quote.objects.get(key="garland-weights-and-measures")
    revision = revisions.record_revision(Article.objects.get(slug="the-millers"), state=Revision.State.DRAFT)
    pages = [*PAGES, garland.get_absolute_url(), Quote.objects.get(status="misattributed").get_absolute_url()]
    queue.process_queue()
    before = {page: queries(client, page) for page in pages}
    preview, sitemap = (
        queries(client, previews.link_address(previews.create_link(revision))),
        queries(client, "/sitemap.xml"),
    )
    grow()
    after = {page: queries(client, page) for page in pages}
    assert {page: (before[page], after[page]) for page in pages if after[page] > before[page]} == {}
    assert queries(client, previews.link_address(previews.create_link(revision))) <= preview
    assert queries(client, "/sitemap.xml") <= sitemap
    limits = {page: MORE.get(page.partition("?")[0], AT_MOST) for page in pages}
    assert {page: after[page] for page in pages if max(before[page], after[page]) > limits[page]} == {}


@pytest.mark.parametrize("words", ["vallye", "vallye mils tarlof coutry", " ".join(["xyzzyx", "plughh"] * 6)])
def test_a_search_for_unknown_words_costs_no_more_than_another(client: Client, words: str) -> None:
    assert queries(client, f"/search/?q={words.replace(' ', '+')}") <= MORE["/search/"]


@pytest.mark.parametrize("address", ["/zorb/lax/of/nowhere/", "/rain/river/", "/the-millers-of-rain-and-river/"])
def test_a_page_that_is_not_there_costs_no_more_than_a_search(client: Client, address: str) -> None:
    assert queries(client, address) <= MORE["/no-such-page/"]
