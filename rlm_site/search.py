"""Search over topics, sections and quotations: `search(text, …)` knows no request, and the same words find the same
things on SQLite (FTS5) and PostgreSQL (tsvector), because both are fed with folded words and noun forms of ours.
"""

import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from math import ceil
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from articles import markdown
from articles.models import Article
from quotes.index import among, words_in
from quotes.models import Person, Quote, TaggedQuote, Work
from quotes.words import STOP_WORDS, Wanted, form, occurrences, places, possible_forms
from rlm_site import derived
from rlm_site.models import SearchDocument, SearchWord, Tag
from rlm_site.publishing import window

PAGE_SIZE = 10
MAX_TEXT = 1000  # characters of a query that are looked at ...
MAX_WORDS = 12  # ... and words
TITLE_TERMS = 4  # words of a query that are looked for in titles first
MIN_PREFIX = 3  # letters from which the beginning of a word finds it
INDEXED_PREFIXES = (3, 4)  # letters of the beginnings that SQLite keeps an index of
EXCERPT = 260  # characters
BEGINNING = 1500
KINDS = ("topic", "section", "quotation")
SOURCES = ("article", "quote")
TAGGED = {"article": "articles_taggedarticle", "quote": "quotes_taggedquote"}
MOST = 500  # results of a kind; of more nobody reads the list, and to count and rank them takes time
MOST_TAGS = 12
HIDDEN = "SELECT id FROM rlm_site_searchdocument WHERE public_from > %s OR public_until <= %s"
IN_TITLE = "_"  # with it SQLite's index has the words of titles once more, so that they are found without all others
VARIABLES = 5000  # of one statement; databases allow some tens of thousands
SUGGESTIONS_TRIED = 4


class Term(NamedTuple):
    """A word of the query: as typed (folded), every spelling that counts as the same word, and words that begin so."""

    word: str
    same: frozenset[str]
    longer: frozenset[str] | None = None  # not looked up


@dataclass(frozen=True)
class Result:
    kind: str
    row: Article | Quote
    title: list[tuple[str, bool]]
    excerpt: list[tuple[str, bool]]

    @property
    def address(self) -> str:
        return self.row.get_absolute_url()


@dataclass(frozen=True)
class Results:
    text: str = ""
    kind: str = ""  # that alone was asked for
    total: int = 0
    results: list[Result] = field(default_factory=list)
    kinds: list[tuple[str, int]] = field(default_factory=list)
    tags: list[tuple[Tag, int]] = field(default_factory=list)
    page: int = 1
    suggestion: str = ""

    @property
    def most(self) -> int:
        """Of a kind that are counted."""
        return MOST

    @property
    def there_are_more(self) -> bool:
        """Than are counted: numbers are the least that there are."""
        return any(count >= self.most for kind, count in self.kinds if self.kind in {"", kind})

    @property
    def pages(self) -> int:
        return max(1, ceil(self.total / PAGE_SIZE))


def search(text: str, now: datetime, *, kind: str = "", tag: Tag | None = None, page: int = 1) -> Results:
    """One ranked list of what is public at `now`; titles outrank bodies. Any text is safe."""
    derived.drain()
    terms = query_terms(text)
    if not terms:
        return Results(text, kind)
    found = _found(terms, now, tag)
    counts = Counter(map(_kind, found))
    kinds = [(name, counts[name]) for name in KINDS]
    shown = [pk for pk in found if not kind or _kind(pk) == kind]
    if not shown:
        return Results(text, kind, kinds=kinds, suggestion="" if found or tag else _suggestion(terms, now))
    page = min(max(page, 1), ceil(len(shown) / PAGE_SIZE))
    results = list(_results(shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], terms, now))
    with_any_tag = [pk for pk in _found(terms, now) if not kind or _kind(pk) == kind] if tag else shown
    return Results(text, kind, len(shown), results, kinds, _tags(with_any_tag), page)


def nearest(text: str, now: datetime, most: int) -> list[Article]:
    """Pages that have most to do with these words, for an address at which there is none."""
    found = (pk for term in query_terms(text)[:3] for pk in _found([term], now) if _source(pk) == "article")
    ids: list[int] = []
    for pk in found:  # the next word is searched for only where the one before has not found enough
        if (article := pk % SearchDocument.SPAN) not in ids:
            ids.append(article)
        if len(ids) == most:
            break
    pages = Article.objects.published(now).select_related("parent").in_bulk(ids)
    return [pages[pk] for pk in ids if pk in pages]


