"""Heading -> words -> quotations, each with the reasons for which it was picked.

The first rule that finds anything fills the block, so that the line above it is true of all that is under it: the
exact word, another form of it, a word an editor filed quotations under, a shared tag that may bring quotations,
nothing. What editors pinned comes first, what they banned never.
"""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import cache, cached_property
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

from quotes.models import Person, Quote, Work
from quotes.word_index import UNSURE, WEAK, tag_term
from rlm_site.publishing.schedule import is_public_at, next_change_of
from rlm_site.text.words import HeadingWord, folded_words, heading_words, marked, qualifiers, vocabulary

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


FALLBACK_ORDER = (Rule.WORD, Rule.FORM, Rule.INDEX, Rule.TAG)


@dataclass(frozen=True)
class MatchRequest:
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

    def head_nouns(self) -> frozenset[str]:
        """The used words of which one at least must be in a quotation; adjectives before them are not enough."""
        return self._head_nouns

    @cached_property
    def _used_words(self) -> dict[str, str]:
        return {found.word: found.text.lower() for found in self.heading_words() if not found.ignored}

    @cached_property
    def _head_nouns(self) -> frozenset[str]:
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


Topic = tuple[MatchRequest, ...]  # pages that belong together, in reading order


def blocks(topics: Sequence[Topic], now: datetime, version: str = "") -> list[list[Block]]:
    """A block for each page; within a topic a quotation is not repeated while another will do.

    Two queries for all topics together, and none for a topic that asked the same before: `version` names the state
    of the quotations and tags (see `freshness`), and the empty one remembers nothing.
    """
    known = {topic: _remembered(topic, now, version) for topic in topics}
    new = [topic for topic, result in known.items() if result is None]
    if new:
        candidates = Candidates([page for topic in new for page in topic], now)
        for topic in new:
            chosen = _chosen(topic, candidates)
            made = [_block(page, _picks(of_page)) for page, of_page in zip(topic, chosen, strict=True)]
            known[topic] = made
            _remember(topic, version, made, candidates.until)
    return [known[topic] or [] for topic in topics]


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


def _remember(topic: Topic, version: str, result: list[Block], until: datetime | None) -> None:
    if version:
        with _memory_lock:
            _memory[topic] = (version, result, until)
            _memory.move_to_end(topic)
            while len(_memory) > MEMORY_SIZE:
                _memory.popitem(last=False)


class _Row(NamedTuple):
    """What is compared of a quotation, and all that was read of it."""

    id: int
    text: str
    person_id: int | None
    work_id: int | None
    status: str
    auto_pick: bool
    published: bool
    publish_at: datetime | None
    retire_at: datetime | None
    shared: frozenset[int]  # those of the tags asked for that it has, as terms of the index
    values: Sequence[Any]


class _Scored(NamedTuple):
    """A quotation that may be shown, and why."""

    row: _Row
    rule: Rule
    words: tuple[str, ...]
    tags: tuple[str, ...] = ()
    score: Mapping[str, float] = MappingProxyType({})

    @property
    def order(self) -> tuple[float, int]:
        return (-round(sum(self.score.values()), 6), self.row.id)


def _picks(scored: Iterable[_Scored]) -> tuple[Pick, ...]:
    return tuple(Pick(_quote(each.row), each.rule, each.words, each.tags, each.score) for each in scored)


def _chosen(topic: Topic, candidates: "Candidates") -> list[list[_Scored]]:
    """What each page shows: pins, then the best by the first rule with a hit."""
    shown: set[int] = set()
    chosen = []
    for page in topic:
        pins = candidates.pins(page)
        borne_out = bool(pins) and all(pin.words for pin in pins)
        _rule, found = candidates.scored(page, [Rule.WORD] if borne_out else FALLBACK_ORDER)
        chosen.append([*pins, *_diversify(found, pins, shown)])
        shown.update(each.row.id for each in chosen[-1])
    return chosen


def _diversify(found: Sequence[_Scored], pins: Sequence[_Scored], shown: Collection[int]) -> list[_Scored]:
    """One quotation a person and a work, and none that the topic shows elsewhere while another will do."""
    people = {pin.row.person_id for pin in pins} - {None}
    works = {pin.row.work_id for pin in pins} - {None}
    chosen: list[_Scored] = []
    for each in sorted(found, key=lambda each: (each.row.id in shown, each.order)):
        row = each.row
        if len(chosen) + len(pins) >= BLOCK_SIZE or (row.id in shown and chosen):
            break
        if row.person_id in people or row.work_id in works:
            continue
        chosen.append(each)
        people |= {row.person_id} - {None}
        works |= {row.work_id} - {None}
    return chosen


