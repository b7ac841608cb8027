#!/usr/bin/env python
"""How fast the site answers, with few pages and with many, beside a file and beside a Wagtail site.

    make bench                                # at 60, 10,000 and 100,000 section pages
    python benchmarks/pages.py --sizes 60 --json pages.json

Made-up databases are kept in var/bench/ between runs. Pages are asked for by wrk with 8 connections, searches (titles
of the site's own pages) with one. A server for each size is up all the time, and they take turns round after round, so
that whatever else the machine does hits all alike; and all of it, wrk too, is on one core of the processor unless
--cores says otherwise, so that figures of machines can be compared. PEER names the script that measures a Wagtail site.
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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit

from synthetic_data import CACHE_DIR, ROOT, database, environment

WORDS = ROOT / "fixtures" / "articles.json"
SECTION = "/topic-1/section-1-of-topic-1/"
PAGES = {
    "page from memory": SECTION,
    "home": "/",
    "tag": "/tags/tag-1/",
}
SEARCH = "search"
FILE = "a file of its size"
AFTER_EDITS = {"after an edit elsewhere": True, "rendered again": False}
LUA_SCRIPT = """
local paths, number = {%s}, 0
request = function()
  number = number %% #paths + 1
  return wrk.format("GET", paths[number])
end
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[60, 10_000, 100_000], help="numbers of section pages")
    parser.add_argument("--seconds", type=int, default=4, help="seconds per measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer", type=Path, default=os.environ.get("PEER"), help="the script that serves Wagtail")
    parser.add_argument(
        "--json", type=Path, default=CACHE_DIR / "pages.json", help="also write the figures to this file"
    )
    parser.add_argument("--queries", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--cores", type=int, default=1, help="processor cores for the servers and wrk together")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    if args.queries:
        print_queries()
        return
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.cores])
    if not shutil.which("wrk"):
        sys.exit("benchmarks/pages.py: wrk is not installed (Debian: apt-get install wrk)")
    with ExitStack() as stack:
        servers = [start_server(size, stack) for size in args.sizes]
        measure(servers, args.rounds, args.seconds)
        smallest = servers[args.sizes.index(min(args.sizes))]
        if args.peer and Path(args.peer).exists():
            smallest.result["peer"] = peer(smallest.site, smallest.paths[FILE], Path(args.peer))
    results = [server.result for server in servers]
    print_table(results)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nWritten to {args.json}.")


@dataclass
class Server:
    url: str  # of its database
    site: str
    process: subprocess.Popen[bytes]
    paths: dict[str, str]
    result: dict[str, Any]


def start_server(size: int, stack: ExitStack) -> Server:
    """Start a server with so many pages, measure its start, and warm it up."""
    url = database("pages", size, WORDS)
    result: dict[str, Any] = {"pages": size, "queries": queries(url)}
    site, process, seconds = stack.enter_context(serving(url))
    result["start, s"] = round(seconds, 1)
    began = time.perf_counter()
    body = get(site, SECTION)
    result["first page, ms"] = round((time.perf_counter() - began) * 1000, 1)
    server = Server(url, site, process, {**PAGES, FILE: file_of(len(body), site)}, result)
    for path in server.paths.values():
        load(site, [path], 1)
    return server


def measure(servers: Sequence[Server], rounds: int, seconds: int) -> None:
    """Measure requests per second and latency of everything, in turns; then the memory used."""
    searches = [f"/search/?q={quote(title)}" for title in titles()]
    runs: dict[tuple[int, str], list[dict[str, float]]] = defaultdict(list)
    for _round in range(rounds):
        for name in servers[0].paths:
            for number, server in enumerate(servers):
                runs[number, name].append(load(server.site, [server.paths[name]], seconds))
        for number, server in enumerate(servers):
            load(server.site, searches, seconds)  # after a while each thread reads the index from the disk again
            for path in searches:
                get(server.site, path)  # the first waits for what wrk has left unanswered
            runs[number, SEARCH].append(load(server.site, searches, seconds, connections=1))
    for (number, name), of_name in runs.items():
        servers[number].result[name] = {key: statistics.median(run[key] for run in of_name) for key in of_name[0]}
    for name, elsewhere in AFTER_EDITS.items():
        times: dict[int, list[float]] = defaultdict(list)
        for _turn in range(4):
            for number, server in enumerate(servers):
                times[number] += after_edits(server, elsewhere=elsewhere, times=25)
        for number, server in enumerate(servers):
            median = statistics.median(times[number])
            p99 = sorted(times[number])[int(len(times[number]) * 0.99) - 1]
            server.result[name] = {"rate": 1000 / median, "median": median, "p99": p99}
    for server in servers:
        server.result["memory of the worker, MB"] = round(memory(server.process.pid) / 1024)


# One after the other


def load(site: str, paths: Sequence[str], seconds: int, connections: int = 8) -> dict[str, float]:
    """Run wrk for a short time on these paths in turn. Exits if a response is not successful."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA_SCRIPT % ", ".join(map(json.dumps, paths)))
        script.flush()
        options = [f"-c{connections}", f"-d{seconds}s", "--latency", "-H", "Accept-Encoding: gzip"]
        options += ["-s", script.name] if len(paths) > 1 else []
        command = ["wrk", "-t1", *options, site + paths[0]]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output:
        sys.exit(f"{paths[0]} answered with errors:\n{output}")
    [rate] = re.findall(r"Requests/sec:\s+([\d.]+)", output)
    median, slowest = (re.findall(rf"{share}%\s+([\d.]+)(us|ms|s)", output)[0] for share in (50, 99))
    return {"rate": float(rate), "median": milliseconds(*median), "p99": milliseconds(*slowest)}


def titles() -> list[str]:
    """Return realistic search words: the titles of the site's pages."""
    rows = json.loads(WORDS.read_text())
    return sorted({row["fields"]["title"] for row in rows if "title" in row["fields"] and "body" in row["fields"]})


