"""The terms of the glossary in texts: which occur, and what explains them. They are read once while none changes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from articles import markdown_terms
from articles.markdown_terms import Term, Words
from articles.models import Article
from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import depends_on


@dataclass(frozen=True)
class Glossary:
    """The published terms by their slugs, and their names arranged to be found."""

    terms: Mapping[str, Article]
    surfaces: tuple[Term, ...]
    words: Words

    def terms_in(self, text: str, page: Article, now: datetime, known: Collection[str] = ()) -> tuple[Term, ...]:
        """Return the names of public terms that occur in a text, without those `known` and what the page is about."""
        if not self.terms:
            return ()
        found = {found.id: self.terms[found.id] for found in markdown_terms.find_terms(text, self.words, known)}
        ids = {slug for slug, term in found.items() if term.is_public(now) and term.pk != page.topic.pk}
        return tuple(surface for surface in self.surfaces if surface.id in ids)


def load() -> Glossary:
    """Return the glossary. One query, or none while no page changes its names."""
    version = depends_on("addresses")
    return _cached(version) if version else _cached.__wrapped__(version)


@lru_cache(maxsize=2)
def _cached(version: str) -> Glossary:
    rows = Article.objects.filter(queue.sound("article"), published=True).entries(Article.Kind.TERM)
    terms = {row.slug: row for row in rows.without_body().in_reading_order() if row.summary}
    surfaces = dict.fromkeys(
        Term(name, slug)
        for slug, row in terms.items()
        for name in (row.title, *(alias["name"] for alias in row.aliases))
    )
    return Glossary(terms, tuple(surfaces), markdown_terms.arranged(tuple(surfaces)))
