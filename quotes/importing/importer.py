"""Import of quotations from a file: everything is read, checked and compared first, then written in one transaction.

`files` reads, `bartlett` parses what collections print, `records` checks each row: all pure. `plan` compares with the
database, `writing` writes.
"""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from quotes.importing import files, plan, records, writing
from quotes.importing.files import Problem, UnreadableError
from quotes.importing.plan import Plan
from quotes.importing.records import Record
from quotes.models import Quote
from rlm_site.history.models import Import
from rlm_site.progress import Progress

__all__ = ["Plan", "Problem", "RefusedError", "Report", "UnreadableError", "register_pick_observer", "run"]

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


@dataclass
class Report:
    """The result of an import or of a dry run."""

    plan: Plan
    rows: int
    digest: str
    picks: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)  # page -> before, after


def run(
    path: Path,
    *,
    status: str = "",
    auto_pick: bool = False,
    skip_bad: bool = False,
    dry_run: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Report:
    """Import a file. A dry run writes too, then rolls back, so that its report is accurate.

    `status` is the status of rows without one; by default `reported` if they name a source, else `unverified`.
    """
    with _without_garbage_collection():
        return _run(path, status, auto_pick, skip_bad, dry_run, progress)


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


def _run(path: Path, status: str, auto_pick: bool, skip_bad: bool, dry_run: bool, progress: Progress) -> Report:
    digest = files.file_digest(path)
    good, bad = _read(path, progress)
    if not good and not bad:
        raise UnreadableError("the file has no rows.")
    if bad and not skip_bad:
        raise RefusedError(bad)
    rows = len(good) + len({problem.line for problem in bad})
    planned = plan.make_plan(good, bad, progress)
    if planned.refused and not skip_bad:
        raise RefusedError(planned.refused)

    def defaults(record: Record) -> dict[str, Any]:
        has_source = bool(record.objects.get("work") or record.objects.get("quoted_in"))
        default_status = Quote.Status.REPORTED if has_source and not record.to_verify else Quote.Status.UNVERIFIED
        return {"published": True, "auto_pick": auto_pick, "status": status or default_status}

    report = Report(planned, rows, digest)
    if not (planned.added or planned.changed):
        return report
    with transaction.atomic():
        before = _picks()
        writing.write(planned, defaults, _create_import(path.name, report), progress)
        after = _picks()
        pages = dict.fromkeys([*before, *after])
        shown = {page: (before.get(page, ()), after.get(page, ())) for page in pages}
        report.picks = {page: picks for page, picks in shown.items() if picks[0] != picks[1]}
        if dry_run:
            transaction.set_rollback(True)
    return report


def _create_import(name: str, report: Report) -> Import:
    plan = report.plan
    return Import.objects.create(
        name=name[:200],
        digest=report.digest,
        model=ContentType.objects.get_for_model(Quote),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=len(plan.unchanged),
        skipped=len(plan.duplicates) + len({problem.line for problem in plan.refused}),
    )


def _read(path: Path, progress: Progress) -> tuple[list[Record], list[Problem]]:
    good: list[Record] = []
    bad: list[Problem] = []
    checker = records.RecordChecker()
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
