"""Is this the same quotation? Decided by the words alone: who is printed as the author does not count.

The same words with other punctuation, spelling or ellipses, a longer or shorter extract, and nearly the same words in
their order (a misquotation, a proverb with other small words) are the same quotation. A thought told in other words is
another one: a proverb recast, another translation, a parody, two stanzas with one refrain. In a short saying a single
changed word of weight, a negation, or two words exchanged make it another; a long passage bears a few.
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
from rlm_site.indexing import queue
from rlm_site.text.folding import fold
from rlm_site.text.words import NUMBERS, STOP_WORDS, form, vocabulary


class Verdict(Enum):
    SAME_WORDS = "same words"
    EXTRACT = "extract"  # a longer or shorter one, or with a part left out
    WORDING = "another wording"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Comparison:
    verdict: Verdict
    likeness: float  # from 0 to 1: how much of the shorter text the longer one has


@dataclass(frozen=True)
class Similar:
    """A stored quotation that is the same as a text, by its words."""

    quote: Quote
    verdict: Verdict
    likeness: float


@dataclass(frozen=True)
class Duplicate:
    """texts[place] is the same quotation as texts[earlier], or as a stored one."""

    place: int
    earlier: int | None
    quote_id: int | None
    verdict: Verdict
    likeness: float


# Words of a text, in one spelling

_ELLIPSIS = re.compile(r"\[\s*(?:…|\.\s?\.\s?\.)\s*\]|…|\.(?:\s?\.){2,}")
_GAP = "\x00"
_TOKEN = re.compile(r"\x00|(?:[^\W_])+(?:'s\b)?")
_POSSESSIVE = re.compile(r"'s?$")

# What is written as one word or as two, with or without its vowels; the first is looked for first, to save time.
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
_OLD_LETTERS = str.maketrans({"ѣ": "е", "і": "и", "ѳ": "ф", "ѵ": "и", "`": "'", "´": "'", "‘": "'", "ſ": "s"})


@lru_cache(maxsize=65536)
def _spelled(word: str) -> str:
    """A folded word without a possessive, in the one spelling that stands for all of its spellings."""
    word = _POSSESSIVE.sub("", word)
    word = _SPELLINGS.get(word, word)
    for pattern, written in _ENDINGS:
        word = pattern.sub(written, word)
    return word


class _Words(NamedTuple):
    """The words of a text in one spelling; `gaps` are the places (before words[i]) where an ellipsis stands."""

    words: tuple[str, ...]
    gaps: frozenset[int]
    weight: float


@lru_cache(maxsize=1024)
def _words(text: str) -> _Words:
    if "…" in text or text.count(".") > 2:
        text = _ELLIPSIS.sub(_GAP, text)
    text = fold(text.translate(_OLD_LETTERS)).translate(_OLD_LETTERS)
    for needle, pattern, written in _CONTRACTIONS if "'" in text else _WITHOUT_APOSTROPHE:
        if needle in text:
            text = pattern.sub(written, text)
    tokens = _TOKEN.findall(text)
    words = [_spelled(token) for token in tokens if token != _GAP]
    gaps = [place for place, token in enumerate(tokens) if token == _GAP] if _GAP in text else []
    return _made_of(words, [place - before for before, place in enumerate(gaps)])


_NO_GAPS: frozenset[int] = frozenset()  # one for a hundred thousand texts


def _made_of(words: Sequence[str], gaps: Collection[int] = ()) -> _Words:
    within = frozenset(gap for gap in gaps if 0 < gap < len(words)) if gaps else _NO_GAPS
    return _Words(tuple(words), within, _weight(words))


def fingerprint(text: str) -> str:
    """The words in one spelling: equal where only punctuation, case, ellipses and usual spellings differ."""
    return " ".join(_words(text).words)


# Comparing two texts

_NEGATIONS = frozenset("no not never nor none neither nothing nobody without не ни нет никогда без".split())
# Articles, pronouns, forms of be, have and will: one for another changes a saying least.
_LIGHT = frozenset(
    "a the this that these those it he she they we i you his her their our my your its him them us me who whom "
    "which what "
    "is are was were be been am has have had do does did shall will would should may might can could must ought to and "
    "but for as so then now here there yet also too very то этот эта это тот та и а но же ли бы еще уж вот".split()
)


_LONGEST_SAYING = 40  # words; a part that moved is looked for in nothing longer


def same(a: str, b: str) -> bool:
    return compare(a, b).verdict is not Verdict.DIFFERENT


def likeness(a: str, b: str) -> float:
    """From 0 to 1: how much of the shorter text the longer one has, in its order."""
    return compare(a, b).likeness


def compare(a: str, b: str) -> Comparison:
    return _compared(_words(a), _words(b))


def _compared(first: _Words, second: _Words) -> Comparison:
    if first.words == second.words:
        return Comparison(Verdict.SAME_WORDS if first.words else Verdict.DIFFERENT, 1.0 if first.words else 0.0)
    if "".join(first.words) == "".join(second.words):
        return Comparison(Verdict.SAME_WORDS, 1.0)
    short, long = sorted((first, second), key=lambda words: (words.weight, len(words.words), words.words))
    if not short.words:
        return Comparison(Verdict.DIFFERENT, 0.0)
    # Two looks that are much cheaper than to lay one along the other tell most pairs apart.
    weighty = set(short.words) - _SMALL
    share = len(weighty.intersection(long.words)) / len(weighty) if weighty else 1.0
    few = len(weighty) <= 2 and len(long.words) < len(short.words) + 2
    if share < (0.3 if len(weighty) < 8 else 0.5) and not few:
        return Comparison(Verdict.DIFFERENT, round(share, 3))
    long = _joined_as(long, short)
    short = _joined_as(short, long)
    if _too_much_changed(short, long):
        return Comparison(Verdict.DIFFERENT, round(share, 3))
    aligned = _align(short, long)
    share = max(0.0, 1 - aligned.cost / short.weight)
    verdict = _verdict(aligned, len(short.words))
    if verdict is Verdict.DIFFERENT and (_one_part_moved(short.words, long.words) or _rearranged(short, long)):
        verdict = Verdict.WORDING
    return Comparison(verdict, round(share, 3))


_SMALL = STOP_WORDS | NUMBERS | {"alone"}
_COSTS = {word: 0.15 if word in _LIGHT else 0.3 for word in _SMALL}


def _is_content(word: str) -> bool:
    return word not in _SMALL


def _content(words: Iterable[str]) -> list[str]:
    return [word for word in words if word not in _SMALL]


def _cost(word: str) -> float:
    return _COSTS.get(word, 1.0)


def _weight(words: Iterable[str]) -> float:
    return sum(map(_cost, words))


def _smallness(word: str) -> float:
    return 0 if _is_content(word) else 0.5 if word in _LIGHT else 1


def _joined_as(text: _Words, other: _Words) -> _Words:
    """Words that the other text writes as one, as one: `four score`, `to day`."""
    wanted = set(other.words).difference(text.words)
    if text.gaps or wanted.isdisjoint(map(add, text.words, text.words[1:])):
        return text
    joined: list[str] = []
    for word in text.words:
        if joined and joined[-1] + word in wanted:
            joined[-1] += word
        else:
            joined.append(word)
    return _made_of(joined)


def _too_much_changed(short: _Words, long: _Words) -> bool:
    """Whether the words of weight that only one of the two has rule out, in whatever order, what `_verdict` allows."""
    if short.gaps or long.gaps:
        return False
    ours, theirs = _content(short.words), _content(long.words)
    missing = _without_like(ours, long.words, len(ours) / 4.2)
    left = len(ours) - missing
    if 8 * missing <= left:
        return False  # before and after the shorter text the longer one may have any number
    most = left / 3.2
    return max(missing, len(theirs) - len(ours)) > most or _without_like(theirs, short.words, most) > most


def _without_like(words: Sequence[str], others: Sequence[str], most: float) -> int:
    """How many of the words are neither among the others nor a misprint or another form of one of them.

    Counts no further than to more than `most`.
    """
    there = set(others)
    number = 0
    for word in words:
        if word not in there and not _is_like_one(word, there):
            number += 1
            if number > most:
                break
    return number


def _is_like_one(word: str, others: Collection[str]) -> bool:
    first, last = word[0], word[-2:]
    for other in others:
        if (other[0] == first or other[-2:] == last) and _difference(word, other) < 0.6:
            return True
    return _lemma(word) in map(_lemma, others)


@lru_cache(maxsize=65536)
def _difference(a: str, b: str) -> float:
    """From 0 (one word) to 1 (two words): misprints and inflections lie between."""
    if a == b:
        return 0.0
    if not (_is_content(a) and _is_content(b)):
        if _is_content(a) or _is_content(b):
            return 0.25 if min(len(a), len(b)) > 3 and _one_letter(a, b) and not (_known(a) and _known(b)) else 1.0
        return 0.15 if a in _LIGHT and b in _LIGHT else 0.3
    if _one_letter(a, b):
        if not (_known(a) and _known(b)) and min(len(a), len(b)) > 2:
            return 0.1
        if min(len(a), len(b)) > 6:
            return 0.3
    if form(a) == form(b) or _lemma(a) == _lemma(b):
        return 0.25
    if a[0] == b[0] and not (_known(a) and _known(b)) and _letters_in_common(a, b) >= 0.75:
        return 0.3
    return 0.8 if _one_letter(a, b) else 1.0


def _language(word: str) -> str:
    return "ru" if "а" <= word[0] <= "я" else "en"


@lru_cache(maxsize=65536)
def _known(word: str) -> bool:
    return bool(simplemma.is_known(word, lang=_language(word)))


@lru_cache(maxsize=65536)
def _lemma(word: str) -> str:
    return str(simplemma.lemmatize(word, lang=_language(word)))


def _one_letter(a: str, b: str) -> bool:
    """One letter too many, left out, another, or two neighbours exchanged."""
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
    """The shorter text laid along the longer one, which may go on at both ends."""

    cost: float
    matched: int  # words of weight that both have
    changed: float  # words of weight that differ within
    small: float  # other words that differ within
    slips: int  # misprints and other forms
    negated: bool  # one denies what the other says
    left_out: int  # words of weight or not that the shorter text leaves out with an ellipsis
    missing: int  # words of the shorter text that the longer one leaves out
    outside: int  # words of weight of the longer text before and after


def _align(short: _Words, long: _Words) -> _Alignment:
    a, b = short.words, long.words
    rows, columns = len(a), len(b)
    a_costs, b_costs = [_cost(word) for word in a], [_cost(word) for word in b]
    # table[i][j]: least cost of laying a[:i] along b, ending at b[:j]
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
    return _traced(table, short, long)


def _traced(table: list[list[float]], short: _Words, long: _Words) -> _Alignment:
    a, b = short.words, long.words
    i, j = len(a), len(b)
    matched = slips = left_out = missing = 0
    outer: list[str] = []
    changed = small = 0.0
    denials = 0
    while i:
        here = table[i][j]
        word = a[i - 1]
        step = 0.0
        if j:
            other = b[j - 1]
            step = 0.0 if word == other else _difference(word, other)
            if abs(table[i - 1][j - 1] + step - here) < 1e-9:
                if not _is_misprint(word, other, step):
                    denials += (word in _NEGATIONS) - (other in _NEGATIONS)
                if step == 0 or _is_misprint(word, other, step):
                    matched += _is_content(word) and _is_content(other)
                    slips += step > 0
                elif _is_content(word) or _is_content(other):
                    changed += step
                else:
                    small += 0.5 if word in _LIGHT and other in _LIGHT else 1
                i, j = i - 1, j - 1
                continue
            free = i == len(a) or i in short.gaps
            if abs(table[i][j - 1] + (0.0 if free else _cost(other)) - here) < 1e-9:
                if i == len(a):
                    outer.append(other)
                elif free:
                    left_out += 1
                else:
                    denials -= other in _NEGATIONS
                    changed += _is_content(other)
                    small += _smallness(other)
                j -= 1
                continue
        if j in long.gaps:
            missing += 1
        else:
            denials += word in _NEGATIONS
            changed += _is_content(word)
            small += _smallness(word)
        i -= 1
    outer.extend(b[:j])
    outside = sum(map(_is_content, outer))
    if not outside and (changed or small):
        small += sum(map(_smallness, outer))
    return _Alignment(table[-1][-1], matched, changed, small, slips, denials != 0, left_out, missing, outside)


def _is_misprint(word: str, other: str, step: float) -> bool:
    """Two spellings or forms of one word; small words are told apart letter by letter."""
    return 0 < step < 0.6 and (_is_content(word) or _is_content(other))


def _verdict(aligned: _Alignment, length: int) -> Verdict:
    elided = aligned.left_out + aligned.missing
    if aligned.negated or (elided and aligned.matched < 3) or aligned.missing > aligned.matched:
        return Verdict.DIFFERENT
    if not (aligned.changed or aligned.small):
        if not (aligned.outside or elided):
            if aligned.slips > max(1, aligned.matched * 0.7):
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
    """One run of words stands in another place: `All that glisters is not gold`, `All is not gold that glisters`."""
    if len(a) != len(b) or len(a) > _LONGEST_SAYING:
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
    """The one of these words that the word is a misprint or another form of, or itself."""
    return next((other for other in words if _is_misprint(other, word, _difference(other, word))), word)


def _rearranged(short: _Words, long: _Words) -> bool:
    """A longer passage of the same words in another order, such as the versions of a rhyme."""
    a, b = (Counter(word for word in words.words if word not in STOP_WORDS) for words in (short, long))
    common = sum((a & b).values())
    return common >= 8 and common >= 0.85 * max(sum(a.values()), sum(b.values()))


# Finding stored quotations

_MOST_WORDS = 300  # of a text that are looked up
_MOST_LINKS = 60_000  # rows of the word index that one search reads, its two rarest words apart
_MOST_CANDIDATES = 1500  # by the number of words shared ...
_MOST_COMPARED = 120  # ... of which so many by that number, and so many by the part of their own words, are compared
_ORDER = list(Verdict)


def similar_to(text: str, exclude: int | None = None, limit: int = 5) -> list[Similar]:
    """Stored quotations that are the same as the text, published or not, likest first.

    Candidates share the rarest words of the text and are found in the word index, by a fixed number of queries.
    """
    queue.process_queue()
    found = _stored_like(text, () if exclude is None else (exclude,))[:limit]
    quotes = Quote.objects.for_display().in_bulk([pk for pk, _ in found])
    return [Similar(quotes[pk], compared.verdict, compared.likeness) for pk, compared in found]


def _stored_like(text: str, without: Collection[int]) -> list[tuple[int, Comparison]]:
    words = vocabulary(text)
    wanted = _candidates(words) if words else _wordless(text)
    texts = Quote.objects.filter(pk__in=sorted(wanted.difference(without))).values_list("pk", "text")
    found = [(pk, compare(text, other)) for pk, other in texts]
    found = [(pk, compared) for pk, compared in found if compared.verdict is not Verdict.DIFFERENT]
    return sorted(found, key=lambda one: (_ORDER.index(one[1].verdict), -one[1].likeness, one[0]))


def _candidates(words: Collection[str]) -> set[int]:
    longest = sorted(words, key=lambda word: (-len(word), word))[:_MOST_WORDS]
    spellings = {spelling for word in longest for spelling in _spellings(word)}
    known = Word.objects.filter(text__in=spellings, quote_count__gt=0).order_by("quote_count", "pk")
    rarest: list[int] = []
    links = 0
    for pk, quote_count in known.values_list("pk", "quote_count"):
        links += quote_count
        if links > _MOST_LINKS and len(rarest) >= 2:
            break
        rarest.append(pk)
    by_quote = QuoteWord.objects.values_list("quote").annotate(number=Count("pk"))
    shared = dict(by_quote.filter(word__in=rarest).order_by("-number", "quote")[:_MOST_CANDIDATES])
    own = dict(by_quote.filter(quote__in=sorted(shared)).order_by("quote"))
    by_number = sorted(shared, key=lambda pk: (-shared[pk], own[pk], pk))
    by_part = sorted(shared, key=lambda pk: (-shared[pk] / own[pk], -shared[pk], pk))
    return {*by_number[:_MOST_COMPARED], *by_part[:_MOST_COMPARED]}


def _spellings(word: str) -> set[str]:
    """Ways in which a stored text may write an indexed word; the other words of the text do the rest."""
    spelled = _spelled(word)
    found = {word, spelled, spelled.replace("or", "our"), spelled.replace("iz", "is")}
    if word.endswith("'d"):
        found.add(word[:-2] + "ed")
    if word.endswith("ed"):
        found.add(word[:-2] + "'d")
    return found


def _wordless(text: str) -> set[int]:
    """For texts of function words alone, such as `That that is, is`, which the word index does not hold: a scan."""
    indexed = QuoteWord.objects.filter(quote=OuterRef("pk"), contained=True, word__quote_count__gt=0)
    short = Quote.objects.annotate(length=Length("text")).filter(length__lte=2 * len(text) + 20)
    return set(short.exclude(Exists(indexed)).order_by("pk").values_list("pk", flat=True)[:_MOST_COMPARED])


# Many new texts at once

_MOST_SHARING = 30  # texts that are remembered for a pair of words
_MOST_LIKE = 10  # candidates that are compared with one text
_DOUBLED = re.compile(r"(.)\1")
_SCAN = 150  # so many stored texts are read through in the time in which one is looked up


def duplicates_within(texts: Sequence[str], replaced: Collection[int] = ()) -> list[Duplicate]:
    """Texts that are the same quotation as an earlier one of them or as a stored one, at most one of each.

    `replaced` are the stored quotations that the texts are to overwrite; they do not count.
    """
    blocks = _Blocks()
    spelled = [_words(text) for text in texts]
    for place, words in enumerate(spelled):
        blocks.add(place, words)
    earlier: dict[int, tuple[int, Comparison]] = {}
    for place, words in enumerate(spelled):
        for other in blocks.candidates(words):
            # A text of few words is found from the longer one alone, wherever they stand.
            if other < place or (other > place and blocks.is_short[other] and not _is_short(words.words)):
                _keep(earlier, max(place, other), min(place, other), _compared(words, spelled[other]))

    queue.process_queue()
    stored: dict[int, tuple[int, Comparison]] = {}
    if Quote.objects.count() > _SCAN * len(texts):
        for place, text in enumerate(texts):
            for likest in _stored_like(text, replaced)[:1]:
                stored[place] = likest
    else:
        replaced = frozenset(replaced)
        for pk, text in Quote.objects.order_by("pk").values_list("pk", "text").iterator(2000):
            if pk in replaced:
                continue
            words = _words(text)
            for place in blocks.candidates(words):
                _keep(stored, place, pk, _compared(spelled[place], words))
    found = [Duplicate(place, key, None, by.verdict, by.likeness) for place, (key, by) in earlier.items()]
    found += [Duplicate(place, None, pk, by.verdict, by.likeness) for place, (pk, by) in stored.items()]
    return sorted(found, key=lambda one: (one.place, one.earlier is None))


def _keep(likest: dict[int, tuple[int, Comparison]], place: int, key: int, compared: Comparison) -> None:
    if compared.verdict is Verdict.DIFFERENT:
        return
    if place not in likest or _closeness(compared) > _closeness(likest[place][1]):
        likest[place] = (key, compared)


def _closeness(compared: Comparison) -> tuple[int, float]:
    return (-_ORDER.index(compared.verdict), compared.likeness)


class _Blocks:
    """Texts by the pairs of neighbouring words of weight that they hold."""

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
                if len(holders) < _MOST_SHARING:
                    holders.append(place)
            elif holders != place:
                self.holders[key] = [holders, place]

    def candidates(self, words: _Words) -> list[int]:
        """Places of texts that share enough pairs to be worth a comparison, likest first."""
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
        return sorted(parts, key=lambda place: (-parts[place], place))[:_MOST_LIKE]


def _is_short(words: Sequence[str]) -> bool:
    return len(_content(words)) <= 2


@lru_cache(maxsize=65536)
def _beginning(word: str) -> int:
    """A number for the first letters of a word of weight; 0 for small words."""
    return hash(_DOUBLED.sub(r"\1", word)[:4]) if _is_content(word) else 0


def _keys(words: Sequence[str], runs: bool) -> set[int]:
    """Pairs of words of weight by their first letters; `runs`: and all runs of three words."""
    weighty = [number for number in map(_beginning, words) if number]
    keys = set(map(xor, weighty, weighty[1:]))
    if len(weighty) <= 3:
        keys.update(map(xor, weighty, weighty[2:]))
        # A misprint spoils one half of a short text, hardly both.
        letters = "".join(words)
        for half in {len(letters) // 2, (len(letters) + 1) // 2}:
            keys |= {hash(("<", letters[:half])), hash((">", letters[-half:]))}
    if runs:
        keys.update(map(hash, zip(words, words[1:], words[2:], strict=False)))
    return keys
