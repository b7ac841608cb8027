"""Evaluation of matching: headings, with quotations judged for each. `judged/` has the data.

Two sets. The headings of encyclopedic articles, which nobody wrote for this site, are judged with two questions: is the
word used in a sense that readers of the heading would accept (right), and would an editor print the quotation there
(publishable)? Part of them are for development; the others are only measured. Our own headings are judged with the
first question alone; half of them, chosen by a hash of their text, are for development. Quotations are identified by
their text, or by their line in their collection.
"""

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import snowballstemmer

from quotes import matching, word_index
from quotes.models import Person, Quote, Work
from rlm_site.text.slugs import slug_for
from rlm_site.text.words import form, occurrences, plain_words

FOLDER = Path(__file__).parent / "judged"
OWN = FOLDER / "own"
HALVES = ("work", "measured")
BATCH = 500

Row = Mapping[str, Any]  # line, text, author, work
Answers = Mapping[str, Sequence[int]]  # heading -> lines of the quotations shown, best first


@dataclass(frozen=True)
class JudgedHeading:
    """A heading, with the lines of the quotations judged for it."""

    heading: str
    good: frozenset[int]
    bad: frozenset[int]

    @property
    def half(self) -> str:
        return HALVES[hashlib.sha256(self.heading.encode()).digest()[0] % 2]


@dataclass
class Measure:
    """Results for some headings. `unjudged` lists (heading, line) shown but never judged; each counts as bad."""

    headings: int = 0
    answered: int = 0
    first_good: int = 0
    shown: int = 0
    good: int = 0
    unjudged: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[tuple[str, int]] = field(default_factory=list)

    @property
    def precision_at_1(self) -> float:
        return self.first_good / self.answered if self.answered else 0.0

    @property
    def precision_at_3(self) -> float:
        """Return the share of good quotations among those shown, at most three per heading."""
        return self.good / self.shown if self.shown else 0.0

    @property
    def share_answered(self) -> float:
        return self.answered / self.headings if self.headings else 0.0


def judged_headings() -> list[JudgedHeading]:
    return [
        JudgedHeading(row["heading"], frozenset(row["good"]), frozenset(row["bad"])) for row in _rows("headings.jsonl")
    ]


def judged_quotations() -> Sequence[Row]:
    return list(_rows("quotations.jsonl"))


def collection(path: Path) -> Sequence[Row]:
    """Read a collection, with line numbers; rows that may contain two passages are skipped."""
    with path.open(encoding="utf-8") as lines:
        rows = [{**json.loads(text), "line": number} for number, text in enumerate(lines, 1)]
    return [
        {**row, "work": row["source_title"], "key": text_key(row["text"])}
        for row in rows
        if "check-two-passages" not in row["tags"]
    ]


def text_key(text: str) -> str:
    """Return a key that a quotation has in every collection: its first words, and a hash of all of them."""
    words = text.split()
    return f"{slug_for(' '.join(words[:4]))[:32]}-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:10]}"


def load(rows: Iterable[Row]) -> dict[int, int]:
    """Add quotations to the database, to be picked; return their lines by id."""
    rows = list(rows)
    people = {person.name: person for person in Person.objects.all()}
    new = dict.fromkeys(row["author"] for row in rows if row["author"] and row["author"] not in people)
    for name in new:
        people[name] = Person(name=name, slug=f"judged-{hashlib.sha256(name.encode()).hexdigest()[:16]}")
    Person.objects.bulk_create([people[name] for name in new], batch_size=BATCH)
    titles = dict.fromkeys((row["work"], row["author"]) for row in rows if row["work"])
    works = {(work.title, work.authors): work for work in Work.objects.filter(year=None)}
    for title, author in titles.keys() - works.keys():
        works[title, author] = Work(title=title, authors=author)
    Work.objects.bulk_create([work for work in works.values() if work.pk is None], batch_size=BATCH)
    quotes = Quote.objects.bulk_create(
        [
            Quote(
                key=f"judged-{row['line']}",
                text=row["text"],
                person=people.get(row["author"]),
                work=works.get((row["work"], row["author"])),
                status=Quote.Status.REPORTED,
                published=True,
            )
            for row in rows
        ],
        batch_size=BATCH,
    )
    ids = [quote.pk for quote in quotes]
    for start in range(0, len(ids), BATCH):
        word_index.index_quotes(ids[start : start + BATCH])
    return {quote.pk: row["line"] for quote, row in zip(quotes, rows, strict=True)}


