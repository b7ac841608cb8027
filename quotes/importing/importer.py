"""Import of quotations from a file: everything is read, checked and compared first, then written in one transaction.

`files` reads, `bartlett` parses what collections print, `records` checks each row: all pure. `plan` compares with the
database, `writing` writes.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from quotes.importing import files, plan, records, writing
from quotes.importing.files import Problem, UnreadableError
from quotes.importing.plan import BATCH, Plan
from quotes.importing.records import CollectionData, Record
from quotes.models import Collection, Quote
from quotes.pickability import Pickability, pickability
from rlm_site.history.models import Import
from rlm_site.progress import Progress

__all__ = [
    "CollectionData", "Plan", "Problem", "RefusedError", "Report", "UnreadableError", "collection_named",
    "register_pick_observer", "run",
]  # fmt: skip

Picks = Mapping[str, tuple[str, ...]]  # page -> keys of the quotations that it shows, in order

_observers: list[Callable[[], Picks]] = []


def register_pick_observer(picks: Callable[[], Picks]) -> None:
    """Register a function that returns which quotations pages show; it is called before and after an import."""
    _observers.append(picks)


class RefusedError(Exception):
    """Some rows have problems; nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def collection_named(slug: str, details: Mapping[str, str]) -> CollectionData:
    """Return the collection of an import, by its fields: one on the site, or a new one if they include a name.

    Raises UnreadableError if there is none and no name, or if the one on the site is another.
    """
    known = Collection.objects.filter(slug=slug).first()
    if known:
        for name, value in details.items():
            if getattr(known, name) != value:
                raise UnreadableError(
                    f"the collection “{slug}” is on the site, and its {name} is “{getattr(known, name)}”, not "
                    f"“{value}”. Change it in the admin, or leave it out here."
                )
        return CollectionData(slug)
    if "name" not in details:
        slugs = ", ".join(Collection.objects.order_by("slug").values_list("slug", flat=True)) or "none"
        raise UnreadableError(
            f"there is no collection “{slug}”. Give its --name too, and it is added. On the site: {slugs}."
        )
    policy = Collection.usual_policy(details.get("register", ""))
    new = CollectionData(slug, **{"pick_policy": policy, **details})
    try:
        Collection(**new._asdict()).full_clean()
    except ValidationError as error:
        told = " ".join(f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items())
        raise UnreadableError(f"the collection cannot be added. {told}") from error
    return new


@dataclass
class Report:
    """The result of an import or of a dry run."""

    plan: Plan
    rows: int
    digest: str
    picks: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)  # page -> before, after
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)  # of those added: status and who says so
    pickability: Pickability = field(default_factory=Pickability)  # of those added and changed


def run(
    path: Path,
    *,
    collection: CollectionData | None = None,
    take_over: bool = False,
    status: str = "",
    auto_pick: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Report:
    """Import a file. A dry run writes too, then rolls back, so that its report is accurate.

    All rows belong to `collection`, or each to the one that it names. Quotations of others are left as they are, unless
    they are to be taken over. `status` is the status of new rows without one; by default that of their collection.
    """
    with _without_garbage_collection():
        return _run(path, collection, take_over, status, auto_pick, skip_bad, dry_run, progress)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Disable garbage collection, which took 40% of the time: millions of objects are created, and hardly any cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _run(
    path: Path,
    collection: CollectionData | None,
    take_over: bool,
    status: str,
    auto_pick: bool,
    skip_bad: bool,
    dry_run: bool,
    progress: Progress,
) -> Report:
    digest = files.file_digest(path)
    good, bad = _read(path, collection, progress)
    if not good and not bad:
        raise UnreadableError("the file has no rows.")
    if bad and not skip_bad:
        raise RefusedError(bad)
    rows = len(good) + len({problem.line for problem in bad})
    planned = plan.make_plan(good, bad, progress, take_over=take_over)
    if planned.refused and not skip_bad:
        raise RefusedError(planned.refused)
    statuses = {record.key: _status_of(record, planned, status) for record in planned.added}

    def defaults(record: Record) -> dict[str, Any]:
        return {"published": True, "auto_pick": auto_pick, "status": statuses[record.key][0]}

    report = Report(planned, rows, digest, statuses=Counter(statuses.values()))
    if not (planned.added or planned.changed):
        return report
    with transaction.atomic():
        before = _picks()
        ids = writing.write(planned, defaults, _create_import(path.name, report), progress)
        after = _picks()
        pages = dict.fromkeys([*before, *after])
        shown = {page: (before.get(page, ()), after.get(page, ())) for page in pages}
        report.picks = {page: picks for page, picks in shown.items() if picks[0] != picks[1]}
        report.pickability = pickability(_written(ids.values()), timezone.now())
        if dry_run:
            transaction.set_rollback(True)
    return report


def _status_of(record: Record, planned: Plan, asked: str) -> tuple[str, str]:
    """Return the status of a new quotation, and who says so."""
    if "status" in record.fields:
        return record.fields["status"], "in their rows"
    if asked:
        return asked, f"by --status {asked}"
    if record.to_verify:
        return Quote.Status.UNVERIFIED, "because the file marks them for checking"
    data = record.objects.get("collection")
    stored = planned.collections.find(data) if isinstance(data, CollectionData) else None
    if stored:
        by_trust = Collection(trust=stored.data.trust).usual_status
        return by_trust, f"by the trust in the collection “{stored.data.name}”"
    if record.objects.get("work") or record.objects.get("quoted_in"):
        return Quote.Status.REPORTED, "because they name a source"
    return Quote.Status.UNVERIFIED, "because they name no source"


def _written(ids: Iterable[int]) -> Iterator[Quote]:
    columns = ("status", "auto_pick", "published", "publish_at", "retire_at", "collection")
    for batch in plan.batches(ids, BATCH):
        yield from (
            Quote.objects.filter(pk__in=batch)
            .select_related("collection")
            .only(*columns, "collection__name", "collection__pick_policy")
        )


def _create_import(name: str, report: Report) -> Import:
    plan = report.plan
    return Import.objects.create(
        name=name[:200],
        digest=report.digest,
        model=ContentType.objects.get_for_model(Quote),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=len(plan.unchanged),
        skipped=len(plan.left) + len(plan.duplicates) + len({problem.line for problem in plan.refused}),
    )


def _read(path: Path, collection: CollectionData | None, progress: Progress) -> tuple[list[Record], list[Problem]]:
    good: list[Record] = []
    bad: list[Problem] = []
    checker = records.RecordChecker(collection)
    for number, row in enumerate(files.read_rows(path), 1):
        result = [row] if isinstance(row, Problem) else checker.check(row)
        if isinstance(result, Record):
            good.append(result)
        else:
            bad += result
        if number % 500 == 0:
            progress("Reading", number, 0)
    return good, bad


def _picks() -> dict[str, tuple[str, ...]]:
    return {page: tuple(keys) for picks in _observers for page, keys in picks().items()}
