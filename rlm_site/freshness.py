"""Triggers that notice every change of what pages are made of, whoever writes it and however.

In the writer's own transaction they give new random tokens (compared for equality only, never repeated) to the
content as a whole, `all`, and to those parts of it that the change belongs to, and append what must be derived anew to
`Stale`. A page that knows the parts it was made of outlives every change elsewhere. The triggers call no function of
ours, so that any other client of the database can write. `migrate` drops triggers of a table that it rebuilds, so they
are put back after it.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

from rlm_site.models import Publishable

VERSION = "rlm_site_contentversion"  # tokens of `all` and of the parts that have a name alone
PARTS = "rlm_site_partversion"  # tokens of the parts of rows, such as `article:5`
STALE = "rlm_site_stale"
EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


@dataclass(frozen=True)
class Part:
    """Content whose token is renewed with a watched table.

    `Part("quotes")` is one part, whatever row is written. `Part("article", "parent_id")` is one for each id in that
    column, of the row as it was and as it is: `article:5`. With `of_columns` an update counts only if it changes one of
    these.
    """

    name: str
    column: str = ""
    of_columns: tuple[str, ...] = ()


# Of every Publishable: when the clock alone makes rows public and retires them.
DUE = Part("due", of_columns=("published", "publish_at", "retire_at"))


@dataclass(frozen=True)
class Watch:
    """A table that pages are made of."""

    model: type[models.Model]
    parts: tuple[Part, ...] = ()
    stale: tuple[tuple[str, str], ...] = ()
    ignoring: frozenset[str] = frozenset()
    only: tuple[str, str] | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def key(self) -> str:
        return self.model._meta.pk.column or ""

    def columns(self) -> list[str]:
        columns = (field.column or "" for field in self.model._meta.concrete_fields)
        return [column for column in columns if column not in self.ignoring]

    def unique_columns(self) -> Iterator[list[str]]:
        """Those of which two rows never have the same values."""
        columns = {field.name: field.column or "" for field in self.model._meta.concrete_fields}
        yield from ([columns[field.name]] for field in self.model._meta.concrete_fields if field.unique)
        yield from ([columns[name] for name in each.fields] for each in self.model._meta.total_unique_constraints)


WATCHED: dict[str, Watch] = {}


def watch(
    model: type[models.Model],
    *parts: Part,
    stale: Sequence[tuple[str, str]] = (),
    ignoring: Iterable[str] = (),
    only: tuple[str, str] | None = None,
) -> None:
    """Declare in `AppConfig.ready` that pages show this table, and which parts of the content its rows belong to.

    `stale` pairs a kind with the column that holds the id of such an object. An update of columns in `ignoring` alone
    is none, and with `only`, a column and a value, rows that do not have this value are nobody's business.
    """
    if issubclass(model, Publishable):
        parts += (DUE,)
    entry = Watch(model, parts, tuple(stale), frozenset(ignoring), only)
    WATCHED[entry.table] = entry


class State(NamedTuple):
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


UNKNOWN = State({}, stale=False)  # nothing can be remembered

_read: ContextVar[State | None] = ContextVar("state that a request began with", default=None)


def version(using: str = "default") -> str:
    """The token of `all`, for the price of one row; empty where nothing may be remembered."""
    connection = connections[using]
    if connection.in_atomic_block:
        return ""
    rows = _rows_again(connection, f"SELECT name, token FROM {VERSION} WHERE name = 'all'")
    return rows[0][1] if rows else ""


@contextmanager
def read_once(parts: Collection[str] = (), using: str = "default") -> Iterator[State]:
    """Read the state now, with the tokens of these parts too; until the block ends it is what `state` answers."""
    state = _fetch_state(connections[using], parts)
    token = _read.set(state)
    try:
        yield state
    finally:
        _read.reset(token)


def state(using: str = "default", anew: bool = False) -> State:
    """One query, or none within `read_once`. The same token: nothing of this part that pages show has changed."""
    known = None if anew else _read.get()
    return known or _fetch_state(connections[using])


def token_of_row(part: str, model: type[models.Model]) -> RawSQL:
    """For `annotate`: the token of a row's part, read in the same moment as the row."""
    table, key = model._meta.db_table, model._meta.pk.column
    statement = f"SELECT token FROM {PARTS} WHERE name = '{part}:' || {table}.{key}"
    return RawSQL(statement, (), output_field=models.CharField())  # noqa: S611 - names of ours


def tokens(parts: Collection[str], using: str = "default") -> dict[str, str]:
    """The tokens of these parts, of `all` and of all named parts, at one moment; one that is not known is left out."""
    return _fetch_state(connections[using], parts).tokens


def _fetch_state(connection: BaseDatabaseWrapper, parts: Collection[str] = ()) -> State:
    question = f"SELECT name, token FROM {VERSION} UNION ALL SELECT '', 'stale' WHERE EXISTS (SELECT 1 FROM {STALE})"
    if parts:
        question += f" UNION ALL SELECT name, token FROM {PARTS} WHERE name IN ({', '.join(['%s'] * len(parts))})"
    tokens = dict(_rows_again(connection, question, sorted(parts)))
    return State(tokens, tokens.pop("", "") == "stale", not connection.in_atomic_block)