def answers(headings: Iterable[str], lines: Mapping[int, Any], now: datetime) -> dict[str, list[Any]]:
    """Return the quotations that the site shows for each heading alone."""
    pages = {heading: matching.MatchRequest(heading) for heading in headings}
    word_index.add_words(word for page in pages.values() for word in page.used_words())
    made = matching.blocks([(page,) for page in pages.values()], now)
    return {
        heading: [lines[pick.quote.pk] for pick in block.picks] for heading, (block,) in zip(pages, made, strict=True)
    }


def measure(
    judged: Iterable[JudgedHeading], shown: Answers, ignores: Callable[[str, int], bool] | None = None
) -> Measure:
    """Measure the results; `ignores(heading, line)` excludes an unjudged quotation from the counts."""
    found = Measure()
    for judged_heading in judged:
        lines = shown.get(judged_heading.heading, ())
        if ignores:
            lines = [
                line
                for line in lines
                if line in judged_heading.good
                or line in judged_heading.bad
                or not ignores(judged_heading.heading, line)
            ]
        found.headings += 1
        found.answered += bool(lines)
        found.first_good += bool(lines) and lines[0] in judged_heading.good
        found.shown += len(lines)
        found.good += sum(line in judged_heading.good for line in lines)
        found.unjudged += [
            (judged_heading.heading, line) for line in lines if line not in judged_heading.good | judged_heading.bad
        ]
        found.wrong += [(judged_heading.heading, line) for line in lines if line in judged_heading.bad]
    return found


def changes(before: Answers, after: Answers) -> list[tuple[str, list[int], list[int]]]:
    """Return headings whose quotations changed, with the old and new ones."""
    headings = dict.fromkeys([*before, *after])
    compared = ((heading, list(before.get(heading, ())), list(after.get(heading, ()))) for heading in headings)
    return [(heading, old, new) for heading, old, new in compared if old != new]


def stored_runs() -> dict[str, dict[str, list[int]]]:
    """Return the stored answers by name of the collection."""
    path = OWN / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def store(name: str, shown: Answers) -> None:
    runs = {**stored_runs(), name: {heading: list(lines) for heading, lines in sorted(shown.items())}}
    text = ",\n".join(
        f"{json.dumps(collection_name)}: {{\n"
        + ",\n".join(f"  {json.dumps(heading, ensure_ascii=False)}: {lines}" for heading, lines in run.items())
        + "\n}"
        for collection_name, run in sorted(runs.items())
    )
    (OWN / "run.json").write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


