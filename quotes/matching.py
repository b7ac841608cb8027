"""Matching quotations to the heading of a page, each with the reasons for which it was picked.

The first rule with a result fills the block, so that the sentence above the quotations is true of all of them: the
exact word, another form of it, a word that an editor filed quotations under, a shared tag that may bring quotations.
A quotation that is hardly worth printing is no result: a page without a good one shows none. Pinned quotations come
first; banned ones never appear.
"""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache, cached_property
from hashlib import blake2b
from itertools import islice
from math import log
from operator import itemgetter
from threading import Lock
from types import MappingProxyType
from typing import Any, NamedTuple

from django.db import connection
from django.urls import reverse
from django.utils.timezone import is_naive, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from quotes.models import Collection as QuoteCollection
from quotes.models import Person, Quote, Work
from quotes.word_index import tag_term
from rlm_site.page_cache.dependencies import depends_on
from rlm_site.publishing.visibility import is_public_at, next_change_of
from rlm_site.text.words import HeadingWord, Phrase, folded_words, marked, plain_words, read_heading

BLOCK_SIZE = 3
CANDIDATES_PER_WORD = 200
FINALISTS = 20  # candidates whose text and tags are compared with the page's

LEAST = 71  # the score, without shared tags, below which a quotation is not shown

# The score is a sum; its parts are kept with the pick and shown to editors. The rank of the word itself, up to 100,
# comes from the index (see `quotes.merits`): 50 is an even chance that an editor would print the quotation.
WEIGHTS = {
    "word": 1.0,
    "together": 12.0,  # it contains the whole of a phrase of several words ...
    "part": -2.0,  # ... or a part of it
    "form": -9.0,  # it has the word in another form than the heading
    "phrases": 15.0,  # for each other phrase of the heading that it answers
    "tags": 30.0,  # for each shared tag, the rarer the more
    "spread": 8.0,  # at most; different for each page, so that pages with the same word show different quotations
}


class Rule(Enum):
    WORD = "word"
    FORM = "form"
    INDEX = "index"
    TAG = "tag"
    CHOSEN = "chosen"


FALLBACK_ORDER = (Rule.WORD, Rule.FORM, Rule.INDEX, Rule.TAG)


@dataclass(frozen=True)
class MatchRequest:
    """The heading and context of one page. The pages of a topic are matched together, in reading order."""

    heading: str
    words: tuple[str, ...] = ()  # an editor's override: words, or phrases, instead of those of the heading
    tags: tuple[tuple[int, str, bool], ...] = ()  # id, name, and whether the tag may bring quotations
    pins: tuple[int, ...] = ()
    bans: frozenset[int] = frozenset()
    automatic: bool = True

    def heading_words(self) -> list[HeadingWord]:
        """Return the words of the heading, or of the override, each with the reason where it is ignored."""
        return list(self._words)

    def phrases(self) -> tuple[Phrase, ...]:
        return self._phrases

    def used_words(self) -> dict[str, str]:
        """Return the folded words of the phrases in the order of the heading, each with its lower-case spelling."""
        return self._used_words

    @cached_property
    def _words(self) -> Sequence[HeadingWord]:
        if self.words:
            return [found for phrase in self.words for found in plain_words(phrase)]
        return read_heading(self.heading).words

    @cached_property
    def _phrases(self) -> tuple[Phrase, ...]:
        if not self.words:
            return read_heading(self.heading).phrases
        phrases = ([found.word for found in plain_words(phrase) if not found.ignored] for phrase in self.words)
        return tuple(Phrase(tuple(words)) for words in phrases if words)

    @cached_property
    def _used_words(self) -> dict[str, str]:
        return {found.word: found.text.lower() for found in self._words if not found.ignored}


@dataclass(frozen=True)
class Pick:
    """A quotation and why it is shown. `words` are the folded words to highlight in its text."""

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
        """Return why the quotation is shown, for readers."""
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
    """The quotations that a page shows, with the sentence above them; falsy if there are none."""

    rule: Rule | None = None
    words: tuple[str, ...] = ()  # as printed in the sentence
    picks: tuple[Pick, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.picks)

    @property
    def more(self) -> list[tuple[str, str]]:
        """Return the words contained in the quotations, with the URLs of their pages."""
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
    """Join words for a sentence: `science and/or fiction`; `russian, liberation and/or movement`."""
    if len(words) < 2:
        return "".join(words)
    return _("%(words)s and/or %(last)s") % {"words": ", ".join(words[:-1]), "last": words[-1]}


