#!/usr/bin/env python
"""How many answers a second one core gives, and what each costs it: a page in memory beside the least there could be.

    python benchmarks/answers.py [--rounds 5] [--seconds 3] [--connections 8] [--workers 1] [--json FILE]

The same bytes each time: our page from memory, a WSGI application on the same server that does nothing but answer with
them, and nginx with them in a file; and our largest style sheet, by WhiteNoise. The servers are on the first core (with
--workers 2 on the first two), wrk on the last, and they take turns round after round, so that whatever else the machine
does hits all alike. The database is a scratch one with the tests' own content (SQLite, or beside the PostgreSQL
database that DATABASE_URL names). CPU is of all processes of a server, without those of the database.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.server import THREADS
from rlm_site.testing.databases import OWN, fill, fresh_database
from rlm_site.testing.served import Site, free_port, serving

PAGE = "/yarle-valley/the-millers/"
OURS, EMPTY, FILE, NGINX = "page from memory", "Granian, the same bytes", "WhiteNoise, a file", "nginx, the same bytes"
TICK = os.sysconf("SC_CLK_TCK")
EMPTY_APPLICATION = """
import json, pathlib
folder = pathlib.Path(__file__).parent
BODY, HEADERS = (folder / "body").read_bytes(), [tuple(each) for each in json.loads((folder / "headers").read_text())]
def application(environ, start_response):
    start_response("200 OK", HEADERS)
    return [BODY]
"""
NGINX_CONFIGURATION = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{}}
http {{ access_log off; keepalive_requests 1000000; {temporary}
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}; default_type text/html; }} }} }}
"""


def empty_server(folder: Path, stack: ExitStack) -> tuple[str, int]:
    """Start Granian with an application that does nothing; return the address and the process."""
    (folder / "empty.py").write_text(EMPTY_APPLICATION)
    port = free_port()
    options = ["--interface", "wsgi", "--http", "1", "--no-ws", "--log-level", "error", "--port", str(port)]
    command = [sys.executable, "-m", "granian", *options, "--blocking-threads", str(THREADS), "empty:application"]
    return f"http://127.0.0.1:{port}/", _started(command, folder, stack)


def nginx(folder: Path, stack: ExitStack) -> tuple[str, int]:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    port = free_port()
    configuration = NGINX_CONFIGURATION.format(folder=folder, port=port, temporary=temporary)
    (folder / "nginx.conf").write_text(configuration)
    for path in (folder, folder.parent):
        path.chmod(0o755)  # it reads as another account where root starts it
    return f"http://127.0.0.1:{port}/body", _started(["nginx", "-c", str(folder / "nginx.conf")], folder, stack)


def _started(command: list[str], folder: Path, stack: ExitStack) -> int:
    process = subprocess.Popen(command, cwd=folder)
    stack.callback(process.wait, 30)
    stack.callback(process.terminate)
    return process.pid


def warm(site: Site, folder: Path) -> str:
    """Ask until the page has all its headers; write them and the body down, and return the address of a style sheet."""
    for _request in range(2):
        site.ask(PAGE, **{"Accept-Encoding": "gzip"})
        time.sleep(1.1)
    _status, headers, body = site.ask(PAGE, **{"Accept-Encoding": "gzip"})
    (folder / "body").write_bytes(body)
    kept = [each for each in headers.items() if each[0].lower() not in {"date", "server"}]
    (folder / "headers").write_text(json.dumps(kept))
    sheets = re.findall(r'href="(/static/[^"]*\.css)"', site.ask("/")[2].decode())
    return max(sheets, key=lambda address: len(site.ask(address, **{"Accept-Encoding": "gzip"})[2]))


def load(url: str, seconds: int, connections: int, core: int) -> float:
    """Return answers per second. Exits if one is not successful."""
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s"]
    done = subprocess.run([*command, "-H", "Accept-Encoding: gzip", url], check=True, capture_output=True, text=True)
    if "Non-2xx" in done.stdout:
        sys.exit(f"{url} answered with errors:\n{done.stdout}")
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", done.stdout)[0])


def cpu(pid: int) -> float:
    """Return the seconds that a process and those that it started have used of the processor."""
    parents, used = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(folder.name)], used[int(folder.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(each, 0) for each in family)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="seconds per measurement")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1, help="of our site, each on a core of its own")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[: args.workers])
    runs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "answers"
        folder.mkdir()
        url = stack.enter_context(fresh_database(folder))
        if problem := fill(url, OWN):
            sys.exit(problem)
        site = stack.enter_context(serving(url, folder, WORKERS=str(args.workers)))
        sheet = warm(site, folder)
        servers = {
            OURS: (site.url + PAGE, site.process.pid),
            EMPTY: empty_server(folder, stack),
            FILE: (site.url + sheet, site.process.pid),
        }
        if shutil.which("nginx"):
            servers[NGINX] = nginx(folder, stack)
        time.sleep(2)
        for number in range(args.rounds + 1):
            for name, (address, pid) in servers.items():
                before = cpu(pid)
                rate = load(address, args.seconds, args.connections, cores[-1])
                if number:  # the first is to warm up
                    runs[name].append((rate, (cpu(pid) - before) / (rate * args.seconds) * 1e6))
    print_table(runs)
    if args.json:
        args.json.write_text(json.dumps(runs, indent=1) + "\n")


def print_table(runs: dict[str, list[tuple[float, float]]]) -> None:
    ours = [statistics.median(each) for each in zip(*runs[OURS], strict=True)]
    print(f"{'':26}{'answers/s':>12}{'µs CPU each':>14}{'our rate':>12}{'our CPU':>12}")
    for name, of_name in runs.items():
        rate, used = (statistics.median(each) for each in zip(*of_name, strict=True))
        print(f"{name:26}{rate:12,.0f}{used:14.1f}{ours[0] / rate:11.2f}x{ours[1] / used:11.2f}x")
    print("load of the machine: {:.1f}, {:.1f}, {:.1f}".format(*os.getloadavg()))


if __name__ == "__main__":
    main()
