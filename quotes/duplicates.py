"""Detecting duplicate quotations by their words alone; the author does not count.

The same words with other punctuation, spelling or ellipses, a longer or shorter extract, and nearly the same words in
the same order (a misquotation, a proverb with other function words) are the same quotation. The same thought in other
words is not: a reworded proverb, another translation, a parody, two stanzas with one refrain. A single changed content
word, a negation or two swapped words make a short saying another one; a long passage may have a few.
"""

import re
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from operator import add, xor
from typing import NamedTuple

import simplemma
from django.db.models import Count, Exists, OuterRef
from django.db.models.functions import Length

from quotes.models import Quote, QuoteWord, Word
from quotes.word_uses import LISTS
from rlm_site.indexing import queue
from rlm_site.text.alignment import common_blocks
from rlm_site.text.folding import fold
from rlm_site.text.word_lists import word_list
from rlm_site.text.words import DICTIONARY, NUMBERS, STOP_WORDS, form, vocabulary


class Verdict(Enum):
    SAME_WORDS = "same words"
    EXTRACT = "extract"  # longer or shorter, or with an omission
    WORDING = "another wording"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Comparison:
    verdict: Verdict
    likeness: float  # from 0 to 1: the share of the shorter text that the longer one contains


@dataclass(frozen=True)
class Similar:
    """A stored quotation that is the same as a text."""

    quote: Quote
    verdict: Verdict
    likeness: float


@dataclass(frozen=True)
class Duplicate:
    """A text that is the same quotation as an earlier text, or as a stored one."""

    place: int
    earlier: int | None
    quote_id: int | None
    verdict: Verdict
    likeness: float


# Normalized words of a text

_ELLIPSIS = re.compile(r"\[\s*(?:…|\.\s?\.\s?\.)\s*\]|…|\.(?:\s?\.){2,}")
_GAP = "\x00"
_TOKEN = re.compile(r"\x00|(?:[^\W_])+(?:'s\b)?")
_POSSESSIVE = re.compile(r"'s?$")

