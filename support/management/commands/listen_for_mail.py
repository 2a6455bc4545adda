"""Runs the development mail server until it is stopped."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from support.listener import listener


class Command(BaseCommand):
    """Listens on loopback unless told otherwise."""

    help = "Listen for mail by SMTP, for development; mail for the workspaces here goes to their mail rooms."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.set())
        server = listener(options["host"], options["port"])
        try:
            server.start()
        except OSError as problem:
            raise CommandError(f"Port {options['port']} cannot be listened on: {problem.strerror}.") from problem
        self.stdout.write(f"Mail is taken on {options['host']}:{options['port']}.")
        asked.wait()
        server.stop()