def _rows(name: str) -> list[dict[str, Any]]:
    with (OWN / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# The headings from outside

RESAMPLINGS = 1_000
SEED = 1905
Verdict = Sequence[int]  # 1 or 0: right, publishable


class OutsidePage(NamedTuple):
    """A section of an encyclopedic article, with the verdicts of each judge on the quotations judged for it, by key."""

    part: str  # work or measured
    topic: str
    heading: str
    judged: Mapping[str, Sequence[Verdict]]


class Judged(NamedTuple):
    """A pick, with the shares of judges to whom it is right and publishable."""

    topic: str
    heading: str
    place: int
    right: float
    publishable: float


class OutsideMeasure(NamedTuple):
    """Results for pages from outside. Each figure has the interval that holds 95 % of resamplings by article."""

    pages: int
    answered: int
    shown: int
    unjudged: int
    right: tuple[float, float, float]
    publishable: tuple[float, float, float]
    first: tuple[float, float, float]  # share of publishable ones among the first of each page


def outside_pages(part: str) -> list[OutsidePage]:
    with (FOLDER / "outside.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [OutsidePage(*row.values()) for row in rows if row["set"] == part]


def measure_outside(pages: Sequence[OutsidePage], shown: Mapping[str, Sequence[str]]) -> OutsideMeasure:
    """Measure what is shown, the keys of quotations by heading; what nobody has judged is left out and counted."""
    judged = [
        Judged(page.topic, page.heading, place, *(sum(column) / len(column) for column in zip(*verdicts, strict=True)))
        for page in pages
        for place, key in enumerate(shown.get(page.heading, ()))
        if (verdicts := page.judged.get(key))
    ]
    picks = sum(len(shown.get(page.heading, ())) for page in pages)
    figures = _shares(judged)
    by_topic: dict[str, list[Judged]] = {}
    for pick in judged:
        by_topic.setdefault(pick.topic, []).append(pick)
    rng = random.Random(SEED)
    topics = sorted(by_topic)
    resampled = [
        _shares([pick for topic in rng.choices(topics, k=len(topics)) for pick in by_topic[topic]])
        for _resampling in range(RESAMPLINGS if topics else 0)
    ]
    intervals = [
        (sorted(column)[len(column) // 40], sorted(column)[-1 - len(column) // 40])
        for column in zip(*resampled, strict=True)
    ] or [(0.0, 0.0)] * len(figures)
    right, publishable, first = ((share, *interval) for share, interval in zip(figures, intervals, strict=True))
    answered = sum(bool(shown.get(page.heading)) for page in pages)
    return OutsideMeasure(len(pages), answered, picks, picks - len(judged), right, publishable, first)


def _shares(judged: Sequence[Judged]) -> tuple[float, float, float]:
    firsts = [pick.publishable for pick in judged if pick.place == 0]
    return (
        sum(pick.right for pick in judged) / max(len(judged), 1),
        sum(pick.publishable for pick in judged) / max(len(judged), 1),
        sum(firsts) / max(len(firsts), 1),
    )


def agreement(pages: Iterable[OutsidePage], question: int) -> tuple[float, int]:
    """Return Cohen's kappa of two judges on a question (0: right, 1: publishable), and the number of pairs."""
    pairs = [
        (verdicts[0][question], verdicts[1][question])
        for page in pages
        for verdicts in page.judged.values()
        if len(verdicts) == 2
    ]
    count = max(len(pairs), 1)
    observed = sum(first == second for first, second in pairs) / count
    one, two = (sum(column) / count for column in zip(*pairs, strict=True)) if pairs else (0.0, 0.0)
    expected = one * two + (1 - one) * (1 - two)
    return (observed - expected) / (1 - expected) if expected < 1 else 1.0, len(pairs)


# What other sites do, for comparison: the same words of the heading and the same spread, matched in a plainer way.

STEMMER = snowballstemmer.stemmer("porter")  # what search engines do to English words


def _words(heading: str) -> list[str]:
    return [found.word for found in plain_words(heading) if not found.ignored]


class PlainSearch:
    """Picks quotations with the most heading words, matched as substrings or by stem."""

    def __init__(self, rows: Sequence[Row], *, stems: bool) -> None:
        self.rows = {row["line"]: row for row in rows}
        self.stems = stems
        self.words = {row["line"]: frozenset(found.word for found in occurrences(row["text"])) for row in rows}
        self.keys: dict[int, Collection[str] | str] = {
            line: frozenset(STEMMER.stemWords(words)) if stems else self.rows[line]["text"].lower()
            for line, words in self.words.items()
        }

    def answers(self, headings: Iterable[str]) -> dict[str, list[int]]:
        return {heading: self._answer(heading) for heading in headings}

    def has_a_word_of(self, heading: str, line: int) -> bool:
        forms = {form(word) for word in _words(heading)}
        return any(form(word) in forms for word in self.words[line])

    def _answer(self, heading: str) -> list[int]:
        words = _words(heading)
        wanted = STEMMER.stemWords(words) if self.stems else words
        hits: Counter[int] = Counter()
        for word in wanted:
            hits.update(line for line, keys in self.keys.items() if word in keys)
        picked: list[int] = []
        taken: set[tuple[str, str]] = set()
        for line in sorted(hits, key=lambda line: (-hits[line], line)):
            row = self.rows[line]
            sources = {("author", row["author"]), ("work", row["work"])} - {("author", ""), ("work", "")}
            if not sources & taken:
                picked.append(line)
                taken |= sources
            if len(picked) == matching.BLOCK_SIZE:
                break
        return picked
