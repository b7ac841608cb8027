#!/usr/bin/env python
"""Whether readers and editors notice a long import.

    python benchmarks/importing.py [--rows 20000 | --file FILE] [--before 15] [--json FILE]

A reader asks for a page that stands in memory, another searches for words that nobody asked for yet, and an editor
saves a form of the admin about once a second: first alone, then while another process imports a file, which is made up
of the words of the fixtures unless one is given. Prints the times of each, and what the import took. The database is a
scratch one (SQLite, or beside the PostgreSQL database that DATABASE_URL names).
"""

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from synthetic_data import ROOT, SEED, Words, _texts

sys.path.insert(0, str(ROOT))

from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import Site, serving
from rlm_site.testing.variables import environment

PAGE = "/russian-liberation-movement/the-allies/"
WORDS = ROOT / "fixtures" / "articles.json"
PEOPLE, WORKS, TAGS = 500, 2_000, 50
TIMEOUT = 60.0  # seconds that an asker waits for an answer


class RepeatingThread(threading.Thread):
    """Repeats an action, and records how long it takes each time."""

    def __init__(self, action: Callable[[], bool], pause: float) -> None:
        super().__init__(daemon=True)
        self.action = action
        self.pause = pause
        self.times: list[float] = []
        self.refused = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.pause):
            started = time.perf_counter()
            try:
                self.refused += not self.action()
            except OSError:
                self.refused += 1
            self.times.append((time.perf_counter() - started) * 1000)

    def figures(self) -> dict[str, float]:
        """Return the figures since the previous call."""
        times, self.times = sorted(self.times), []
        refused, self.refused = self.refused, 0
        return {
            "times": len(times),
            "median": statistics.median(times),
            "p99": times[int(len(times) * 0.99) - 1],
            "longest": times[-1],
            "refused": refused,
        }


def start_threads(site: Site, words: Words) -> dict[str, RepeatingThread]:
    from clients import Editor

    from rlm_site.tags.models import Tag

    rng = random.Random(SEED)
    editor = Editor([site], rng)
    editor.sign_in("editor", site.password)
    tag = Tag.objects.earliest("pk")

    def search() -> bool:
        return site.ask("/search/?" + urlencode({"q": words.text(rng, 2)}))[0] == 200

    def save() -> bool:
        try:
            editor.change(tag, description=f"Saved at {time.time()}")
        except RuntimeError:
            return False
        return True

    return {
        "page from memory": RepeatingThread(lambda: site.ask(PAGE)[0] == 200, 0.05),
        "search": RepeatingThread(search, 0.2),
        "save in the admin": RepeatingThread(save, 1),
    }


def write_rows(path: Path, count: int, words: Words) -> None:
    """Write rows in the format of collections."""
    rng = random.Random(SEED)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "text": words.text(rng, rng.randint(8, 60)),
                "author": f"Name {number % PEOPLE}",
                "source_title": f"Work {number % WORKS}",
                "tags": [f"tag {rng.randrange(TAGS)}" for _each in range(2)],
            }
            file.write(json.dumps(row) + "\n")


def import_file(path: Path, site: Site, url: str) -> dict[str, float]:
    """Import in another process; return its wall time, processor time and peak memory."""
    collection = ("--collection", "benchmark", "--name", "Benchmark")
    command = [sys.executable, "manage.py", "import_quotes", "--skip-bad", *collection, str(path)]
    port = int(site.url.rpartition(":")[2])
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment(url, port), stdout=subprocess.DEVNULL)
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("benchmarks/importing.py: the import failed")
    return {
        "s": round(time.monotonic() - started, 1),
        "s of a processor": round(usage.ru_utime + usage.ru_stime, 1),
        "MB of memory": round(usage.ru_maxrss / 1024),
    }


def print_table(result: dict[str, Any]) -> None:
    heads = "".join(f"{head:>12}" for head in ("times", "median ms", "p99 ms", "longest ms", "refused"))
    print(f"{'on ' + result['database']:30}{heads}")
    for name in result["before"]:
        for when in ("before", "during"):
            found = result[when][name]
            times = "".join(f"{found[key]:12,.1f}" for key in ("median", "p99", "longest"))
            print(f"{name if when == 'before' else '':20}{when:10}{found['times']:12,}{times}{found['refused']:12}")
    figures = ", ".join(f"{figure} {unit}" for unit, figure in result["import"].items())
    print(f"\nThe import of {result['rows']:,} rows took {figures}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the generated file")
    parser.add_argument("--file", type=Path, help="import this file instead")
    parser.add_argument("--before", type=float, default=15, help="seconds to measure without an import")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(fresh_database(folder))
        site = replace(stack.enter_context(serving(url, folder)), patience=TIMEOUT)
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="rlm_site.settings")
        import django

        django.setup()
        words = Words(_texts(WORDS))
        if args.file is None:
            args.file = folder / "rows.jsonl"
            write_rows(args.file, args.rows, words)
        threads = start_threads(site, words)
        for thread in threads.values():
            thread.start()
        time.sleep(args.before)
        before = {name: thread.figures() for name, thread in threads.items()}
        imported = import_file(args.file, site, url)
        for thread in threads.values():
            thread.stopped.set()
            thread.join(TIMEOUT)
        during = {name: thread.figures() for name, thread in threads.items()}
        with args.file.open("rb") as file:
            rows = sum(1 for _line in file)
        from django.db import connection

        connection.close()
    result = {"database": url.split(":")[0], "rows": rows, "before": before, "during": during, "import": imported}
    print_table(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
