from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher

from django.db.models import Q

from rlm_site.search.models import SearchWord
from rlm_site.search.sql import finds_anything
from rlm_site.search.terms import MIN_PREFIX, Term

SUGGESTIONS_TRIED = 4


def suggest_spelling(terms: Sequence[Term], now: datetime) -> str:
    """The query with its unknown words replaced by near ones that find something public."""
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
    """For each unknown word of a query the known ones that are spelt much alike, best first. Two queries."""
    long = {term.word for term in terms if len(term.word) >= MIN_PREFIX}
    unknown = long - set(SearchWord.objects.filter(text__in=long).values_list("text", flat=True))
    if not unknown:
        return {}
    beginnings = Q(pk__in=[])
    for letter in {word[0] for word in unknown}:
        beginnings |= Q(text__startswith=letter)
    alike: dict[str, list[tuple[float, bool, str]]] = {word: [] for word in unknown}
    matchers = {word: SequenceMatcher(b=word) for word in unknown}
    for candidate in SearchWord.objects.filter(beginnings).values_list("text", flat=True).iterator():
        for word, matcher in matchers.items():
            if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= 2:
                matcher.set_seq1(candidate)
                if matcher.real_quick_ratio() > 0.7 and (ratio := matcher.ratio()) > 0.7:
                    # letters in another order are the likeliest slip
                    alike[word].append((-ratio, sorted(candidate) != sorted(word), candidate))
    return {word: [text for *_score, text in sorted(found)[:SUGGESTIONS_TRIED]] for word, found in alike.items()}
