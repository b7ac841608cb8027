"""Triggers that notice every change of what pages are made of, whoever writes it and however.

In the writer's own transaction they give new random tokens (compared for equality only, never repeated) to the
content as a whole, `all`, and to those parts of it that the change belongs to, and append what must be derived anew to
`Stale`. A page that knows the parts it was made of outlives every change elsewhere. The triggers call no function of
ours, so that any other client of the database can write. `migrate` drops triggers of a table that it rebuilds, so they
are put back after it.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

VERSION_TABLE = "rlm_site_contentversion"  # tokens of `all` and of the parts that have a name alone
PART_TABLE = "rlm_site_partversion"  # tokens of the parts of rows, such as `article:5`
STALE_TABLE = "rlm_site_stale"


class Versions(NamedTuple):
    """What a page must know before anything else: tokens of `all` and named parts, and whether derived data is late."""

    tokens: dict[str, str]
    stale: bool
    committed: bool = True  # read outside of any transaction, whose own changes the tokens do not tell yet

    def of(self, *parts: str) -> str:
        """One string that changes whenever one of these parts does; empty where nothing may be remembered."""
        if not self.committed or not self.tokens.keys() >= set(parts):
            return ""
        return " ".join(self.tokens[part] for part in parts)

    def tokens_of(self, *parts: str) -> dict[str, str]:
        """For `made_of`: a part that is not known has a token that it never has."""
        return {part: self.tokens.get(part, "") for part in parts}


UNKNOWN = Versions({}, stale=False)  # nothing can be remembered

_pinned: ContextVar[Versions | None] = ContextVar("state that a request began with", default=None)


def content_version(using: str = "default") -> str:
    """The token of `all`, for the price of one row; empty where nothing may be remembered."""
    connection = connections[using]
    if connection.in_atomic_block:
        return ""
    rows = _rows_reconnecting(connection, f"SELECT name, token FROM {VERSION_TABLE} WHERE name = 'all'")
    return rows[0][1] if rows else ""


@contextmanager
def pinned_versions(parts: Collection[str] = (), using: str = "default") -> Iterator[Versions]:
    """Read the state now, with the tokens of these parts too; until the block ends it is what `state` answers."""
    state = _fetch_versions(connections[using], parts)
    token = _pinned.set(state)
    try:
        yield state
    finally:
        _pinned.reset(token)


def current_versions(using: str = "default", anew: bool = False) -> Versions:
    """One query, or none within `read_once`. The same token: nothing of this part that pages show has changed."""
    known = None if anew else _pinned.get()
    return known or _fetch_versions(connections[using])


def version_of_row(part: str, model: type[models.Model]) -> RawSQL:
    """For `annotate`: the token of a row's part, read in the same moment as the row."""
    table, key = model._meta.db_table, model._meta.pk.column
    statement = f"SELECT token FROM {PART_TABLE} WHERE name = '{part}:' || {table}.{key}"
    return RawSQL(statement, (), output_field=models.CharField())  # noqa: S611 - names of ours


def versions_of(parts: Collection[str], using: str = "default") -> dict[str, str]:
    """The tokens of these parts, of `all` and of all named parts, at one moment; one that is not known is left out."""
    return _fetch_versions(connections[using], parts).tokens


def _fetch_versions(connection: BaseDatabaseWrapper, parts: Collection[str] = ()) -> Versions:
    question = (
        f"SELECT name, token FROM {VERSION_TABLE}"
        f" UNION ALL SELECT '', 'stale' WHERE EXISTS (SELECT 1 FROM {STALE_TABLE})"
    )
    if parts:
        question += f" UNION ALL SELECT name, token FROM {PART_TABLE} WHERE name IN ({', '.join(['%s'] * len(parts))})"
    tokens = dict(_rows_reconnecting(connection, question, sorted(parts)))
    return Versions(tokens, tokens.pop("", "") == "stale", not connection.in_atomic_block)


def _rows_reconnecting(
    connection: BaseDatabaseWrapper, question: str, parameters: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """On a connection of its own if the server closed this one meanwhile."""
    try:
        return _rows(connection, question, parameters)
    except connection.Database.Error:  # type: ignore[attr-defined]
        if connection.in_atomic_block:
            raise
        connection.close()
        return _rows(connection, question, parameters)


def _rows(connection: BaseDatabaseWrapper, question: str, parameters: Sequence[str]) -> list[tuple[str, str]]:
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(question, parameters)
            return cursor.fetchall()
    connection.ensure_connection()
    # straight to the driver: on the way to a page in memory every layer would be a good part of the time
    if connection.vendor == "sqlite":
        question = question.replace("%s", "?")
    rows: list[tuple[str, str]] = connection.connection.execute(question, parameters).fetchall()
    return rows
