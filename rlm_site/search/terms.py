import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.text.words import STOP_WORDS, Wanted, occurrences, possible_forms

MAX_TEXT = 1000  # characters of a query that are looked at ...
MAX_WORDS = 12  # ... and words
MIN_PREFIX = 3  # letters from which the beginning of a word finds it
INDEXED_PREFIXES = (3, 4)  # letters of the beginnings that SQLite keeps an index of


class Term(NamedTuple):
    """A word of the query: as typed (folded), every spelling that counts as the same word, and words that begin so."""

    word: str
    same: frozenset[str]
    longer: frozenset[str] | None = None  # not looked up


def query_terms(text: str) -> list[Term]:
    """The words of a query with their noun forms; function words count only where there is nothing else."""
    words = list(
        dict.fromkeys(found.word.replace("'", "") for found in occurrences(text[:MAX_TEXT].replace("\0", " ")))
    )
    words = ([word for word in words if word not in STOP_WORDS] or words)[:MAX_WORDS]
    if not words:
        return []
    asked = {word: {word, *possible_forms(word)} for word in words}
    spellings = {spelling for candidates in asked.values() for spelling in candidates}
    wanted = Q(text__in=spellings) | Q(form__in=SearchWord.objects.filter(text__in=words).values("form"))
    beginnings = _prefixes_without_index(words)
    for word in beginnings:
        beyond = word + chr(sys.maxunicode)
        wanted |= Q(text__gte=word, text__lt=beyond) | Q(form__gte=word, form__lt=beyond)
    forms = dict(SearchWord.objects.filter(wanted).values_list("text", "form"))
    known = {*forms, *forms.values()}
    terms = []
    for word, candidates in asked.items():
        mine = {forms[word]} if word in forms else {forms[other] for other in candidates if other in forms}
        same = frozenset({word, *mine, *(text for text, of in forms.items() if of in mine)})
        longer = frozenset(other for other in known if other.startswith(word)) if word in beginnings else None
        terms.append(Term(word, same, longer))
    return terms


def _prefixes_without_index(words: Iterable[str]) -> set[str]:
    """For these SQLite would pass all its words and put all their documents in order; PostgreSQL seeks them."""
    if connection.vendor == "postgresql":
        return set()
    return {word for word in words if len(word) > max(INDEXED_PREFIXES)}


def words_to_mark(terms: Sequence[Term]) -> Wanted:
    same = frozenset().union(*(term.same for term in terms))
    beginnings = tuple(term.word for term in terms if len(term.word) >= MIN_PREFIX)
    return Wanted(lambda word: (bare := word.replace("'", "")) in same or bare.startswith(beginnings))