# Contractions: a substring to look for first, to save time, the pattern, and its replacement.
_CONTRACTIONS = [
    (needle, re.compile(pattern), written)
    for needle, pattern, written in (
        ("&", r"&", " and "),
        ("-", r"(?<=[^\W\d_])-\s*\n\s*(?=[^\W\d_])", "-"),
        ("'", r"'\s?t(?=(?:is|was|were|will|would|has)\b)", " it "),
        *[(f"t{verb}", rf"\bt(?={verb}\b)", " it ") for verb in ("is", "was", "were")],
        ("'", r"'\s?t\s(?=(?:is|was|were|will|would|has)\b)", " it "),
        ("cannot", r"\bcannot\b", "can not"),
        ("n't", r"\bcan't\b", "can not"),
        ("n't", r"\bwon't\b", "will not"),
        ("n't", r"\bshan't\b", "shall not"),
        ("n't", r"n't\b", " not"),
        ("'", r"\b(wo|co|sho)u'?d\b", r"\1uld"),
        ("'ll", r"'ll\b", " will"),
        ("'ve", r"'ve\b", " have"),
        ("'re", r"'re\b", " are"),
        ("i'm", r"\bi'm\b", "i am"),
        ("let's", r"\blet's\b", "let us"),
        ("'s", r"\b(what|that|there|here|where|who|how|he|she|it)'s\b", r"\1 is"),
        ("'d", r"\b(i|you|he|she|it|we|they|who)'d\b", r"\1 would"),
        ("'em", r"'em\b", " them"),
        ("'", r"\bth'\s?", "the "),
        ("o'", r"\bo'(?=\s)", "of"),
        ("i'", r"\bi'(?=\s)", "in"),
        ("o'", r"\bo'er", "over"),
        ("e'", r"\be'er\b", "ever"),
        ("e'", r"\bne'er\b", "never"),
        ("e'", r"\be'en\b", "even"),
        ("o'", r"\b(al)?tho'", r"\1though"),
        ("o'", r"\bthro'", "through"),
        ("'d", r"(?<=[^\W\d_])'d\b", "ed"),
        *[(when, rf"\bto[\s-]{when}\b", f"to{when}") for when in ("day", "night", "morrow")],
        ("ever", r"\bfor\sever\b", "forever"),
        *[(some, rf"\b{some}\s(one|thing|body|where)\b", rf"{some}\1") for some in ("any", "some", "every")],
        ("'", r"(?<=[^\W\d_])'(?!s\b)(?=[^\W\d_]{1,2}\b)", ""),  # heav'n, ev'ry
    )
]
_WITHOUT_APOSTROPHE = [contraction for contraction in _CONTRACTIONS if "'" not in contraction[0]]
_SPELLINGS = {
    "hath": "has", "hast": "have", "doth": "does", "dost": "do", "didst": "did", "hadst": "had", "shalt": "shall",
    "wilt": "will", "wouldst": "would", "couldst": "could", "shouldst": "should", "canst": "can", "mayst": "may",
    "thou": "you", "thee": "you", "ye": "you", "thy": "your", "thine": "your", "thyself": "yourself", "saith": "says",
    "goeth": "goes", "upon": "on", "unto": "to", "an": "a", "amongst": "among", "whilst": "while", "betwixt": "between",
    "thro": "through", "tho": "though", "altho": "although", "shew": "show", "shews": "shows", "shewed": "shown",
    "grey": "gray", "plough": "plow", "ploughs": "plows", "gaol": "jail", "sceptic": "skeptic", "whan": "when",
    "connexion": "connection", "whanne": "when", "thanne": "then", "ben": "be", "bin": "been", "doe": "do", "goe": "go",
    "hee": "he", "hir": "her", "ther": "there",
}  # fmt: skip
_ENDINGS = [
    (re.compile(pattern), written)
    for pattern, written in (
        # British and American, archaic verbs
        (r"(?<=..)our(?=(?:s|ed|ing|er|ers|able|ably|ful|fully|less|ite|ites|hood|hoods|ly)?$)", "or"),
        (r"(?<=...)is(?=(?:e|es|ed|er|ers|ing|ation|ations)$)", "iz"),
        (r"(?<=...)ys(?=(?:e|es|ed|ing)$)", "yz"),
        (r"(?<=...[tb])re(?=s?$)", "er"),
        (r"(?<=....)ll(?=(?:ed|ing|er|ers|ous)$)", "l"),
        (r"(?<=..)nse(?=s?$)", "nce"),
        (r"(?<=dg)em(?=ent)", "m"),
        (r"(?<=[^aeiou])ae", "e"),
        (r"(?<=...)eth$", "es"),
        (r"(?<=...)ie$", "y"),
        # Russian before 1918, and -ье for -ие
        (r"ъ$", ""),
        (r"ыя$", "ые"),
        (r"(?<=..)аго$", "ого"),
        (r"(?<=..)яго$", "его"),
        (r"(?<=.)ь(?=(?:е|я|ю|ем)$)", "и"),
    )
]
_LETTER_VARIANTS = str.maketrans({"ѣ": "е", "і": "и", "ѳ": "ф", "ѵ": "и", "`": "'", "´": "'", "‘": "'", "ſ": "s"})


@lru_cache(maxsize=65536)
def _normalize(word: str) -> str:
    """Return the one spelling of a folded word that represents all of its spellings, without a possessive ending."""
    word = _POSSESSIVE.sub("", word)
    word = _SPELLINGS.get(word, word)
    for pattern, written in _ENDINGS:
        word = pattern.sub(written, word) or word  # `ъ` is not only an ending
    return word


class _Words(NamedTuple):
    """The normalized words of a text; `gaps` are the indexes of words that follow an ellipsis."""

    words: tuple[str, ...]
    gaps: frozenset[int]
    weight: float


