"""Derived data is made anew from `Stale`, by one function, whoever changed the source.

Our own write paths call `drain` in their transaction; readers' pages call it before they read derived data and find
what others left. An app registers in `AppConfig.ready` what it derives of each kind of object.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Max, Q

from rlm_site.indexing.models import Stale
from rlm_site.page_cache import versions

BATCH = 500  # objects a transaction; writers wait no longer than one batch takes
READ_AT_ONCE = 10 * BATCH  # rows of Stale, many of which may be of one object
ROUNDS = 3  # what is rebuilt may leave something to rebuild in its turn; who goes on writing is not waited for
QUEUE_LOCK = 0x726C6D  # PostgreSQL advisory lock: a second drain waits until the first has committed

Ids = Sequence[int]
_indexers: dict[str, list[Callable[[Ids], None]]] = defaultdict(list)
_cascades: dict[str, list[Callable[[Ids], Iterable[tuple[str, int]]]]] = defaultdict(list)


def register_indexer(kind: str, rebuild: Callable[[Ids], None]) -> None:
    """`rebuild(ids)` makes anew what is derived of these objects; it removes it where the object is gone."""
    _indexers[kind].append(rebuild)


def cascades_to(kind: str, spread: Callable[[Ids], Iterable[tuple[str, int]]]) -> None:
    """`spread(ids)` gives the (kind, id) of other objects whose derived data depends on these."""
    _cascades[kind].append(spread)


def ensure_indexed() -> versions.Versions:
    """What readers' pages begin with: the content's versions, with nothing derived left behind. One query as a rule."""
    state = versions.current_versions()
    if state.stale:
        process_queue()
        settled = versions.current_versions(anew=True)
        if not settled.stale:  # else somebody has written again, and these tokens are of more than what is derived
            state = settled
    return state


def process_queue() -> None:
    """Bring all derived data up to date with what was written before. One query when there is nothing to do."""
    for _round in range(ROUNDS):
        newest = Stale.objects.aggregate(newest=Max("id"))["newest"]
        if newest is None:
            return
        while _process_batch(newest):
            pass


def _process_batch(newest: int) -> bool:
    """In one transaction; true where there may be more of what was stale by then."""
    with transaction.atomic():
        lock_queue()
        rows: dict[tuple[str, int], list[int]] = defaultdict(list)
        waiting = Stale.objects.filter(id__lte=newest).order_by("id").values_list("id", "kind", "object_id")
        read = list(waiting[:READ_AT_ONCE])
        for pk, kind, object_id in read:
            rows[kind, object_id].append(pk)
        batch = list(rows)[:BATCH]
        reindex(batch)
        Stale.objects.filter(id__in=[pk for changed in batch for pk in rows[changed]]).delete()
    return len(read) == READ_AT_ONCE or len(rows) > len(batch)


def lock_queue() -> None:
    """Wait until nobody else derives, until the end of the transaction. SQLite has but one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [QUEUE_LOCK])


def reindex(objects: Iterable[tuple[str, int]]) -> None:
    """Make anew what is derived of these objects and of those that depend on them."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, object_id in objects:
        ids[kind].add(object_id)
    for kind in list(ids):
        for spread in _cascades[kind]:
            for other, object_id in spread(sorted(ids[kind])):
                ids[other].add(object_id)
    for kind in sorted(ids):
        for rebuild_kind in _indexers[kind]:
            rebuild_kind(sorted(ids[kind]))


def with_ids(column: str, ids: Collection[int]) -> Q:
    """That a column is one of these ids. New rows' follow one another, which is said and read in a moment."""
    if ids and max(ids) - min(ids) == len(ids) - 1:
        return Q(**{f"{column}__gte": min(ids), f"{column}__lte": max(ids)})
    return Q(**{f"{column}__in": ids})