def query_terms(text: str) -> list[Term]:
    """The words of a query with their noun forms; function words count only where there is nothing else."""
    words = list(
        dict.fromkeys(found.word.replace("'", "") for found in occurrences(text[:MAX_TEXT].replace("\0", " ")))
    )
    words = ([word for word in words if word not in STOP_WORDS] or words)[:MAX_WORDS]
    if not words:
        return []
    asked = {word: {word, *possible_forms(word)} for word in words}
    spellings = {spelling for candidates in asked.values() for spelling in candidates}
    wanted = Q(text__in=spellings) | Q(form__in=SearchWord.objects.filter(text__in=words).values("form"))
    beginnings = _beginnings_without_index(words)
    for word in beginnings:
        beyond = word + chr(sys.maxunicode)
        wanted |= Q(text__gte=word, text__lt=beyond) | Q(form__gte=word, form__lt=beyond)
    forms = dict(SearchWord.objects.filter(wanted).values_list("text", "form"))
    known = {*forms, *forms.values()}
    terms = []
    for word, candidates in asked.items():
        mine = {forms[word]} if word in forms else {forms[other] for other in candidates if other in forms}
        same = frozenset({word, *mine, *(text for text, of in forms.items() if of in mine)})
        longer = frozenset(other for other in known if other.startswith(word)) if word in beginnings else None
        terms.append(Term(word, same, longer))
    return terms


def _beginnings_without_index(words: Iterable[str]) -> set[str]:
    """For these SQLite would pass all its words and put all their documents in order; PostgreSQL seeks them."""
    if connection.vendor == "postgresql":
        return set()
    return {word for word in words if len(word) > max(INDEXED_PREFIXES)}


# Finding