@lru_cache(maxsize=1024)
def _words(text: str) -> _Words:
    if "…" in text or text.count(".") > 2:
        text = _ELLIPSIS.sub(_GAP, text)
    text = fold(text.translate(_LETTER_VARIANTS)).translate(_LETTER_VARIANTS)
    for needle, pattern, written in _CONTRACTIONS if "'" in text else _WITHOUT_APOSTROPHE:
        if needle in text:
            text = pattern.sub(written, text)
    tokens = _TOKEN.findall(text)
    words = [_normalize(token) for token in tokens if token != _GAP]
    gaps = [place for place, token in enumerate(tokens) if token == _GAP] if _GAP in text else []
    return _words_from(words, [place - before for before, place in enumerate(gaps)])


_NO_GAPS: frozenset[int] = frozenset()  # shared by all texts


def _words_from(words: Sequence[str], gaps: Collection[int] = ()) -> _Words:
    within = frozenset(gap for gap in gaps if 0 < gap < len(words)) if gaps else _NO_GAPS
    return _Words(tuple(words), within, _weight(words))


def fingerprint(text: str) -> str:
    """Return the normalized words: equal if only punctuation, case, ellipses and usual spellings differ."""
    return " ".join(_words(text).words)


# Comparison of two texts

_NEGATIONS = word_list("negations", LISTS)
_LIGHT = word_list("light_words", LISTS)


_MAX_SAYING_LENGTH = 40  # words; only up to this length is a moved part looked for
_MAX_PAIRS = 40_000  # of words of two texts that are aligned; of longer ones only what they have in common counts
_MAX_PAIRS_SEARCHED = 200_000  # the same, for all texts that one text is compared with


def same(a: str, b: str) -> bool:
    return compare(a, b).verdict is not Verdict.DIFFERENT


def likeness(a: str, b: str) -> float:
    """Return the share of the shorter text that the longer one contains in order, from 0 to 1."""
    return compare(a, b).likeness


def compare(a: str, b: str) -> Comparison:
    return _compared(_words(a), _words(b))


class _Effort:
    """The pairs of words that may still be aligned."""

    def __init__(self, pairs: int) -> None:
        self.pairs = pairs

    def allows(self, pairs: int) -> bool:
        if pairs > min(_MAX_PAIRS, self.pairs):
            return False
        self.pairs -= pairs
        return True


def _compared(first: _Words, second: _Words, effort: _Effort | None = None) -> Comparison:
    if first.words == second.words:
        return Comparison(Verdict.SAME_WORDS if first.words else Verdict.DIFFERENT, 1.0 if first.words else 0.0)
    if "".join(first.words) == "".join(second.words):
        return Comparison(Verdict.SAME_WORDS, 1.0)
    short, long = sorted((first, second), key=lambda words: (words.weight, len(words.words), words.words))
    if not short.words:
        return Comparison(Verdict.DIFFERENT, 0.0)
    # Two checks much cheaper than an alignment rule out most pairs.
    content = set(short.words) - _FUNCTION_WORDS
    share = len(content.intersection(long.words)) / len(content) if content else 1.0
    few = len(content) <= 2 and len(long.words) < len(short.words) + 2
    if share < (0.3 if len(content) < 8 else 0.5) and not few:
        return Comparison(Verdict.DIFFERENT, round(share, 3))
    if not (effort or _Effort(_MAX_PAIRS)).allows(len(short.words) * len(long.words)):
        return _compared_as_a_whole(short, long)
    long = _join_words_as(long, short)
    short = _join_words_as(short, long)
    if _too_much_changed(short, long):
        return Comparison(Verdict.DIFFERENT, round(share, 3))
    aligned = _align(short, long)
    share = max(0.0, 1 - aligned.cost / short.weight)
    verdict = _verdict(aligned, len(short.words))
    if verdict is Verdict.DIFFERENT and (_one_part_moved(short.words, long.words) or _rearranged(short, long)):
        verdict = Verdict.WORDING
    return Comparison(verdict, round(share, 3))


def _compared_as_a_whole(short: _Words, long: _Words) -> Comparison:
    """Compare passages that are too long to be aligned: by the runs of words that both have in common."""
    common = sum(block.size for block in common_blocks(short.words, long.words))
    share = round(common / len(short.words), 3)
    if share < 0.9:
        return Comparison(Verdict.DIFFERENT, share)
    is_extract = len(long.words) > len(short.words) * 1.1
    return Comparison(Verdict.EXTRACT if is_extract else Verdict.WORDING, share)


