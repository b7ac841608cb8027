"""Heading -> words -> quotations, each with the reasons for which it was picked.

The first rule that finds anything fills the block, so that the line above it is true of all that is under it: the
exact word, another form of it, a word an editor filed quotations under, a shared tag that may bring quotations,
nothing. What editors pinned comes first, what they banned never.
"""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cached_property
from math import log
from threading import Lock
from typing import NamedTuple

from django.db import connection
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from quotes.index import UNSURE, WEAK, tag_term
from quotes.models import Quote
from quotes.words import HeadingWord, heading_words, marked, occurrences, qualifiers, vocabulary
from rlm_site.publishing import is_live, next_change

BLOCK_SIZE = 3
CANDIDATES_A_WORD = 200
FINALISTS = 20  # candidates whose text and tags are compared with the page's

# The score is a sum; every part of it is kept with the pick and shown to editors.
WEIGHTS = {
    "words": 10.0,  # for each word of the heading it contains, less where it hardly uses it as the heading does ...
    "rarity": 1.0,  # ... and for the logarithm of how rare that word is
    "tags": 2.0,  # for each shared tag, the rarer the more
    "text": 0.4,  # for each other word that the page's text contains too, at most five
    "rank": 4.0,  # static: status, fitting length and spelling, and how sure the sense is, see `quotes.index`
}
WEAK_WORD = 0.3  # what a word counts that is in the text in another sense, beside one that is in the right one


class Rule(Enum):
    WORD = "word"
    FORM = "form"
    INDEX = "index"
    TAG = "tag"
    CHOSEN = "chosen"


RECOURSE = (Rule.WORD, Rule.FORM, Rule.INDEX, Rule.TAG)


@dataclass(frozen=True)
class Page:
    """What a page asks with. Headings of one topic ask together, in reading order."""

    heading: str
    words: tuple[str, ...] = ()  # an editor's override of the words of the heading
    text: str = ""
    tags: tuple[tuple[int, str, bool], ...] = ()  # id, name, and whether the tag may bring quotations
    pins: tuple[int, ...] = ()
    bans: frozenset[int] = frozenset()
    automatic: bool = True

    def heading_words(self) -> list[HeadingWord]:
        if self.words:
            return [HeadingWord(found.text, found.word) for word in self.words for found in heading_words(word)]
        return heading_words(self.heading)

    def used_words(self) -> dict[str, str]:
        """Folded word -> as written in lower case, in the order of the heading."""
        return self._used_words

    def bearing_words(self) -> frozenset[str]:
        """The used words of which one at least must be in a quotation; adjectives before them are not enough."""
        return self._bearing_words

    @cached_property
    def _used_words(self) -> dict[str, str]:
        return {found.word: found.text.lower() for found in self.heading_words() if not found.ignored}

    @cached_property
    def _bearing_words(self) -> frozenset[str]:
        used = frozenset(self.used_words())
        return used if self.words else used - qualifiers(self.heading)


@dataclass(frozen=True)
class Pick:
    """A quotation and why it is shown. `words` are the folded words that are marked in its text."""

    quote: Quote
    rule: Rule
    words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    score: Mapping[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.score.values())

    @property
    def reason(self) -> str:
        """Why it stands here, for readers."""
        if self.rule is Rule.TAG:
            return _("tagged %(tags)s") % {"tags": ", ".join(self.tags)}
        if self.rule is Rule.INDEX:
            return _("filed under %(words)s") % {"words": ", ".join(self.words)}
        if not self.words:
            return _("chosen by the editors")
        return _("contains %(words)s") % {"words": ", ".join(self.words)}

    @property
    def lines(self) -> list[list[tuple[str, bool]]]:
        return [marked(line, self.words) for line in self.quote.text.strip().split("\n")]