def _rows_again(
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


def install(using: str = "default") -> None:
    """Make the triggers that are missing and drop those that no table wants; changes nothing when all is well."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {VERSION, PARTS, STALE} <= tables:
        return  # migrated back to before they were made
    wanted = {name: statement for name, (table, statement) in _statements(connection).items() if table in tables}
    present = _present(connection)
    absent = wanted.keys() - present.keys()
    with connection.cursor() as cursor:
        for name in present.keys() - wanted.keys():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {name} ON {present[name]}; DROP FUNCTION IF EXISTS {name}()")
            else:
                cursor.execute(f"DROP TRIGGER {name}")
        for name in sorted(absent):
            cursor.execute(wanted[name])
        for statement in _first_tokens(connection, tables):
            cursor.execute(statement)
    if absent:  # nobody knows what changed while they were
        renew(using)


def renew(using: str = "default") -> None:
    """Give everything a new token, so that no page in the memory of any server stands."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in (VERSION, PARTS):
            cursor.execute(f"UPDATE {table} SET token = {_DIALECTS[connection.vendor].token}")


def missing(using: str = "default") -> list[str]:
    """Names of existing tables whose changes would go unnoticed."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    present = _present(connection)
    wanted = _statements(connection).items()
    return sorted({table for name, (table, _statement) in wanted if table in tables and name not in present})


def _present(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Trigger name -> table, of ours only."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgname LIKE 'fresh\\_%%' AND pg_table_is_visible(tgrelid)"
        )
    else:
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'fresh\\_%%' ESCAPE '\\'"
    with connection.cursor() as cursor:
        cursor.execute(query, [])
        return dict(cursor.fetchall())


def _statements(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    """Trigger name -> table and statement. A digest ends the name, so that a changed statement has another."""
    build = _postgresql if connection.vendor == "postgresql" else _sqlite
    statements = {}
    for entry in WATCHED.values():
        for event, statement in build(entry):
            digest = hashlib.sha256(statement.encode()).hexdigest()[:8]
            name = f"fresh_{entry.table}_{event}_{digest}"
            statements[name] = (entry.table, statement.replace("NAME", name))
    return statements


def _first_tokens(connection: BaseDatabaseWrapper, tables: Collection[str]) -> Iterator[str]:
    """Triggers renew tokens that are there; here are the first. Those of rows come with a row, or are made up for."""
    token = _DIALECTS[connection.vendor].token
    names = {"all", *(part.name for entry in WATCHED.values() for part in entry.parts if not part.column)}
    for name in sorted(names):
        yield _insert_token(VERSION, f"'{name}'", token)
    for entry in WATCHED.values():
        for part in entry.parts:
            if part.column == entry.key and entry.table in tables:
                yield _insert_token(PARTS, f"'{part.name}:' || {part.column}", token, f"FROM {entry.table}")


def _insert_token(table: str, name: str, token: str, source: str = "") -> str:
    # no conflict clause: in a trigger on SQLite an outer INSERT OR IGNORE would override it
    absent = f"NOT EXISTS (SELECT 1 FROM {table} WHERE name = {name})"
    return f"INSERT INTO {table} (name, token) SELECT {name}, {token} {source} WHERE {absent}"


class _Dialect(NamedTuple):
    token: str  # a new one
    differ: str
    once: str = ""


_DIALECTS = {
    "sqlite": _Dialect("lower(hex(randomblob(16)))", "IS NOT"),
    # Once a transaction: a token that was renewed for each of its rows would leave as many dead versions to pass.
    "postgresql": _Dialect(
        "replace(CAST(gen_random_uuid() AS text), '-', '')",
        "IS DISTINCT FROM",
        once=" AND xmin <> CAST(pg_current_xact_id() AS xid)",
    ),
}


def _renewals(entry: Watch, rows: Sequence[str], dialect: _Dialect) -> Iterator[str]:
    """What a trigger does with tokens; `rows` are those of OLD and NEW that there are.

    `all` comes first: until the end of a transaction it is the lock that lets no other past it to the rest.
    """
    yield f"UPDATE {VERSION} SET token = {dialect.token} WHERE name = 'all'{dialect.once}"
    for part in entry.parts:
        if part.column:
            table, names = PARTS, ", ".join(f"'{part.name}:' || {row}.{part.column}" for row in rows)
        else:
            table, names = VERSION, f"'{part.name}'"
        statement = f"UPDATE {table} SET token = {dialect.token} WHERE name IN ({names}){dialect.once}"
        if part.of_columns and len(rows) == 2:
            differ = " OR ".join(f"OLD.{column} {dialect.differ} NEW.{column}" for column in part.of_columns)
            statement += f" AND ({differ})"
        yield statement


def _appendings(entry: Watch, rows: Sequence[str]) -> Iterator[str]:
    for kind, column in entry.stale:
        ids = " UNION ".join(f"SELECT '{kind}', {row}.{column} WHERE {row}.{column} IS NOT NULL" for row in rows)
        yield f"INSERT INTO {STALE} (kind, object_id) {ids}"


def _of_columns(entry: Watch) -> str:
    return " OF " + ", ".join(f'"{column}"' for column in entry.columns()) if entry.ignoring else ""


def _only(entry: Watch, rows: Sequence[str]) -> str:
    """A condition, empty where there is none."""
    if entry.only is None:
        return ""
    column, value = entry.only
    return f"'{value}' IN ({', '.join(f'{row}.{column}' for row in rows)})"


def _sqlite(entry: Watch) -> Iterator[tuple[str, str]]:
    dialect = _DIALECTS["sqlite"]
    for event, rows in EVENTS.items():
        statements = [*_renewals(entry, rows, dialect), *_appendings(entry, rows)]
        if event == "INSERT":
            statements += [
                _insert_token(PARTS, f"'{part.name}:' || NEW.{part.column}", dialect.token)
                for part in entry.parts
                if part.column == entry.key
            ]
        of_columns = _of_columns(entry) if event == "UPDATE" else ""
        when = f" WHEN {only}" if (only := _only(entry, rows)) else ""
        body = " ".join(f"{statement};" for statement in statements)
        yield event.lower(), f"CREATE TRIGGER NAME AFTER {event}{of_columns} ON {entry.table}{when} BEGIN {body} END"
    if entry.stale or any(part.column for part in entry.parts):
        yield from _sqlite_replacing(entry)


def _sqlite_replacing(entry: Watch) -> Iterator[tuple[str, str]]:
    """A row that REPLACE clears out of the way goes without a trigger, so it is looked for beforehand."""
    token = _DIALECTS["sqlite"].token
    same = [" AND ".join(f"{column} IS NEW.{column}" for column in columns) for columns in entry.unique_columns()]
    for event in ("INSERT", "UPDATE"):
        cleared = f"FROM {entry.table} WHERE ({' OR '.join(same)})"
        if event == "UPDATE":
            cleared += f" AND {entry.key} IS NOT OLD.{entry.key}"
        if entry.only:
            cleared += f" AND {entry.only[0]} = '{entry.only[1]}'"
        named = ", ".join(f"'{name}'" for name in ["all", *(part.name for part in entry.parts if not part.column)])
        statements = [f"UPDATE {VERSION} SET token = {token} WHERE name IN ({named})"]
        statements += [
            f"UPDATE {PARTS} SET token = {token} WHERE name IN (SELECT '{part.name}:' || {part.column} {cleared})"
            for part in entry.parts
            if part.column
        ]
        statements += [
            f"INSERT INTO {STALE} (kind, object_id) SELECT '{kind}', {column} {cleared}" for kind, column in entry.stale
        ]
        body = " ".join(f"{statement};" for statement in statements)
        yield (
            f"before_{event.lower()}",
            f"CREATE TRIGGER NAME BEFORE {event} ON {entry.table} WHEN EXISTS (SELECT 1 {cleared}) BEGIN {body} END",
        )


def _postgresql(entry: Watch) -> Iterator[tuple[str, str]]:
    # Tokens are renewed when the transaction commits: writers hold them for an instant and never wait for each other's
    # work. OLD is null in an INSERT and NEW in a DELETE.
    dialect = _DIALECTS["postgresql"]
    rows = ("OLD", "NEW")
    events = f"INSERT OR UPDATE{_of_columns(entry)} OR DELETE"
    renew = list(_renewals(entry, rows, dialect))
    renew += [
        _insert_token(PARTS, f"'{part.name}:' || NEW.{part.column}", dialect.token) + " AND TG_OP = 'INSERT'"
        for part in entry.parts
        if part.column == entry.key
    ]
    only = _only(entry, rows)
    yield (
        "version",
        _function(renew, only)
        + f"CREATE CONSTRAINT TRIGGER NAME AFTER {events} ON {entry.table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION NAME()",
    )
    names = ", ".join(f"'{name}'" for name in ["all", *(part.name for part in entry.parts if not part.column)])
    renew = [f"UPDATE {VERSION} SET token = {dialect.token} WHERE name IN ({names})"]
    renew += [
        f"UPDATE {PARTS} SET token = {dialect.token} WHERE name LIKE '{name}:%'"
        for name in sorted({part.name for part in entry.parts if part.column})
    ]
    yield (
        "truncate",
        _function(renew)
        + f"CREATE TRIGGER NAME AFTER TRUNCATE ON {entry.table} FOR EACH STATEMENT EXECUTE FUNCTION NAME()",
    )
    if entry.stale:
        yield (
            "stale",
            _function(_appendings(entry, rows), only)
            + f"CREATE TRIGGER NAME AFTER {events} ON {entry.table} FOR EACH ROW EXECUTE FUNCTION NAME()",
        )


def _function(statements: Iterable[str], only: str = "") -> str:
    body = " ".join(f"{statement};" for statement in statements)
    if only:
        body = f"IF {only} THEN {body} END IF;"
    body = f"BEGIN {body} RETURN NULL; END"
    return f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$; "
