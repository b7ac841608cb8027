from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from articles.models import Article, HeadingWord, QuoteChoice, TaggedArticle
from articles.topics import Topic, load_topics
from quotes import matching
from quotes.models import Quote, Word

# What its readers must name of the content, see `freshness.watch`.
PICKED_FROM = ("quotes", "tags")


def block_of(topic: Topic, article: Article, now: datetime, version: str = "") -> matching.Block:
    """The quotations that the page shows. At most two queries."""
    return matching.blocks([topic.pages()], now, version)[0][topic.articles.index(article)]


def articles_showing(quote: Quote, now: datetime, version: str = "") -> list[Article]:
    """The pages that show a quotation, by title. A fixed number of queries."""
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
    for each, blocks in zip(found, matching.blocks([each.pages() for each in found], now, version), strict=True):
        for article, block in zip(each.articles, blocks, strict=True):
            if any(pick.quote.pk == quote.pk for pick in block.picks):
                shown.append(article)
    return sorted(shown, key=lambda article: article.full_title)


def picks_by_heading() -> dict[str, tuple[str, ...]]:
    """Heading of every public page -> keys of the quotations it shows; an import compares them before and after."""
    now = timezone.now()
    found = load_topics(Article.objects.topics(), now)
    blocks = matching.blocks([topic.pages() for topic in found], now)
    return {
        article.full_title: tuple(pick.quote.key for pick in block.picks)
        for topic, of_topic in zip(found, blocks, strict=True)
        for article, block in zip(topic.articles, of_topic, strict=True)
    }


def articles_with_word(words: Iterable[str], now: datetime) -> QuerySet[Article]:
    """Public pages with one of these folded words in their heading."""
    headed = HeadingWord.objects.filter(word__in=list(words)).values("article")
    return Article.objects.published(now).filter(pk__in=headed).select_related("parent").order_by("title", "id")
