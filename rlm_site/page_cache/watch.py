"""Declares which tables readers' pages show, and which cache tags a change of each of them belongs to."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import models

from rlm_site.publishing.models import Publishable


@dataclass(frozen=True)
class CacheTag:
    """A name for content that changes together: its version is replaced with every change of a watched table.

    `CacheTag("quotes")` is one tag for all rows. `CacheTag("article", "parent_id")` is a tag for each id in that
    column, in the row as it was and as it is: `article:5`. With `of_columns` an update counts only if it changes one
    of these columns.
    """

    name: str
    column: str = ""
    of_columns: tuple[str, ...] = ()


# A tag of every Publishable: the moments at which rows become public or stop being public.
DUE = CacheTag("due", of_columns=("published", "publish_at", "retire_at"))


@dataclass(frozen=True)
class WatchedTable:
    """A table that pages show."""

    model: type[models.Model]
    tags: tuple[CacheTag, ...] = ()
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
        """Yield the lists of columns whose values no two rows share."""
        columns = {field.name: field.column or "" for field in self.model._meta.concrete_fields}
        yield from ([columns[field.name]] for field in self.model._meta.concrete_fields if field.unique)
        yield from ([columns[name] for name in each.fields] for each in self.model._meta.total_unique_constraints)


WATCHED: dict[str, WatchedTable] = {}


def watch(
    model: type[models.Model],
    *tags: CacheTag,
    stale: Sequence[tuple[str, str]] = (),
    ignoring: Iterable[str] = (),
    only: tuple[str, str] | None = None,
) -> None:
    """Declare in `AppConfig.ready` that pages show this table, and which cache tags a change of its rows belongs to.

    `stale` names the objects whose derived data is out of date after a change: pairs of a kind and the column with the
    object's id. An update of columns in `ignoring` alone does not count. With `only`, a column and a value, changes of
    rows that do not have this value belong to no cache tag.
    """
    if issubclass(model, Publishable):
        tags += (DUE,)
    entry = WatchedTable(model, tags, tuple(stale), frozenset(ignoring), only)
    WATCHED[entry.table] = entry
