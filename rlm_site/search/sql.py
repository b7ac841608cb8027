"""The questions that the search asks of the database."""

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
MOST = 500  # results of a kind; of more nobody reads the list, and to count and rank them takes time
MOST_TAGS = 12
HIDDEN = "SELECT id FROM rlm_site_searchdocument WHERE public_from > %s OR public_until <= %s"
IN_TITLE = "_"  # with it SQLite's index has the words of titles once more, so that they are found without all others


def find_documents(terms: Sequence[Term], now: datetime, tag: Tag | None = None) -> list[int]:
    """The documents that have all terms and are public, best first, of each kind at most `MOST`.

    Titles first, by how many of the terms they have, then by score. Scores cost the database a look at every document
    that has the terms, so where these are too many to be listed, the order within is that of their ids.
    """
    candidates = _candidates(terms, now, tag)
    if not candidates:
        return []
    by_kind = Counter(map(kind_of, candidates))
    merits = dict.fromkeys(candidates, (0, 0.0))
    for pk, titled, score in _scores(terms, candidates, with_scores=max(by_kind.values()) < MOST):
        merits[pk] = (merits[pk][0] + titled, merits[pk][1] + score)
    taken: Counter[str] = Counter()
    best = []
    for pk in sorted(candidates, key=lambda pk: (-merits[pk][0], -merits[pk][1], pk)):
        if taken[kind := kind_of(pk)] < MOST:
            taken[kind] += 1
            best.append(pk)
    return best


def _candidates(terms: Sequence[Term], now: datetime, tag: Tag | None) -> list[int]:
    """Of each kind the first `MOST` that have all terms, and as many that have one of them in their titles."""
    titled = terms[:TITLE_TERMS]
    having, query = _condition(terms)
    if connection.vendor == "postgresql":
        entitled = f"{having} AND titles @@ CAST(%s AS tsquery)"
        in_titles = [query, " | ".join(map(_postgresql_term, titled))]
    else:
        entitled = having
        in_titles = [f"({query}) AND ({' OR '.join(_sqlite_term(term, IN_TITLE) for term in titled)})"]
    moment = connection.ops.adapt_datetimefield_value(now)
    questions: list[str] = []
    parameters: list[Any] = [moment, moment]
    for number in kind_numbers():
        first = number * SearchDocument.SPAN
        for condition, given in ((entitled, in_titles), (having, [query])):
            question = (
                f"SELECT rowid AS id FROM search_index WHERE {condition} AND rowid BETWEEN %s AND %s"
                " AND rowid NOT IN (SELECT id FROM hidden)"
            )
            parameters += [*given, first, first + SearchDocument.SPAN - 1]
            if tag:
                tagged = f"SELECT content_object_id FROM {source_of(first).tagged._meta.db_table} WHERE tag_id = %s"
                question += f" AND rowid - %s IN ({tagged})"
                parameters += [first, tag.pk]
            questions.append(f"SELECT id FROM ({question} ORDER BY rowid LIMIT {MOST}) AS first_ones")
    rows = _rows(f"WITH hidden AS ({HIDDEN}) {' UNION '.join(questions)}", parameters)
    return [pk for (pk,) in rows]


def finds_anything(terms: Sequence[Term], now: datetime) -> bool:
    having, query = _condition(terms)
    moment = connection.ops.adapt_datetimefield_value(now)
    question = f"SELECT 1 FROM search_index WHERE {having} AND rowid NOT IN ({HIDDEN}) LIMIT 1"
    return bool(_rows(question, [query, moment, moment]))


def _condition(terms: Sequence[Term]) -> tuple[str, str]:
    """The condition of documents that have all terms, and its parameter."""
    if connection.vendor == "postgresql":
        return "terms @@ CAST(%s AS tsquery)", " & ".join(map(_postgresql_term, terms))
    return "search_index MATCH %s", " AND ".join(map(_sqlite_term, terms))


def _scores(terms: Sequence[Term], candidates: Sequence[int], with_scores: bool) -> list[tuple[int, int, float]]:
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


def tags_of(found: Sequence[int]) -> list[tuple[Tag, int]]:
    """The tags of these documents, most frequent first."""
    ids: dict[str, list[int]] = {source.tagged._meta.db_table: [] for source in sources()}
    for pk in found:
        ids[source_of(pk).tagged._meta.db_table].append(pk % SearchDocument.SPAN)
    tagged = [
        f"SELECT tag_id FROM {table} WHERE content_object_id IN ({', '.join(map(str, of_table)) or 'NULL'})"
        for table, of_table in ids.items()
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
