"""Quotations from a file. Everything is read, checked and compared before the first row is written, and all is
written in one transaction or not at all.

`files` reads, `printed` takes apart what collections print, `records` checks each row: all pure. `plan` compares with
the database, `writing` writes.
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
from quotes.importing.plan import Plan, Progress
from quotes.importing.records import Record
from quotes.models import Quote
from rlm_site.history.models import Import

__all__ = ["Plan", "Problem", "RefusedError", "Report", "UnreadableError", "register_pick_observer", "run"]

Picks = Mapping[str, tuple[str, ...]]  # a page -> the keys of the quotations that it shows, in order

_observers: list[Callable[[], Picks]] = []


def register_pick_observer(picks: Callable[[], Picks]) -> None:
    """Declare in `AppConfig.ready` what shows quotations; it is asked before and after an import."""
    _observers.append(picks)


class RefusedError(Exception):
    """Rows are wrong, and nothing was written."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass
class Report:
    """What an import did, or would do."""

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
    """Import a file. A dry run writes and takes everything back, so that its report is true.

    `status` is for rows that name none; without it they are `reported` when they name a source, else `unverified`.
    """
    with _uncollected():
        return _run(path, status, auto_pick, skip_bad, dry_run, progress)


@contextmanager
def _uncollected() -> Iterator[None]:
    """A file makes millions of objects and hardly a cycle; looking for cycles again and again took 40% of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _run(path: Path, status: str, auto_pick: bool, skip_bad: bool, dry_run: bool, progress: Progress) -> Report:
    digest = files.digest(path)
    good, bad = _read(path, progress)
    if not good and not bad:
        raise UnreadableError("there is no row in it.")
    if bad and not skip_bad:
        raise RefusedError(bad)
    rows = len(good) + len({problem.line for problem in bad})
    planned = plan.make_plan(good, bad, progress)
    if planned.refused and not skip_bad:
        raise RefusedError(planned.refused)

    def defaults(record: Record) -> dict[str, Any]:
        named = bool(record.objects.get("work") or record.objects.get("quoted_in"))
        usual = Quote.Status.REPORTED if named and not record.doubted else Quote.Status.UNVERIFIED
        return {"published": True, "auto_pick": auto_pick, "status": status or usual}

    report = Report(planned, rows, digest)
    if not (planned.added or planned.changed):
        return report
    with transaction.atomic():
        before = _picks()
        writing.write(planned, defaults, _entry(path.name, report), progress)
        after = _picks()
        pages = dict.fromkeys([*before, *after])
        shown = {page: (before.get(page, ()), after.get(page, ())) for page in pages}
        report.picks = {page: picks for page, picks in shown.items() if picks[0] != picks[1]}
        if dry_run:
            transaction.set_rollback(True)
    return report


def _entry(name: str, report: Report) -> Import:
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
    checked = records.Records()
    for number, row in enumerate(files.rows(path), 1):
        result = [row] if isinstance(row, Problem) else checked.check(row)
        if isinstance(result, Record):
            good.append(result)
        else:
            bad += result
        if number % 500 == 0:
            progress("Reading", number, 0)
    return good, bad


def _picks() -> dict[str, tuple[str, ...]]:
    return {page: tuple(keys) for picks in _observers for page, keys in picks().items()}
