"""The SQL queries of the search."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from rlm_site.search.models import SearchDocument
from rlm_site.search.registry import Source, kind_numbers, kind_of, rank_of, source_of, sources
from rlm_site.search.terms import MIN_PREFIX, Term, whole_key
from rlm_site.tags.models import Tag

TITLE_TERMS = 4  # words of a query that are looked for in titles first
MAX_PER_KIND = 500  # results; nobody reads further, and counting and ranking more takes time
MAX_TAGS = 12
HIDDEN_SQL = "SELECT id FROM rlm_site_searchdocument WHERE public_from > %s OR public_until <= %s"
TITLE_PREFIX = "_"  # marks a second copy of title words in SQLite's index, so that titles can be searched alone
KEY_PREFIX = "__"  # marks the key of a whole title or name

# What the query says of a document, by the number that a row tells it under.
IS_NAMED, IN_TITLE, HAS_NAME, BEGINNINGS, SCORE = range(5)


class _Match(NamedTuple):
    """What is known of a document before it is ranked."""

    has: int  # number of terms
    is_whole: int = 1  # 1: as whole words
    in_title: int = 0  # 1: any is in its title or a name


class _Asked(NamedTuple):
    """A statement that tells something of documents, and its parameters."""

    statement: str
    parameters: list[Any]


def find_documents(terms: Sequence[Term], now: datetime, tag: Tag | None = None) -> list[int]:
    """Return the ids of public documents that have all terms, best first, at most `MAX_PER_KIND` of each kind."""
    return _ranked(terms, _candidates(terms, now, tag), has_all=True)


def find_some(terms: Sequence[Term], now: datetime, tag: Tag | None = None) -> list[int]:
    """Return the ids of public documents that have some of the terms, those with most of them first."""
    return _ranked(terms, coverage(terms, now, tag), has_all=False)


def coverage(terms: Sequence[Term], now: datetime, tag: Tag | None = None, source: str = "") -> dict[int, _Match]:
    """Return public documents with the number of terms that they have, the highest first."""
    moment = connection.ops.adapt_datetimefield_value(now)
    statements: list[str] = []
    parameters: list[Any] = [moment, moment]
    for term in terms:
        statements.append(f"SELECT rowid, 1 AS has, 0 AS in_title FROM search_index WHERE {_match('terms')}")
        statements.append(f"SELECT rowid, 0 AS has, 1 AS in_title FROM search_index WHERE {_match('titles')}")
        parameters += [_query(term), _query(term, in_title=True)]
    places = [_place(numbers, tag) for numbers in _runs_of_kinds() if source in {"", _source_of(numbers).name}]
    rows = _rows(
        f"WITH hidden AS ({HIDDEN_SQL}), found AS ({' UNION ALL '.join(statements)})"
        " SELECT rowid, sum(has), sum(in_title) FROM found WHERE rowid NOT IN (SELECT id FROM hidden)"
        f" AND ({' OR '.join(place for place, _parameters in places)})"
        f" GROUP BY rowid ORDER BY sum(has) DESC, sum(in_title) DESC, rowid LIMIT {MAX_PER_KIND}",
        [*parameters, *(parameter for _place, parameters in places for parameter in parameters)],
    )
    return {pk: _Match(int(has), in_title=min(1, int(in_title))) for pk, has, in_title in rows}


def _candidates(terms: Sequence[Term], now: datetime, tag: Tag | None) -> dict[int, _Match]:
    """Return, of each kind, the first documents that have all terms, and the first that have any of them in the title.

    Those that have them as whole words come first. Beginnings are only looked for where there are too few.
    """
    query, whole = _all(map(_query, terms)), _all(_query(term, beginnings=False) for term in terms)
    in_title = _any(_query(term, in_title=True) for term in terms[:TITLE_TERMS])
    tables, statements = [f"hidden AS ({HIDDEN_SQL})"], []
    moment = connection.ops.adapt_datetimefield_value(now)
    of_tables: list[Any] = [moment, moment]
    of_statements: list[Any] = []
    for number, numbers in enumerate(_runs_of_kinds()):
        place, of_place = _place(numbers, tag)
        most = MAX_PER_KIND * len(numbers)
        rest = f"{place} AND rowid NOT IN (SELECT id FROM hidden) ORDER BY rowid LIMIT {most}"
        tables.append(f"whole_{number} AS (SELECT rowid AS id FROM search_index WHERE {_match('terms')} AND {rest})")
        of_tables += [whole, *of_place]
        statements.append(f"SELECT id, 1 AS is_whole, 0 AS in_title FROM whole_{number}")
        few = f"(SELECT count(*) FROM whole_{number}) < {most}"
        others = [(f"{few} AND {_match('terms')}", [query], 0)] if query != whole else []
        for where, of_where, has_title in [*others, (*_where(query, in_title), 1)]:
            found = f"SELECT rowid AS id FROM search_index WHERE {where} AND {rest}"
            statements.append(f"SELECT id, 0 AS is_whole, {has_title} AS in_title FROM ({found}) AS found_{number}")
            of_statements += [*of_where, *of_place]
    rows = _rows(
        f"WITH {', '.join(tables)} SELECT id, max(is_whole), max(in_title)"
        f" FROM ({' UNION ALL '.join(statements)}) AS found GROUP BY id",
        [*of_tables, *of_statements],
    )
    return {pk: _Match(len(terms), is_whole, has_title) for pk, is_whole, has_title in rows}


def _where(query: str, in_title: str) -> tuple[str, list[Any]]:
    """Return the condition of documents that a query finds, and another in the title, with its parameters."""
    if connection.vendor == "postgresql":
        return f"{_match('terms')} AND {_match('titles')}", [query, in_title]
    return _match("terms"), [_all([query, in_title])]


def _runs_of_kinds() -> list[range]:
    """Return the numbers of kinds in runs of one source and rank, each of which is searched by one statement."""
    runs: list[range] = []
    for number in kind_numbers():
        before = runs[-1] if runs else range(0)
        if number == before.stop and before and _source_and_rank(number) == _source_and_rank(before.start):
            runs[-1] = range(before.start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs


def _source_and_rank(number: int) -> tuple[str, int]:
    first = number * SearchDocument.SPAN
    return source_of(first).name, rank_of(first)


def _source_of(numbers: range) -> Source:
    return source_of(numbers.start * SearchDocument.SPAN)


def _place(numbers: range, tag: Tag | None) -> tuple[str, list[Any]]:
    """Return the condition that a document is of these kinds and has the tag, and its parameters."""
    place = "rowid BETWEEN %s AND %s"
    parameters = [numbers.start * SearchDocument.SPAN, numbers.stop * SearchDocument.SPAN - 1]
    if tag:
        tagged = f"SELECT content_object_id FROM {_source_of(numbers).tagged._meta.db_table} WHERE tag_id = %s"
        return f"({place} AND rowid %% {SearchDocument.SPAN} IN ({tagged}))", [*parameters, tag.pk]
    return place, parameters


def _ranked(terms: Sequence[Term], found: Mapping[int, _Match], has_all: bool) -> list[int]:
    """Return documents in their order.

    Those with more of the terms come first; then what is named by the query, then whole words in titles, whole words
    anywhere, and beginnings of words in titles. Where all this is the same, entries come before sections, and
    quotations last; then scores decide. Scoring reads every matching document, so where there are more than can be
    listed, ids decide instead.
    """
    if not found:
        return []
    scores: dict[int, float] = {}
    signals: dict[int, list[int]] = defaultdict(lambda: [0] * SCORE)
    asked = [*_of_titles(terms, [pk for pk, match in found.items() if match.in_title]), *_scores(terms, found, has_all)]
    for pk, column, value in _union(asked):
        if column == SCORE:
            scores[pk] = value
        else:
            signals[pk][column] += 1
    nothing = [0] * SCORE

    def order(pk: int) -> tuple[float, ...]:
        match, score, rank = found[pk], scores.get(pk, 0), rank_of(pk)
        if not match.in_title:  # in a text, a word says as much of an entry as of a section
            return -match.has, 0, 0, -match.is_whole, 0, 0, max(1, rank), -score, pk
        is_named, in_title, has_name, beginnings = signals.get(pk, nothing)
        is_whole = match.is_whole or in_title >= match.has
        return -match.has, -is_named, -in_title, -is_whole, -has_name, -beginnings, rank, -score, pk

    per_kind: Counter[str] = Counter()
    best = []
    for pk in sorted(found, key=order):
        if per_kind[kind := kind_of(pk)] < MAX_PER_KIND:
            per_kind[kind] += 1
            best.append(pk)
    return best


def _of_titles(terms: Sequence[Term], ids: Collection[int]) -> Iterator[_Asked]:
    """Yield what tells how much of the query is in the titles and names of these documents."""
    words = [term.word for term in terms]
    asked = [(IS_NAMED, _key(words))]
    for term in terms[:TITLE_TERMS]:
        asked.append((IN_TITLE, _query(term, in_title=True, beginnings=False)))
        if len(term.word) >= MIN_PREFIX:
            asked.append((BEGINNINGS, _query(term, in_title=True)))
    for length in range(1, min(len(words), TITLE_TERMS + 1)):
        runs = (words[start : start + length] for start in range(len(words) - length + 1))
        asked.append((HAS_NAME, _any(map(_key, runs))))
    for column, query in asked if ids else ():
        statement = f"SELECT rowid, {column}, 1.0 FROM search_index WHERE {_match('titles')} AND {_among(ids)}"
        yield _Asked(statement, [query])


def _scores(terms: Sequence[Term], ids: Collection[int], has_all: bool) -> Iterator[_Asked]:
    """Yield what tells the scores of these documents, unless there are too many."""
    if max(Counter(map(kind_of, ids)).values()) >= MAX_PER_KIND and has_all:
        return
    queries = [_query(term) for term in terms]
    score, parameters = "-bm25(search_index, 10.0, 4.0, 1.0)", [_all(queries) if has_all else _any(queries)]
    if connection.vendor == "postgresql":
        # PostgreSQL ranks an "and" by the distance of its words, but an "or" by where each of them stands.
        score, parameters = "ts_rank('{0, 0.1, 0.4, 1.0}', terms, CAST(%s AS tsquery))", [_any(queries), *parameters]
    statement = f"SELECT rowid, {SCORE}, {score} FROM search_index WHERE {_match('terms')} AND {_among(ids)}"
    yield _Asked(statement, parameters)


def _among(ids: Collection[int]) -> str:
    return f"+rowid IN ({', '.join(map(str, ids))})"  # the plus keeps SQLite from seeking each id


def _union(asked: Sequence[_Asked]) -> list[Any]:
    if not asked:
        return []
    statement = " UNION ALL ".join(each.statement for each in asked)
    return _rows(statement, [parameter for each in asked for parameter in each.parameters])


def which_find(queries: Sequence[Sequence[Term]], now: datetime) -> dict[int, bool]:
    """Return the numbers of those queries that find anything, each with whether it finds it by the title."""
    moment = connection.ops.adapt_datetimefield_value(now)
    statements, parameters = [], []
    for number, terms in enumerate(queries):
        for in_title, column in enumerate(("terms", "titles")):
            query = _all(_query(term, in_title=bool(in_title)) for term in terms)
            statements.append(
                f"SELECT {number}, {in_title} WHERE EXISTS (SELECT 1 FROM search_index WHERE {_match(column)}"
                f" AND rowid NOT IN ({HIDDEN_SQL}))"
            )
            parameters += [query, moment, moment]
    found: dict[int, bool] = {}
    for number, in_title in _rows(" UNION ALL ".join(statements), parameters) if statements else ():
        found[number] = found.get(number, False) or bool(in_title)
    return found


def _rows(statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def tags_of(found: Sequence[int]) -> list[tuple[Tag, int]]:
    """Return the tags of these documents, most frequent first."""
    ids: dict[str, list[int]] = {source.tagged._meta.db_table: [] for source in sources()}
    for pk in found:
        ids[source_of(pk).tagged._meta.db_table].append(pk % SearchDocument.SPAN)
    tagged = [
        f"SELECT tag_id FROM {table} WHERE content_object_id IN ({', '.join(map(str, object_ids)) or 'NULL'})"
        for table, object_ids in ids.items()
    ]
    counts = (
        f"SELECT tag_id, count(*) AS count FROM ({' UNION ALL '.join(tagged)}) AS tagged"
        f" GROUP BY tag_id ORDER BY count(*) DESC, tag_id LIMIT {MAX_TAGS}"
    )
    tags = Tag.objects.raw(
        f"SELECT tag.*, counts.count FROM ({counts}) AS counts JOIN rlm_site_tag tag ON tag.id = counts.tag_id"
        " ORDER BY counts.count DESC, tag.id"
    )
    return [(tag, tag.count) for tag in tags]


# What the databases call these


def _match(column: str) -> str:
    """Return the condition, with a query as its parameter; SQLite has the titles' words in the same column."""
    return f"{column} @@ CAST(%s AS tsquery)" if connection.vendor == "postgresql" else "search_index MATCH %s"