@dataclass(frozen=True)
class Block:
    """What a page shows: nothing (falsy), or a line and the quotations of which it is true."""

    rule: Rule | None = None
    words: tuple[str, ...] = ()  # as the line prints them
    picks: tuple[Pick, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.picks)

    @property
    def more(self) -> list[tuple[str, str]]:
        """Words that a quotation contains, with the addresses of their pages."""
        contained = dict.fromkeys(word for pick in self.picks if pick.rule is not Rule.INDEX for word in pick.words)
        return [(word, reverse("word", args=[word])) for word in contained]

    @property
    def line(self) -> str:
        if self.rule is Rule.CHOSEN:
            return _("Famous quotes chosen for this page:")
        if self.rule is Rule.TAG:
            return _("Famous quotes on the subject of %(subject)s:") % {"subject": self.words[0]}
        if self.rule is Rule.INDEX:
            return _("Famous quotes on %(words)s:") % {"words": listed(self.words)}
        return ngettext(
            "Famous quotes containing the word %(words)s:",
            "Famous quotes containing the words %(words)s:",
            len(self.words),
        ) % {"words": listed(self.words)}


def listed(words: Sequence[str]) -> str:
    """`science and/or fiction`; `russian, liberation and/or movement`."""
    if len(words) < 2:
        return "".join(words)
    return _("%(words)s and/or %(last)s") % {"words": ", ".join(words[:-1]), "last": words[-1]}


Topic = tuple[Page, ...]  # pages that belong together, in reading order


def blocks(topics: Sequence[Topic], now: datetime, version: str = "") -> list[list[Block]]:
    """A block for each page; within a topic a quotation is not repeated while another will do.

    Two queries for all topics together, and none for a topic that asked the same before: `version` names the state of
    the quotations and tags (see `freshness`), and the empty one remembers nothing.
    """
    known = {topic: _remembered(topic, now, version) for topic in topics}
    new = [topic for topic, result in known.items() if result is None]
    if new:
        candidates = Candidates([page for topic in new for page in topic], now)
        for topic in new:
            known[topic] = _blocks(topic, candidates)
            _remember(topic, version, known[topic], candidates.until)
    return [known[topic] or [] for topic in topics]


def _blocks(topic: Topic, candidates: "Candidates") -> list[Block]:
    shown: set[int] = set()
    result = []
    for page in topic:
        made = _block(page, candidates, shown)
        shown.update(pick.quote.pk for pick in made.picks)
        result.append(made)
    return result


# Topic -> version, blocks, and the moment at which a scheduled quotation changes them. Least recently used out.
_memory: "OrderedDict[Topic, tuple[str, list[Block], datetime | None]]" = OrderedDict()
_memory_lock = Lock()
MEMORY_SIZE = 2048


def _remembered(topic: Topic, now: datetime, version: str) -> list[Block] | None:
    with _memory_lock:
        entry = _memory.get(topic)
        if entry is None or not version or entry[0] != version or (entry[2] and entry[2] <= now):
            return None
        _memory.move_to_end(topic)
        return entry[1]


def _remember(topic: Topic, version: str, result: list[Block] | None, until: datetime | None) -> None:
    if version and result is not None:
        with _memory_lock:
            _memory[topic] = (version, result, until)
            _memory.move_to_end(topic)
            while len(_memory) > MEMORY_SIZE:
                _memory.popitem(last=False)


def _block(page: Page, candidates: "Candidates", shown: Collection[int]) -> Block:
    pinned = [candidates.quotes[pin] for pin in page.pins if pin in candidates.quotes and pin not in page.bans]
    pins = [_pin(page, quote) for quote in pinned[:BLOCK_SIZE]]
    borne_out = bool(pins) and all(pick.words for pick in pins)
    rule, found = candidates.first_rule_with_a_hit(page, [Rule.WORD] if borne_out else RECOURSE)
    chosen = _spread(found, pins, shown)
    picks = (*pins, *chosen)
    if not picks:
        return Block()
    if pins:
        rule = Rule.WORD if borne_out else Rule.CHOSEN
    return Block(rule, _line_words(page, rule, picks), picks)


def _pin(page: Page, quote: Quote) -> Pick:
    contained = {occurrence.word for occurrence in occurrences(quote.text)}
    return Pick(quote, Rule.CHOSEN, tuple(word for word in page.used_words() if word in contained))