def _kind(pk: int) -> str:
    return KINDS[pk // SearchDocument.SPAN]


def _source(pk: int) -> str:
    return "quote" if _kind(pk) == "quotation" else "article"


def _found(terms: Sequence[Term], now: datetime, tag: Tag | None = None) -> list[int]:
    """The documents that have all terms and are public, best first, of each kind at most `MOST`.

    Titles first, by how many of the terms they have, then by score. Scores cost the database a look at every document
    that has the terms, so where these are too many to be listed, the order within is that of their ids.
    """
    candidates = _candidates(terms, now, tag)
    if not candidates:
        return []
    by_kind = Counter(map(_kind, candidates))
    merits = dict.fromkeys(candidates, (0, 0.0))
    for pk, titled, score in _merits(terms, candidates, with_scores=max(by_kind.values()) < MOST):
        merits[pk] = (merits[pk][0] + titled, merits[pk][1] + score)
    taken: Counter[str] = Counter()
    best = []
    for pk in sorted(candidates, key=lambda pk: (-merits[pk][0], -merits[pk][1], pk)):
        if taken[kind := _kind(pk)] < MOST:
            taken[kind] += 1
            best.append(pk)
    return best


def _candidates(terms: Sequence[Term], now: datetime, tag: Tag | None) -> list[int]:
    """Of each kind the first `MOST` that have all terms, and as many that have one of them in their titles."""
    titled = terms[:TITLE_TERMS]
    having, query = _having(terms)
    if connection.vendor == "postgresql":
        entitled = f"{having} AND titles @@ CAST(%s AS tsquery)"
        in_titles = [query, " | ".join(map(_postgresql_term, titled))]
    else:
        entitled = having
        in_titles = [f"({query}) AND ({' OR '.join(_sqlite_term(term, IN_TITLE) for term in titled)})"]
    moment = connection.ops.adapt_datetimefield_value(now)
    questions: list[str] = []
    parameters: list[Any] = [moment, moment]
    for number in range(len(KINDS)):
        first = number * SearchDocument.SPAN
        for condition, given in ((entitled, in_titles), (having, [query])):
            question = (
                f"SELECT rowid AS id FROM search_index WHERE {condition} AND rowid BETWEEN %s AND %s"
                " AND rowid NOT IN (SELECT id FROM hidden)"
            )
            parameters += [*given, first, first + SearchDocument.SPAN - 1]
            if tag:
                tagged = f"SELECT content_object_id FROM {TAGGED[_source(first)]} WHERE tag_id = %s"
                question += f" AND rowid - %s IN ({tagged})"
                parameters += [first, tag.pk]
            questions.append(f"SELECT id FROM ({question} ORDER BY rowid LIMIT {MOST}) AS first_ones")
    rows = _rows(f"WITH hidden AS ({HIDDEN}) {' UNION '.join(questions)}", parameters)
    return [pk for (pk,) in rows]


def _finds_anything(terms: Sequence[Term], now: datetime) -> bool:
    having, query = _having(terms)
    moment = connection.ops.adapt_datetimefield_value(now)
    question = f"SELECT 1 FROM search_index WHERE {having} AND rowid NOT IN ({HIDDEN}) LIMIT 1"
    return bool(_rows(question, [query, moment, moment]))


def _having(terms: Sequence[Term]) -> tuple[str, str]:
    """The condition of documents that have all terms, and its parameter."""
    if connection.vendor == "postgresql":
        return "terms @@ CAST(%s AS tsquery)", " & ".join(map(_postgresql_term, terms))
    return "search_index MATCH %s", " AND ".join(map(_sqlite_term, terms))


def _merits(terms: Sequence[Term], candidates: Sequence[int], with_scores: bool) -> list[tuple[int, int, float]]:
    """Rows of an id with a term that its title has (1 and 0), and of an id with its score (0 and the score)."""
    titled = terms[:TITLE_TERMS]
    if connection.vendor == "postgresql":
        in_title, parameters = "titles @@ CAST(%s AS tsquery)", list(map(_postgresql_term, titled))
        # an "and" is ranked by how near its words stand; as an "or" every word counts by where it stands
        score, scored = "ts_rank('{0, 0.1, 0.4, 1.0}', terms, CAST(%s AS tsquery))", "TRUE"
        query = " | ".join(map(_postgresql_term, terms))
    else:
        in_title, parameters = "search_index MATCH %s", [_sqlite_term(term, IN_TITLE) for term in titled]
        score, scored = "-bm25(search_index, 10.0, 4.0, 1.0)", "search_index MATCH %s"
        query = " AND ".join(map(_sqlite_term, terms))
    among = f"+rowid IN ({', '.join(map(str, candidates))})"  # the sign: not by looking each up in the index
    questions = [f"SELECT rowid, 1, 0 FROM search_index WHERE {in_title} AND {among}"] * len(titled)
    if with_scores:
        questions.append(f"SELECT rowid, 0, {score} FROM search_index WHERE {scored} AND {among}")
        parameters.append(query)
    return _rows(" UNION ALL ".join(questions), parameters)


def _rows(question: str, parameters: Sequence[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters)
        return cursor.fetchall()


def _tags(found: Sequence[int]) -> list[tuple[Tag, int]]:
    """The tags of these documents, most frequent first."""
    ids: dict[str, list[int]] = {source: [] for source in SOURCES}
    for pk in found:
        ids[_source(pk)].append(pk % SearchDocument.SPAN)
    tagged = [
        f"SELECT tag_id FROM {table} WHERE content_object_id IN ({', '.join(map(str, ids[source])) or 'NULL'})"
        for source, table in TAGGED.items()
    ]
    counts = (
        f"SELECT tag_id, count(*) AS count FROM ({' UNION ALL '.join(tagged)}) AS tagged"
        f" GROUP BY tag_id ORDER BY count(*) DESC, tag_id LIMIT {MOST_TAGS}"
    )
    tags = Tag.objects.raw(
        f"SELECT tag.*, counts.count FROM ({counts}) AS counts JOIN rlm_site_tag tag ON tag.id = counts.tag_id"
        " ORDER BY counts.count DESC, tag.id"
    )
    return [(tag, tag.count) for tag in tags]


def _sqlite_term(term: Term, mark: str = "") -> str:
    spellings = [f'"{mark}{word}"' for word in sorted(term.same | (term.longer or frozenset()))]
    if len(term.word) >= MIN_PREFIX and term.longer is None:
        spellings.append(f'"{mark}{term.word}"*')
    return f"({' OR '.join(spellings)})"


def _postgresql_term(term: Term) -> str:
    spellings = [f"'{word}'" for word in sorted(term.same)]
    if len(term.word) >= MIN_PREFIX:
        spellings.append(f"'{term.word}':*")
    return f"({' | '.join(spellings)})"


def _results(found: Sequence[int], terms: Sequence[Term], now: datetime) -> Iterator[Result]:
    documents = SearchDocument.objects.in_bulk(found)
    ids = {source: [row.object_id for row in documents.values() if row.source == source] for source in SOURCES}
    rows: dict[tuple[str, int], Article | Quote] = {}
    for article in (
        Article.objects.published(now)
        .filter(pk__in=ids["article"])
        .select_related("parent")
        .defer("body", "parent__body")
    ):
        rows["article", article.pk] = article
    for quote in Quote.objects.published(now).filter(pk__in=ids["quote"]).for_display():
        rows["quote", quote.pk] = quote
    wanted = _wanted(terms)
    for document in map(documents.get, found):
        if document and (row := rows.get((document.source, document.object_id))):
            title, excerpt = _marked(document.title, wanted), _excerpt(document.text, wanted)
            yield Result(_kind(document.pk), row, title, excerpt)


def _wanted(terms: Sequence[Term]) -> Wanted:
    same = frozenset().union(*(term.same for term in terms))
    beginnings = tuple(term.word for term in terms if len(term.word) >= MIN_PREFIX)
    return Wanted(lambda word: (bare := word.replace("'", "")) in same or bare.startswith(beginnings))


def _marked(text: str, wanted: Wanted) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = []
    end = 0
    for start, stop in places(text, wanted):
        pieces += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    pieces.append((text[end:], False))
    return [(piece, mark) for piece, mark in pieces if piece]


def _excerpt(text: str, wanted: Wanted) -> list[tuple[str, bool]]:
    """The part of the text with the most words found, cut between words; of the text's beginning if they are there."""
    starts = [start for start, _stop in places(text[:BEGINNING], wanted) or places(text, wanted)]
    within = [bisect_left(starts, start + EXCERPT) - number for number, start in enumerate(starts)]
    start = starts[within.index(max(within))] if starts else 0
    start = max(0, start - EXCERPT // 4)
    if start:
        start = text.find(" ", start) + 1
    end = len(text) if start + EXCERPT >= len(text) else text.rfind(" ", start, start + EXCERPT)
    pieces = _marked(" ".join(text[start : max(end, start)].split()), wanted)
    return [*([("… ", False)] if start else []), *pieces, *([(" …", False)] if end < len(text) else [])]


def _suggestion(terms: Sequence[Term], now: datetime) -> str:
    """The query with its unknown words replaced by near ones that find something public."""
    near = _near_words(terms)
    for attempt in range(max(map(len, near.values()), default=0)):
        words = [
            near[term.word][min(attempt, len(near[term.word]) - 1)] if near.get(term.word) else term.word
            for term in terms
        ]
        if _finds_anything([Term(word, frozenset({word})) for word in words], now):
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


# Indexing


class _Document(NamedTuple):
    object_id: int
    kind: str
    title: str
    about: list[str]  # what is not text of the document but finds it: the topic's title, tags, names
    text: str
    public_from: datetime
    public_until: datetime | None

    @property
    def pk(self) -> int:
        return KINDS.index(self.kind) * SearchDocument.SPAN + self.object_id


def register() -> None:
    derived.rebuilds("article", _index_articles)
    derived.rebuilds("quote", _index_quotes)


def _index_articles(ids: Sequence[int]) -> None:
    rows = Article.objects.filter(pk__in=ids).select_related("parent").prefetch_related("tagged_items__tag")
    documents = []
    for article in rows:
        if public := window(article, article.parent):
            about = [item.tag.name for item in article.tagged_items.all()] + (
                [article.parent.title] if article.parent else []
            )
            kind = "section" if article.parent else "topic"
            text = markdown.source(article.body).plain
            documents.append(_Document(article.pk, kind, article.title, about, text, *public))
    _write("article", ids, documents)


def _index_quotes(ids: Sequence[int]) -> None:
    columns = ("pk", "text", "name_as_printed", "person_id", "work_id", "quoted_in_id")
    times = ("published", "publish_at", "retire_at")
    rows: Any = list(Quote.objects.filter(among("pk", ids)).values_list(*columns, *times, named=True))
    # Thousands of rows share a few people and works: each is read once.
    people = Person.objects.in_bulk({row.person_id for row in rows if row.person_id})
    works = {pk for row in rows for pk in (row.work_id, row.quoted_in_id) if pk}
    titles = dict(Work.objects.filter(among("pk", works)).values_list("pk", "title"))
    tags: dict[int, list[str]] = defaultdict(list)
    tagged = TaggedQuote.objects.filter(among("content_object", ids)).order_by("pk")
    for quote_id, name in tagged.values_list("content_object_id", "tag__name"):
        tags[quote_id].append(name)
    documents = []
    for row in rows:
        if public := window(row):
            person = people.get(row.person_id)
            name = row.name_as_printed or (person.name if person else str(_("Anonymous")))
            in_works = [titles[pk] for pk in (row.work_id, row.quoted_in_id) if pk in titles]
            about = [name, *(person.aliases if person else []), *in_works, *tags[row.pk]]
            documents.append(_Document(row.pk, "quotation", "", about, row.text, *public))
    _write("quote", ids, documents)


def _write(source: str, ids: Sequence[int], documents: Iterable[_Document]) -> None:
    documents = list(documents)
    columns = [([document.title], document.about, [document.text]) for document in documents]
    terms = _terms_of({text for texts in columns for column in texts for text in column})
    moment = connection.ops.adapt_datetimefield_value
    known = SearchDocument.objects.filter(among("object_id", ids), source=source)
    with connection.cursor() as cursor:
        old = [(pk,) for pk in known.values_list("pk", flat=True)]
        cursor.executemany("DELETE FROM search_index WHERE rowid = %s", old)
        known.delete()
        cursor.executemany(
            "INSERT INTO rlm_site_searchdocument (id, source, object_id, title, text, public_from, public_until)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    document.pk,
                    source,
                    document.object_id,
                    document.title,
                    " ".join(document.text.split()),
                    moment(document.public_from),
                    moment(document.public_until),
                )
                for document in documents
            ],
        )
        _write_terms(
            cursor,
            [
                (document.pk, [" ".join(map(terms.__getitem__, column)) for column in texts])
                for document, texts in zip(documents, columns, strict=True)
            ],
        )


def _write_terms(cursor: Any, rows: Iterable[tuple[int, Sequence[str]]]) -> None:
    """The terms of the title, of what finds the document, and of its text, by row."""
    if connection.vendor == "postgresql":
        cursor.executemany(
            "INSERT INTO search_index (rowid, titles, terms) VALUES (%s, CAST(%s AS tsvector), CAST(%s AS tsvector))",
            [(rowid, _tsvector(columns[:1]), _tsvector(columns)) for rowid, columns in rows],
        )
    else:
        cursor.executemany(
            "INSERT INTO search_index (rowid, title, about, body) VALUES (%s, %s, %s, %s)",
            [(rowid, _marked_too(title), about, body) for rowid, (title, about, body) in rows],
        )


def _marked_too(title: str) -> str:
    return " ".join([title, *(IN_TITLE + word for word in title.split())])


def _tsvector(columns: Sequence[str]) -> str:
    terms = []
    position = 0
    for weight, words in zip("ABC", columns, strict=False):
        for word in words.split():
            position = min(position + 1, 16383)
            terms.append(f"'{word}':{position}{weight}")
    return " ".join(terms)


def _terms_of(texts: Iterable[str]) -> dict[str, str]:
    """What each text is found by: its words without apostrophes, and the forms that their inflections share."""
    words = {text: words_in(text) for text in texts}
    plain = {word: word.replace("'", "") for word in set().union(*words.values())}
    forms = _learn(set(plain.values()))
    terms = {word: text if forms[text] == text else f"{text} {forms[text]}" for word, text in plain.items()}
    return {text: " ".join(map(terms.__getitem__, within)) for text, within in words.items()}


def _learn(words: set[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    wanted = sorted(words)
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), VARIABLES):
            some = wanted[start : start + VARIABLES]
            places = ", ".join(["%s"] * len(some))
            cursor.execute(f"SELECT text, form FROM rlm_site_searchword WHERE text IN ({places})", some)
            known.update(cursor.fetchall())
    new = [SearchWord(text=word, form=form(word)) for word in wanted if word not in known]
    SearchWord.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return known | {word.text: word.form for word in new}