Topic = tuple[MatchRequest, ...]  # pages that belong together, in reading order


def blocks(topics: Sequence[Topic], now: datetime) -> list[list[Block]]:
    """Return a block for each page; a topic repeats no quotation but pinned ones.

    Two queries for all topics together, and none for cached ones. Nothing is cached where no versions are pinned.
    """
    version = depends_on("quotes", "tags")
    known = {topic: _cached_blocks(topic, now, version) for topic in topics}
    uncached = [topic for topic, cached in known.items() if cached is None]
    if uncached:
        candidates = Candidates([page for topic in uncached for page in topic], now)
        for topic in uncached:
            chosen = _choose(topic, candidates)
            new_blocks = [_block(page, _picks_from(scored)) for page, scored in zip(topic, chosen, strict=True)]
            known[topic] = new_blocks
            _cache_blocks(topic, version, new_blocks, candidates.valid_until)
    return [known[topic] or [] for topic in topics]


# LRU cache: topic -> version, blocks, and the moment at which a scheduled quotation changes them.
_block_cache: "OrderedDict[Topic, tuple[str, list[Block], datetime | None]]" = OrderedDict()
_block_cache_lock = Lock()
BLOCK_CACHE_SIZE = 2048


def _cached_blocks(topic: Topic, now: datetime, version: str) -> list[Block] | None:
    with _block_cache_lock:
        entry = _block_cache.get(topic)
        if entry is None or not version or entry[0] != version or (entry[2] and entry[2] <= now):
            return None
        _block_cache.move_to_end(topic)
        return entry[1]


def _cache_blocks(topic: Topic, version: str, new_blocks: list[Block], valid_until: datetime | None) -> None:
    if version:
        with _block_cache_lock:
            _block_cache[topic] = (version, new_blocks, valid_until)
            _block_cache.move_to_end(topic)
            while len(_block_cache) > BLOCK_CACHE_SIZE:
                _block_cache.popitem(last=False)


class _Row(NamedTuple):
    """The columns of a quotation that are compared, and all values read for it."""

    id: int
    key: str
    text: str
    person_id: int | None
    work_id: int | None
    status: str
    auto_pick: bool
    published: bool
    publish_at: datetime | None
    retire_at: datetime | None
    pick_policy: str | None  # of its collection
    shared: frozenset[int]  # index terms of the requested tags that it has
    values: Sequence[object]


class _ScoredRow(NamedTuple):
    """A quotation that may be shown, with its score and the reasons for it."""

    row: _Row
    rule: Rule
    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    score: Mapping[str, float] = MappingProxyType({})
    phrase: Phrase | None = None  # the one that it answers best

    @property
    def order(self) -> tuple[float, int]:
        return (-round(sum(self.score.values()), 6), self.row.id)


def _picks_from(scored: Iterable[_ScoredRow]) -> tuple[Pick, ...]:
    return tuple(Pick(_quote_from_row(row), rule, words, tags, score) for row, rule, words, tags, score, _of in scored)


def _choose(topic: Topic, candidates: "Candidates") -> list[list[_ScoredRow]]:
    """Choose the quotations of each page: pins, then the best by the first rule with a hit.

    A page that finds the word of its heading chooses before one that must make do with less.
    """
    chosen = [candidates.pins(page) for page in topic]
    shown = {pin.row.id for pins in chosen for pin in pins}
    found_by = []
    for place, (page, pins) in enumerate(zip(topic, chosen, strict=True)):
        pins_contain_heading_words = bool(pins) and all(pin.words for pin in pins)
        rule, found = candidates.scored(page, [Rule.WORD] if pins_contain_heading_words else FALLBACK_ORDER)
        if rule:
            found_by.append((FALLBACK_ORDER.index(rule), place, found))
    for _rule, place, found in sorted(found_by, key=itemgetter(0, 1)):
        picked = _diversify(found, chosen[place], shown)
        chosen[place] = [*chosen[place], *picked]
        shown.update(scored.row.id for scored in picked)
    return chosen


