"""The process that serves the site; `manage.py serve` becomes it once everything is prepared.

It starts workers by fork, which load the site, replaces those that die, and ends them. The signals that end it are
blocked, by `serve` already, and wait for the thread that minds them: however early they come, none is lost and none
raises anything.

Several of these may have one port. Who starts writes its name into a file as soon as all its workers listen; who reads
another's name there has been taken over, and ends.
"""

import os
import secrets
import signal
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

# Of a worker: three strangers and three editors may keep it waiting for their bodies, and two are left for readers.
THREADS = 8
GRACE = {signal.SIGINT: 1, signal.SIGTERM: 10}  # seconds for requests in progress; at a keyboard somebody waits
LONGEST_WAIT_FOR_SIGNAL = 1.0  # seconds by which a signal to all processes may reach the parent later than a worker
PAUSE = 0.02  # seconds between two looks whether the workers listen
PAUSE_BETWEEN_LOOKS = 0.2  # seconds, for another site that has taken over


class SiteServer(MPServer):
    """Granian's server, which takes a worker's answer to a signal that all processes got for no failure."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_ending = Event()

    def end(self, by: signal.Signals) -> None:
        self.workers_kill_timeout = GRACE[by]
        self.is_ending.set()
        self.signal_handler_interrupt()

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> WorkerProcess:
        worker = super()._spawn_worker(*args, **kwargs)
        report_exit = worker._watcher

        def watch() -> None:
            worker.join()
            if worker.inner.exitcode in {0, -signal.SIGTERM} and self.is_ending.wait(LONGEST_WAIT_FOR_SIGNAL):
                worker.interrupt_by_parent = True
            report_exit()

        worker._watcher = watch  # type: ignore[method-assign]
        return worker


def main(host: str, port: int, url: str, workers: int, state: Path) -> None:
    """Serve until a signal ends it, or another site that takes over."""
    signal.pthread_sigmask(signal.SIG_BLOCK, GRACE)
    server = SiteServer(
        "rlm_site.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        websockets=False,
        http=HTTPModes.http1,
        log_level=LogLevels.error,
        http1_settings=HTTP1Settings(header_read_timeout=15000),  # ms; a client that never finishes its headers
    )
    os.register_at_fork(after_in_child=_end_on_sigterm)
    Thread(target=_mind_signals, args=[server], daemon=True).start()
    Thread(target=_announce, args=[server, url, state / f"serving-{port}"], daemon=True).start()
    server.serve()


def _mind_signals(server: SiteServer) -> None:
    while True:
        server.end(signal.Signals(signal.sigwait(GRACE)))


def _end_on_sigterm() -> None:
    """Let a worker end at once until it has a handler of its own. Ctrl-C, which all get, is its parent's to act on."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _announce(server: SiteServer, url: str, serving: Path) -> None:
    """Say that the site is served as soon as all workers listen, and wait until another one says so."""
    while not _all_listen(server):
        time.sleep(PAUSE)
    name = secrets.token_hex(8)
    serving.write_text(name)
    serving.chmod(0o600)
    where = f"{server.bind_addr} port {server.bind_port}"
    sys.stdout.write(f"Serving {url}/ on {where}. Press Ctrl-C to stop.\n")
    sys.stdout.flush()
    while _name_in(serving) in {name, ""}:
        time.sleep(PAUSE_BETWEEN_LOOKS)
    sys.stdout.write(f"Another process has taken over {where}.\n")
    sys.stdout.flush()
    server.end(signal.SIGTERM)


def _name_in(serving: Path) -> str:
    """Return who serves; nobody while somebody writes the file, or where it was removed."""
    try:
        return serving.read_text()
    except OSError:
        return ""


def _all_listen(server: SiteServer) -> bool:
    """Return whether every worker has a socket of its own that listens on the port."""
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            _number, local, _remote, state, *_more, inode = line.split()[:10]
            if state == "0A" and int(local.rpartition(":")[2], 16) == server.bind_port:
                listening.add(f"socket:[{inode}]")
    workers = [worker.inner.pid for worker in list(server.wrks)]
    return len(workers) == server.workers and all(listening & _sockets(pid) for pid in workers)


def _sockets(pid: int | None) -> set[str]:
    try:
        return {os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")}
    except OSError:  # it has ended, or closed one meanwhile
        return set()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
