#!/usr/bin/env python
"""How much longer a reader of a page in memory waits while editors do the longest work that is allowed.

    python benchmarks/readers.py [--rounds 5] [--seconds 4] [--editors 8] [--only KIND]… [--json FILE]

One served site on a scratch database with the tests' own content (SQLite, or beside the PostgreSQL database that
DATABASE_URL names). Round after round a reader in a process of its own asks at rest, and then while editors ask for
previews of the largest texts, comparisons of two of them, saves, and imports and files of the largest size, each kind
by itself; so whatever else the machine does hits all alike. What counts is the ratio to the time at rest.
"""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing.databases import OWN, fill, fresh_database
from rlm_site.testing.served import Site, serving

if TYPE_CHECKING:
    from rlm_site.editor.concurrency.tests.test_saving_under_load import Editor

PAGE = "/yarle-valley/the-millers/"
ADD = "/admin/articles/article/add/"
IMPORT = "/admin/quotes/quote/import/"
BOUNDARY = "readers-boundary"
PAUSE = 0.002  # seconds between two requests of the reader
WORST = (
    "".join(f"- [[d{number}]] *e* \"f' g [@c{number}]\n" for number in range(1600))
    + f"\n|{'a|' * 9}\n|{'-|' * 9}\n{'|' * 3}\n" * 100
    + "In the spring of 1845 the millers put their last hope in two wheels. " * 1500
)
READER = """
import json, sys, time
from http.client import HTTPConnection
host, page, seconds, pause = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
connection, waits, end = HTTPConnection(host, timeout=60), [], time.monotonic() + seconds
while time.monotonic() < end:
    began = time.perf_counter()
    connection.request("GET", page)
    answer = connection.getresponse()
    answer.read()
    waits.append(time.perf_counter() - began)
    assert answer.status == 200
    time.sleep(pause)
print(json.dumps(waits))
"""

Act = Callable[["Editor", int], int]  # returns the status of the answer


def read(site: Site, seconds: float) -> list[float]:
    """Return the seconds that a reader waits for each of many pages."""
    command = [sys.executable, "-c", READER, site.url.removeprefix("http://"), PAGE, str(seconds), str(PAUSE)]
    waits: list[float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return waits


def send(editor: "Editor", path: str, body: bytes, kind: str) -> int:
    """Post a body as it is."""
    cookies = "; ".join(f"{name}={value}" for name, value in editor.cookies.items())
    connection = HTTPConnection(editor.site.url.removeprefix("http://"), timeout=120)
    with suppress(ConnectionError):  # refused before all of it was read
        connection.request("POST", path, body, {"Cookie": cookies, "Content-Type": kind})
        status = connection.getresponse().status
        connection.close()
        return status
    connection.close()
    return 413


def upload(editor: "Editor", name: str, data: bytes) -> int:
    token = editor.opened_at(IMPORT)["csrfmiddlewaretoken"]
    fields = {"csrfmiddlewaretoken": token, "name": "Benchmark", "register": "serious", "trust": "unchecked"}
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    )
    file = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = f"{head}{file}".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return send(editor, IMPORT, body, f"multipart/form-data; boundary={BOUNDARY}")


def rows(number: int) -> bytes:
    """Return a file of a thousand quotations, all different."""
    rng = random.Random(number)
    words = [f"{first}{last}" for first in ("mill", "riv", "whe", "bro", "sto") for last in ("er", "el", "ow", "ne")]
    made = [{"key": f"k{n}-{number}", "text": " ".join(rng.choices(words, k=60))} for n in range(1000)]
    return json.dumps(made).encode()


FILES: list[tuple[str, bytes]] = [
    ("numbers.json", b"[" + b"1," * 900_000 + b"1]"),
    ("objects.json", b"[" + b"{}," * 600_000 + b"{}]"),
    ("cell.json", json.dumps([{"key": "a", "text": "wheel " * 300_000}]).encode()),
    ("lines.csv", b"\r\n" * 950_000),
    ("rows.csv", b"key,text\n" + b"a,b\n" * 450_000),
    ("bytes.csv", b"\xff" * 1_900_000),
]


