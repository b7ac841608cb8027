"""The indexing queue: derived data is rebuilt from `Stale`, in one place, whoever changed the source.

Our own writes call `process_queue` in their transaction; pages call `ensure_indexed` before they read derived data,
for what others wrote. Apps register their indexers in `AppConfig.ready`.

An object that breaks a rule of its table or that an indexer fails with is set aside until it is changed: it is in no
list, the log and the dashboard tell of it, and everything else goes on.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from django.db import OperationalError, connection, connections, models, transaction
from django.db.models import Max, Q
from django.urls import NoReverseMatch, reverse

from rlm_site import constraints
from rlm_site.indexing.models import SetAside, Stale
from rlm_site.page_cache import versions

BATCH = 500  # objects per transaction; writers wait no longer than for one batch
ROWS_PER_READ = 10 * BATCH  # several rows of Stale may be about one object
MAX_ROUNDS = 3  # rebuilding may mark other objects as stale; continuous writes are not waited for
MOST_TOLD = 50  # rows that are set aside
QUEUE_LOCK = 0x726C6D  # key of the PostgreSQL advisory lock of `lock_queue`

Ids = Sequence[int]
_indexers: dict[str, list[Callable[[Ids], None]]] = defaultdict(list)
_cascades: dict[str, list[Callable[[Ids], Iterable[tuple[str, int]]]]] = defaultdict(list)
_models: dict[str, type[models.Model]] = {}
_after_loading: list[Callable[[], None]] = []

log = logging.getLogger(__name__)


def register_model(model: type[models.Model]) -> None:
    """Have rows of this table set aside that break its rules. Its kind is the name of the model."""
    _models[str(model._meta.model_name)] = model


def register_indexer(kind: str, rebuild: Callable[[Ids], None]) -> None:
    """Register `rebuild(ids)`, which rebuilds what is derived from these objects and removes that of deleted ones."""
    _indexers[kind].append(rebuild)


def cascades_to(kind: str, related: Callable[[Ids], Iterable[tuple[str, int]]]) -> None:
    """Register `related(ids)`, which yields (kind, id) of other objects whose derived data depends on these."""
    _cascades[kind].append(related)


def call_after_loading(finish: Callable[[], None]) -> None:
    """Have this called once a whole content was loaded and indexed, for what indexing leaves to the first reader."""
    _after_loading.append(finish)


def finish_loading() -> None:
    """Do what is registered for the end of loading a whole content."""
    for finish in _after_loading:
        finish()


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
    """Rebuild what is derived from these objects and from those that depend on them; set aside what cannot be."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, object_id in objects:
        ids[kind].add(object_id)
    for kind in list(ids):
        for related in _cascades[kind]:
            for other, object_id in related(sorted(ids[kind])):
                ids[other].add(object_id)
    for kind in sorted(ids):
        broken = constraints.broken_rows(_models[kind], ids[kind]) if kind in _models else {}
        sound = sorted(ids[kind] - broken.keys())
        for rebuild in _indexers[kind]:
            broken |= _failures(rebuild, [pk for pk in sound if pk not in broken])
        _set_aside(kind, ids[kind], broken)


def _failures(rebuild: Callable[[Ids], None], ids: Ids) -> dict[int, str]:
    """Rebuild what is derived from these objects; return those that this fails with, found by halving, and why."""
    if not ids:
        return {}
    try:
        with transaction.atomic():
            rebuild(ids)
    except OperationalError:  # of the database, not of a row
        raise
    except Exception as error:
        if len(ids) == 1:
            log.exception("Indexing failed.")
            return {ids[0]: f"{type(error).__name__}: {error}"}
        half = len(ids) // 2
        return _failures(rebuild, ids[:half]) | _failures(rebuild, ids[half:])
    return {}


def _set_aside(kind: str, ids: Collection[int], broken: Mapping[int, str]) -> None:
    known = dict(SetAside.objects.filter(with_ids("object_id", ids), kind=kind).values_list("object_id", "reason"))
    if known == broken:
        return
    SetAside.objects.filter(kind=kind, object_id__in=known.keys()).delete()
    SetAside.objects.bulk_create(
        SetAside(kind=kind, object_id=object_id, reason=reason) for object_id, reason in sorted(broken.items())
    )
    for object_id, reason in broken.items():
        log.warning("Hidden from readers until corrected at %s: %s", _form_of(kind, object_id), reason)


def _form_of(kind: str, object_id: int) -> str:
    """Return the address of the form in which the row is mended, or its name where it has none."""
    try:
        return reverse(f"admin:{_models[kind]._meta.app_label}_{kind}_change", args=[object_id])
    except (KeyError, NoReverseMatch):
        return f"{kind} {object_id}"


def enqueue_broken_rows(using: str = "default") -> None:
    """Have all rows set aside that break a rule of their table by now."""
    tables = set(connections[using].introspection.table_names())
    for kind, model in _models.items():
        if model._meta.db_table in tables:
            broken = constraints.broken_rows(model, None, using)
            Stale.objects.using(using).bulk_create(Stale(kind=kind, object_id=pk) for pk in broken)


def rows_set_aside() -> dict[type[models.Model], list[SetAside]]:
    """Return the newest rows that are set aside, by their model."""
    found: dict[type[models.Model], list[SetAside]] = defaultdict(list)
    for row in SetAside.objects.filter(kind__in=_models).order_by("-since", "-id")[:MOST_TOLD]:
        found[_models[row.kind]].append(row)
    return found


def sound(kind: str, prefix: str = "") -> Q:
    """Return the condition that a row is not set aside; `prefix` is the path of a relation, such as `parent__`."""
    return ~Q(**{f"{prefix}pk__in": SetAside.objects.filter(kind=kind).values("object_id")})


def with_ids(column: str, ids: Collection[int]) -> Q:
    """Return the condition that a column is one of these ids; consecutive ones become a range, which is faster."""
    if ids and max(ids) - min(ids) == len(ids) - 1:
        return Q(**{f"{column}__gte": min(ids), f"{column}__lte": max(ids)})
    return Q(**{f"{column}__in": ids})