def _block(page: MatchRequest, picks: tuple[Pick, ...]) -> Block:
    if not picks:
        return Block()
    rule = picks[0].rule
    if rule is Rule.CHOSEN and all(pick.words for pick in picks if pick.rule is Rule.CHOSEN):
        rule = Rule.WORD
    return Block(rule, _line_words(page, rule, picks), picks)


def _line_words(page: MatchRequest, rule: Rule | None, picks: Sequence[Pick]) -> tuple[str, ...]:
    """Only words that a shown quotation bears out, in the order of the heading."""
    if rule is Rule.CHOSEN:
        return ()
    if rule is Rule.TAG:
        return picks[0].tags[:1]
    shown = list(dict.fromkeys(word for pick in picks for word in pick.words))
    if rule is Rule.FORM:
        return tuple(shown)
    return tuple(written for word, written in page.used_words().items() if word in shown)


class _Found(NamedTuple):
    """A word asked for, or another form of it, and the best quotations that the index has under it."""

    asked: str
    word: str
    rarity: float  # from 0 (in very many quotations) to 1 (in one)
    ranks: Mapping[int, int]  # quotation -> rank, best first


class _IndexedTag(NamedTuple):
    """A tag as a term of the index."""

    id: int
    rarity: float


class _Hit(NamedTuple):
    """One quotation that was found under such a word."""

    asked: str
    word: str
    rarity: float
    rank: int

    @property
    def is_weak(self) -> bool:
        """The text hardly uses the word as a heading does: not enough alone."""
        return self.rank <= WEAK

    @property
    def weight(self) -> float:
        return WEAK_WORD if self.is_weak else 1.0


class Candidates:
    """The index read once for all pages, then the quotations that are best by it: two queries, whatever there is."""

    def __init__(self, pages: Sequence[MatchRequest], now: datetime) -> None:
        asking = [page for page in pages if page.automatic]
        words = {word for page in asking for word in page.used_words()}
        tags = {tag for page in asking for tag in page.tags}
        self.contained, self.filed, self.tags = _read_index(
            bringing=words | {tag_term(tag) for tag, _name, brings in tags if brings},
            sharing={tag_term(tag) for tag, _name, _brings in tags},
        )
        self.finalists = {page: self._finalists(page) for page in asking}
        wanted = {quote_id for _rule, hits in self.finalists.values() for quote_id in hits}
        wanted |= {pin for page in pages for pin in page.pins}
        rows = _read_rows(wanted, {tag.id for tag in self.tags.values()})
        self.until = next_change_of(rows, now)
        self.rows: dict[int, _Row] = {row.id: row for row in rows if is_public_at(row, now)}

    def pins(self, page: MatchRequest) -> list[_Scored]:
        rows = [self.rows[pin] for pin in page.pins if pin in self.rows and pin not in page.bans]
        return [
            _Scored(row, Rule.CHOSEN, tuple(word for word in page.used_words() if word in set(folded_words(row.text))))
            for row in rows
            if row.status != Quote.Status.MISATTRIBUTED
        ][:BLOCK_SIZE]

    def scored(self, page: MatchRequest, rules: Sequence[Rule]) -> tuple[Rule | None, list[_Scored]]:
        """The finalists of a page by the first of these rules with a hit."""
        rule, finalists = self.finalists.get(page, (None, {}))
        if rule is None or rule not in rules:
            return None, []
        found = {pk: hits for pk, hits in finalists.items() if pk not in page.pins and self._can_be_picked(pk)}
        sure = {
            pk: hits
            for pk, hits in found.items()
            if any(hit.rank > UNSURE and _bears(page, rule, hit.asked) for hit in hits)
        }
        # what may be meant otherwise is shown where nothing better is
        return rule, self._scored(page, rule, sure or found)

    def first_rule_with_a_hit(self, page: MatchRequest, rules: Sequence[Rule]) -> tuple[Rule | None, list[Pick]]:
        """The same, to be shown to editors."""
        rule, scored = self.scored(page, rules)
        return rule, list(_picks(scored))

    def _can_be_picked(self, pk: int) -> bool:
        row = self.rows.get(pk)
        return row is not None and row.auto_pick and row.status in Quote.PICKED_STATUSES

    def _finalists(self, page: MatchRequest) -> tuple[Rule | None, dict[int, list[_Hit]]]:
        """Of the first rule that finds any, the best by the parts of the score that the index alone can tell."""
        for rule in FALLBACK_ORDER:
            found = self._found(page, rule)
            scores: dict[int, float] = {}
            hits = {
                pk: [_Hit(of.asked, of.word, of.rarity, of.ranks[pk]) for of in found if pk in of.ranks]
                for pk in _best(found, page.bans)
            }
            for pk, of_quote in hits.items():
                if any(not hit.is_weak and _bears(page, rule, hit.asked) for hit in of_quote):
                    scores[pk] = round(sum(map(_score_of_hit, of_quote)), 6)
            if scores:
                finalists = sorted(scores, key=lambda pk: (-scores[pk], pk))[:FINALISTS]
                return rule, {pk: hits[pk] for pk in finalists}
        return None, {}

    def _found(self, page: MatchRequest, rule: Rule) -> list[_Found]:
        """What the index has for the page by this rule."""
        if rule is Rule.TAG:
            brought = (self.contained[tag_term(tag)] for tag, _name, brings in page.tags if brings)
            return next(filter(None, brought), [])
        index = self.filed if rule is Rule.INDEX else self.contained
        found = [of for word in page.used_words() for of in index[word]]
        return [of for of in found if of.word == of.asked] if rule is Rule.WORD else found

    def _scored(self, page: MatchRequest, rule: Rule, hits: Mapping[int, Sequence[_Hit]]) -> list[_Scored]:
        tags = [(name, self.tags.get(tag_term(tag))) for tag, name, _brings in page.tags]
        telling = vocabulary(page.text) - page.used_words().keys()
        scored = []
        for pk, of_quote in hits.items():
            row = self.rows[pk]
            best = {hit.asked: hit for hit in sorted(of_quote, key=lambda hit: hit.rank)}.values()
            shared = [(name, tag.rarity) for name, tag in tags if tag and tag.id in row.shared]
            score = {
                "words": WEIGHTS["words"] * sum(hit.weight for hit in best),
                "rarity": WEIGHTS["rarity"] * sum(hit.weight * hit.rarity for hit in best),
                "tags": WEIGHTS["tags"] * sum(rarity for _name, rarity in shared),
                "text": WEIGHTS["text"] * min(len(telling & vocabulary(row.text)), 5),
                "rank": WEIGHTS["rank"] * max(hit.rank for hit in of_quote) / 100,
            }
            words = dict.fromkeys(hit.word for hit in of_quote if not hit.is_weak) if rule is not Rule.TAG else ()
            scored.append(_Scored(row, rule, tuple(words), tuple(name for name, _rarity in shared), score))
        return scored