def _diversify(found: Sequence[_ScoredRow], pins: Sequence[_ScoredRow], shown: Collection[int]) -> list[_ScoredRow]:
    """Keep one quotation per person and per work and none that the topic shows; give each phrase its chance."""
    people = {pin.row.person_id for pin in pins} - {None}
    works = {pin.row.work_id for pin in pins} - {None}
    remaining = sorted((scored for scored in found if scored.row.id not in shown), key=lambda scored: scored.order)
    chosen: list[_ScoredRow] = []
    while len(chosen) + len(pins) < BLOCK_SIZE:
        remaining = [
            scored for scored in remaining if scored.row.person_id not in people and scored.row.work_id not in works
        ]
        if not remaining:
            break
        answered = {scored.phrase for scored in chosen}
        best = next((scored for scored in remaining if scored.phrase not in answered), remaining[0])
        remaining.remove(best)
        chosen.append(best)
        people |= {best.row.person_id} - {None}
        works |= {best.row.work_id} - {None}
    return chosen


def _block(page: MatchRequest, picks: tuple[Pick, ...]) -> Block:
    if not picks:
        return Block()
    rule = picks[0].rule
    if rule is Rule.CHOSEN and all(pick.words for pick in picks if pick.rule is Rule.CHOSEN):
        rule = Rule.WORD
    return Block(rule, _line_words(page, rule, picks), picks)


def _line_words(page: MatchRequest, rule: Rule | None, picks: Sequence[Pick]) -> tuple[str, ...]:
    """Return the words that some shown quotation contains, in the order of the heading."""
    if rule is Rule.CHOSEN:
        return ()
    if rule is Rule.TAG:
        return picks[0].tags[:1]
    shown = list(dict.fromkeys(word for pick in picks for word in pick.words))
    if rule is Rule.FORM:
        return tuple(shown)
    return tuple(written for word, written in page.used_words().items() if word in shown)


class _IndexEntry(NamedTuple):
    """A requested word, or another form of it, with the best quotations indexed under it."""

    requested: str
    word: str
    ranks: Mapping[int, int]  # quotation -> rank, best first


class _IndexedTag(NamedTuple):
    """A tag as an index term."""

    id: int
    rarity: float  # from 0 (of very many quotations) to 1 (of one)


class Hit(NamedTuple):
    """One quotation found under a word."""

    requested: str
    word: str
    rank: int


class Answer(NamedTuple):
    """How a quotation answers a heading, judged by the index alone."""

    score: Mapping[str, float]
    words: tuple[str, ...]
    phrase: Phrase | None = None

    @property
    def total(self) -> float:
        return round(sum(self.score.values()), 6)


