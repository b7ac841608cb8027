#!/usr/bin/env python
"""How fast the site answers, with few pages and with many, beside a file and beside a Wagtail site.

    make bench                                # at 60, 10,000 and 100,000 section pages
    python benchmarks/pages.py --sizes 60 --json pages.json

Made-up databases are kept in var/bench/ between runs. Pages are asked for by wrk with 8 connections, searches (titles
of the site's own pages) with one; one server after the other and round after round, so that whatever else the machine
does hits all alike; and all of it, wrk too, on one core of the processor unless --cores says otherwise, so that figures
of machines can be compared. PEER names the script that measures a Wagtail site.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit

from made_up import KEPT, ROOT, database, environment

WORDS = ROOT / "fixtures" / "articles.json"
SECTION = "/topic-1/section-1-of-topic-1/"
PAGES = {
    "page from memory": SECTION,
    "home": "/",
    "tag": "/tags/tag-1/",
}
SEARCH = "search"
FILE = "a file of its size"
IN_TURN = """
local paths, number = {%s}, 0
request = function()
  number = number %% #paths + 1
  return wrk.format("GET", paths[number])
end
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[60, 10_000, 100_000], help="section pages")
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", type=Path, default=os.environ.get("PEER"), help="the script that serves Wagtail")
    parser.add_argument("--json", type=Path, default=KEPT / "pages.json", help="where the figures go, too")
    parser.add_argument("--queries", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, default=1, help="of the processor, for servers and wrk together")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    if args.queries:
        print_queries()
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    if not shutil.which("wrk"):
        sys.exit("benchmarks/pages.py: wrk is missing (Debian: apt-get install wrk)")
    results = [measure(size, args) for size in args.sizes]
    print_table(results)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nWritten to {args.json}.")


def measure(size: int, args: argparse.Namespace) -> dict[str, Any]:
    """Everything about one database: requests a second, milliseconds (median, 99th percentile), memory, start."""
    url = database("pages", size, WORDS)
    result: dict[str, Any] = {"pages": size, "queries": queries(url)}
    with serving(url) as (site, process, seconds):
        result["start, s"] = round(seconds, 1)
        started = time.perf_counter()
        body = ask(site, SECTION)
        result["first page, ms"] = round((time.perf_counter() - started) * 1000, 1)
        addresses = {**PAGES, FILE: file_of(len(body), site)}
        for path in addresses.values():
            load(site, [path], 1)
        searches = [f"/search/?q={quote(title)}" for title in titles()]
        for path in searches:
            ask(site, path)  # what is read of the index comes from the disk the first time ...
        load(site, searches, args.seconds)  # ... and each of the server's threads reads it once
        rounds: dict[str, list[dict[str, float]]] = {name: [] for name in [*addresses, SEARCH]}
        for _round in range(args.rounds):
            for name, path in addresses.items():
                rounds[name].append(load(site, [path], args.seconds))
            rounds[SEARCH].append(load(site, searches, args.seconds, connections=1))
        for name, runs in rounds.items():
            result[name] = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        result["after an edit elsewhere"] = after_edits(site, url, elsewhere=True)
        result["made anew"] = after_edits(site, url, elsewhere=False)
        result["memory of the worker, MB"] = round(memory(process.pid) / 1024)
        if args.peer and Path(args.peer).exists() and size == min(args.sizes):
            result["peer"] = peer(site, file_of(len(body), site), Path(args.peer))
    return result


# One after the other


def load(site: str, paths: Sequence[str], seconds: int, connections: int = 8) -> dict[str, float]:
    """Of a short run of wrk that asks for these in turn. Stops where an answer is not a success."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(IN_TURN % ", ".join(map(json.dumps, paths)))
        script.flush()
        options = [f"-c{connections}", f"-d{seconds}s", "--latency", "-H", "Accept-Encoding: gzip"]
        options += ["-s", script.name] if len(paths) > 1 else []
        command = ["wrk", "-t1", *options, site + paths[0]]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said:
        sys.exit(f"{paths[0]} answered with errors:\n{said}")
    [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", said)
    median, slowest = (re.findall(rf"{share}%\s+([\d.]+)(us|ms|s)", said)[0] for share in (50, 99))
    return {"rate": float(rate), "median": milliseconds(*median), "p99": milliseconds(*slowest)}


def titles() -> list[str]:
    """What readers of the site itself may look for."""
    rows = json.loads(WORDS.read_text())
    return sorted({row["fields"]["title"] for row in rows if "title" in row["fields"] and "body" in row["fields"]})


def milliseconds(number: str, unit: str) -> float:
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def after_edits(site: str, url: str, *, elsewhere: bool, times: int = 100) -> dict[str, float]:
    """One asker; before each answer another process has committed an edit, of another topic or of this very page."""
    slug = "topic-2" if elsewhere else "section-1-of-topic-1"
    changed = "CASE WHEN body LIKE '% more' THEN substr(body, 1, length(body) - 5) ELSE body || ' more' END"
    edit = f"UPDATE articles_article SET body = {changed} WHERE slug = '{slug}'"
    taken = []
    for _time in range(times):
        execute(url, edit)
        if elsewhere:
            ask(site, "/changes/")  # whoever comes first makes anew what is derived of the edit
        started = time.perf_counter()
        ask(site, SECTION)
        taken.append((time.perf_counter() - started) * 1000)
    taken.sort()
    middle = statistics.median(taken)
    return {"rate": 1000 / middle, "median": middle, "p99": taken[int(len(taken) * 0.99) - 1]}


def queries(url: str) -> dict[str, int]:
    """How many a page costs a server that has just started, and one that has the page in memory."""
    command = [sys.executable, __file__, "--queries"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(url)).stdout
    counts: dict[str, int] = json.loads(said)
    return counts


def print_queries() -> None:
    """In a process of its own: Django reads its settings once."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rlm_site.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from rlm_site import freshness

    client = Client(HTTP_HOST="127.0.0.1")
    counts = {}
    for name, path in {**PAGES, SEARCH: "/search/?q=" + quote(titles()[0])}.items():
        for state in ("made", "again"):
            # what a page in memory stands on is asked of the driver itself
            asked = patch.object(freshness, "_rows", wraps=freshness._rows)
            with asked as of_driver, CaptureQueriesContext(connection) as captured:
                client.get(path)
            counts[f"{name}, {state}"] = of_driver.call_count + len(captured)
    print(json.dumps(counts))