def kinds(comparison: str) -> dict[str, Act]:
    def preview(editor: "Editor", number: int) -> int:
        form: dict[str, Any] = editor.opened_at(ADD)
        return editor.ask(f"{ADD}preview/", form | {"body": f"{WORST}\n{number}"})[0]

    def save(editor: "Editor", number: int) -> int:
        form: dict[str, Any] = editor.opened_at(ADD)
        return editor.ask(ADD, form | {"title": f"Wheel {number}", "body": f"{WORST}\n{number}", "_save": "1"})[0]

    def send_form(editor: "Editor", number: int) -> int:
        form: dict[str, Any] = editor.opened_at(ADD)
        body = urlencode(form | {"body": "ж" * 200_000, "note": f"{number}" + "ж" * 400_000}).encode()
        return send(editor, f"{ADD}checks/", body, "application/x-www-form-urlencoded")

    return {
        "previews": preview,
        "comparisons": lambda editor, number: editor.ask(comparison)[0],
        "saves": save,
        "imports": lambda editor, number: upload(editor, "rows.json", rows(number)),
        "files": lambda editor, number: upload(editor, *FILES[number % len(FILES)]),
        "forms": send_form,
    }


@contextmanager
def working(editors: "list[Editor]", act: Act, statuses: "Counter[int]") -> Iterator[None]:
    """Let editors work without a pause until the block ends; who is told to come again waits as they are told."""
    stop = threading.Event()
    numbers = iter(range(random.randrange(10**6), 10**9))

    def work(editor: "Editor") -> None:
        while not stop.is_set():
            status = act(editor, next(numbers))
            statuses[status] += 1
            if status == 503:
                stop.wait(3)

    threads = [threading.Thread(target=work, args=[editor]) for editor in editors]
    for thread in threads:
        thread.start()
    time.sleep(1)
    yield
    stop.set()
    for thread in threads:
        thread.join()


def prepare(site: Site, editors: int) -> "tuple[list[Editor], str]":
    """Return editors who are signed in, and the address of a comparison of two long texts."""
    from rlm_site.editor.concurrency.tests.test_saving_under_load import change, prepared

    people, articles = prepared(site, "readers", editors, 1, is_superuser=True)
    words = [f"w{number} " for number in range(28_000)]
    swapped = [word for first, second in zip(words[::2], words[1::2], strict=True) for word in (second, first)]
    for text in (words, swapped):
        form: dict[str, Any] = people[0].opened(articles[0])
        status = people[0].ask(change(articles[0]), form | {"body": "".join(text), "_save": "1"})[0]
        assert status == 302, status
    return people, f"/admin/articles/article/{articles[0]}/history/compare/"


def at(waits: list[float], part: float) -> float:
    return sorted(waits)[math.ceil(len(waits) * part) - 1] * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="seconds per measurement")
    parser.add_argument("--editors", type=int, default=8)
    parser.add_argument("--only", action="append", metavar="KIND", help="kind of work: previews, files …")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the server is ended with it
    waits: dict[str, list[float]] = defaultdict(list)
    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(fresh_database(folder))
        if problem := fill(url, OWN):
            sys.exit(problem)
        site = stack.enter_context(serving(url, folder))
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="rlm_site.settings")
        import django

        django.setup()
        people, comparison = prepare(site, args.editors)
        acts = {name: act for name, act in kinds(comparison).items() if name in (args.only or [name])}
        read(site, 1)
        for _round in range(args.rounds):
            for name, act in acts.items():
                waits[f"{name}, rest"] += read(site, args.seconds / 2)
                with working(people, act, statuses[name]):
                    waits[name] += read(site, args.seconds)
                waits[f"{name}, rest"] += read(site, args.seconds / 2)
    print_result(waits, statuses)
    if args.json:
        figures = {name: {"p50": at(found, 0.5), "p99": at(found, 0.99)} for name, found in waits.items()}
        args.json.write_text(json.dumps(figures, indent=1) + "\n")


def print_result(waits: dict[str, list[float]], statuses: "dict[str, Counter[int]]") -> None:
    print(f"{'ms':14}{'rest p50':>10}{'p99':>8}{'work p50':>10}{'p99':>8}{'ratio p50':>11}{'p99':>8}  answers")
    for name, answers in statuses.items():
        rest = [at(waits[f"{name}, rest"], part) for part in (0.5, 0.99)]
        work = [at(waits[name], part) for part in (0.5, 0.99)]
        ratios = [meanwhile / alone for meanwhile, alone in zip(work, rest, strict=True)]
        times = f"{rest[0]:10.2f}{rest[1]:8.2f}{work[0]:10.2f}{work[1]:8.2f}{ratios[0]:11.1f}{ratios[1]:8.1f}"
        print(f"{name:14}{times}  {dict(sorted(answers.items()))}")


if __name__ == "__main__":
    main()