class Candidates:
    """The candidates of some pages: one query reads the index for all of them, one the best quotations by it."""

    def __init__(self, pages: Sequence[MatchRequest], now: datetime) -> None:
        automatic = [page for page in pages if page.automatic]
        words = {word for page in automatic for word in page.used_words()}
        tags = {tag for page in automatic for tag in page.tags}
        self.contained, self.filed, self.tags = _read_index(
            listed_terms=words | {tag_term(tag) for tag, _name, brings in tags if brings},
            shared_terms={tag_term(tag) for tag, _name, _brings in tags},
        )
        self.finalists = {page: self._finalists(page) for page in automatic}
        wanted = {quote_id for _rule, hits in self.finalists.values() for quote_id in hits}
        wanted |= {pin for page in pages for pin in page.pins}
        rows = _read_rows(wanted, {tag.id for tag in self.tags.values()})
        self.valid_until = next_change_of(rows, now)
        self.rows: dict[int, _Row] = {row.id: row for row in rows if is_public_at(row, now)}

    def pins(self, page: MatchRequest) -> list[_ScoredRow]:
        rows = [self.rows[pin] for pin in page.pins if pin in self.rows and pin not in page.bans]
        return [
            _ScoredRow(
                row, Rule.CHOSEN, tuple(word for word in page.used_words() if word in set(folded_words(row.text)))
            )
            for row in rows
            if row.status != Quote.Status.MISATTRIBUTED
        ][:BLOCK_SIZE]

    def scored(self, page: MatchRequest, rules: Sequence[Rule]) -> tuple[Rule | None, list[_ScoredRow]]:
        """Return the page's finalists, scored, if the rule that found them is one of these."""
        rule, finalists = self.finalists.get(page, (None, {}))
        if rule is None or rule not in rules:
            return None, []
        found = {pk: answer for pk, answer in finalists.items() if pk not in page.pins and self._can_be_picked(pk)}
        return rule, self._scored(page, rule, found)

    def first_rule_with_a_hit(self, page: MatchRequest, rules: Sequence[Rule]) -> tuple[Rule | None, list[Pick]]:
        """Return the finalists as picks, for editors to compare."""
        rule, scored = self.scored(page, rules)
        return rule, list(_picks_from(scored))

    def _can_be_picked(self, pk: int) -> bool:
        row = self.rows.get(pk)
        if row is None or row.pick_policy == QuoteCollection.PickPolicy.PINNED:
            return False
        return row.auto_pick and row.status in Quote.PICKED_STATUSES

    def _finalists(self, page: MatchRequest) -> tuple[Rule | None, dict[int, Answer]]:
        """Return the first rule with a result and its best quotations, judged by the index alone."""
        for rule in FALLBACK_ORDER:
            entries = self._index_entries(page, rule)
            answers = {
                pk: found
                for pk in _best_ids(entries, page.bans)
                if (found := answer(page, rule, [_hit(entry, pk) for entry in entries if pk in entry.ranks]))
                and found.total >= LEAST
            }
            if answers:
                finalists = sorted(answers, key=lambda pk: (-answers[pk].total, pk))[:FINALISTS]
                return rule, {pk: answers[pk] for pk in finalists}
        return None, {}

    def _index_entries(self, page: MatchRequest, rule: Rule) -> list[_IndexEntry]:
        """Return what the index has for the page by this rule."""
        if rule is Rule.TAG:
            by_tag = (self.contained[tag_term(tag)] for tag, _name, brings in page.tags if brings)
            return next(filter(None, by_tag), [])
        index = self.filed if rule is Rule.INDEX else self.contained
        entries = [entry for word in page.used_words() for entry in index[word]]
        return [entry for entry in entries if entry.word == entry.requested] if rule is Rule.WORD else entries

    def _scored(self, page: MatchRequest, rule: Rule, answers: Mapping[int, Answer]) -> list[_ScoredRow]:
        tags = [(name, self.tags.get(tag_term(tag))) for tag, name, _brings in page.tags]
        scored = []
        for pk, answer in answers.items():
            row = self.rows[pk]
            shared = [(name, tag.rarity) for name, tag in tags if tag and tag.id in row.shared]
            score = {
                **answer.score,
                "tags": WEIGHTS["tags"] * sum(rarity for _name, rarity in shared),
                "spread": WEIGHTS["spread"] * _preference(page, row),
            }
            scored.append(_ScoredRow(row, rule, answer.words, tuple(name for name, _ in shared), score, answer.phrase))
        return scored


def _preference(page: MatchRequest, row: _Row) -> float:
    """Return a number from 0 to 1 that is always the same for a page and a quotation, and another for another page."""
    return int.from_bytes(blake2b(f"{page.heading} {row.key}".encode(), digest_size=4).digest()) / 2**32


def _best_ids(entries: Sequence[_IndexEntry], bans: Collection[int]) -> set[int]:
    """Return quotations with several of the words and the best of each word; no other can be a finalist."""
    seen: set[int] = set()
    best: set[int] = set()
    for entry in entries:
        best.update(seen.intersection(entry.ranks))
        seen.update(entry.ranks)
    best.difference_update(bans)
    for entry in entries:
        best.update(islice((pk for pk in entry.ranks if pk not in bans), FINALISTS))
    return best


def _hit(entry: _IndexEntry, pk: int) -> Hit:
    return Hit(entry.requested, entry.word, entry.ranks[pk])


