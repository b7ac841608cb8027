"""Search over all registered sources.

SQLite (FTS5) and PostgreSQL (tsvector) return the same results, because both index folded words and noun forms.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from rlm_site.indexing import queue
from rlm_site.search import registry, sql
from rlm_site.search.excerpts import make_excerpt, mark_words
from rlm_site.search.models import SearchDocument
from rlm_site.search.registry import kind_of
from rlm_site.search.sql import coverage, find_documents, find_some, tags_of
from rlm_site.search.suggestions import suggest_spelling
from rlm_site.search.terms import Term, query_terms, words_of, words_to_mark
from rlm_site.tags.models import Tag
from rlm_site.text.words import WordFilter

PAGE_SIZE = 10

Pieces = list[tuple[str, bool]]  # of a text, each with whether it is marked


@dataclass(frozen=True)
class Result:
    kind: str
    row: Any  # as the source's `results` gave it
    title: Pieces
    also: Pieces  # the name that was found, if it was not the title
    language: str  # of that name, if it is not that of the site
    excerpt: Pieces

    @property
    def address(self) -> str:
        return str(self.row.get_absolute_url())


@dataclass(frozen=True)
class Results:
    text: str = ""
    kind: str = ""  # the only kind searched for; empty: all
    total: int = 0
    results: list[Result] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)  # that there are results of, and the one searched for
    tags: list[tuple[Tag, int]] = field(default_factory=list)
    page: int = 1
    suggestion: str = ""
    has_all: bool = True  # whether every result has all words

    @property
    def most(self) -> int:
        """Return the highest number of results that is counted per kind."""
        return sql.MAX_PER_KIND

    @property
    def there_are_more(self) -> bool:
        """Return whether counting stopped at the limit, so that the numbers are lower bounds."""
        return any(count >= self.most for kind, count in self.kinds if self.kind in {"", kind})

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / PAGE_SIZE))


def search(text: str, now: datetime, *, kind: str = "", tag: Tag | None = None, page: int = 1) -> Results:
    """Return one ranked list of what is public at `now`; titles outrank bodies. Any text is safe.

    Where nothing has all words, the list is of what has some of them.
    """
    queue.process_queue()
    terms = query_terms(text)
    if not terms:
        return Results(text, kind)
    found = find_documents(terms, now, tag)
    has_all, suggestion = bool(found), ""
    if not has_all:
        suggestion = "" if tag else suggest_spelling(terms, now)
        found = find_some(terms, now, tag) if len(terms) > 1 else []
    counts = Counter(map(kind_of, found))
    kinds = [(name, counts[name]) for name in registry.kinds() if counts[name] or name == kind]
    shown = [pk for pk in found if not kind or kind_of(pk) == kind]
    if not shown:
        return Results(text, kind, kinds=kinds, suggestion=suggestion, has_all=has_all)
    page = min(max(page, 1), ceil(len(shown) / PAGE_SIZE))
    results = list(_load_results(shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], terms, now))
    find = find_documents if has_all else find_some
    with_any_tag = [pk for pk in find(terms, now) if not kind or kind_of(pk) == kind] if tag else shown
    return Results(text, kind, len(shown), results, kinds, tags_of(with_any_tag), page, suggestion, has_all)


def nearest(text: str, now: datetime, source: str, most: int, first: Iterable[int] = ()) -> list[Any]:
    """Return public rows of a source: those with these ids, then those that have most of the words."""
    terms = query_terms(text)
    found = coverage(terms, now, source=source) if terms else {}
    ids = [*dict.fromkeys([*first, *(pk % SearchDocument.SPAN for pk in found)])][:most]
    rows = registry.source(source).results(
        ids or [0], now
    )  # asked in any case, so that the time it takes tells nothing
    return [rows[pk] for pk in ids if pk in rows]


def _load_results(found: Sequence[int], terms: Sequence[Term], now: datetime) -> Iterator[Result]:
    documents = SearchDocument.objects.in_bulk(found)
    rows: dict[str, Mapping[int, Any]] = {
        source.name: source.results([row.object_id for row in documents.values() if row.source == source.name], now)
        for source in registry.sources()
    }
    word_filter = words_to_mark(terms)
    for document in map(documents.get, found):
        if document and (row := rows[document.source].get(document.object_id)):
            shown = registry.source(document.source).shown(row)
            title, excerpt = mark_words(document.title, word_filter), make_excerpt(document.text, word_filter)
            if shown.summary and not _marks(excerpt):
                excerpt = mark_words(shown.summary, word_filter)
            also, language = _name_found(title, shown.names, terms, word_filter)
            yield Result(kind_of(document.pk), row, title, also, language, excerpt)


def _name_found(
    title: Pieces, names: Iterable[tuple[str, str]], terms: Sequence[Term], word_filter: WordFilter
) -> tuple[Pieces, str]:
    """Return the name with most of the words, and its language, if it has more of them than the title.

    Of several, the one is shown that is spelt as the reader spells it, and is not much else.
    """
    typed = {term.word for term in terms}
    found = [(mark_words(name, word_filter), name, language) for name, language in names]
    better = [each for each in found if _marks(each[0]) > _marks(title)]
    if not better:
        return [], ""
    pieces, _name, language = min(
        better, key=lambda each: (-_marks(each[0]), -len(typed.intersection(words_of(each[1]))), len(each[1]))
    )
    return pieces, language


def _marks(pieces: Pieces) -> int:
    return sum(is_marked for _text, is_marked in pieces)
