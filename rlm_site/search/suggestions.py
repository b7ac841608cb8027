from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.search.sql import which_find
from rlm_site.search.terms import MIN_PREFIX, Term
from rlm_site.text.edit_distance import edit_distance, most_edits

MAX_SUGGESTIONS_TRIED = 6
MAX_UNKNOWN = 3  # words; of a query with more of them, nobody can tell what was meant


def suggest_spelling(terms: Sequence[Term], now: datetime) -> str:
    """Return the query with its unknown words replaced by similar ones, if all of it finds something public then.

    The nearest words are preferred, then those of titles and names. A word that is known is never replaced.
    """
    near = _near_words(terms)
    if not near or not all(near.values()):
        return ""
    attempts = []
    for number in range(max(map(len, near.values()))):
        nearest = {word: found[min(number, len(found) - 1)] for word, found in near.items()}
        distance = sum(distance for distance, _word in nearest.values())
        replaced = {word: Term(other, frozenset({other})) for word, (_distance, other) in nearest.items()}
        attempts.append((distance, [replaced.get(term.word, term) for term in terms]))
    found = which_find([words for _distance, words in attempts], now)
    best = min(found, key=lambda number: (attempts[number][0], not found[number], number), default=None)
    return "" if best is None else " ".join(term.word for term in attempts[best][1])


def _near_words(terms: Sequence[Term]) -> dict[str, list[tuple[int, str]]]:
    """Return, for each unknown word, known words with a similar spelling, nearest first. One query."""
    words = {term.word for term in terms if len(term.word) >= MIN_PREFIX}
    if not words:
        return {}
    same_initial = Q(pk__in=[])
    for letter in {word[0] for word in words}:
        same_initial |= Q(text__startswith=letter)
    known = list(SearchWord.objects.filter(same_initial).values_list("text", flat=True))
    unknown = [word for word in sorted(words) if not any(other.startswith(word) for other in known)]
    if len(unknown) > MAX_UNKNOWN:
        return {}
    near = {}
    for word in unknown:
        most = most_edits(word)
        distances = ((edit_distance(word, other, most), other) for other in known if other[0] == word[0])
        # Swapped letters are the likeliest typo.
        found = sorted((edits, sorted(other) != sorted(word), other) for edits, other in distances if edits <= most)
        near[word] = [(edits, other) for edits, _swapped, other in found[:MAX_SUGGESTIONS_TRIED]]
    return near