def _spread(found: Sequence[Pick], pins: Sequence[Pick], shown: Collection[int]) -> list[Pick]:
    """One quotation a person and a work, and none that the topic shows elsewhere while another will do."""
    taken = {pick.quote.pk for pick in pins}
    people = {pick.quote.person_id for pick in pins} - {None}
    works = {pick.quote.work_id for pick in pins} - {None}
    chosen: list[Pick] = []
    for pick in sorted(found, key=lambda pick: (pick.quote.pk in shown, -round(pick.total, 6), pick.quote.pk)):
        quote = pick.quote
        if len(chosen) + len(pins) >= BLOCK_SIZE or (quote.pk in shown and chosen):
            break
        if quote.pk in taken or quote.person_id in people or quote.work_id in works:
            continue
        chosen.append(pick)
        taken.add(quote.pk)
        people |= {quote.person_id} - {None}
        works |= {quote.work_id} - {None}
    return chosen


def _line_words(page: Page, rule: Rule | None, picks: Sequence[Pick]) -> tuple[str, ...]:
    """Only words that a shown quotation bears out, in the order of the heading."""
    if rule is Rule.CHOSEN:
        return ()
    if rule is Rule.TAG:
        return picks[0].tags[:1]
    shown = list(dict.fromkeys(word for pick in picks for word in pick.words))
    if rule is Rule.FORM:
        return tuple(shown)
    return tuple(written for word, written in page.used_words().items() if word in shown)


class _Hit(NamedTuple):
    """A quotation that the index has under a word asked for, or under another form of it."""

    asked: str
    word: str
    quote_id: int
    rank: int
    contained: bool
    rarity: float  # from 0 (in very many quotations) to 1 (in one)

    @property
    def is_weak(self) -> bool:
        """The text hardly uses the word as a heading does: not enough alone."""
        return self.rank <= WEAK

    @property
    def weight(self) -> float:
        return WEAK_WORD if self.is_weak else 1.0


