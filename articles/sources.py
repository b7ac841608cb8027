"""The Markdown of articles as it is read: of the text, the facts and the diagram, which link and cite too."""

from collections.abc import Iterable, Mapping
from typing import Any

from articles import diagrams, facts, markdown
from articles.models import Article


def sources_of(article: Article) -> list[markdown.Source]:
    """Return what the text, the facts and the diagram of an article name; a section has no facts."""
    return sources_in(article.body, () if article.parent_id else article.facts, article.diagram)


def sources_in(body: str, rows: Iterable[Mapping[str, str]] = (), diagram: Any = None) -> list[markdown.Source]:
    """Return what a text, rows of facts and a diagram name."""
    lines = "\n\n".join([*facts.texts_of(rows), *diagrams.texts_of(diagram)])
    return [markdown.source(text) for text in (body, lines) if text]


def cited_keys(article: Article) -> list[str]:
    """Return the keys of the references that an article cites, each once, in their order."""
    return list(dict.fromkeys(cited.key for source in sources_of(article) for cited in source.citations))
