"""Triggers that notice every change of what pages are made of, whoever writes it and however.

In the writer's own transaction they give the content version a new random token (it is compared for equality only
and never repeats) and append what must be derived anew to `Stale`. They call no function of ours, so that any other
client of the database can write. `migrate` drops triggers of a table that it rebuilds, so they are put back after it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

VERSION = "rlm_site_contentversion"
STALE = "rlm_site_stale"
EVENTS = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Watch:
    """A table that pages are made of. `stale` pairs a kind with the column that holds the id of such an object."""

    model: type[models.Model]
    stale: tuple[tuple[str, str], ...] = ()
    ignoring: frozenset[str] = frozenset()

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @property
    def app(self) -> str:
        return self.model._meta.app_label

    def columns(self) -> list[str]:
        columns = (field.column or "" for field in self.model._meta.concrete_fields)
        return [column for column in columns if column not in self.ignoring]


WATCHED: dict[str, Watch] = {}


def watch(model: type[models.Model], *stale: tuple[str, str], ignoring: Iterable[str] = ()) -> None:
    """Declare in `AppConfig.ready` that pages show this table. Columns in `ignoring` are derived themselves."""
    entry = Watch(model, stale, frozenset(ignoring))
    WATCHED[entry.table] = entry


class State(NamedTuple):
    """What a page must know before anything else: tokens by app (and `all`), and whether derived data is behind."""

    versions: dict[str, str]
    stale: bool
    committed: bool = True  # read outside of any transaction, whose own changes the tokens do not tell yet

    def of(self, *apps: str) -> str:
        """One string that changes whenever something of these apps does; empty where nothing may be remembered."""
        if not self.committed:
            return ""
        return " ".join(self.versions.get(app, "-") for app in apps)


_read: ContextVar[State | None] = ContextVar("state that a request began with", default=None)


@contextmanager
def read_once(using: str = "default") -> Iterator[State]:
    """Read the state now; until the block ends it is what `state` answers."""
    state = _fetch_state(connections[using])
    token = _read.set(state)
    try:
        yield state
    finally:
        _read.reset(token)


def state(using: str = "default", anew: bool = False) -> State:
    """One query, or none within `read_once`. The same token of an app: nothing of it that pages show has changed."""
    known = None if anew else _read.get()
    return known or _fetch_state(connections[using])


def _fetch_state(connection: BaseDatabaseWrapper) -> State:
    try:
        rows = _rows_of_state(connection)
    except connection.Database.Error:  # type: ignore[attr-defined]
        if connection.in_atomic_block:
            raise
        connection.close()  # the server closed it meanwhile
        rows = _rows_of_state(connection)
    versions = dict(rows)
    return State(versions, versions.pop("", "") == "stale", not connection.in_atomic_block)


def _rows_of_state(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    question = f"SELECT name, token FROM {VERSION} UNION ALL SELECT '', 'stale' WHERE EXISTS (SELECT 1 FROM {STALE})"
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchall()
    connection.ensure_connection()
    # straight to the driver: on the way to a page in memory every layer would be a good part of the time
    rows: list[tuple[str, str]] = connection.connection.execute(question).fetchall()
    return rows


def install(using: str = "default") -> None:
    """Make the triggers that are missing and drop those that no table wants; changes nothing when all is well."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if not {VERSION, STALE} <= tables:
        return  # migrated back to before they were made
    wanted = {name: statement for name, (table, statement) in _statements(connection).items() if table in tables}
    present = _present(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql" and wanted.keys() - present.keys():
            cursor.execute(_POSTGRESQL_FUNCTIONS)
        for name in present.keys() - wanted.keys():
            on_table = f" ON {present[name]}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on_table}")
        for name in wanted.keys() - present.keys():
            cursor.execute(wanted[name])


