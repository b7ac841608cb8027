import re
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.text.folding import fold
from rlm_site.text.transliteration import asked_keys, sound
from rlm_site.text.words import STOP_WORDS, WordFilter, possible_forms, words_in

MAX_TEXT = 1000  # characters of a query that are read
MAX_WORDS = 12
MIN_PREFIX = 3  # letters that a prefix match needs
INDEXED_PREFIXES = (3, 4)  # lengths of the prefixes that SQLite has indexed
MAX_KEY = 200
# Single letters with dots between them, or at least three with hyphens.
_INITIALISM = re.compile(r"(?<![\w.-])[^\W\d_](?:(?:\.[^\W\d_])++|(?:-[^\W\d_]){2,}+)(?!\w)")


class Term(NamedTuple):
    """A word of the query: as typed (folded), the spellings that count as the same word, and words with this prefix."""

    word: str
    same: frozenset[str]
    longer: frozenset[str] | None = None  # None: left to the database


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as they are indexed; `R.O.A.` and `R-O-A` are one, if it is not another's spelling."""
    return words_in(_INITIALISM.sub(_joined, text))


def _joined(match: re.Match[str]) -> str:
    word = re.sub(r"[.-]", "", match[0])
    return match[0] if fold(word) in STOP_WORDS else word  # such as `U.S.`


def searched_words(text: str) -> list[str]:
    """Return the words of a text once each and without apostrophes; function words only if there is nothing else."""
    words = list(dict.fromkeys(word.replace("'", "") for word in words_of(text)))
    return [word for word in words if word not in STOP_WORDS] or words


def whole_key(words: Iterable[str]) -> str:
    """Return the key of a whole name, whatever its spelling, its dots, hyphens and function words."""
    return "".join(sound(word) or word for word in words)[:MAX_KEY]


def query_terms(text: str) -> list[Term]:
    """Return the words of a query with their noun forms and, of names, their other spellings. One query."""
    words = searched_words(text[:MAX_TEXT].replace("\0", " "))[:MAX_WORDS]
    if not words:
        return []
    candidates = {word: {word, *possible_forms(word)} for word in words}
    keys = {word: asked_keys(word) for word in words}
    condition = (
        Q(text__in=set().union(*candidates.values()))
        | Q(form__in=SearchWord.objects.filter(text__in=words).values("form"))
        | Q(sound__in=set().union(*keys.values()))
    )
    prefixes = _prefixes_without_index(words)
    for prefix in prefixes:
        upper_bound = prefix + chr(sys.maxunicode)
        condition |= Q(text__gte=prefix, text__lt=upper_bound) | Q(form__gte=prefix, form__lt=upper_bound)
    rows = list(SearchWord.objects.filter(condition).values_list("text", "form", "sound"))
    forms, sounds = {text: form for text, form, _sound in rows}, {text: sound for text, _form, sound in rows}
    known = {*forms, *forms.values()}
    terms = []
    for word in words:
        own_forms = {forms[word]} if word in forms else {forms[other] for other in candidates[word] if other in forms}
        same = {word, *own_forms, *(text for text, form in forms.items() if form in own_forms)}
        if sounds.get(word, "unknown"):  # an ordinary word has no other spellings
            same |= {text for text, sound in sounds.items() if sound in keys[word] and _may_spell(word, text)}
        longer = frozenset(other for other in known if other.startswith(word)) if word in prefixes else None
        terms.append(Term(word, frozenset(same), longer))
    return terms


def _may_spell(word: str, other: str) -> bool:
    """Return whether one is not in Cyrillic: of Russian words themselves only forms are the same."""
    return word.isascii() or other.isascii()


def _prefixes_without_index(words: Iterable[str]) -> set[str]:
    """Return the prefixes for which SQLite would scan its whole vocabulary; PostgreSQL has an index for all."""
    if connection.vendor == "postgresql":
        return set()
    return {word for word in words if len(word) > max(INDEXED_PREFIXES)}


def words_to_mark(terms: Sequence[Term]) -> WordFilter:
    same = frozenset().union(*(term.same for term in terms))
    prefixes = tuple(term.word for term in terms if len(term.word) >= MIN_PREFIX)
    return WordFilter(lambda word: (bare := word.replace("'", "")) in same or bare.startswith(prefixes))