def _query(term: Term, in_title: bool = False, beginnings: bool = True) -> str:
    """Return the query for a term as a whole word, and for words that it begins."""
    if connection.vendor == "postgresql":
        spellings = [f"'{word}'" for word in sorted(term.same)]
        if beginnings and len(term.word) >= MIN_PREFIX:
            spellings.append(f"'{term.word}':*")
        return _any(spellings)
    mark = TITLE_PREFIX if in_title else ""
    longer = term.longer or frozenset() if beginnings else frozenset()
    spellings = [f'"{mark}{word}"' for word in sorted(term.same | longer)]
    if beginnings and len(term.word) >= MIN_PREFIX and term.longer is None:
        spellings.append(f'"{mark}{term.word}"*')
    return _any(spellings)


def _key(words: Iterable[str]) -> str:
    """Return the query for documents that have these words as their title or one of their names."""
    key = KEY_PREFIX + whole_key(words)
    return f"'{key}'" if connection.vendor == "postgresql" else f'"{key}"'


def _any(queries: Iterable[str]) -> str:
    return f"({(' | ' if connection.vendor == 'postgresql' else ' OR ').join(queries)})"


def _all(queries: Iterable[str]) -> str:
    return (" & " if connection.vendor == "postgresql" else " AND ").join(queries)
