"""The indexing queue: derived data is rebuilt from `Stale`, in one place, whoever changed the source.

Our own writes call `process_queue` in their transaction; pages call `ensure_indexed` before they read derived data,
for what others wrote. Apps register their indexers in `AppConfig.ready`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Max, Q

from rlm_site.indexing.models import Stale
from rlm_site.page_cache import versions

BATCH = 500  # objects per transaction; writers wait no longer than for one batch
ROWS_PER_READ = 10 * BATCH  # several rows of Stale may be about one object
MAX_ROUNDS = 3  # rebuilding may mark other objects as stale; continuous writes are not waited for
QUEUE_LOCK = 0x726C6D  # key of the PostgreSQL advisory lock of `lock_queue`

Ids = Sequence[int]
_indexers: dict[str, list[Callable[[Ids], None]]] = defaultdict(list)
_cascades: dict[str, list[Callable[[Ids], Iterable[tuple[str, int]]]]] = defaultdict(list)


def register_indexer(kind: str, rebuild: Callable[[Ids], None]) -> None:
    """Register `rebuild(ids)`, which rebuilds what is derived from these objects and removes that of deleted ones."""
    _indexers[kind].append(rebuild)


def cascades_to(kind: str, related: Callable[[Ids], Iterable[tuple[str, int]]]) -> None:
    """Register `related(ids)`, which yields (kind, id) of other objects whose derived data depends on these."""
    _cascades[kind].append(related)


def ensure_indexed() -> versions.Versions:
    """Bring derived data up to date before a page reads it; return the versions that it is up to date with.

    One query as a rule, none where they are pinned.
    """
    current = versions.current_versions()
    if current.stale:
        process_queue()
        newer = versions.read_versions()
        # If somebody has written again, the newer versions are of content that is not derived yet.
        current = current._replace(stale=False) if newer.stale else newer
        versions.pin(current)
    return current


def process_queue() -> None:
    """Bring all derived data up to date with earlier writes. One query if there is nothing to do."""
    for _round in range(MAX_ROUNDS):
        newest = Stale.objects.aggregate(newest=Max("id"))["newest"]
        if newest is None:
            return
        while _process_batch(newest):
            pass


def _process_batch(newest: int) -> bool:
    """Process a batch in one transaction; return whether more may be left."""
    with transaction.atomic():
        lock_queue()
        rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        waiting = Stale.objects.filter(id__lte=newest).order_by("id").values_list("id", "kind", "object_id")
        read = list(waiting[:ROWS_PER_READ])
        for pk, kind, object_id in read:
            rows[kind, object_id].append(pk)
        batch = list(rows)[:BATCH]
        reindex(batch)
        Stale.objects.filter(id__in=[pk for changed in batch for pk in rows[changed]]).delete()
    return len(read) == ROWS_PER_READ or len(rows) > len(batch)


def lock_queue() -> None:
    """Wait, until the end of the transaction, for other processes that index. SQLite has a single writer anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])


def reindex(objects: Iterable[tuple[str, int]]) -> None:
    """Rebuild what is derived from these objects and from those that depend on them."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, object_id in objects:
        ids[kind].add(object_id)
    for kind in list(ids):
        for related in _cascades[kind]:
            for other, object_id in related(sorted(ids[kind])):
                ids[other].add(object_id)
    for kind in sorted(ids):
        for rebuild in _indexers[kind]:
            rebuild(sorted(ids[kind]))


def with_ids(column: str, ids: Collection[int]) -> Q:
    """Return the condition that a column is one of these ids; consecutive ones become a range, which is faster."""
    if ids and max(ids) - min(ids) == len(ids) - 1:
        return Q(**{f"{column}__gte": min(ids), f"{column}__lte": max(ids)})
    return Q(**{f"{column}__in": ids})
