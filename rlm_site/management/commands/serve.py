import os
import signal
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from rlm_site.management.commands import prepare


class Command(prepare.Command):
    help = "Update the database and the static files, then serve the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--take-over",
            action="store_true",
            help="start beside the site that is served on this port, and end that one as soon as this one answers",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["take_over"]:
            require_free_port(settings.HOST, settings.PORT)
        self.prepare()
        os.chdir(settings.BASE_DIR)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})  # until the server minds them
        # exec, so that signals reach the server and nothing of the preparation stays in memory
        where = [settings.HOST, settings.PORT, settings.SITE_URL, settings.WORKERS, settings.STATE_DIR]
        os.execv(sys.executable, [sys.executable, "-m", "rlm_site.server", *map(str, where)])  # noqa: S606


def require_free_port(host: str, port: int) -> None:
    """Refuse a port in use, which the server would otherwise silently share with another server."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        raise CommandError(
            f"Cannot listen on {host} port {port}: {(error.strerror or str(error)).lower()}."
            " Choose another with PORT and HOST, or take over with `serve --take-over`."
        ) from error
