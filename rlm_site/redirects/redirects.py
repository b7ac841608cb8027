"""Permanent paths: former paths of an object redirect to its present one.

Indexing an object records its present path, so that every rename is noticed, whoever made it. A page found at a path
takes precedence over a redirect, so there are no chains or loops.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rlm_site.indexing import queue
from rlm_site.redirects.models import Address

_tracked: dict[str, Any] = {}  # kind -> queryset with `published(now)`


def track(kind: str, rows: Any) -> None:
    """Redirect former paths of these objects. Call it in `AppConfig.ready`."""
    _tracked[kind] = rows

    def record_paths(ids: Sequence[int]) -> None:
        paths = {row.pk: row.get_absolute_url() for row in rows.filter(pk__in=ids)}
        record(kind, paths, gone=[object_id for object_id in ids if object_id not in paths])

    queue.register_indexer(kind, record_paths)


def record(kind: str, paths: Mapping[int, str], gone: Sequence[int] = ()) -> None:
    """Record the present path of each object, and remove the paths of deleted ones."""
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
    """Return the present path of the public object that was once found at `path`."""
    address = Address.objects.filter(path=path).first()
    if address is None or address.kind not in _tracked:
        return None
    row = _tracked[address.kind].all().published(now).filter(pk=address.object_id).first()
    if row is None or row.get_absolute_url() == path:
        return None
    return str(row.get_absolute_url())
