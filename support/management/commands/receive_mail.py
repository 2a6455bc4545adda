"""Takes one mail from a file or standard input, as a mail server's pipe hands it over."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from support.intake import NoWorkspace, take


class Command(BaseCommand):
    """Stores a mail; the background worker makes it a ticket. Exits with 75 (try again) where nobody is there."""

    help = "Take one mail, as bytes, into the workspace whose host it is addressed to."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", default="-", help="the mail; - or nothing: standard input")
        parser.add_argument("--to", action="append", default=[], help="address on the envelope; else its headers")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["file"]
        try:
            raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as missing:
            raise CommandError(f"{name} cannot be read: {missing.strerror}.") from missing
        try:
            row = take(raw, source="file", recipients=options["to"], at=timezone.now())
        except NoWorkspace as nobody:
            # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and tries again.
            raise CommandError(str(nobody), returncode=75) from nobody
        self.stdout.write(f"Taken as {row.pk}.")
