"""``manage.py openapi``: write the OpenAPI document."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.drainage import GENERATOR_STATS

from api import json
from api.openapi import document


class Command(BaseCommand):
    help = "Write the OpenAPI 3.1 document as JSON to a file, or to standard output; fail for what is not described."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, help="where to write it")

    def handle(self, *args: Any, **options: Any) -> None:
        text = json.dumps(document()).decode()
        if GENERATOR_STATS:
            GENERATOR_STATS.emit_summary()
            raise CommandError("Some operations are not described.")
        if options["file"]:
            options["file"].write_text(text)
        else:
            self.stdout.write(text)
