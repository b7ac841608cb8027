"""Registration of topics and sections with the search."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from articles import markdown
from articles.models import Article, TaggedArticle
from rlm_site.publishing.visibility import public_window
from rlm_site.search.registry import Document, Source


def documents(ids: Sequence[int]) -> Iterator[Document]:
    """Yield a search document for each of these articles that is or will be public."""
    rows = Article.objects.filter(pk__in=ids).select_related("parent").prefetch_related("tagged_items__tag")
    for article in rows:
        if public := public_window(article, article.parent):
            about = [item.tag.name for item in article.tagged_items.all()]
            if article.parent:
                about.append(article.parent.title)
            kind = "section" if article.parent else "topic"
            source = markdown.source(article.body)
            text = f"{source.plain} {source.noted}".rstrip()
            yield Document(article.pk, kind, article.title, about, text, *public)


def results(ids: Collection[int], now: datetime) -> Mapping[int, Article]:
    """Return the public ones of these articles by id. One query."""
    return Article.objects.published(now).for_links().in_bulk(ids)


SOURCE = Source("article", {"topic": 0, "section": 1}, documents, results, TaggedArticle)