class Candidates:
    """The index read once for all pages: two queries, whatever their number and that of the quotations."""

    def __init__(self, pages: Sequence[Page], now: datetime) -> None:
        terms = {word for page in pages if page.automatic for word in page.used_words()}
        terms |= {tag_term(tag) for page in pages if page.automatic for tag, _name, _brings in page.tags}
        self.hits: dict[str, list[_Hit]] = defaultdict(list)
        self.rarities: dict[str, dict[int, float]] = defaultdict(dict)  # term -> quotation -> how rare the term is
        for hit in _read_index(sorted(terms)):
            self.hits[hit.asked].append(hit)
            self.rarities[hit.asked][hit.quote_id] = hit.rarity
        finalists = {quote_id for page in pages if page.automatic for quote_id in self._finalists(page)}
        pins = {pin for page in pages for pin in page.pins}
        self.quotes: dict[int, Quote] = {}
        self.until: datetime | None = None
        if finalists or pins:
            pickable = Q(pk__in=finalists, auto_pick=True, status__in=Quote.PICKED_STATUSES)
            pinnable = Q(pk__in=pins) & ~Q(status=Quote.Status.MISATTRIBUTED)
            scheduled = list(Quote.objects.filter(pickable | pinnable).for_display())
            self.until = next_change(scheduled, now)
            self.quotes = {quote.pk: quote for quote in scheduled if is_live(quote, now)}

    def first_rule_with_a_hit(self, page: Page, rules: Sequence[Rule]) -> tuple[Rule | None, list[Pick]]:
        for rule in rules if page.automatic else ():
            for above in (UNSURE, WEAK):  # what may be meant otherwise is shown where nothing better is
                picks = self._picks(page, rule, self._hits(page, rule, above))
                if picks:
                    return rule, picks
        return None, []

    def _hits(self, page: Page, rule: Rule, above: int) -> list[_Hit]:
        """Of quotations that have a bearing word of the page ranked above this, and in the sense of the heading."""
        if rule is Rule.TAG:
            for tag, _name, brings in page.tags:
                if brings and self.hits[tag_term(tag)]:
                    return self.hits[tag_term(tag)]
            return []
        hits = [hit for word in page.used_words() for hit in self.hits[word]]
        if rule is Rule.WORD:
            hits = [hit for hit in hits if hit.contained and hit.word == hit.asked]
        elif rule is Rule.FORM:
            hits = [hit for hit in hits if hit.contained]
        else:
            hits = [hit for hit in hits if not hit.contained]
        bearing = page.bearing_words()
        borne = {hit.quote_id for hit in hits if hit.asked in bearing and hit.rank > above}
        return [hit for hit in hits if hit.quote_id in borne]

    def _finalists(self, page: Page) -> set[int]:
        """The best of each rule by the parts of the score that the index alone can tell."""
        for rule in RECOURSE:
            scores: dict[int, float] = defaultdict(float)
            for hit in self._hits(page, rule, WEAK):
                if hit.quote_id not in page.bans:
                    scores[hit.quote_id] += hit.weight * (WEIGHTS["words"] + WEIGHTS["rarity"] * hit.rarity)
                    scores[hit.quote_id] += WEIGHTS["rank"] * hit.rank / 100
            if scores:
                return set(sorted(scores, key=lambda quote_id: (-round(scores[quote_id], 6), quote_id))[:FINALISTS])
        return set()

    def _picks(self, page: Page, rule: Rule, hits: Sequence[_Hit]) -> list[Pick]:
        by_quote: dict[int, list[_Hit]] = defaultdict(list)
        for hit in hits:
            if hit.quote_id in self.quotes and hit.quote_id not in page.bans and hit.quote_id not in page.pins:
                by_quote[hit.quote_id].append(hit)
        return [self._pick(page, rule, self.quotes[quote_id], found) for quote_id, found in by_quote.items()]

    def _pick(self, page: Page, rule: Rule, quote: Quote, hits: Sequence[_Hit]) -> Pick:
        shared = [
            (name, self.rarities[tag_term(tag)][quote.pk])
            for tag, name, _brings in page.tags
            if quote.pk in self.rarities[tag_term(tag)]
        ]
        asked: dict[str, _Hit] = {}
        for hit in sorted(hits, key=lambda hit: hit.rank):
            asked[hit.asked] = hit
        common = vocabulary(quote.text) & vocabulary(page.text) - page.used_words().keys()
        score = {
            "words": WEIGHTS["words"] * sum(hit.weight for hit in asked.values()),
            "rarity": WEIGHTS["rarity"] * sum(hit.weight * hit.rarity for hit in asked.values()),
            "tags": WEIGHTS["tags"] * sum(rarity for _name, rarity in shared),
            "text": WEIGHTS["text"] * min(len(common), 5),
            "rank": WEIGHTS["rank"] * max(hit.rank for hit in hits) / 100,
        }
        words = tuple(dict.fromkeys(hit.word for hit in hits if not hit.is_weak)) if rule is not Rule.TAG else ()
        return Pick(quote, rule, words, tuple(name for name, _rarity in shared), score)


# A row for each word asked for and each of its other forms, with its best quotations as a list: an index range of
# bounded length that the index alone answers.
_READ_INDEX = """
    SELECT asked.text, word.text, word.quote_count, (
        SELECT {listed} FROM (
            SELECT quote_id, rank, contained FROM quotes_quoteword WHERE word_id = word.id AND rank > 0
            ORDER BY rank DESC, quote_id LIMIT %s
        ) best
    )
    FROM quotes_word asked JOIN quotes_word word ON word.form = asked.form
    WHERE asked.text IN ({terms}) ORDER BY asked.text, word.text"""
_LISTED = {
    "postgresql": "CAST(json_agg(json_build_array(quote_id, rank, contained)) AS text)",
    "sqlite": "json_group_array(json_array(quote_id, rank, contained))",
}


def _read_index(terms: Sequence[str]) -> list[_Hit]:
    if not terms:
        return []
    statement = _READ_INDEX.format(listed=_LISTED[connection.vendor], terms=", ".join(["%s"] * len(terms)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [CANDIDATES_A_WORD, *terms])
        rows = cursor.fetchall()
    hits = []
    for asked, word, count, best in rows:
        rarity = 1 / (1 + log(max(count, 1)))
        for quote_id, rank, contained in json.loads(best or "[]"):
            hits.append(_Hit(asked, word, quote_id, rank, bool(contained), rarity))
    return hits
