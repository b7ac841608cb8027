import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.text.words import STOP_WORDS, WordFilter, occurrences, possible_forms

MAX_TEXT = 1000  # characters of a query that are read
MAX_WORDS = 12
MIN_PREFIX = 3  # letters that a prefix match needs
INDEXED_PREFIXES = (3, 4)  # lengths of the prefixes that SQLite has indexed


class Term(NamedTuple):
    """A word of the query: as typed (folded), the spellings that count as the same word, and words with this prefix."""

    word: str
    same: frozenset[str]
    longer: frozenset[str] | None = None  # None: left to the database


def query_terms(text: str) -> list[Term]:
    """Return the words of a query with their noun forms; function words count only if there is nothing else."""
    words = list(
        dict.fromkeys(found.word.replace("'", "") for found in occurrences(text[:MAX_TEXT].replace("\0", " ")))
    )
    words = ([word for word in words if word not in STOP_WORDS] or words)[:MAX_WORDS]
    if not words:
        return []
    candidates = {word: {word, *possible_forms(word)} for word in words}
    spellings = set().union(*candidates.values())
    condition = Q(text__in=spellings) | Q(form__in=SearchWord.objects.filter(text__in=words).values("form"))
    prefixes = _prefixes_without_index(words)
    for prefix in prefixes:
        upper_bound = prefix + chr(sys.maxunicode)
        condition |= Q(text__gte=prefix, text__lt=upper_bound) | Q(form__gte=prefix, form__lt=upper_bound)
    forms = dict(SearchWord.objects.filter(condition).values_list("text", "form"))
    known = {*forms, *forms.values()}
    terms = []
    for word in words:
        own_forms = {forms[word]} if word in forms else {forms[other] for other in candidates[word] if other in forms}
        same = frozenset({word, *own_forms, *(text for text, form in forms.items() if form in own_forms)})
        longer = frozenset(other for other in known if other.startswith(word)) if word in prefixes else None
        terms.append(Term(word, same, longer))
    return terms


def _prefixes_without_index(words: Iterable[str]) -> set[str]:
    """Return the prefixes for which SQLite would scan its whole vocabulary; PostgreSQL has an index for all."""
    if connection.vendor == "postgresql":
        return set()
    return {word for word in words if len(word) > max(INDEXED_PREFIXES)}


def words_to_mark(terms: Sequence[Term]) -> WordFilter:
    same = frozenset().union(*(term.same for term in terms))
    prefixes = tuple(term.word for term in terms if len(term.word) >= MIN_PREFIX)
    return WordFilter(lambda word: (bare := word.replace("'", "")) in same or bare.startswith(prefixes))
