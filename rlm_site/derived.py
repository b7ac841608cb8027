"""Derived data is made anew from `Stale`, by one function, whoever changed the source.

Our own write paths call `drain` in their transaction; readers' pages call it before they read derived data and find
what others left. An app registers in `AppConfig.ready` what it derives of each kind of object.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from django.db import connection, transaction

from rlm_site import freshness
from rlm_site.models import Stale

BATCH = 500  # objects a transaction; writers wait no longer than one batch takes
READ_AT_ONCE = 10 * BATCH  # rows of Stale, many of which may be of one object
DRAIN_LOCK = 0x726C6D  # PostgreSQL advisory lock: a second drain waits until the first has committed

Ids = Sequence[int]
_rebuilders: dict[str, list[Callable[[Ids], None]]] = defaultdict(list)
_spreaders: dict[str, list[Callable[[Ids], Iterable[tuple[str, int]]]]] = defaultdict(list)


def rebuilds(kind: str, rebuild: Callable[[Ids], None]) -> None:
    """`rebuild(ids)` makes anew what is derived of these objects; it removes it where the object is gone."""
    _rebuilders[kind].append(rebuild)


def spreads(kind: str, spread: Callable[[Ids], Iterable[tuple[str, int]]]) -> None:
    """`spread(ids)` gives the (kind, id) of other objects whose derived data depends on these."""
    _spreaders[kind].append(spread)


def settle() -> freshness.State:
    """What readers' pages begin with: the content's versions, with nothing derived left behind. One query as a rule."""
    state = freshness.state()
    if state.stale:
        drain()
        state = freshness.state(anew=True)
    return state


def drain() -> None:
    """Bring all derived data up to date. One query when there is nothing to do."""
    while Stale.objects.exists():
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DRAIN_LOCK])
            rows: dict[tuple[str, int], list[int]] = defaultdict(list)
            waiting = Stale.objects.order_by("id").values_list("id", "kind", "object_id")
            for pk, kind, object_id in waiting[:READ_AT_ONCE]:
                rows[kind, object_id].append(pk)
            batch = list(rows)[:BATCH]
            rebuild(batch)
            Stale.objects.filter(id__in=[pk for changed in batch for pk in rows[changed]]).delete()


def rebuild(objects: Iterable[tuple[str, int]]) -> None:
    """Make anew what is derived of these objects and of those that depend on them."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, object_id in objects:
        ids[kind].add(object_id)
    for kind in list(ids):
        for spread in _spreaders[kind]:
            for other, object_id in spread(sorted(ids[kind])):
                ids[other].add(object_id)
    for kind in sorted(ids):
        for rebuild_kind in _rebuilders[kind]:
            rebuild_kind(sorted(ids[kind]))
