"""Permanent paths: a former path of a public row leads to its present one.

Indexing a row records its present path, so that every rename is noticed, whoever made it. What a path leads to is
decided when it is asked for: to the present path of the last of its owners that is public then. A page found at the
path takes precedence, so there are no chains or loops; when it is public no more, the path leads where it led before.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.utils import timezone

from rlm_site.indexing import queue
from rlm_site.page_cache.dependencies import collect_dependencies
from rlm_site.redirects.models import Address


class _Tracked(NamedTuple):
    rows: Any  # queryset with `published(now)`
    published: Callable[[], Any]  # queryset of the rows that are, were or will be public unless somebody changes them


_tracked: dict[str, _Tracked] = {}


def track(kind: str, rows: Any, published: Callable[[], Any]) -> None:
    """Redirect former paths of these rows, recorded while they are among those `published`.

    Call it in `AppConfig.ready`.
    """
    _tracked[kind] = _Tracked(rows, published)
    queue.register_indexer(kind, lambda ids: _record_paths(kind, ids))


def _record_paths(kind: str, ids: Sequence[int]) -> None:
    rows, published = _tracked[kind]
    present = rows.in_bulk(ids)
    with collect_dependencies():  # of no page, though one may have asked for the indexing
        public = set(rows.published(timezone.now()).filter(pk__in=ids).values_list("pk", flat=True))
    recorded = public | set(published().filter(pk__in=ids).values_list("pk", flat=True))
    paths = {pk: row.get_absolute_url() for pk, row in present.items() if pk in recorded}
    record(kind, paths, public, gone=[pk for pk in ids if pk not in present])


def record(kind: str, paths: Mapping[int, str], public: Collection[int], gone: Sequence[int] = ()) -> None:
    """Record the present paths of rows, and remove the paths of deleted ones.

    A public row becomes the last owner of its path. One that is not public now only gets a path that nobody owns.
    """
    if gone:
        Address.objects.filter(kind=kind, object_id__in=gone).delete()
    known = _owners(paths.values())
    new, replaced = [], []
    for object_id, path in paths.items():
        owner, before = (kind, object_id), known.get(path, [])
        if (not before or before[0].owner != owner) if object_id in public else not before:
            new.append(Address(path=path, kind=kind, object_id=object_id))
            replaced += [address.pk for address in before if address.owner == owner]
    Address.objects.filter(pk__in=replaced).delete()
    Address.objects.bulk_create(new)


def find_target(path: str, now: datetime) -> str | None:
    """Return the present path of the public row that was once found at `path`, or is found there as it is meant."""
    meant = as_meant(path)
    row = find_targets([path], now).get(path)
    if row is None and meant != path:
        row = find_targets([meant], now, present_too=True).get(meant)
    return None if row is None else str(row.get_absolute_url())


def as_meant(path: str) -> str:
    """Return a path without capitals and without what a sentence had behind it: `/Vlasov/).` is `/vlasov/`."""
    return path.rstrip("/.,;:!?…)]}>\"'”’»").lower() + "/"


def find_targets(paths: Iterable[str], now: datetime, present_too: bool = False) -> dict[str, Any]:
    """Return, by path, the public row that readers of a former path are led to; with `present_too` of any path.

    A query, and one for each kind; one for a path without owners, too, so that the time it takes tells nothing.
    """
    owners = _owners(paths)
    wanted: dict[str, set[int]] = {}
    for kind, object_id in {address.owner for of_path in owners.values() for address in of_path}:
        if kind in _tracked:
            wanted.setdefault(kind, set()).add(object_id)
    public = {
        (kind, pk): row
        for kind, ids in (wanted or {next(iter(_tracked)): {0}}).items()
        for pk, row in _tracked[kind].rows.published(now).in_bulk(ids).items()
    }
    targets = {}
    for path, of_path in owners.items():
        rows = (public[address.owner] for address in of_path if address.owner in public)
        if (row := next((row for row in rows if present_too or row.get_absolute_url() != path), None)) is not None:
            targets[path] = row
    return targets


def _owners(paths: Iterable[str]) -> dict[str, list[Address]]:
    """Return the owners of these paths, the last one first; a path without any is left out."""
    owners: dict[str, list[Address]] = {}
    for address in Address.objects.filter(path__in=set(paths)).order_by("-id"):
        owners.setdefault(address.path, []).append(address)
    return owners
