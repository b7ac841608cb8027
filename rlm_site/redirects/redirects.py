"""Permanent paths: a former path of a public row leads to its present one.

Indexing a row records its present path, so that every rename is noticed, whoever made it. What a path leads to is
decided when it is asked for: to the present path of the last of its owners that is public then. A page found at the
path takes precedence, so there are no chains or loops; when it is public no more, the path leads where it led before.

The paths of a deleted row outlive it, if readers had seen it: that is how they can be told that it is gone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.redirects.models import Address

Ids = Collection[int]


class _Tracked(NamedTuple):
    rows: Any  # queryset with `published(now)`
    published: Callable[[], Any]  # queryset of the rows that are, were or will be public unless somebody changes them
    once_public: Callable[[Ids], Ids]  # those of deleted rows that readers had seen


_tracked: dict[str, _Tracked] = {}
_rows: dict[str, Any] = {}  # querysets of all rows whose deletion is remembered


def _all(ids: Ids) -> Ids:
    return ids


def track(kind: str, rows: Any, published: Callable[[], Any], once_public: Callable[[Ids], Ids] = _all) -> None:
    """Redirect former paths of these rows, recorded while they are among those `published`.

    Paths of deleted rows are kept if the rows are among those that `once_public` returns. Call it in
    `AppConfig.ready`.
    """
    _tracked[kind], _rows[kind] = _Tracked(rows, published, once_public), rows
    queue.register_indexer(kind, lambda ids: _record_paths(kind, ids))


def track_deleted(kind: str, rows: Any, path: Callable[[int], str], once_public: Callable[[Ids], Ids]) -> None:
    """Remember which of these rows were deleted, where the path of each follows from its id and needs no redirects.

    Call it in `AppConfig.ready`, before what `once_public` looks at is removed by its own indexer.
    """

    def record_deleted(ids: Sequence[int]) -> None:
        there = _existing(kind, ids)
        Address.objects.filter(kind=kind, object_id__in=there).delete()  # of those that were recovered
        if gone := set(ids) - there:
            deleted = [Address(path=path(pk), kind=kind, object_id=pk) for pk in sorted(once_public(gone))]
            Address.objects.bulk_create(deleted, ignore_conflicts=True)

    _rows[kind] = rows
    queue.register_indexer(kind, record_deleted)


def _record_paths(kind: str, ids: Sequence[int]) -> None:
    rows, published, once_public = _tracked[kind]
    present = rows.in_bulk(ids)
    with collect_dependencies():  # of no page, though one may have asked for the indexing
        public = set(rows.published(timezone.now()).filter(pk__in=ids).values_list("pk", flat=True))
    recorded = public | set(published().filter(pk__in=ids).values_list("pk", flat=True))
    paths = {pk: row.get_absolute_url() for pk, row in present.items() if pk in recorded}
    if gone := set(ids) - present.keys():
        Address.objects.filter(kind=kind, object_id__in=gone - set(once_public(gone))).delete()
    record(kind, paths, public)


def record(kind: str, paths: Mapping[int, str], public: Ids) -> None:
    """Record the present paths of rows.

    A public row becomes the last owner of its path. One that is not public now only gets a path that nobody owns.
    """
    known = _owners(paths.values())
    there = _with_rows(known)
    new, replaced = [], []
    for object_id, path in paths.items():
        owner, before = (kind, object_id), [address for address in known.get(path, []) if address.owner in there]
        if (not before or before[0].owner != owner) if object_id in public else not before:
            new.append(Address(path=path, kind=kind, object_id=object_id))
            replaced += [address.pk for address in before if address.owner == owner]
    Address.objects.filter(pk__in=replaced).delete()
    Address.objects.bulk_create(new)


class Found(NamedTuple):
    """What is known of a path at which readers find no page."""

    target: str = ""  # the present path of the public row that they are led to
    is_deleted: bool = False  # whether there was a page that they had seen, and it is deleted


def find(path: str, now: datetime) -> Found:
    """Return the public row that was once found at `path`, or is found there as it is meant, or what became of it.

    As many queries for a path that never was public, whether there is something at it in secret or nothing at all.
    """
    meant = as_meant(path)
    owners = _owners({path, meant})
    public = _public(owners, now)
    row = _first(owners.get(path, ()), public, elsewhere_than=path)
    if row is None and meant != path:
        row = _first(owners.get(meant, ()), public)
    if row is not None:
        return Found(str(row.get_absolute_url()))
    hidden = {address.owner for of_path in owners.values() for address in of_path} - public.keys()
    there = _with_rows(owners)  # asked in any case, so that the time it takes tells nothing
    return Found(is_deleted=not hidden <= there)


def as_meant(path: str) -> str:
    """Return a path without capitals and without what a sentence had behind it: `/Yarle/).` is `/yarle/`."""
    return path.rstrip("/.,;:!?…)]}>\"'”’»").lower() + "/"


def find_targets(paths: Iterable[str], now: datetime, present_too: bool = False) -> dict[str, Any]:
    """Return, by path, the public row that readers of a former path are led to; with `present_too` of any path.

    A query, and one for each kind; one for a path without owners, too, so that the time it takes tells nothing.
    """
    owners = _owners(paths)
    public = _public(owners, now)
    found = {path: _first(of_path, public, "" if present_too else path) for path, of_path in owners.items()}
    return {path: row for path, row in found.items() if row is not None}


def _public(owners: Mapping[str, list[Address]], now: datetime) -> dict[tuple[str, int], Any]:
    """Return the public ones of the owners."""
    return {
        (kind, pk): row
        for kind, ids in _by_kind(owners, _tracked).items()
        for pk, row in _tracked[kind].rows.published(now).in_bulk(ids).items()
    }


def _first(of_path: Iterable[Address], public: Mapping[tuple[str, int], Any], elsewhere_than: str = "") -> Any:
    """Return the last of the owners of a path that is public, and whose present path is another than this."""
    rows = (public[address.owner] for address in of_path if address.owner in public)
    return next((row for row in rows if row.get_absolute_url() != elsewhere_than), None)


def _owners(paths: Iterable[str]) -> dict[str, list[Address]]:
    """Return the owners of these paths, the last one first; a path without any is left out."""
    owners: dict[str, list[Address]] = {}
    for address in Address.objects.filter(path__in=set(paths)).order_by("-id"):
        owners.setdefault(address.path, []).append(address)
    return owners


def _by_kind(owners: Mapping[str, list[Address]], kinds: Mapping[str, Any]) -> dict[str, set[int]]:
    """Return the ids of owners of these kinds; without any, one that nobody has, so that a query is made as well."""
    found: dict[str, set[int]] = {}
    for kind, object_id in {address.owner for of_path in owners.values() for address in of_path}:
        if kind in kinds:
            found.setdefault(kind, set()).add(object_id)
    return found or {next(iter(kinds)): {0}}


def _with_rows(owners: Mapping[str, list[Address]]) -> set[tuple[str, int]]:
    """Return the owners that are there, in whatever state. A query for each kind."""
    return {(kind, pk) for kind, ids in _by_kind(owners, _rows).items() for pk in _existing(kind, ids)}


def _existing(kind: str, ids: Ids) -> set[int]:
    return set(_rows[kind].filter(pk__in=ids).values_list("pk", flat=True))
