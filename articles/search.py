from collections.abc import Sequence

from articles import markdown
from articles.models import Article
from rlm_site.publishing.schedule import window
from rlm_site.search.index import _Document, _write


def _index_articles(ids: Sequence[int]) -> None:
    rows = Article.objects.filter(pk__in=ids).select_related("parent").prefetch_related("tagged_items__tag")
    documents = []
    for article in rows:
        if public := window(article, article.parent):
            about = [item.tag.name for item in article.tagged_items.all()] + (
                [article.parent.title] if article.parent else []
            )
            kind = "section" if article.parent else "topic"
            text = markdown.source(article.body).plain
            documents.append(_Document(article.pk, kind, article.title, about, text, *public))
    _write("article", ids, documents)
