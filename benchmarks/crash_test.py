#!/usr/bin/env python
"""Whether a site that is killed loses anything: `kill -9` under writing load, again and again.

    python benchmarks/crash_test.py [--kills 50] [--writers 3] [--json FILE]

Editors save forms of the admin, as fast as each is answered, and a shell commits transactions of two rows with hardly
a pause, until the server and the shell are killed at a moment drawn at random. Then every save that was acknowledged
must be there, no transaction by half, the database whole, and the next start must serve a page within 5 seconds. The
database is a scratch one (SQLite, or beside the PostgreSQL database that DATABASE_URL names; there only the site is
killed). Ends with 1 if something failed.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rlm_site.testing.databases import fresh_database
from rlm_site.testing.served import Site, free_port
from rlm_site.testing.variables import environment

if TYPE_CHECKING:
    from clients import Editor

PAGE = "/russian-liberation-movement/the-allies/"
SECONDS_TO_START = 5.0
SHELL = """
import itertools, random, time, django; django.setup()
from django.db import transaction
from rlm_site.models import Tag
one, other = Tag.objects.order_by("-pk")[:2]
for number in itertools.count(START):
    with transaction.atomic():
        Tag.objects.filter(pk=one.pk).update(description=number)
        Tag.objects.filter(pk=other.pk).update(description=number)
    print(number, flush=True)
    time.sleep(random.uniform(0, 0.05))  # whoever writes on SQLite without any pause leaves no turn to others
"""


class SavingThread(threading.Thread):
    """An editor who saves one tag again and again with a rising number, and records the last confirmed one."""

    def __init__(self, editor: "Editor", tag: Any, number: int) -> None:
        super().__init__(daemon=True)
        self.editor = editor
        self.tag = tag
        self.number = self.sent = self.answered = number
        self.problem = ""

    def run(self) -> None:
        from clients import NotSavedError

        while True:
            self.sent += 1
            try:
                self.editor.change(self.tag, description=str(self.sent))
            except (OSError, HTTPException):
                return  # the server is dead, or answers too late to count
            except NotSavedError as error:
                self.problem = str(error)
                return
            self.answered = self.sent


class Shell:
    """A process that commits transactions of two rows, and prints which it has committed."""

    def __init__(self, url: str, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SHELL.replace("START", str(number + 1))],
            cwd=ROOT,
            env={**environment(url, 8000), "DJANGO_SETTINGS_MODULE": "rlm_site.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )
        self.number = self.committed = number

    def wait_until_it_writes(self) -> None:
        assert self.process.stdout is not None
        self.committed = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        committed = self.process.communicate()[0].split()
        self.committed = int(committed[-1]) if committed else self.committed


def start(url: str, port: int, folder: Path) -> tuple[Site, float]:
    """Start the site; return it and the seconds until it served a page."""
    log = folder / "serve.log"
    began = time.monotonic()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=environment(url, port),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the server is several processes: all are killed together
        )
    site = Site(f"http://127.0.0.1:{port}", process, log, url)
    while time.monotonic() < began + 300:
        try:
            if site.ask(PAGE)[0] == 200:
                return site, time.monotonic() - began
        except (OSError, HTTPException):
            time.sleep(0.02)
        if process.poll() is not None:
            break
    raise RuntimeError(f"the site did not start:\n{log.read_text()}")


@dataclass
class Result:
    kills: int = 0
    saves: int = 0
    refused: int = 0  # because the database was busy, and sent again
    transactions: int = 0
    starts: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def trial(url: str, folder: Path, kills: int, writers: int) -> Result:
    from clients import Editor

    from rlm_site.tags.models import Tag

    result = Result()
    port = free_port()
    site, _seconds = start(url, port, folder)
    password = site.password
    Tag.objects.update(description="0")
    tags = list(Tag.objects.order_by("pk")[:writers])
    try:
        for kill in range(1, kills + 1):
            editors = [Editor([site], random.Random()) for _writer in tags]
            for editor in editors:
                editor.sign_in("editor", password)
            threads = [SavingThread(editor, tag, stored(tag)) for editor, tag in zip(editors, tags, strict=True)]
            shell = Shell(url, stored(Tag.objects.latest("pk")))
            write_until_killed(site, threads, shell)
            result.kills = kill
            result.saves += sum(thread.answered - thread.number for thread in threads)
            result.refused += sum(editor.refused for editor in editors)
            result.transactions += shell.committed - shell.number
            result.failures += [f"kill {kill}: {failure}" for failure in examine(url, threads, shell)]
            site, seconds = start(url, port, folder)
            result.starts.append(seconds)
            if seconds > SECONDS_TO_START:
                result.failures.append(f"kill {kill}: the next start served after {seconds:.1f} s")
            show(result, kills)
    finally:
        os.killpg(site.process.pid, signal.SIGKILL)
        site.process.wait()
    return result


def write_until_killed(site: Site, threads: Sequence[SavingThread], shell: Shell) -> None:
    """Kill the site and the shell at a random moment while they write."""
    shell.wait_until_it_writes()
    for thread in threads:
        thread.start()
    while any(thread.is_alive() and thread.answered == thread.number for thread in threads):
        time.sleep(0.01)
    time.sleep(random.uniform(0, 2))
    os.killpg(site.process.pid, signal.SIGKILL)
    shell.kill()
    site.process.wait()
    for thread in threads:
        thread.join(30)


def stored(tag: Any) -> int:
    tag.refresh_from_db()
    return int(tag.description)


def examine(url: str, threads: Sequence[SavingThread], shell: Shell) -> list[str]:
    """Return what is wrong with the database after the crash."""
    from rlm_site.tags.models import Tag

    failures = [thread.problem for thread in threads if thread.problem]
    for thread in threads:
        if not thread.answered <= stored(thread.tag) <= thread.sent:
            failures.append(f"save {thread.answered} of {thread.tag} was answered, and {stored(thread.tag)} is stored")
    one, other = (stored(tag) for tag in Tag.objects.order_by("-pk")[:2])
    if one != other:
        failures.append(f"one row of a transaction has {one}, the other {other}")
    if not shell.committed <= one <= shell.committed + 1:
        failures.append(f"transaction {shell.committed} was committed, and {one} is stored")
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            checks = ("PRAGMA integrity_check", "PRAGMA foreign_key_check")
            found = [str(row[0]) for check in checks for row in database.execute(check)]
        failures += [line for line in found if line != "ok"]
    return failures


def show(result: Result, kills: int) -> None:
    if sys.stderr.isatty():
        line = f"{result.kills} of {kills} kills, {result.saves:,} saves, {len(result.failures)} failures"
        print(f"\r\x1b[K{line}", end="" if result.kills < kills else "\r\x1b[K", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--writers", type=int, default=3, help="editors who save at the same time")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers are ended with it
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(fresh_database(folder))
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="rlm_site.settings")
        import django

        django.setup()
        result = trial(url, folder, args.kills, args.writers)
    print(f"{result.kills} kills, on {url.split(':')[0]}")
    print(
        f"{result.saves:,} saves of the admin and {result.transactions:,} transactions of a shell were answered before"
    )
    print(f"{result.refused:,} saves were told that the database is busy, and sent again")
    starts = sorted(result.starts)
    print(f"the next start served after {statistics.median(starts):.1f} s (median), {starts[-1]:.1f} s (longest)")
    print(f"{len(result.failures)} failures")
    for failure in result.failures:
        print(failure)
    if args.json:
        args.json.write_text(json.dumps({"database": url.split(":")[0], **vars(result)}, indent=1) + "\n")
    sys.exit(bool(result.failures))


if __name__ == "__main__":
    main()
