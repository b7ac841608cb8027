import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from rlm_site.page_cache.versions import PART_TABLE, STALE_TABLE, VERSION_TABLE
from rlm_site.page_cache.watch import WATCHED, WatchedTable

EVENTS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def install_triggers(using: str = "default") -> None:
    """Make the triggers that are missing and drop those that no table wants; changes nothing when all is well."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {VERSION_TABLE, PART_TABLE, STALE_TABLE} <= tables:
        return  # migrated back to before they were made
    wanted = {name: statement for name, (table, statement) in _wanted(connection).items() if table in tables}
    present = _installed(connection)
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
        renew_versions(using)


def renew_versions(using: str = "default") -> None:
    """Give everything a new token, so that no page in the memory of any server stands."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in (VERSION_TABLE, PART_TABLE):
            cursor.execute(f"UPDATE {table} SET token = {_DIALECTS[connection.vendor].token}")


def tables_without_trigger(using: str = "default") -> list[str]:
    """Names of existing tables whose changes would go unnoticed."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    present = _installed(connection)
    wanted = _wanted(connection).items()
    return sorted({table for name, (table, _statement) in wanted if table in tables and name not in present})


def _installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
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


def _wanted(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
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
        yield _insert_token(VERSION_TABLE, f"'{name}'", token)
    for entry in WATCHED.values():
        for part in entry.parts:
            if part.column == entry.key and entry.table in tables:
                yield _insert_token(PART_TABLE, f"'{part.name}:' || {part.column}", token, f"FROM {entry.table}")


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


def _renewal_statements(entry: WatchedTable, rows: Sequence[str], dialect: _Dialect) -> Iterator[str]:
    """What a trigger does with tokens; `rows` are those of OLD and NEW that there are.

    `all` comes first: until the end of a transaction it is the lock that lets no other past it to the rest.
    """
    yield f"UPDATE {VERSION_TABLE} SET token = {dialect.token} WHERE name = 'all'{dialect.once}"
    for part in entry.parts:
        if part.column:
            table, names = PART_TABLE, ", ".join(f"'{part.name}:' || {row}.{part.column}" for row in rows)
        else:
            table, names = VERSION_TABLE, f"'{part.name}'"
        statement = f"UPDATE {table} SET token = {dialect.token} WHERE name IN ({names}){dialect.once}"
        if part.of_columns and len(rows) == 2:
            differ = " OR ".join(f"OLD.{column} {dialect.differ} NEW.{column}" for column in part.of_columns)
            statement += f" AND ({differ})"
        yield statement


def _stale_statements(entry: WatchedTable, rows: Sequence[str]) -> Iterator[str]:
    for kind, column in entry.stale:
        ids = " UNION ".join(f"SELECT '{kind}', {row}.{column} WHERE {row}.{column} IS NOT NULL" for row in rows)
        yield f"INSERT INTO {STALE_TABLE} (kind, object_id) {ids}"


def _of_columns(entry: WatchedTable) -> str:
    return " OF " + ", ".join(f'"{column}"' for column in entry.columns()) if entry.ignoring else ""


def _only(entry: WatchedTable, rows: Sequence[str]) -> str:
    """A condition, empty where there is none."""
    if entry.only is None:
        return ""
    column, value = entry.only
    return f"'{value}' IN ({', '.join(f'{row}.{column}' for row in rows)})"


def _sqlite(entry: WatchedTable) -> Iterator[tuple[str, str]]:
    dialect = _DIALECTS["sqlite"]
    for event, rows in EVENTS.items():
        statements = [*_renewal_statements(entry, rows, dialect), *_stale_statements(entry, rows)]
        if event == "INSERT":
            statements += [
                _insert_token(PART_TABLE, f"'{part.name}:' || NEW.{part.column}", dialect.token)
                for part in entry.parts
                if part.column == entry.key
            ]
        of_columns = _of_columns(entry) if event == "UPDATE" else ""
        when = f" WHEN {only}" if (only := _only(entry, rows)) else ""
        body = " ".join(f"{statement};" for statement in statements)
        yield event.lower(), f"CREATE TRIGGER NAME AFTER {event}{of_columns} ON {entry.table}{when} BEGIN {body} END"
    if entry.stale or any(part.column for part in entry.parts):
        yield from _sqlite_replacing(entry)


def _sqlite_replacing(entry: WatchedTable) -> Iterator[tuple[str, str]]:
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
        statements = [f"UPDATE {VERSION_TABLE} SET token = {token} WHERE name IN ({named})"]
        statements += [
            f"UPDATE {PART_TABLE} SET token = {token} WHERE name IN (SELECT '{part.name}:' || {part.column} {cleared})"
            for part in entry.parts
            if part.column
        ]
        statements += [
            f"INSERT INTO {STALE_TABLE} (kind, object_id) SELECT '{kind}', {column} {cleared}"
            for kind, column in entry.stale
        ]
        body = " ".join(f"{statement};" for statement in statements)
        yield (
            f"before_{event.lower()}",
            f"CREATE TRIGGER NAME BEFORE {event} ON {entry.table} WHEN EXISTS (SELECT 1 {cleared}) BEGIN {body} END",
        )


def _postgresql(entry: WatchedTable) -> Iterator[tuple[str, str]]:
    # Tokens are renewed when the transaction commits: writers hold them for an instant and never wait for each other's
    # work. OLD is null in an INSERT and NEW in a DELETE.
    dialect = _DIALECTS["postgresql"]
    rows = ("OLD", "NEW")
    events = f"INSERT OR UPDATE{_of_columns(entry)} OR DELETE"
    renew = list(_renewal_statements(entry, rows, dialect))
    renew += [
        _insert_token(PART_TABLE, f"'{part.name}:' || NEW.{part.column}", dialect.token) + " AND TG_OP = 'INSERT'"
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
    renew = [f"UPDATE {VERSION_TABLE} SET token = {dialect.token} WHERE name IN ({names})"]
    renew += [
        f"UPDATE {PART_TABLE} SET token = {dialect.token} WHERE name LIKE '{name}:%'"
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
            _function(_stale_statements(entry, rows), only)
            + f"CREATE TRIGGER NAME AFTER {events} ON {entry.table} FOR EACH ROW EXECUTE FUNCTION NAME()",
        )


def _function(statements: Iterable[str], only: str = "") -> str:
    body = " ".join(f"{statement};" for statement in statements)
    if only:
        body = f"IF {only} THEN {body} END IF;"
    body = f"BEGIN {body} RETURN NULL; END"
    return f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$; "
