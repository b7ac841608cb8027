"""Addresses are permanent: where an object once was, readers are led to where it is now.

The present path of every object is remembered when its derived data is made, so a rename by any hand leaves the old
one behind. What is found at a path always wins over what once was there, so there are no chains and no loops.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rlm_site.indexing import queue
from rlm_site.redirects.models import Address

_tracked: dict[str, Any] = {}  # kind -> queryset with `published(now)`


def track(kind: str, rows: Any) -> None:
    """Declare in `AppConfig.ready`: rows of this queryset have addresses that must go on to lead somewhere."""
    _tracked[kind] = rows

    def remember_paths(ids: Sequence[int]) -> None:
        paths = {row.pk: row.get_absolute_url() for row in rows.filter(pk__in=ids)}
        record(kind, paths, gone=[object_id for object_id in ids if object_id not in paths])

    queue.register_indexer(kind, remember_paths)


def record(kind: str, paths: Mapping[int, str], gone: Sequence[int] = ()) -> None:
    """Note the present path of each object; forget those that are gone."""
    if gone:
        Address.objects.filter(kind=kind, object_id__in=gone).delete()
    known = {address.path: address for address in Address.objects.filter(path__in=paths.values())}
    for object_id, path in paths.items():
        address = known.get(path)
        if address is None:
            Address.objects.create(path=path, kind=kind, object_id=object_id)
        elif (address.kind, address.object_id) != (kind, object_id):
            address.kind, address.object_id = kind, object_id
            address.save()


def find_target(path: str, now: datetime) -> str | None:
    """Where what was once found at `path` is public now."""
    address = Address.objects.filter(path=path).first()
    if address is None or address.kind not in _tracked:
        return None
    row = _tracked[address.kind].all().published(now).filter(pk=address.object_id).first()
    if row is None or row.get_absolute_url() == path:
        return None
    return str(row.get_absolute_url())
