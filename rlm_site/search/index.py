"""The search index: the terms of every document, for SQLite's FTS5 and PostgreSQL's tsvector alike."""

from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.backends.utils import CursorWrapper

from rlm_site.indexing import queue
from rlm_site.indexing.queue import with_ids
from rlm_site.search import registry
from rlm_site.search.models import SearchDocument, SearchWord
from rlm_site.search.registry import Source, document_id
from rlm_site.search.sql import KEY_PREFIX, TITLE_PREFIX
from rlm_site.search.terms import searched_words, whole_key, words_of
from rlm_site.text.transliteration import name_key
from rlm_site.text.words import form

MAX_VARIABLES = 5000  # per statement; databases allow tens of thousands


def register(source: Source) -> None:
    """Make a source searchable and keep its documents up to date. Call it in `AppConfig.ready`."""
    registry.register(source)
    queue.register_indexer(source.name, lambda ids: index_documents(source, ids))


def index_documents(source: Source, ids: Sequence[int]) -> None:
    """Update the documents of these objects, and remove those of objects that no longer exist."""
    documents = list(source.documents(ids))
    columns = [([document.title, *document.names], document.about, [document.text]) for document in documents]
    terms = _terms_of({text for texts in columns for column in texts for text in column})
    adapt_datetime = connection.ops.adapt_datetimefield_value
    known = SearchDocument.objects.filter(with_ids("object_id", ids), source=source.name)
    with connection.cursor() as cursor:
        old = [(pk,) for pk in known.values_list("pk", flat=True)]
        cursor.executemany("DELETE FROM search_index WHERE rowid = %s", old)
        known.delete()
        cursor.executemany(
            "INSERT INTO rlm_site_searchdocument (id, source, object_id, title, text, public_from, public_until)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    document_id(source, document),
                    source.name,
                    document.object_id,
                    document.title,
                    " ".join(document.text.split()),
                    adapt_datetime(document.public_from),
                    adapt_datetime(document.public_until),
                )
                for document in documents
            ],
        )
        _write_terms(
            cursor,
            [
                (
                    document_id(source, document),
                    [" ".join(map(terms.__getitem__, column)) for column in texts],
                    " ".join(sorted(KEY_PREFIX + key for name in texts[0] for key in _keys(name))),
                )
                for document, texts in zip(documents, columns, strict=True)
            ],
        )


def _write_terms(cursor: CursorWrapper, rows: Iterable[tuple[int, Sequence[str], str]]) -> None:
    """Insert the terms of each document (of its title and names, of its keywords, and of its text) and its keys."""
    if connection.vendor == "postgresql":
        cursor.executemany(
            "INSERT INTO search_index (rowid, titles, terms) VALUES (%s, CAST(%s AS tsvector), CAST(%s AS tsvector))",
            [(rowid, _tsvector([f"{columns[0]} {keys}"]), _tsvector(columns)) for rowid, columns, keys in rows],
        )
    else:
        cursor.executemany(
            "INSERT INTO search_index (rowid, title, about, body) VALUES (%s, %s, %s, %s)",
            [(rowid, f"{_with_title_terms(title)} {keys}", *rest) for rowid, (title, *rest), keys in rows],
        )


def _with_title_terms(title: str) -> str:
    return " ".join([title, *(TITLE_PREFIX + word for word in title.split())])


def _keys(name: str) -> set[str]:
    """Return the keys of a name as a whole: `Arden, Ann (Nan)` is `Arden`, `Ann Arden` and `Nan` as well."""
    bare, *bracketed = (part.rstrip(") ") for part in name.split("("))
    last, _comma, first = bare.partition(",")
    wholes = {name, bare, last, f"{first} {last}", *bracketed}
    return {whole_key(searched_words(whole)) for whole in wholes} - {""}


def _tsvector(columns: Sequence[str]) -> str:
    terms = []
    position = 0
    for weight, words in zip("ABC", columns, strict=False):
        for word in words.split():
            position = min(position + 1, 16383)
            terms.append(f"'{word}':{position}{weight}")
    return " ".join(terms)


def _terms_of(texts: Iterable[str]) -> dict[str, str]:
    """Return, for each text, its words without apostrophes and the base forms of these."""
    words = {text: words_of(text) for text in texts}
    plain = {word: word.replace("'", "") for word in set().union(*words.values())}
    forms = _add_words(set(plain.values()))
    terms = {word: text if forms[text] == text else f"{text} {forms[text]}" for word, text in plain.items()}
    return {text: " ".join(map(terms.__getitem__, text_words)) for text, text_words in words.items()}


def _add_words(words: set[str]) -> dict[str, str]:
    known: dict[str, str] = {}
    wanted = sorted(words)
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), MAX_VARIABLES):
            batch = wanted[start : start + MAX_VARIABLES]
            placeholders = ", ".join(["%s"] * len(batch))
            cursor.execute(f"SELECT text, form FROM rlm_site_searchword WHERE text IN ({placeholders})", batch)
            known.update(cursor.fetchall())
    new = [SearchWord(text=word, form=form(word), sound=name_key(word)) for word in wanted if word not in known]
    SearchWord.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)
    return known | {word.text: word.form for word in new}