_FUNCTION_WORDS = STOP_WORDS | NUMBERS | {"alone"}
_COSTS = {word: 0.15 if word in _LIGHT else 0.3 for word in _FUNCTION_WORDS}


def _is_content(word: str) -> bool:
    return word not in _FUNCTION_WORDS


def _content(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in _FUNCTION_WORDS]


def _cost(word: str) -> float:
    return _COSTS.get(word, 1.0)


def _weight(words: Iterable[str]) -> float:
    return sum(map(_cost, words))


def _smallness(word: str) -> float:
    return 0 if _is_content(word) else 0.5 if word in _LIGHT else 1


def _join_words_as(text: _Words, other: _Words) -> _Words:
    """Join words that the other text writes as one: `four score`, `to day`."""
    wanted = set(other.words).difference(text.words)
    if text.gaps or wanted.isdisjoint(map(add, text.words, text.words[1:])):
        return text
    joined: list[str] = []
    for word in text.words:
        if joined and joined[-1] + word in wanted:
            joined[-1] += word
        else:
            joined.append(word)
    return _words_from(joined)


def _too_much_changed(short: _Words, long: _Words) -> bool:
    """Return whether the number of unmatched content words alone rules out every verdict but different."""
    if short.gaps or long.gaps:
        return False
    short_content, long_content = _content(short.words), _content(long.words)
    missing = _count_unmatched(short_content, long.words, len(short_content) / 4.2)
    matched = len(short_content) - missing
    if 8 * missing <= matched:
        return False  # the longer text may have any number of words before and after the shorter one
    limit = matched / 3.2
    if max(missing, len(long_content) - len(short_content)) > limit:
        return True
    return _count_unmatched(long_content, short.words, limit) > limit


def _count_unmatched(words: Sequence[str], others: Sequence[str], limit: float) -> int:
    """Count words that are neither among the others nor a misprint or another form of one; stop above the limit."""
    candidates = set(others)
    number = 0
    for word in words:
        if word not in candidates and not _is_similar_to_any(word, candidates):
            number += 1
            if number > limit:
                break
    return number


def _is_similar_to_any(word: str, others: Collection[str]) -> bool:
    first, last = word[0], word[-2:]
    for other in others:
        if (other[0] == first or other[-2:] == last) and _difference(word, other) < 0.6:
            return True
    return _lemma(word) in map(_lemma, others)


@lru_cache(maxsize=65536)
def _difference(a: str, b: str) -> float:
    """Return the difference of two words, from 0 (the same) to 1; misprints and inflections lie between."""
    if a == b:
        return 0.0
    if not (_is_content(a) and _is_content(b)):
        if _is_content(a) or _is_content(b):
            return (
                0.25 if min(len(a), len(b)) > 3 and _one_letter(a, b) and not (_is_known(a) and _is_known(b)) else 1.0
            )
        return 0.15 if a in _LIGHT and b in _LIGHT else 0.3
    if _one_letter(a, b):
        if not (_is_known(a) and _is_known(b)) and min(len(a), len(b)) > 2:
            return 0.1
        if min(len(a), len(b)) > 6:
            return 0.3
    if form(a) == form(b) or _lemma(a) == _lemma(b):
        return 0.25
    if a[0] == b[0] and not (_is_known(a) and _is_known(b)) and _letters_in_common(a, b) >= 0.75:
        return 0.3
    return 0.8 if _one_letter(a, b) else 1.0


def _language(word: str) -> str:
    return "ru" if "а" <= word[0] <= "я" else DICTIONARY or "en"


@lru_cache(maxsize=65536)
def _is_known(word: str) -> bool:
    return bool(simplemma.is_known(word, lang=_language(word)))


@lru_cache(maxsize=65536)
def _lemma(word: str) -> str:
    return str(simplemma.lemmatize(word, lang=_language(word)))