def missing(using: str = "default") -> list[str]:
    """Names of existing tables whose changes would go unnoticed."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    present = _present(connection)
    wanted = _statements(connection).items()
    return sorted({table for name, (table, _statement) in wanted if table in tables and name not in present})


def _statements(connection: BaseDatabaseWrapper) -> dict[str, tuple[str, str]]:
    """Trigger name -> table and statement. A digest ends the name, so that a changed statement has another."""
    build = _postgresql if connection.vendor == "postgresql" else _sqlite
    statements = {}
    for entry in WATCHED.values():
        for event, statement in build(entry):
            digest = hashlib.sha256((statement + _POSTGRESQL_FUNCTIONS).encode()).hexdigest()[:8]
            name = f"fresh_{entry.table}_{event.lower()}_{digest}"
            statements[name] = (entry.table, statement.replace("NAME", name, 1))
    return statements


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


def _sqlite(entry: Watch) -> Iterable[tuple[str, str]]:
    # An outer INSERT OR IGNORE would override a conflict clause in here: none is used.
    renew = "".join(
        f"UPDATE {VERSION} SET token = lower(hex(randomblob(16))) WHERE name = '{name}'; "
        f"INSERT INTO {VERSION} (name, token) SELECT '{name}', lower(hex(randomblob(16)))"
        f" WHERE NOT EXISTS (SELECT 1 FROM {VERSION} WHERE name = '{name}'); "
        for name in ("all", entry.app)
    )
    rows_of = {"INSERT": ["NEW"], "DELETE": ["OLD"], "UPDATE": ["OLD", "NEW"]}
    for event in EVENTS:
        of_columns = (
            " OF " + ", ".join(f'"{c}"' for c in entry.columns()) if event == "UPDATE" and entry.ignoring else ""
        )
        append = "".join(
            f"INSERT INTO {STALE} (kind, object_id) "
            + " UNION ".join(f"SELECT '{kind}', {row}.{column}" for row in rows_of[event])
            + "; "
            for kind, column in entry.stale
        )
        yield event, f"CREATE TRIGGER NAME AFTER {event}{of_columns} ON {entry.table} BEGIN {renew}{append}END"


# The version is renewed once a transaction and only when it commits: writers hold its row for an instant, in one
# order, and never wait for each other's work.
_POSTGRESQL_FUNCTIONS = f"""
CREATE OR REPLACE FUNCTION rlm_site_renew_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  renewed text := coalesce(current_setting('rlm_site.renewed', true), '');
  done text := pg_current_xact_id()::text || ' ' || TG_ARGV[0] || ';';
BEGIN
  IF position(done in renewed) = 0 THEN
    INSERT INTO {VERSION} (name, token)
      SELECT name, replace(gen_random_uuid()::text, '-', '') FROM unnest(ARRAY['all', TG_ARGV[0]]) AS name ORDER BY name
      ON CONFLICT (name) DO UPDATE SET token = EXCLUDED.token;
    PERFORM set_config('rlm_site.renewed', renewed || done, true);
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION rlm_site_append_stale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 0 .. TG_NARGS - 1 BY 2 LOOP
    IF TG_OP <> 'INSERT' THEN
      EXECUTE format('INSERT INTO {STALE} (kind, object_id) SELECT $1, ($2).%I', TG_ARGV[i + 1]) USING TG_ARGV[i], OLD;
    END IF;
    IF TG_OP <> 'DELETE' THEN
      EXECUTE format('INSERT INTO {STALE} (kind, object_id) SELECT $1, ($2).%I', TG_ARGV[i + 1]) USING TG_ARGV[i], NEW;
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
"""


def _postgresql(entry: Watch) -> Iterable[tuple[str, str]]:
    of_columns = " OF " + ", ".join(f'"{c}"' for c in entry.columns()) if entry.ignoring else ""
    events = f"INSERT OR UPDATE{of_columns} OR DELETE"
    yield (
        "version",
        f"CREATE CONSTRAINT TRIGGER NAME AFTER {events} ON {entry.table} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION rlm_site_renew_version('{entry.app}')",
    )
    yield (
        "truncate",
        f"CREATE TRIGGER NAME AFTER TRUNCATE ON {entry.table}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION rlm_site_renew_version('{entry.app}')",
    )
    if entry.stale:
        arguments = ", ".join(f"'{kind}', '{column}'" for kind, column in entry.stale)
        yield (
            "stale",
            f"CREATE TRIGGER NAME AFTER {events} ON {entry.table}"
            f" FOR EACH ROW EXECUTE FUNCTION rlm_site_append_stale({arguments})",
        )
