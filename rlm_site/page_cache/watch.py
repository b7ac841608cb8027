from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import models

from rlm_site.publishing.models import Publishable


@dataclass(frozen=True)
class CacheTag:
    """Content whose token is renewed with a watched table.

    `Part("quotes")` is one part, whatever row is written. `Part("article", "parent_id")` is one for each id in that
    column, of the row as it was and as it is: `article:5`. With `of_columns` an update counts only if it changes one of
    these.
    """

    name: str
    column: str = ""
    of_columns: tuple[str, ...] = ()


# Of every Publishable: when the clock alone makes rows public and retires them.
DUE = CacheTag("due", of_columns=("published", "publish_at", "retire_at"))


@dataclass(frozen=True)
class WatchedTable:
    """A table that pages are made of."""

    model: type[models.Model]
    parts: tuple[CacheTag, ...] = ()
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


WATCHED: dict[str, WatchedTable] = {}


def watch(
    model: type[models.Model],
    *parts: CacheTag,
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
    entry = WatchedTable(model, parts, tuple(stale), frozenset(ignoring), only)
    WATCHED[entry.table] = entry