def milliseconds(number: str, unit: str) -> float:
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def after_edits(server: Server, *, elsewhere: bool, times: int) -> list[float]:
    """Return milliseconds per request after an edit, by another process, of this page or of another topic."""
    slug = "topic-2" if elsewhere else "section-1-of-topic-1"
    changed = "CASE WHEN body LIKE '% more' THEN substr(body, 1, length(body) - 5) ELSE body || ' more' END"
    durations = []
    for _time in range(times):
        execute(server.url, f"UPDATE articles_article SET body = {changed} WHERE slug = '{slug}'")
        if elsewhere:
            get(server.site, "/changes/")  # the first request indexes the edit
        began = time.perf_counter()
        get(server.site, SECTION)
        durations.append((time.perf_counter() - began) * 1000)
    return durations


def queries(url: str) -> dict[str, int]:
    """Return the number of queries per page, rendered and from memory."""
    command = [sys.executable, __file__, "--queries"]
    output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(url)).stdout
    counts: dict[str, int] = json.loads(output)
    return counts


def print_queries() -> None:
    """Print the number of queries; in another process, as Django reads its settings only once."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "rlm_site.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from rlm_site.page_cache import versions

    client = Client(HTTP_HOST="127.0.0.1")
    counts = {}
    for name, path in {**PAGES, SEARCH: "/search/?q=" + quote(titles()[0])}.items():
        for state in ("rendered", "from memory"):
            # versions are read from the driver directly, without Django's query log
            counted = [
                patch.object(versions, read, wraps=getattr(versions, read))
                for read in ("_read_content_version", "read_versions")
            ]
            with counted[0] as whole, counted[1] as of_parts, CaptureQueriesContext(connection) as captured:
                client.get(path)
            counts[f"{name}, {state}"] = whole.call_count + of_parts.call_count + len(captured)
    print(json.dumps(counts))


def execute(url: str, statement: str) -> None:
    from synthetic_data import _connected

    with _connected(url) as connection:
        connection.execute(statement)


def peer(site: str, file: str, script: Path) -> dict[str, float]:
    """Return requests per second of a Wagtail site, with and without Django's site-wide cache, in one run with ours."""
    command = [sys.executable, str(script), site + SECTION, "--static", site + file]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: float(rate) for name, rate in re.findall(r"^(\S+)\s+([\d.]+) requests/s", output, re.MULTILINE)}


# The site


@contextmanager
def serving(url: str) -> Iterator[tuple[str, subprocess.Popen[bytes], float]]:
    """Serve the site on this database; yield its address, its process, and the seconds until it responded."""
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
        while process.poll() is None and not is_up(site):
            time.sleep(0.05)
        if process.poll() is not None:
            sys.exit("benchmarks/pages.py: the site did not start")
        yield site, process, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(30)


def is_up(site: str) -> bool:
    try:
        get(site, "/healthz")
    except OSError:
        return False
    return True


def get(site: str, path: str) -> bytes:
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
    """Return the static file with the most similar compressed size."""
    packed = {path: path.stat().st_size for path in (ROOT / "var" / "static").rglob("*.gz")}
    nearest = min(packed, key=lambda path: abs(packed[path] - size))
    return "/static/" + nearest.relative_to(ROOT / "var" / "static").as_posix().removesuffix(".gz")


def memory(pid: int) -> int:
    """Return kilobytes in memory of the largest child process, with what is mapped of the database."""
    sizes = [0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "stat").read_text().rpartition(")")[2].split()[1] == str(pid):
                sizes += map(int, re.findall(r"VmRSS:\s+(\d+)", (folder / "status").read_text()))
        except OSError:
            continue
    return max(sizes)


# The table


def print_table(results: list[dict[str, Any]]) -> None:
    print(f"\n{'':26}" + "".join(f"{result['pages']:>12,} pages" + " " * 14 for result in results))
    print(f"{'':26}" + f"{'requests/s':>12}{'median ms':>10}{'p99 ms':>10}" * len(results))
    for name in [*PAGES, FILE, SEARCH, *AFTER_EDITS]:
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
        for name in ("page from memory", FILE, *AFTER_EDITS, SEARCH):
            print(f"{name}, {growth}: {last[name]['median'] / first[name]['median']:.2f} times the time")
    for name, rate in first.get("peer", {}).items():
        compared = ("page from memory", "after an edit elsewhere") if name.startswith("wagtail") else ()
        ratios = ", ".join(f"{each}: {first[each]['rate'] / rate:.1f} times" for each in compared)
        print(f"{name}: {rate:,.0f} requests/s" + (f" ({ratios})" if ratios else ""))


def ratio(result: dict[str, Any], name: str, other: str) -> float:
    return float(result[name]["rate"] / result[other]["rate"])


if __name__ == "__main__":
    main()