def _one_letter(a: str, b: str) -> bool:
    """Return whether the words differ by one letter added, omitted or replaced, or by two neighbours swapped."""
    if abs(len(a) - len(b)) > 1:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[1::-1] == b[:2] and a[2:] == b[2:])


def _letters_in_common(a: str, b: str) -> float:
    return 2 * sum((Counter(a) & Counter(b)).values()) / (len(a) + len(b))


@dataclass(frozen=True)
class _Alignment:
    """The shorter text aligned with part of the longer one. Content words unless noted otherwise."""

    cost: float
    matched: int  # in both texts
    changed: float  # that differ within the aligned part
    small: float  # function words that differ within the aligned part
    misprints: int  # and other forms of a word
    negated: bool  # whether one text denies what the other says
    left_out: int  # words of any kind that the shorter text replaces by an ellipsis
    missing: int  # words of any kind that the longer text replaces by an ellipsis
    outside: int  # in the longer text before and after the aligned part


def _align(short: _Words, long: _Words) -> _Alignment:
    a, b = short.words, long.words
    rows, columns = len(a), len(b)
    a_costs, b_costs = [_cost(word) for word in a], [_cost(word) for word in b]
    # table[i][j]: the least cost of aligning a[:i] with a part of b that ends at b[:j]
    table = [[0.0] * (columns + 1)]
    for i in range(1, rows + 1):
        above = table[-1]
        word = a[i - 1]
        skip_a = a_costs[i - 1]
        free = i in short.gaps
        row = [above[0] + skip_a]
        for j in range(1, columns + 1):
            other = b[j - 1]
            best = above[j] + (0.0 if j in long.gaps else skip_a)
            cost = row[j - 1] + (0.0 if free or i == rows else b_costs[j - 1])
            if cost < best:
                best = cost
            cost = above[j - 1]
            if cost < best:
                if word != other:
                    cost += _difference(word, other)
                if cost < best:
                    best = cost
            row.append(best)
        table.append(row)
    return _trace(table, short, long)


@dataclass
class _Counts:
    """Differences counted while tracing an alignment; see `_Alignment`."""

    matched: int = 0
    changed: float = 0.0
    small: float = 0.0
    misprints: int = 0
    negations: int = 0  # of the shorter text, less those of the longer one
    left_out: int = 0
    missing: int = 0

    def add_pair(self, word: str, other: str, difference: float) -> None:
        if difference == 0 or _is_misprint(word, other, difference):
            self.matched += _is_content(word) and _is_content(other)
            self.misprints += difference > 0
        elif _is_content(word) or _is_content(other):
            self.changed += difference
        else:
            self.small += 0.5 if word in _LIGHT and other in _LIGHT else 1
        if not _is_misprint(word, other, difference):
            self.negations += (word in _NEGATIONS) - (other in _NEGATIONS)

    def add_unpaired(self, word: str, negation: int) -> None:
        self.negations += negation * (word in _NEGATIONS)
        self.changed += _is_content(word)
        self.small += _smallness(word)

    def alignment(self, cost: float, outer: Sequence[str]) -> _Alignment:
        outside = sum(map(_is_content, outer))
        if not outside and (self.changed or self.small):
            self.small += sum(map(_smallness, outer))
        return _Alignment(
            cost=cost,
            matched=self.matched,
            changed=self.changed,
            small=self.small,
            misprints=self.misprints,
            negated=self.negations != 0,
            left_out=self.left_out,
            missing=self.missing,
            outside=outside,
        )


