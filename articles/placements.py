"""Placements: which quotations pages show, and which pages show a quotation."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from articles.models import Article, HeadingWord, QuoteChoice, TaggedArticle
from articles.topics import Topic, load_topics
from quotes import matching
from quotes.models import Quote, Word
from rlm_site.indexing import queue
from rlm_site.page_cache import versions


def block_of(topic: Topic, article: Article, now: datetime) -> matching.Block:
    """Return the quotations that the page shows. At most two queries."""
    return matching.blocks([topic.pages()], now)[0][topic.articles.index(article)]


def articles_showing(quote: Quote, now: datetime) -> list[Article]:
    """Return the pages that show a quotation, by title. A fixed number of queries."""
    forms = Word.objects.filter(links__quote=quote).values("form")
    headed = HeadingWord.objects.filter(word__in=Word.objects.filter(form__in=forms).values("text"))
    asking = Article.objects.filter(
        Q(pk__in=headed.values("article"))
        | Q(pk__in=QuoteChoice.objects.filter(quote=quote).values("article"))
        | Q(
            pk__in=TaggedArticle.objects.filter(tag__in=quote.tags.filter(brings_quotations=True)).values(
                "content_object"
            )
        )
    )
    found = load_topics(asking, now)
    shown = []
    for topic, blocks in _with_blocks(found, now):
        for article, block in zip(topic.articles, blocks, strict=True):
            if any(pick.quote.pk == quote.pk for pick in block.picks):
                shown.append(article)
    return sorted(shown, key=lambda article: article.full_title)


def blocks_by_article(now: datetime) -> list[tuple[Article, matching.Block]]:
    """Return every public page with the quotations that it shows. A fixed number of queries."""
    with versions.pinned_versions():
        queue.ensure_indexed()
        return _blocks_by_article(now)


def picks_by_heading() -> dict[str, tuple[str, ...]]:
    """Return the keys of the quotations on every public page, by heading, for an import to compare before and after."""
    shown = _blocks_by_article(timezone.now())
    return {article.full_title: tuple(pick.quote.key for pick in block.picks) for article, block in shown}


def _blocks_by_article(now: datetime) -> list[tuple[Article, matching.Block]]:
    shown = _with_blocks(load_topics(Article.objects.topics(), now), now)
    return [pair for topic, blocks in shown for pair in zip(topic.articles, blocks, strict=True)]


def _with_blocks(topics: Sequence[Topic], now: datetime) -> Iterable[tuple[Topic, list[matching.Block]]]:
    return zip(topics, matching.blocks([topic.pages() for topic in topics], now), strict=True)


def articles_with_word(words: Iterable[str], now: datetime) -> QuerySet[Article]:
    """Return public pages with one of these folded words in their heading."""
    headed = HeadingWord.objects.filter(word__in=list(words)).values("article")
    return Article.objects.published(now).filter(pk__in=headed).select_related("parent").order_by("title", "id")
