"""Database triggers that give content a new version with every change, whoever makes it and however.

They belong to the writer's own transaction. A trigger replaces the version of the whole content and of the cache tags
that the changed row has, and adds the objects whose derived data is now out of date to the queue of `Stale`. It calls
no function of ours, so that any other client of the database can write. `migrate` drops the triggers of tables that it
rebuilds, and they are installed again after it. A digest of the statement ends the name of each trigger, so that a
changed one is replaced.

Nobody can write a version of their own choice, or an old one that is written back would make pages of that time current
again: whatever is written, a trigger puts a new version in its place.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from rlm_site.page_cache.versions import ROW_VERSION_TABLE, STALE_TABLE, VERSION_TABLE
from rlm_site.page_cache.watch import WATCHED, WatchedTable

_others: list[Callable[[BaseDatabaseWrapper], Iterable[tuple[str, str, str]]]] = []

EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def register(statements: Callable[[BaseDatabaseWrapper], Iterable[tuple[str, str, str]]]) -> None:
    """Have these triggers installed and checked too: table, name and statement of each. The name begins `rules_`."""
    _others.append(statements)


def install_triggers(using: str = "default") -> bool:
    """Create missing triggers and drop those that no table needs any more; return whether any was missing."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {VERSION_TABLE, ROW_VERSION_TABLE, STALE_TABLE} <= tables:
        return False  # migrated back to before these tables
    needed = {name: statement for name, (table, statement) in _statements(connection).items() if table in tables}
    installed = _installed(connection)
    missing = needed.keys() - installed.keys()
    _drop(connection, {name: installed[name] for name in installed.keys() - needed.keys()})
    with connection.cursor() as cursor:
        for name in sorted(missing):
            cursor.execute(needed[name])
        for statement in _first_versions(connection, tables):
            cursor.execute(statement)
    if missing:  # nobody knows what changed without them
        renew_versions(using)
    return bool(missing)


def drop_triggers(using: str = "default") -> None:
    """Drop all triggers of ours, whose columns a migration may be about to take away."""
    connection = connections[using]
    _drop(connection, _installed(connection))


def _drop(connection: BaseDatabaseWrapper, installed: Mapping[str, str]) -> None:
    with connection.cursor() as cursor:
        for name, table in installed.items():
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER {name} ON {table}; DROP FUNCTION IF EXISTS {name}()")
            else:
                cursor.execute(f"DROP TRIGGER {name}")


def renew_versions(using: str = "default") -> None:
    """Replace every version, so that no page in the memory of any server is current."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in (VERSION_TABLE, ROW_VERSION_TABLE):
            cursor.execute(f"UPDATE {table} SET token = {_DIALECTS[connection.vendor].next_version}")


def tables_without_trigger(using: str = "default") -> list[str]:
    """Return the names of existing tables whose changes would go unnoticed."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    installed = _installed(connection)
    needed = _statements(connection).items()
    return sorted({table for name, (table, _statement) in needed if table in tables and name not in installed})


def _installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the triggers of ours that are in the database: name -> table."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgname ~ '^(fresh|rules)_' AND pg_table_is_visible(tgrelid)"
        )
    else:
        query = (
            "SELECT name, tbl_name FROM sqlite_master"
            " WHERE type = 'trigger' AND (name GLOB 'fresh_*' OR name GLOB 'rules_*')"
        )
    with connection.cursor() as cursor:
        cursor.execute(query, [])
        return dict(cursor.fetchall())


