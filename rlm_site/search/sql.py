"""The SQL queries of the search."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from rlm_site.search.models import SearchDocument
from rlm_site.search.registry import kind_numbers, kind_of, source_of, sources
from rlm_site.search.terms import MIN_PREFIX, Term
from rlm_site.tags.models import Tag

TITLE_TERMS = 4  # words of a query that are looked for in titles first
MAX_PER_KIND = 500  # results; nobody reads further, and counting and ranking more takes time
MAX_TAGS = 12
HIDDEN_SQL = "SELECT id FROM rlm_site_searchdocument WHERE public_from > %s OR public_until <= %s"
TITLE_PREFIX = "_"  # marks a second copy of title words in SQLite's index, so that titles can be searched alone


def find_documents(terms: Sequence[Term], now: datetime, tag: Tag | None = None) -> list[int]:
    """Return the ids of public documents that have all terms, best first, at most `MAX_PER_KIND` of each kind.

    They are ordered by the number of terms in the title, then by score. Scoring reads every matching document, so where
    there are more than can be listed, ids decide instead of scores.
    """
    candidates = _candidates(terms, now, tag)
    if not candidates:
        return []
    by_kind = Counter(map(kind_of, candidates))
    scores = dict.fromkeys(candidates, (0, 0.0))
    for pk, in_title, score in _scores(terms, candidates, with_scores=max(by_kind.values()) < MAX_PER_KIND):
        scores[pk] = (scores[pk][0] + in_title, scores[pk][1] + score)
    per_kind: Counter[str] = Counter()
    best = []
    for pk in sorted(candidates, key=lambda pk: (-scores[pk][0], -scores[pk][1], pk)):
        if per_kind[kind := kind_of(pk)] < MAX_PER_KIND:
            per_kind[kind] += 1
            best.append(pk)
    return best


def _candidates(terms: Sequence[Term], now: datetime, tag: Tag | None) -> list[int]:
    """Return, of each kind, the first documents with all terms and the first with any of them in the title."""
    title_terms = terms[:TITLE_TERMS]
    condition, query = _condition(terms)
    if connection.vendor == "postgresql":
        title_condition = f"{condition} AND titles @@ CAST(%s AS tsquery)"
        title_parameters = [query, " | ".join(map(_postgresql_term, title_terms))]
    else:
        title_condition = condition
        title_parameters = [f"({query}) AND ({' OR '.join(_sqlite_term(term, TITLE_PREFIX) for term in title_terms)})"]
    moment = connection.ops.adapt_datetimefield_value(now)
    statements: list[str] = []
    parameters: list[Any] = [moment, moment]
    for number in kind_numbers():
        first = number * SearchDocument.SPAN
        for where, arguments in ((title_condition, title_parameters), (condition, [query])):
            statement = (
                f"SELECT rowid AS id FROM search_index WHERE {where} AND rowid BETWEEN %s AND %s"
                " AND rowid NOT IN (SELECT id FROM hidden)"
            )
            parameters += [*arguments, first, first + SearchDocument.SPAN - 1]
            if tag:
                tagged = f"SELECT content_object_id FROM {source_of(first).tagged._meta.db_table} WHERE tag_id = %s"
                statement += f" AND rowid - %s IN ({tagged})"
                parameters += [first, tag.pk]
            statements.append(f"SELECT id FROM ({statement} ORDER BY rowid LIMIT {MAX_PER_KIND}) AS first_ones")
    rows = _rows(f"WITH hidden AS ({HIDDEN_SQL}) {' UNION '.join(statements)}", parameters)
    return [pk for (pk,) in rows]


def finds_anything(terms: Sequence[Term], now: datetime) -> bool:
    condition, query = _condition(terms)
    moment = connection.ops.adapt_datetimefield_value(now)
    statement = f"SELECT 1 FROM search_index WHERE {condition} AND rowid NOT IN ({HIDDEN_SQL}) LIMIT 1"
    return bool(_rows(statement, [query, moment, moment]))


def _condition(terms: Sequence[Term]) -> tuple[str, str]:
    """Return the SQL condition of documents that have all terms, and its parameter."""
    if connection.vendor == "postgresql":
        return "terms @@ CAST(%s AS tsquery)", " & ".join(map(_postgresql_term, terms))
    return "search_index MATCH %s", " AND ".join(map(_sqlite_term, terms))


def _scores(terms: Sequence[Term], candidates: Sequence[int], with_scores: bool) -> list[tuple[int, int, float]]:
    """Return rows (id, 1, 0) for each term in a title, and (id, 0, score) for each scored document."""
    title_terms = terms[:TITLE_TERMS]
    if connection.vendor == "postgresql":
        in_title, parameters = "titles @@ CAST(%s AS tsquery)", list(map(_postgresql_term, title_terms))
        # PostgreSQL ranks an "and" by the distance of its words, but an "or" by where each of them stands.
        score, scored = "ts_rank('{0, 0.1, 0.4, 1.0}', terms, CAST(%s AS tsquery))", "TRUE"
        query = " | ".join(map(_postgresql_term, terms))
    else:
        in_title, parameters = "search_index MATCH %s", [_sqlite_term(term, TITLE_PREFIX) for term in title_terms]
        score, scored = "-bm25(search_index, 10.0, 4.0, 1.0)", "search_index MATCH %s"
        query = " AND ".join(map(_sqlite_term, terms))
    candidate_filter = f"+rowid IN ({', '.join(map(str, candidates))})"  # the plus keeps SQLite from seeking each id
    statements = [f"SELECT rowid, 1, 0 FROM search_index WHERE {in_title} AND {candidate_filter}"] * len(title_terms)
    if with_scores:
        statements.append(f"SELECT rowid, 0, {score} FROM search_index WHERE {scored} AND {candidate_filter}")
        parameters.append(query)
    return _rows(" UNION ALL ".join(statements), parameters)


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