def answer(page: MatchRequest, rule: Rule, hits: Sequence[Hit]) -> Answer | None:
    """Return how a quotation answers the best of the phrases; None if it has only a part of a name."""
    if rule is Rule.TAG:
        return Answer({"word": max(hit.rank for hit in hits)}, ())
    best: Answer | None = None
    answered = 0
    for phrase in page.phrases():
        of_phrase = [hit for hit in hits if hit.requested in phrase.words]
        is_whole = {hit.requested for hit in of_phrase} == set(phrase.words)
        if not of_phrase or (phrase.is_name and not is_whole):
            continue
        answered += 1
        hit = max(of_phrase, key=lambda hit: (hit.rank, hit.requested == hit.word))
        score = {
            "word": WEIGHTS["word"] * hit.rank,
            "together": WEIGHTS["together"] * (is_whole and len(phrase.words) > 1),
            "part": WEIGHTS["part"] * (not is_whole),
            "form": WEIGHTS["form"] * (rule is Rule.FORM and hit.requested != hit.word),
        }
        found = Answer(score, (), phrase)
        if best is None or found.total > best.total:
            best = found
    if best is None:
        return None
    words = tuple(dict.fromkeys(hit.word for hit in hits))
    return best._replace(score={**best.score, "phrases": WEIGHTS["phrases"] * (answered - 1)}, words=words)


# One row per requested word, per other form of it, and per tag. Words, and tags that may bring quotations, come with
# two lists: their best quotations and the ranks of these, negative where editors filed a quotation under a word that
# it does not contain. An index-only scan of bounded length.
_INDEX_SQL = """
    SELECT requested.text, word.text, word.id, word.quote_count, CASE WHEN requested.text {in_list} THEN (
        SELECT {lists} FROM (
            SELECT quote_id, rank, contained FROM quotes_quoteword WHERE word_id = word.id AND rank > 0
            ORDER BY rank DESC, quote_id LIMIT %s
        ) best
    ) END
    FROM quotes_word requested JOIN quotes_word word ON word.form = requested.form
    WHERE requested.text {in_list}"""
_SIGNED_RANK_SQL = "CASE WHEN contained THEN rank ELSE -rank END"
_JSON_LISTS_SQL = {  # lists of pairs would take a third longer
    "postgresql": f"CAST(json_build_array(json_agg(quote_id), json_agg({_SIGNED_RANK_SQL})) AS text)",
    "sqlite": f"json_array(json_group_array(quote_id), json_group_array({_SIGNED_RANK_SQL}))",
}

# A list of any length as one parameter: the statement stays the same, so the database can reuse its plan.
_IN_LIST_SQL = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}

_Index = Mapping[str, list[_IndexEntry]]


def _list_parameter(values: Iterable[int] | Iterable[str], filler: int | str) -> str | list[int] | list[str]:
    """Return a list as one parameter; `filler` is no value of the column."""
    as_list: list[Any] = sorted(values)
    if connection.vendor == "sqlite":
        return json.dumps(as_list)
    # PostgreSQL's generic plan assumes ten values; for a shorter list it would make a custom plan each time. An empty
    # list has no type, and would make another statement.
    return as_list + [filler] * (10 - len(as_list))