def execute(url: str, statement: str) -> None:
    from made_up import _connected

    with _connected(url) as connection:
        connection.execute(statement)


def peer(site: str, file: str, script: Path) -> dict[str, float]:
    """Requests a second of a Wagtail site, with and without Django's cache for the whole site, in one run with ours."""
    command = [sys.executable, str(script), site + SECTION, "--static", site + file]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(rate) for name, rate in re.findall(r"^(\S+)\s+([\d.]+) requests/s", said, re.MULTILINE)}


# The site


@contextmanager
def serving(url: str) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """The site on this database: its address, its process, and the seconds until it answered."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site = f"http://127.0.0.1:{port}"
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment(url, PORT=str(port), SITE_URL=site),
        stdout=subprocess.DEVNULL,
    )
    try:
        while process.poll() is None and not healthy(site):
            time.sleep(0.05)
        if process.poll() is not None:
            sys.exit("benchmarks/pages.py: the site did not start")
        yield site, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def healthy(site: str) -> bool:
    try:
        ask(site, "/healthz")
    except OSError:
        return False
    return True


def ask(site: str, path: str) -> bytes:
    connection = HTTPConnection(urlsplit(site).netloc, timeout=60)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return body


def file_of(size: int, site: str) -> str:
    """The static file whose compressed size is nearest."""
    packed = {path: path.stat().st_size for path in (ROOT / "var" / "static").rglob("*.gz")}
    nearest = min(packed, key=lambda path: abs(packed[path] - size))
    return "/static/" + nearest.relative_to(ROOT / "var" / "static").as_posix().removesuffix(".gz")


def memory(pid: int) -> int:
    """Proportional kilobytes of a process and of those it started."""
    found = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            ids = (status.read_text().rpartition(")")[2].split()[1], status.parent.name)
            if str(pid) in ids:
                rollup = (status.parent / "smaps_rollup").read_text()
                found += int(re.search(r"Pss:\s+(\d+)", rollup)[1])  # type: ignore[index]
        except OSError:
            continue
    return found


# The table


def print_table(results: list[dict[str, Any]]) -> None:
    print(f"\n{'':26}" + "".join(f"{result['pages']:>12,} pages" + " " * 14 for result in results))
    print(f"{'':26}" + f"{'requests/s':>12}{'median ms':>10}{'p99 ms':>10}" * len(results))
    for name in [*PAGES, FILE, SEARCH, "after an edit elsewhere", "made anew"]:
        cells = (result[name] for result in results)
        print(f"{name:26}" + "".join(f"{c['rate']:12,.0f}{c['median']:10.2f}{c['p99']:10.2f}" for c in cells))
    for name in results[0]["queries"]:
        print(f"{'queries: ' + name:26}" + "".join(f"{result['queries'][name]:12}{'':20}" for result in results))
    for name in ("start, s", "first page, ms", "memory of the worker, MB"):
        print(f"{name:26}" + "".join(f"{result[name]:12}{'':20}" for result in results))
    first, last = results[0], results[-1]
    print(f"\nFrom memory, to {FILE}: {ratio(first, 'page from memory', FILE):.2f} times as fast")
    if len(results) > 1:
        growth = f"from {first['pages']:,} to {last['pages']:,} pages"
        # the file is the same at any size: what it takes more is the machine's
        for name in ("page from memory", FILE, "after an edit elsewhere", "made anew", SEARCH):
            print(f"{name}, {growth}: {last[name]['median'] / first[name]['median']:.2f} times the time")
    for name, rate in first.get("peer", {}).items():
        compared = ("page from memory", "after an edit elsewhere") if name.startswith("wagtail") else ()
        ratios = ", ".join(f"{each}: {first[each]['rate'] / rate:.1f} times" for each in compared)
        print(f"{name}: {rate:,.0f} requests/s" + (f" ({ratios})" if ratios else ""))


def ratio(result: dict[str, Any], name: str, other: str) -> float:
    return float(result[name]["rate"] / result[other]["rate"])


if __name__ == "__main__":
    main()
