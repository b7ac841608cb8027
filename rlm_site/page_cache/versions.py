"""Content versions: random strings that triggers replace whenever the content with a certain cache tag changes.

Two equal versions mean that nothing has changed in between; no version ever comes back. `all` is the version of the
whole content. The others belong to the cache tags that apps declare with `watch`: tags with a name alone, such as
`references`, and tags of rows, such as `article:5`. In the database the column of a version is called `token`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import NamedTuple

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import RawSQL

VERSION_TABLE = "rlm_site_contentversion"  # versions of `all` and of the tags with a name alone
ROW_VERSION_TABLE = "rlm_site_partversion"  # versions of the tags of rows
STALE_TABLE = "rlm_site_stale"


class Versions(NamedTuple):
    """Content versions at one moment: of `all`, of all named tags, and of the row tags that were asked for."""

    versions: dict[str, str]
    stale: bool  # some derived data is older than these versions
    committed: bool = True  # False within a transaction, whose own changes may not have new versions yet

    def combined(self, *tags: str) -> str:
        """Return one string that is different after a change of any of these; empty where nothing may be cached."""
        if not self.committed or not self.versions.keys() >= set(tags):
            return ""
        return " ".join(self.versions[tag] for tag in tags)


UNKNOWN = Versions({}, stale=False)

_pinned: ContextVar[Versions | None] = ContextVar("versions that the request began with", default=None)


class _Read:
    """A read that is under way, or about to be: whoever has its lock for a moment knows that it has ended."""

    __slots__ = ("ended", "error", "result")

    def __init__(self) -> None:
        self.result = ""
        self.error: BaseException | None = None
        self.ended = Lock()
        self.ended.acquire()


class SharedRead:
    """A read that is made once for all who ask before it begins, one after the other."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._lock = Lock()
        self._next: _Read | None = None  # which has not begun

    def get(self, read: Callable[[], str]) -> str:
        """Return what is read from now on; nobody is given the result of a read that had begun before they asked."""
        with self._lock:
            shared = self._next
            if is_mine := shared is None:
                self._next = shared = _Read()
        if is_mine:
            with self._turn:
                with self._lock:
                    self._next = None  # who asks from now on needs a later one
                try:
                    shared.result = read()
                except BaseException as error:
                    shared.error = error
                shared.ended.release()
        else:
            with shared.ended:
                pass
        if shared.error is not None:
            raise shared.error
        return shared.result


_SHARED: defaultdict[str, SharedRead] = defaultdict(SharedRead)
_CONTENT_VERSION = f"SELECT name, token FROM {VERSION_TABLE} WHERE name = 'all'"


def content_version(using: str = "default") -> str:
    """Read the version of the whole content, one row; empty where no page may come from memory."""
    connection = connections[using]
    if connection.in_atomic_block:
        return ""

    if connection.vendor == "postgresql":  # it must be asked; SQLite reads its own memory in no time
        return _SHARED[using].get(lambda: _read_content_version(connection))
    return _read_content_version(connection)


def _read_content_version(connection: BaseDatabaseWrapper) -> str:
    driver = connection.connection
    if driver is not None:  # without the steps below: every one of them would be felt
        with suppress(connection.Database.Error):  # type: ignore[attr-defined]
            row = driver.execute(_CONTENT_VERSION).fetchone()
            return row[1] if row else ""
    rows = _rows_reconnecting(connection, _CONTENT_VERSION)
    return rows[0][1] if rows else ""


def read_versions(tags: Collection[str] = (), using: str = "default") -> Versions:
    """Read the versions as they are now, with those of these row tags; an unknown tag is left out. One query."""
    connection = connections[using]
    query = (
        f"SELECT name, token FROM {VERSION_TABLE}"
        f" UNION ALL SELECT '', 'stale' WHERE EXISTS (SELECT 1 FROM {STALE_TABLE})"
    )
    if tags:
        names = ", ".join(["%s"] * len(tags))
        query += f" UNION ALL SELECT name, token FROM {ROW_VERSION_TABLE} WHERE name IN ({names})"
    versions = dict(_rows_reconnecting(connection, query, sorted(tags)))
    return Versions(versions, versions.pop("", "") == "stale", not connection.in_atomic_block)


@contextmanager
def pinned_versions(tags: Collection[str] = (), using: str = "default") -> Iterator[Versions]:
    """Read the versions once; until the block ends, they are the ones that everybody sees. One query."""
    pinned = read_versions(tags, using)
    token = _pinned.set(pinned)
    try:
        yield pinned
    finally:
        _pinned.reset(token)


@contextmanager
def pin_when_read() -> Iterator[None]:
    """Pin what `current_versions` reads in this block, unless versions are pinned already. No query."""
    token = _pinned.set(_pinned.get() or UNKNOWN)
    try:
        yield
    finally:
        _pinned.reset(token)


def pin(versions: Versions) -> None:
    """Replace the pinned versions until the block ends that pinned them; do nothing outside such a block."""
    if _pinned.get() is not None:
        _pinned.set(versions)


def pinned_or_unknown() -> Versions:
    return _pinned.get() or UNKNOWN


def current_versions(using: str = "default") -> Versions:
    """Return the pinned versions; read and pin them where they are not known yet. At most one query."""
    if (pinned := pinned_or_unknown()).versions:
        return pinned
    current = read_versions(using=using)
    pin(current)
    return current


def version_of_row(tag: str, model: type[models.Model]) -> RawSQL:
    """Return an expression for `annotate`: the version of a row's own tag, read in the same moment as the row."""
    table, key = model._meta.db_table, model._meta.pk.column
    query = f"SELECT token FROM {ROW_VERSION_TABLE} WHERE name = '{tag}:' || {table}.{key}"
    return RawSQL(query, (), output_field=models.CharField())  # noqa: S611 - names of ours


def _rows_reconnecting(
    connection: BaseDatabaseWrapper, query: str, parameters: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Return the rows, on a new connection if the server has closed this one meanwhile."""
    try:
        return _rows(connection, query, parameters)
    except connection.Database.Error:  # type: ignore[attr-defined]
        if connection.in_atomic_block:
            raise
        connection.close()
        with connection.wrap_database_errors:
            return _rows(connection, query, parameters)


def _rows(connection: BaseDatabaseWrapper, query: str, parameters: Sequence[str]) -> list[tuple[str, str]]:
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return cursor.fetchall()
    # straight to the driver: for a page from memory, every layer would be a good part of the time
    if connection.connection is None:
        connection.ensure_connection()
    if parameters and connection.vendor == "sqlite":
        query = query.replace("%s", "?")
    rows: list[tuple[str, str]] = connection.connection.execute(query, parameters).fetchall()
    return rows