def _read_index(*, listed_terms: set[str], shared_terms: set[str]) -> tuple[_Index, _Index, Mapping[str, _IndexedTag]]:
    """Return, for each term, the quotations that contain it, those filed under it, and the requested tags.

    Terms that are only shared get no list of quotations: finalists are read together with the ones they have.
    """
    contained: dict[str, list[_IndexEntry]] = defaultdict(list)
    filed: dict[str, list[_IndexEntry]] = defaultdict(list)
    tags: dict[str, _IndexedTag] = {}
    if not listed_terms and not shared_terms:
        return contained, filed, tags
    statement = _INDEX_SQL.format(lists=_JSON_LISTS_SQL[connection.vendor], in_list=_IN_LIST_SQL[connection.vendor])
    parameters = [
        _list_parameter(listed_terms, ""),
        CANDIDATES_PER_WORD,
        _list_parameter(listed_terms | shared_terms, ""),
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = sorted(cursor.fetchall())
    for requested, word, word_id, count, lists in found:
        if requested in shared_terms:
            tags[requested] = _IndexedTag(word_id, 1 / (1 + log(max(count, 1))))
        ids, ranks = json.loads(lists) if lists else ((), ())
        if not ids:
            continue
        best = dict(zip(ids, ranks, strict=True))
        if min(ranks) < 0:
            filed_ranks = {pk: -rank for pk, rank in best.items() if rank < 0}
            filed[requested].append(_IndexEntry(requested, word, filed_ranks))
            best = {pk: rank for pk, rank in best.items() if rank > 0}
        if best:
            contained[requested].append(_IndexEntry(requested, word, best))
    return contained, filed, tags


# A quotation with everything that is printed of it. Compiling this query with the ORM and instantiating all finalists
# takes longer than the query itself; so it is written out, and only what is shown becomes an object.
_JOINED_MODELS = {"quote": Quote, "person": Person, "work": Work, "quoted_in": Work, "collection": QuoteCollection}
_COLUMNS = [(name, field) for name, model in _JOINED_MODELS.items() for field in model._meta.concrete_fields]
_ROWS_SQL = f"""
    SELECT {", ".join(f"{name}.{field.column}" for name, field in _COLUMNS)}, (
        SELECT {{list}} FROM quotes_quoteword shared
        WHERE shared.quote_id = quote.id AND shared.word_id {{in_list}}
    )
    FROM quotes_quote quote
    LEFT JOIN quotes_person person ON person.id = quote.person_id
    LEFT JOIN quotes_work work ON work.id = quote.work_id
    LEFT JOIN quotes_work quoted_in ON quoted_in.id = quote.quoted_in_id
    LEFT JOIN quotes_collection collection ON collection.id = quote.collection_id
    WHERE quote.id {{in_list}}
        AND quote.id NOT IN (SELECT object_id FROM rlm_site_setaside WHERE kind = 'quote')"""
_ID_LIST_SQL = {"postgresql": "string_agg(CAST(word_id AS text), ',')", "sqlite": "group_concat(word_id)"}
_comparable_values = itemgetter(
    *([field.attname for _name, field in _COLUMNS].index(name) for name in _Row._fields[:-2])
)


def _read_rows(ids: set[int], tags: set[int]) -> list[_Row]:
    if not ids:
        return []
    statement = _ROWS_SQL.format(list=_ID_LIST_SQL[connection.vendor], in_list=_IN_LIST_SQL[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [_list_parameter(tags, 0), _list_parameter(ids, 0)])
        return [_row_from_values(values) for values in cursor.fetchall()]


def _row_from_values(values: Sequence[Any]) -> _Row:
    shared = frozenset(map(int, values[-1].split(","))) if values[-1] else frozenset()
    row = _Row._make((*_comparable_values(values), shared, values))
    if row.publish_at or row.retire_at:
        row = row._replace(
            publish_at=_make_aware_if_naive(row.publish_at), retire_at=_make_aware_if_naive(row.retire_at)
        )
    return row


def _make_aware_if_naive(moment: datetime | None) -> datetime | None:
    """Add the time zone, which SQLite does not store."""
    return make_aware(moment, connection.timezone) if moment and is_naive(moment) else moment


def _quote_from_row(row: _Row) -> Quote:
    """Build the object that `for_display` would read."""
    values = list(row.values)
    for index, column, converters in _column_converters(connection.vendor):
        for convert in converters:
            values[index] = convert(values[index], column, connection)
    remaining = iter(values)
    objects: dict[str, Any] = {}
    for name, model in _JOINED_MODELS.items():
        names = [field.attname for field in model._meta.concrete_fields]
        model_values = list(islice(remaining, len(names)))
        objects[name] = None if model_values[0] is None else model.from_db(connection.alias, names, model_values)
    quote: Quote = objects.pop("quote")
    for name, related in objects.items():
        setattr(quote, name, related)
    return quote


@cache
def _column_converters(vendor: str) -> list[tuple[int, Any, Sequence[Any]]]:
    """Return index, column and converters of the columns whose database values need converting."""
    columns = [field.get_col(field.model._meta.db_table) for _name, field in _COLUMNS]
    converters = [
        (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)) for column in columns
    ]
    return [
        (index, column, found) for index, (column, found) in enumerate(zip(columns, converters, strict=True)) if found
    ]