def _trace(table: list[list[float]], short: _Words, long: _Words) -> _Alignment:
    """Trace the alignment of least cost back through the table, counting the differences."""
    a, b = short.words, long.words
    i, j = len(a), len(b)
    counts = _Counts()
    outer: list[str] = []
    while i:
        word, cost = a[i - 1], table[i][j]
        if j:
            other = b[j - 1]
            difference = 0.0 if word == other else _difference(word, other)
            if abs(table[i - 1][j - 1] + difference - cost) < 1e-9:
                counts.add_pair(word, other, difference)
                i, j = i - 1, j - 1
                continue
            free = i == len(a) or i in short.gaps
            if abs(table[i][j - 1] + (0.0 if free else _cost(other)) - cost) < 1e-9:
                if i == len(a):
                    outer.append(other)
                elif free:
                    counts.left_out += 1
                else:
                    counts.add_unpaired(other, negation=-1)
                j -= 1
                continue
        if j in long.gaps:
            counts.missing += 1
        else:
            counts.add_unpaired(word, negation=1)
        i -= 1
    return counts.alignment(table[-1][-1], [*outer, *b[:j]])


def _is_misprint(word: str, other: str, difference: float) -> bool:
    """Return whether these are two spellings or forms of one word; function words must be identical."""
    return 0 < difference < 0.6 and (_is_content(word) or _is_content(other))


def _verdict(aligned: _Alignment, length: int) -> Verdict:
    elided = aligned.left_out + aligned.missing
    if aligned.negated or (elided and aligned.matched < 3) or aligned.missing > aligned.matched:
        return Verdict.DIFFERENT
    if not (aligned.changed or aligned.small):
        if not (aligned.outside or elided):
            if aligned.misprints > max(1, aligned.matched * 0.7):
                return Verdict.DIFFERENT
            return Verdict.SAME_WORDS
        enough = (length >= 4 and aligned.matched >= 1) or aligned.matched >= 2
        return Verdict.EXTRACT if enough else Verdict.DIFFERENT
    inside = not aligned.outside
    if aligned.changed * (4 if inside else 10) > aligned.matched:
        return Verdict.DIFFERENT
    if aligned.small > (aligned.matched * 0.9 - 0.4 if inside else aligned.matched * 0.3):
        return Verdict.DIFFERENT
    return Verdict.WORDING if inside else Verdict.EXTRACT