def _best(found: Sequence[_Found], bans: Collection[int]) -> set[int]:
    """Those with several of the words, and the best of each word: nothing else can be a finalist."""
    seen: set[int] = set()
    best: set[int] = set()
    for of in found:
        best.update(seen.intersection(of.ranks))
        seen.update(of.ranks)
    best.difference_update(bans)
    for of in found:
        best.update(islice((pk for pk in of.ranks if pk not in bans), FINALISTS))
    return best


def _score_of_hit(hit: _Hit) -> float:
    return hit.weight * (WEIGHTS["words"] + WEIGHTS["rarity"] * hit.rarity) + WEIGHTS["rank"] * hit.rank / 100


def _bears(page: MatchRequest, rule: Rule, asked: str) -> bool:
    return rule is Rule.TAG or asked in page.head_nouns()


# A row for each word asked for and each of its other forms, and for each tag. With a word, or a tag that may bring
# quotations, a list of its best quotations and one of their ranks, which are negative where editors filed a quotation
# under a word that it does not contain: an index range of bounded length, which the index alone answers.
_READ_INDEX = """
    SELECT asked.text, word.text, word.id, word.quote_count, CASE WHEN asked.text {among} THEN (
        SELECT {lists} FROM (
            SELECT quote_id, rank, contained FROM quotes_quoteword WHERE word_id = word.id AND rank > 0
            ORDER BY rank DESC, quote_id LIMIT %s
        ) best
    ) END
    FROM quotes_word asked JOIN quotes_word word ON word.form = asked.form
    WHERE asked.text {among}"""
_RANK = "CASE WHEN contained THEN rank ELSE -rank END"
_AS_JSON = {  # lists of pairs would take a third longer
    "postgresql": f"CAST(json_build_array(json_agg(quote_id), json_agg({_RANK})) AS text)",
    "sqlite": f"json_array(json_group_array(quote_id), json_group_array({_RANK}))",
}

# A list of any length as one parameter: the statement stays the same, so the database need not plan it anew.
_AMONG = {"postgresql": "= ANY(%s)", "sqlite": "IN (SELECT value FROM json_each(%s))"}

_Index = Mapping[str, list[_Found]]


def _parameter(values: Iterable[Any]) -> Any:
    among = sorted(values)
    if connection.vendor == "sqlite":
        return json.dumps(among)
    # The plan that is kept is one for ten values; a shorter list would seem to be worth a plan of its own each time.
    return among + among[-1:] * (10 - len(among))


