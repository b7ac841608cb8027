#!/usr/bin/env python
"""Whether any reader is ever shown a stale page: changes by every path, each followed at once by reading the pages.

    python benchmarks/page_cache.py [--changes 2000] [--minutes M] [--readers 2] [--seed N] [--break TABLE]
                                   [--database URL] [--json FILE]

Two servers, each of two workers with eight threads, serve one scratch database (SQLite, or beside the PostgreSQL
database that DATABASE_URL names). Each change is drawn at random: what is changed, and who writes it. Before it, the
pages that it belongs on are read, so that both servers have them in memory; readers keep asking for them all the time.
After it, the very next answer of both servers must tell it. Ends with 1 if one did not. With `--break` the database
loses the triggers of a table (`articles_article`) before the first change, to see that the trial can fail.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import Site, serving

if TYPE_CHECKING:
    from scenarios import Change, Expectation

PARALLEL_REQUESTS = 6  # after a change, of both servers together, whose workers have eight threads each
MAX_PAUSE = 0.1  # seconds between two requests of a reader, so that writers get a turn


class Reader(threading.Thread):
    """Requests the pages of the current change repeatedly over one connection, so that they are in memory."""

    def __init__(self, site: Site, pages: list[str]) -> None:
        super().__init__(daemon=True)
        self.site = site
        self.pages = pages
        self.answers = 0
        self.failures: list[str] = []
        self.ended = False

    def run(self) -> None:
        connection = HTTPConnection(self.site.url.removeprefix("http://"), timeout=30)
        while not self.ended:
            for path in list(self.pages):
                try:
                    connection.request("GET", path, headers={"Accept-Encoding": "br"})
                    page = connection.getresponse()
                    page.read()
                    problem = f"HTTP {page.status}" if page.status >= 500 else ""
                except (OSError, HTTPException) as error:
                    problem = repr(error)
                    connection.close()
                if problem:
                    self.failures.append(f"{self.site.url}{path}: {problem}")
                self.answers += 1
                time.sleep(random.uniform(0, MAX_PAUSE))
        connection.close()


@dataclass
class Result:
    changes: int = 0
    answers: int = 0
    told_before: int = 0  # pages that met the expectation before the change
    by_readers: int = 0
    stale: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # no answer, or an error
    by_writer: Counter[str] = field(default_factory=Counter)
    by_kind: Counter[str] = field(default_factory=Counter)

    def count(self, change: "Change") -> None:
        self.changes += 1
        self.by_writer[change.how] += 1
        self.by_kind[change.what] += 1


def trial(
    sites: Sequence[Site], changes: "Iterable[Change]", count: int, seconds: float, readers: int, rng: random.Random
) -> Result:
    from scenarios import answer

    result = Result()
    began = time.monotonic()
    pages: list[str] = ["/"]

    def ask(asked: "tuple[Site, Expectation]") -> str:
        """Return the page, or an empty string if there was no response."""
        site, expectation = asked
        try:
            return answer(site, expectation.path)
        except (OSError, HTTPException) as error:
            result.failed.append(f"{site.url}{expectation.path}: {error!r}")
            return ""

    executor = ThreadPoolExecutor(PARALLEL_REQUESTS)
    threads = start_readers(sites, pages, readers)
    for change in changes:
        if result.changes == count or time.monotonic() - began > seconds:
            break
        pages[:] = [expectation.path for expectation in change.expectations] or ["/"]
        if not change.invalidates:
            answer(sites[0], "/")  # processes what earlier changes have left in the queue
        asked = [(site, expectation) for site in sites for expectation in change.expectations]
        rng.shuffle(asked)
        before = list(executor.map(ask, asked))
        versions = all_versions()
        change.make()
        after = list(executor.map(ask, asked))
        examine(change, zip(asked, before, after, strict=True), result, ask)
        if not change.invalidates and all_versions() != versions:
            result.needless.append(f"{change.what}, by {change.how}")
        result.count(change)
        show(result, count)
    end_readers(threads, result)
    return result


def start_readers(sites: Sequence[Site], pages: list[str], number: int) -> list[Reader]:
    threads = [Reader(site, pages) for site in sites for _reader in range(number)]
    for thread in threads:
        thread.start()
    return threads


def end_readers(threads: Sequence[Reader], result: Result) -> None:
    for thread in threads:
        thread.ended = True
        thread.join(30)
        result.by_readers += thread.answers
        result.failed += thread.failures


def examine(
    change: "Change",
    pages: "Iterable[tuple[tuple[Site, Expectation], str, str]]",
    result: Result,
    ask: "Callable[[tuple[Site, Expectation]], str]",
) -> None:
    """Count which pages, before and after, show the change; ask again a second later for those that do not."""
    for asked, page_before, page in pages:
        site, expectation = asked
        if not page:
            continue
        if expectation.holds(page_before):
            result.told_before += 1
            continue
        result.answers += 1
        if not expectation.holds(page):
            time.sleep(1)
            later = "told a second later" if expectation.holds(ask(asked)) else "not told a second later either"
            result.stale.append(f"{change.what}, by {change.how}: {site.url}{expectation.path} {expectation}, {later}")


def all_versions() -> list[tuple[str, str]]:
    from django.db import connection

    from rlm_site.page_cache.versions import ROW_VERSION_TABLE, VERSION_TABLE

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, token FROM {VERSION_TABLE} UNION SELECT name, token FROM {ROW_VERSION_TABLE}")
        return sorted(cursor.fetchall())


def drop_triggers(table: str) -> None:
    """Drop the triggers of a table, so that writes to it go unnoticed."""
    from django.db import connection

    from rlm_site.page_cache import triggers, watch

    names = [name for name, of_table in triggers._installed(connection).items() if of_table == table]
    if not names:
        sys.exit(f"{table} has no trigger that could be dropped; there are those of {', '.join(watch.WATCHED)}")
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TRIGGER {name}" + (f" ON {table}" if connection.vendor == "postgresql" else ""))


def show(result: Result, count: int) -> None:
    if sys.stderr.isatty():
        bar = f"{result.changes:,} of {count:,} changes, {len(result.stale)} stale answers"
        print(f"\r\x1b[K{bar}", end="" if result.changes < count else "\r\x1b[K", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    parser.add_argument("--readers", type=int, default=2, help="number that keep requesting pages from each server")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--break", dest="broken", metavar="TABLE", action="append", default=[])
    parser.add_argument(
        "--database", metavar="URL", help="use and damage this database instead of a temporary one with our content"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    rng = random.Random(args.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = args.database or stack.enter_context(fresh_database(folder))
        sites = [stack.enter_context(serving(url, folder, WORKERS="2")) for _server in range(2)]
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="rlm_site.settings")
        import django

        django.setup()
        from clients import BulkWriter, Editor, FixtureWriter, SaveWriter, SqlClient, UpdateWriter, UpsertWriter
        from scenarios import Scenarios

        for table in args.broken:
            drop_triggers(table)
        editor = Editor(sites, rng)
        editor.sign_in("editor", sites[0].password)
        writers = [SaveWriter(), BulkWriter(), UpdateWriter(), FixtureWriter(), SqlClient(url), UpsertWriter(url)]
        scenarios = Scenarios(rng, writers, editor, sites[0].password)
        began = time.monotonic()
        result = trial(sites, scenarios.changes(), args.changes, args.minutes * 60, args.readers, rng)
        seconds = time.monotonic() - began
        print_result(result, seconds, args.seed)
        if args.json:
            figures = {"database": url.split(":")[0], "seconds": round(seconds), "seed": args.seed, **vars(result)}
            args.json.write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(bool(result.stale or result.needless or result.failed))


def print_result(result: Result, seconds: float, seed: int) -> None:
    for heading, counts in (("what was changed", result.by_kind), ("by whom", result.by_writer)):
        print(f"{heading:50}{'changes':>10}")
        for name, number in counts.most_common():
            print(f"  {name:48}{number:10,}")
    print(f"{result.changes:,} changes in {seconds:,.0f} s (--seed {seed}), {len(result.by_writer)} ways to write")
    print(f"{result.answers:,} answers read at once after them, {result.by_readers:,} by readers meanwhile")
    print(f"{result.told_before:,} not counted: the page said so before the change")
    print(f"{len(result.stale):,} stale")
    print(f"{len(result.needless):,} times something was thrown out of memory that had not changed")
    print(f"{len(result.failed):,} errors instead of a page")
    for line in result.stale + result.needless + result.failed:
        print(line)


if __name__ == "__main__":
    main()
