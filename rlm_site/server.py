"""The process that serves the site; `manage.py serve` becomes it once everything is prepared.

It starts a worker by fork, which loads the site, and ends it. The signals that end it are blocked, by `serve` already,
and wait for the thread that minds them: however early they come, none is lost and none raises anything.
"""

import os
import signal
import socket
import sys
import time
from threading import Thread
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

GRACE = {signal.SIGINT: 1, signal.SIGTERM: 10}  # seconds for requests in progress; at a keyboard somebody waits


class SiteServer(MPServer):
    """Granian's server, which takes a worker's answer to a signal that all processes got for no failure."""

    def _spawn_worker(self, *args: Any, **kwargs: Any) -> WorkerProcess:
        worker = super()._spawn_worker(*args, **kwargs)
        report_exit = worker._watcher

        def watch() -> None:
            worker.join()
            if worker.inner.exitcode in {0, -signal.SIGTERM}:
                worker.interrupt_by_parent = True
                self.signal_handler_interrupt()
            report_exit()

        worker._watcher = watch  # type: ignore[method-assign]
        return worker


def main(host: str, port: int, url: str) -> None:
    """Serve until a signal ends it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, GRACE)
    server = SiteServer(
        "rlm_site.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=8,
        websockets=False,
        http=HTTPModes.http1,
        log_level=LogLevels.error,
        http1_settings=HTTP1Settings(header_read_timeout=15000),  # ms; a client that never finishes its headers
    )
    os.register_at_fork(after_in_child=_end_on_sigterm)
    Thread(target=_mind_signals, args=[server], daemon=True).start()
    Thread(target=_announce, args=[host, port, url], daemon=True).start()
    server.serve()


def _mind_signals(server: SiteServer) -> None:
    while True:
        number = signal.sigwait(GRACE)
        server.workers_kill_timeout = GRACE[signal.Signals(number)]
        server.signal_handler_interrupt()


def _end_on_sigterm() -> None:
    """Let a worker end at once until it has a handler of its own. Ctrl-C, which all get, is its parent's to act on."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _announce(host: str, port: int, url: str) -> None:
    """Say that the site is served as soon as the port answers."""
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    sys.stdout.write(f"Serving {url}/ on {host} port {port}. Press Ctrl-C to stop.\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