def _read_index(*, bringing: set[str], sharing: set[str]) -> tuple[_Index, _Index, Mapping[str, _IndexedTag]]:
    """What is under each term and its other forms: quotations that contain it, and others that are filed under it.

    Of the terms that are only shared there is no list: whether a finalist has one is asked with the finalist.
    """
    contained: dict[str, list[_Found]] = defaultdict(list)
    filed: dict[str, list[_Found]] = defaultdict(list)
    tags: dict[str, _IndexedTag] = {}
    if not bringing and not sharing:
        return contained, filed, tags
    statement = _READ_INDEX.format(lists=_AS_JSON[connection.vendor], among=_AMONG[connection.vendor])
    parameters = [_parameter(bringing), CANDIDATES_A_WORD, _parameter(bringing | sharing)]
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = sorted(cursor.fetchall())
    for asked, word, word_id, count, lists in found:
        rarity = 1 / (1 + log(max(count, 1)))
        if asked in sharing:
            tags[asked] = _IndexedTag(word_id, rarity)
        ids, ranks = json.loads(lists) if lists else ((), ())
        if not ids:
            continue
        best = dict(zip(ids, ranks, strict=True))
        if min(ranks) < 0:
            filed[asked].append(_Found(asked, word, rarity, {pk: -rank for pk, rank in best.items() if rank < 0}))
            best = {pk: rank for pk, rank in best.items() if rank > 0}
        if best:
            contained[asked].append(_Found(asked, word, rarity, best))
    return contained, filed, tags


# A quotation with all that is printed of it. The ORM takes longer to compile this than a database to answer it, and to
# make objects of all finalists; so the query is spelt out, and only what is shown becomes an object.
_READ = {"quote": Quote, "person": Person, "work": Work, "quoted_in": Work}
_COLUMNS = [(name, field) for name, model in _READ.items() for field in model._meta.concrete_fields]
_READ_ROWS = f"""
    SELECT {", ".join(f"{name}.{field.column}" for name, field in _COLUMNS)}, (
        SELECT {{list}} FROM quotes_quoteword shared
        WHERE shared.quote_id = quote.id AND shared.word_id {{among}}
    )
    FROM quotes_quote quote
    LEFT JOIN quotes_person person ON person.id = quote.person_id
    LEFT JOIN quotes_work work ON work.id = quote.work_id
    LEFT JOIN quotes_work quoted_in ON quoted_in.id = quote.quoted_in_id
    WHERE quote.id {{among}}"""
_LIST = {"postgresql": "string_agg(CAST(word_id AS text), ',')", "sqlite": "group_concat(word_id)"}
_compared = itemgetter(*([field.attname for _name, field in _COLUMNS].index(name) for name in _Row._fields[:-2]))


def _read_rows(ids: set[int], tags: set[int]) -> list[Any]:
    if not ids:
        return []
    statement = _READ_ROWS.format(list=_LIST[connection.vendor], among=_AMONG[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [_parameter(tags), _parameter(ids)])
        return [_row(values) for values in cursor.fetchall()]


def _row(values: Sequence[Any]) -> _Row:
    shared = frozenset(map(int, values[-1].split(","))) if values[-1] else frozenset()
    row = _Row._make((*_compared(values), shared, values))
    if row.publish_at or row.retire_at:
        row = row._replace(publish_at=_aware(row.publish_at), retire_at=_aware(row.retire_at))
    return row


def _aware(moment: datetime | None) -> datetime | None:
    """SQLite keeps no time zone."""
    return make_aware(moment, connection.timezone) if moment and is_naive(moment) else moment


def _quote(row: _Row) -> Quote:
    """The object that `for_display` would read."""
    values = list(row.values)
    for place, column, converters in _conversions(connection.vendor):
        for convert in converters:
            values[place] = convert(values[place], column, connection)
    rest = iter(values)
    made: dict[str, Any] = {}
    for name, model in _READ.items():
        names = [field.attname for field in model._meta.concrete_fields]
        of_model = list(islice(rest, len(names)))
        made[name] = None if of_model[0] is None else model.from_db(connection.alias, names, of_model)
    quote: Quote = made.pop("quote")
    for name, related in made.items():
        setattr(quote, name, related)
    return quote


@cache
def _conversions(vendor: str) -> list[tuple[int, Any, Sequence[Any]]]:
    """The columns whose values, as this database gives them, are not yet those of the field."""
    columns = [field.get_col(field.model._meta.db_table) for _name, field in _COLUMNS]
    converters = [
        (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)) for column in columns
    ]
    return [
        (place, column, found) for place, (column, found) in enumerate(zip(columns, converters, strict=True)) if found
    ]
