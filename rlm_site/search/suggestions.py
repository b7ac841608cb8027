from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher

from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.search.sql import finds_anything
from rlm_site.search.terms import MIN_PREFIX, Term

MAX_SUGGESTIONS_TRIED = 4


def suggest_spelling(terms: Sequence[Term], now: datetime) -> str:
    """Return the query with unknown words replaced by similar ones that find something public."""
    near = _near_words(terms)
    for attempt in range(max(map(len, near.values()), default=0)):
        words = [
            near[term.word][min(attempt, len(near[term.word]) - 1)] if near.get(term.word) else term.word
            for term in terms
        ]
        if finds_anything([Term(word, frozenset({word})) for word in words], now):
            return " ".join(words)
    return ""


def _near_words(terms: Sequence[Term]) -> dict[str, list[str]]:
    """Return, for each unknown word, known words with a similar spelling, best first. Two queries."""
    long = {term.word for term in terms if len(term.word) >= MIN_PREFIX}
    unknown = long - set(SearchWord.objects.filter(text__in=long).values_list("text", flat=True))
    if not unknown:
        return {}
    same_initial = Q(pk__in=[])
    for letter in {word[0] for word in unknown}:
        same_initial |= Q(text__startswith=letter)
    similar: dict[str, list[tuple[float, bool, str]]] = {word: [] for word in unknown}
    matchers = {word: SequenceMatcher(b=word) for word in unknown}
    for candidate in SearchWord.objects.filter(same_initial).values_list("text", flat=True).iterator():
        for word, matcher in matchers.items():
            if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= 2:
                matcher.set_seq1(candidate)
                if matcher.real_quick_ratio() > 0.7 and (ratio := matcher.ratio()) > 0.7:
                    # swapped letters are the likeliest typo
                    similar[word].append((-ratio, sorted(candidate) != sorted(word), candidate))
    return {word: [text for *_score, text in sorted(found)[:MAX_SUGGESTIONS_TRIED]] for word, found in similar.items()}