def _statements(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    """Return all triggers that tables need: name -> table and statement."""
    build, build_guards = {
        "postgresql": (_postgresql, _postgresql_guards),
        "sqlite": (_sqlite, _sqlite_guards),
    }[connection.vendor]
    found = [
        (table, f"fresh_{table}_{event}", statement)
        for table, statements_of_table in [
            *((entry.table, build(entry)) for entry in WATCHED.values()),
            *((table, build_guards(table)) for table in (VERSION_TABLE, ROW_VERSION_TABLE)),
        ]
        for event, statement in statements_of_table
    ]
    statements = {}
    for table, stem, statement in [*found, *(each for build_others in _others for each in build_others(connection))]:
        digest = hashlib.sha256(statement.encode()).hexdigest()[:8]
        statements[f"{stem}_{digest}"] = (table, statement.replace("NAME", f"{stem}_{digest}"))
    return statements


def _first_versions(connection: BaseDatabaseWrapper, tables: Collection[str]) -> Iterator[str]:
    """Yield statements that insert missing versions. Triggers replace versions and insert only those of new rows."""
    new_version = _DIALECTS[connection.vendor].new_version
    names = {"all", *(tag.name for entry in WATCHED.values() for tag in entry.tags if not tag.column)}
    for name in sorted(names):
        yield _insert_version(VERSION_TABLE, f"'{name}'", new_version)
    for entry in WATCHED.values():
        for tag in entry.tags:
            if tag.column == entry.key and entry.table in tables:
                name = f"'{tag.name}:' || {tag.column}"
                yield _insert_version(ROW_VERSION_TABLE, name, new_version, f"FROM {entry.table}")


def _insert_version(table: str, name: str, new_version: str, source: str = "") -> str:
    # no conflict clause: in a trigger on SQLite an outer INSERT OR IGNORE would override it
    is_missing = f"NOT EXISTS (SELECT 1 FROM {table} WHERE name = {name})"
    return f"INSERT INTO {table} (name, token) SELECT {name}, {new_version} {source} WHERE {is_missing}"


class _Dialect(NamedTuple):
    new_version: str
    next_version: str  # after the one in the row
    differs_from: str
    once_per_transaction: str = ""


_UUID = "replace(CAST(gen_random_uuid() AS text), '-', '')"
_DIALECTS = {
    # The next version begins as the one before it ends; so a trigger knows an older one that somebody writes back.
    "sqlite": _Dialect(
        "lower(hex(randomblob(20)))", "substr(token, -12) || lower(hex(randomblob(14)))", differs_from="IS NOT"
    ),
    # A version replaced once for each changed row would leave as many dead tuples for readers to pass.
    "postgresql": _Dialect(
        _UUID,
        _UUID,
        "IS DISTINCT FROM",
        once_per_transaction=" AND xmin <> CAST(pg_current_xact_id() AS xid)",
    ),
}


def _renewal_statements(entry: WatchedTable, rows: Sequence[str], dialect: _Dialect) -> Iterator[str]:
    """Yield statements that replace versions; `rows` are those of OLD and NEW that the event has.

    `all` comes first: until the transaction ends its row is the lock that keeps others from the rest.
    """
    once = dialect.once_per_transaction
    yield f"UPDATE {VERSION_TABLE} SET token = {dialect.next_version} WHERE name = 'all'{once}"
    for tag in entry.tags:
        if tag.column:
            table, names = ROW_VERSION_TABLE, ", ".join(f"'{tag.name}:' || {row}.{tag.column}" for row in rows)
        else:
            table, names = VERSION_TABLE, f"'{tag.name}'"
        statement = f"UPDATE {table} SET token = {dialect.next_version} WHERE name IN ({names}){once}"
        if tag.of_columns and len(rows) == 2:
            changed = " OR ".join(f"OLD.{column} {dialect.differs_from} NEW.{column}" for column in tag.of_columns)
            statement += f" AND ({changed})"
        yield statement


def _stale_statements(entry: WatchedTable, rows: Sequence[str]) -> Iterator[str]:
    for kind, column in entry.stale:
        ids = " UNION ".join(f"SELECT '{kind}', {row}.{column} WHERE {row}.{column} IS NOT NULL" for row in rows)
        yield f"INSERT INTO {STALE_TABLE} (kind, object_id) {ids}"


def _named_tags(entry: WatchedTable) -> str:
    """Return `all` and the tags with a name alone, as a list in SQL."""
    return ", ".join(f"'{name}'" for name in ["all", *(tag.name for tag in entry.tags if not tag.column)])


def _of_columns(entry: WatchedTable) -> str:
    return " OF " + ", ".join(f'"{column}"' for column in entry.columns()) if entry.ignoring else ""


def _only(entry: WatchedTable, rows: Sequence[str]) -> str:
    """Return the condition that a row has the value of `only`, empty where every row counts."""
    if entry.only is None:
        return ""
    column, value = entry.only
    return f"'{value}' IN ({', '.join(f'{row}.{column}' for row in rows)})"


def _sqlite(entry: WatchedTable) -> Iterator[tuple[str, str]]:
    dialect = _DIALECTS["sqlite"]
    for event, rows in EVENTS.items():
        renewals = list(_renewal_statements(entry, rows, dialect))
        stale = list(_stale_statements(entry, rows))
        if event == "INSERT":
            renewals += [
                _insert_version(ROW_VERSION_TABLE, f"'{tag.name}:' || NEW.{tag.column}", dialect.new_version)
                for tag in entry.tags
                if tag.column == entry.key
            ]
        of_columns = _of_columns(entry) if event == "UPDATE" else ""
        after = f"CREATE TRIGGER NAME AFTER {event}{of_columns} ON {entry.table}"
        if only := _only(entry, rows):
            yield event.lower(), f"{after} WHEN {only} {_body(renewals)}"
            if stale:
                yield f"{event.lower()}_stale", f"{after} {_body(stale)}"
        else:
            yield event.lower(), f"{after} {_body([*renewals, *stale])}"
    if entry.stale or any(tag.column for tag in entry.tags):
        yield from _sqlite_replacing(entry)


def _body(statements: Iterable[str]) -> str:
    return f"BEGIN {' '.join(f'{statement};' for statement in statements)} END"


def _sqlite_replacing(entry: WatchedTable) -> Iterator[tuple[str, str]]:
    """Yield triggers for rows that REPLACE is about to remove: SQLite runs no trigger of their deletion."""
    next_version = _DIALECTS["sqlite"].next_version
    same = [" AND ".join(f"{column} IS NEW.{column}" for column in columns) for columns in entry.unique_columns()]
    for event in ("INSERT", "UPDATE"):
        replaced = f"FROM {entry.table} WHERE ({' OR '.join(same)})"
        if event == "UPDATE":
            replaced += f" AND {entry.key} IS NOT OLD.{entry.key}"
        shown = f"{replaced} AND {entry.only[0]} = '{entry.only[1]}'" if entry.only else replaced
        renewals = [f"UPDATE {VERSION_TABLE} SET token = {next_version} WHERE name IN ({_named_tags(entry)})"]
        renewals += [
            f"UPDATE {ROW_VERSION_TABLE} SET token = {next_version}"
            f" WHERE name IN (SELECT '{tag.name}:' || {tag.column} {shown})"
            for tag in entry.tags
            if tag.column
        ]
        stale = [
            f"INSERT INTO {STALE_TABLE} (kind, object_id) SELECT '{kind}', {column} {replaced} AND {column} IS NOT NULL"
            for kind, column in entry.stale
        ]
        name, before = f"before_{event.lower()}", f"CREATE TRIGGER NAME BEFORE {event} ON {entry.table} WHEN EXISTS"
        if entry.only and stale:
            yield name, f"{before} (SELECT 1 {shown}) {_body(renewals)}"
            yield f"{name}_stale", f"{before} (SELECT 1 {replaced}) {_body(stale)}"
        else:
            yield name, f"{before} (SELECT 1 {shown}) {_body([*renewals, *stale])}"


def _postgresql(entry: WatchedTable) -> Iterator[tuple[str, str]]:
    # Versions are replaced when the transaction commits: writers lock them for an instant and never wait for each
    # other's work. OLD is null in an INSERT and NEW in a DELETE.
    dialect = _DIALECTS["postgresql"]
    rows = ("OLD", "NEW")
    events = f"INSERT OR UPDATE{_of_columns(entry)} OR DELETE"
    renewals = list(_renewal_statements(entry, rows, dialect))
    renewals += [
        _insert_version(ROW_VERSION_TABLE, f"'{tag.name}:' || NEW.{tag.column}", dialect.new_version)
        + " AND TG_OP = 'INSERT'"
        for tag in entry.tags
        if tag.column == entry.key
    ]
    only = _only(entry, rows)
    yield (
        "version",
        _function(renewals, only)
        + f"CREATE CONSTRAINT TRIGGER NAME AFTER {events} ON {entry.table} DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION NAME()",
    )
    renewals = [f"UPDATE {VERSION_TABLE} SET token = {dialect.next_version} WHERE name IN ({_named_tags(entry)})"]
    renewals += [
        f"UPDATE {ROW_VERSION_TABLE} SET token = {dialect.next_version} WHERE name LIKE '{name}:%'"
        for name in sorted({tag.name for tag in entry.tags if tag.column})
    ]
    yield (
        "truncate",
        _function(renewals)
        + f"CREATE TRIGGER NAME AFTER TRUNCATE ON {entry.table} FOR EACH STATEMENT EXECUTE FUNCTION NAME()",
    )
    if entry.stale:
        yield (
            "stale",
            _function(_stale_statements(entry, rows))
            + f"CREATE TRIGGER NAME AFTER {events} ON {entry.table} FOR EACH ROW EXECUTE FUNCTION NAME()",
        )


def _sqlite_guards(table: str) -> Iterator[tuple[str, str]]:
    """Yield triggers that replace versions which are not the next ones; what they write themselves is."""
    body = _body([f"UPDATE {table} SET token = {_DIALECTS['sqlite'].next_version} WHERE name = NEW.name"])
    yield "insert", f"CREATE TRIGGER NAME AFTER INSERT ON {table} {body}"
    is_not_next = "substr(NEW.token, 1, 12) IS NOT substr(OLD.token, -12)"
    yield "update", f"CREATE TRIGGER NAME AFTER UPDATE ON {table} WHEN {is_not_next} {body}"


def _postgresql_guards(table: str) -> Iterator[tuple[str, str]]:
    body = f"BEGIN NEW.token := {_DIALECTS['postgresql'].new_version}; RETURN NEW; END"
    yield (
        "guard",
        f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$; "
        f"CREATE TRIGGER NAME BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION NAME()",
    )


def _function(statements: Iterable[str], only: str = "") -> str:
    body = " ".join(f"{statement};" for statement in statements)
    if only:
        body = f"IF {only} THEN {body} END IF;"
    body = f"BEGIN {body} RETURN NULL; END"
    return f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$; "