def _one_part_moved(a: Sequence[str], b: Sequence[str]) -> bool:
    """Return whether one run of words moved: `All that glisters is not gold`, `All is not gold that glisters`."""
    if len(a) != len(b) or len(a) > _MAX_SAYING_LENGTH:
        return False
    counted = Counter(a)
    b = [word if word in counted else _respelled(word, a) for word in b]
    if counted != Counter(b):
        return False
    for size in range(2, len(a) // 2 + 1):
        for start in range(len(a) - size + 1):
            run, rest = tuple(a[start : start + size]), (*a[:start], *a[start + size :])
            for place in range(len(b) - size + 1):
                if tuple(b[place : place + size]) == run and (*b[:place], *b[place + size :]) == rest:
                    return True
    return False


def _respelled(word: str, words: Sequence[str]) -> str:
    """Return the first of these words that the word is a misprint or another form of, or else the word."""
    return next((other for other in words if _is_misprint(other, word, _difference(other, word))), word)


def _rearranged(short: _Words, long: _Words) -> bool:
    """Return whether both are long passages of the same words in another order, such as versions of a rhyme."""
    a, b = (Counter(word for word in words.words if word not in STOP_WORDS) for words in (short, long))
    common = sum((a & b).values())
    return common >= 8 and common >= 0.85 * max(sum(a.values()), sum(b.values()))


# Search among stored quotations

_MAX_WORDS = 300  # of a text that are looked up
_MAX_ENTRIES = 60_000  # of the word index that one search reads, not counting its two rarest words
_MAX_CANDIDATES = 1500  # by the number of shared words
_MAX_COMPARED = 120  # of these by the number of shared words, and as many by the share of their own words
_VERDICT_ORDER = list(Verdict)


def similar_to(text: str, exclude: int | None = None, limit: int = 5) -> list[Similar]:
    """Return stored quotations that are the same as the text, published or not, most similar first.

    Candidates share the rarest words of the text and are found in the word index by a fixed number of queries.
    """
    queue.process_queue()
    found = _similar_stored(text, () if exclude is None else (exclude,))[:limit]
    quotes = Quote.objects.for_display().in_bulk([pk for pk, _ in found])
    return [Similar(quotes[pk], compared.verdict, compared.likeness) for pk, compared in found]


def _similar_stored(text: str, without: Collection[int]) -> list[tuple[int, Comparison]]:
    words = vocabulary(text)
    wanted = _candidates(words) if words else _function_words_only(text)
    texts = Quote.objects.filter(pk__in=sorted(wanted.difference(without))).values_list("pk", "text")
    effort = _Effort(_MAX_PAIRS_SEARCHED)
    found = [(pk, _compared(_words(text), _words(other), effort)) for pk, other in texts]
    found = [(pk, compared) for pk, compared in found if compared.verdict is not Verdict.DIFFERENT]
    return sorted(found, key=lambda one: (_VERDICT_ORDER.index(one[1].verdict), -one[1].likeness, one[0]))


def _candidates(words: Collection[str]) -> set[int]:
    longest = sorted(words, key=lambda word: (-len(word), word))[:_MAX_WORDS]
    spellings = {spelling for word in longest for spelling in _spellings(word)}
    known = Word.objects.filter(text__in=spellings, quote_count__gt=0).order_by("quote_count", "pk")
    rarest: list[int] = []
    links = 0
    for pk, quote_count in known.values_list("pk", "quote_count"):
        links += quote_count
        if links > _MAX_ENTRIES and len(rarest) >= 2:
            break
        rarest.append(pk)
    by_quote = QuoteWord.objects.values_list("quote").annotate(number=Count("pk"))
    shared = dict(by_quote.filter(word__in=rarest).order_by("-number", "quote")[:_MAX_CANDIDATES])
    own = dict(by_quote.filter(quote__in=sorted(shared)).order_by("quote"))
    by_number = sorted(shared, key=lambda pk: (-shared[pk], own[pk], pk))
    by_part = sorted(shared, key=lambda pk: (-shared[pk] / own[pk], -shared[pk], pk))
    return {*by_number[:_MAX_COMPARED], *by_part[:_MAX_COMPARED]}


def _spellings(word: str) -> set[str]:
    """Return spellings under which an indexed word may be stored; the other words of the text do the rest."""
    spelled = _normalize(word)
    found = {word, spelled, spelled.replace("or", "our"), spelled.replace("iz", "is")}
    if word.endswith("'d"):
        found.add(word[:-2] + "ed")
    if word.endswith("ed"):
        found.add(word[:-2] + "'d")
    return found


def _function_words_only(text: str) -> set[int]:
    """Scan for texts such as `That that is, is`, which are not in the word index."""
    indexed = QuoteWord.objects.filter(quote=OuterRef("pk"), contained=True, word__quote_count__gt=0)
    short = Quote.objects.annotate(length=Length("text")).filter(length__lte=2 * len(text) + 20)
    return set(short.exclude(Exists(indexed)).order_by("pk").values_list("pk", flat=True)[:_MAX_COMPARED])


# Many new texts at once

_MAX_HOLDERS = 30  # texts indexed under one pair of words
_MAX_SIMILAR = 10  # candidates compared with one text
_MAX_PAIRS_EACH = 1500  # of words that are aligned for each of the texts, on average
_DOUBLED = re.compile(r"(.)\1")
_SCAN_SPEEDUP = 150  # stored texts that can be scanned in the time of one look-up


def duplicates_within(texts: Sequence[str], replaced: Collection[int] = ()) -> list[Duplicate]:
    """Return the texts that are the same quotation as an earlier text or a stored one, at most one of each.

    `replaced` are stored quotations that the texts will overwrite; they are ignored.
    """
    pair_index = _PairIndex()
    effort = _Effort(max(_MAX_PAIRS_SEARCHED, _MAX_PAIRS_EACH * len(texts)))
    spelled = [_words(text) for text in texts]
    for place, words in enumerate(spelled):
        pair_index.add(place, words)
    earlier: dict[int, tuple[int, Comparison]] = {}
    for place, words in enumerate(spelled):
        for other in pair_index.candidates(words):
            # A short text can only be found from the longer one, in either order.
            if other < place or (other > place and pair_index.is_short[other] and not _is_short(words.words)):
                first, second = sorted((place, other))
                if second not in earlier or words.words == spelled[other].words:  # the most similar are compared first
                    _keep_closest(earlier, second, first, _compared(words, spelled[other], effort))

    queue.process_queue()
    stored: dict[int, tuple[int, Comparison]] = {}
    if Quote.objects.count() > _SCAN_SPEEDUP * len(texts):
        for place, text in enumerate(texts):
            for closest in _similar_stored(text, replaced)[:1]:
                stored[place] = closest
    else:
        replaced = frozenset(replaced)
        for pk, text in Quote.objects.order_by("pk").values_list("pk", "text").iterator(2000):
            if pk in replaced:
                continue
            words = _words(text)
            for place in pair_index.candidates(words):
                _keep_closest(stored, place, pk, _compared(spelled[place], words, effort))
    found = [Duplicate(place, key, None, by.verdict, by.likeness) for place, (key, by) in earlier.items()]
    found += [Duplicate(place, None, pk, by.verdict, by.likeness) for place, (pk, by) in stored.items()]
    return sorted(found, key=lambda one: (one.place, one.earlier is None))


def _keep_closest(closest: dict[int, tuple[int, Comparison]], place: int, key: int, compared: Comparison) -> None:
    if compared.verdict is Verdict.DIFFERENT:
        return
    if place not in closest or _closeness(compared) > _closeness(closest[place][1]):
        closest[place] = (key, compared)


def _closeness(compared: Comparison) -> tuple[int, float]:
    return (-_VERDICT_ORDER.index(compared.verdict), compared.likeness)


class _PairIndex:
    """Texts indexed by their pairs of neighbouring content words."""

    def __init__(self) -> None:
        self.holders: dict[int, int | list[int]] = {}
        self.sizes = array("L")
        self.is_short = bytearray()

    def add(self, place: int, words: _Words) -> None:
        short = _is_short(words.words)
        keys = _keys(words.words, runs=short)
        self.sizes.append(len(keys))
        self.is_short.append(short)
        for key in keys:
            holders = self.holders.setdefault(key, place)
            if isinstance(holders, list):
                if len(holders) < _MAX_HOLDERS:
                    holders.append(place)
            elif holders != place:
                self.holders[key] = [holders, place]

    def candidates(self, words: _Words) -> list[int]:
        """Return the indexes of texts that share enough pairs to be compared, most similar first."""
        keys = _keys(words.words, runs=True)
        sharing: list[int] = []
        for key in keys:
            holders = self.holders.get(key)
            if isinstance(holders, int):
                sharing.append(holders)
            elif holders:
                sharing += holders
        own, sizes = len(keys), self.sizes
        parts = {
            place: number / min(own, sizes[place])
            for place, number in Counter(sharing).items()
            if 5 * number >= own or 5 * number >= sizes[place]
        }
        return sorted(parts, key=lambda place: (-parts[place], place))[:_MAX_SIMILAR]


def _is_short(words: Sequence[str]) -> bool:
    return len(_content(words)) <= 2


@lru_cache(maxsize=65536)
def _beginning(word: str) -> int:
    """Return a number for the first letters of a content word, and 0 for function words."""
    return hash(_DOUBLED.sub(r"\1", word)[:4]) if _is_content(word) else 0


def _keys(words: Sequence[str], runs: bool) -> set[int]:
    """Return keys for pairs of content words by their first letters, and with `runs` for all runs of three words."""
    weighty = [number for number in map(_beginning, words) if number]
    keys = set(map(xor, weighty, weighty[1:]))
    if len(weighty) <= 3:
        keys.update(map(xor, weighty, weighty[2:]))
        # A misprint usually affects only one half of a short text.
        letters = "".join(words)
        for half in {len(letters) // 2, (len(letters) + 1) // 2}:
            keys |= {hash(("<", letters[:half])), hash((">", letters[-half:]))}
    if runs:
        keys.update(map(hash, zip(words, words[1:], words[2:], strict=False)))
    return keys
