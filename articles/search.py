"""Registration of entries, topics and sections with the search."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from articles import diagrams, facts, markdown
from articles.models import Article, TaggedArticle
from rlm_site.publishing.visibility import public_window
from rlm_site.search.registry import Document, Kind, Shown, Source

KINDS = {
    "person": Kind(3, 0),
    "place": Kind(4, 0),
    "formation": Kind(5, 0),
    "document": Kind(6, 0),
    "term": Kind(7, 0),
    "topic": Kind(0, 0),
    "section": Kind(1, 1),
}


def documents(ids: Sequence[int]) -> Iterator[Document]:
    """Yield a search document for each of these articles that is or will be public."""
    rows = Article.objects.filter(pk__in=ids).select_related("parent").prefetch_related("tagged_items__tag")
    for article in rows:
        if public := public_window(article, article.parent):
            names = [] if article.parent else [row["name"] for row in article.aliases] + [article.sort_title]
            about = [article.summary, *(item.tag.name for item in article.tagged_items.all())]
            beside = (*facts.texts_of(article.facts), *diagrams.texts_of(article.diagram))
            about += [markdown.source(line).plain for line in beside]
            if article.parent:
                about.append(article.parent.title)
            source = markdown.source(article.body)
            text = f"{source.plain} {source.noted}".rstrip()
            yield Document(article.pk, kind_of(article), article.title, [*filter(None, names)], about, text, *public)


def kind_of(article: Article) -> str:
    """Return the kind of result that an article is."""
    if article.parent:
        return "section"
    return article.kind if article.kind in KINDS else "topic"


def results(ids: Collection[int], now: datetime) -> Mapping[int, Article]:
    """Return the public ones of these articles by id. One query."""
    return Article.objects.published(now).for_links().in_bulk(ids)


def shown(article: Article) -> Shown:
    """Return the other names of an entry, and its summary."""
    names = () if article.parent else [(row["name"], row["language"]) for row in article.aliases]
    return Shown(names, article.summary)


SOURCE = Source("article", KINDS, documents, results, TaggedArticle, shown)
