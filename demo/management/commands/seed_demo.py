"""Seed the demonstration workspaces that are not there yet; prints one JSON object."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from demo.load import is_seeded, seed
from demo.workspaces import DEMOS


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slugs", nargs="*", help="only these workspaces")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        wanted = [demo for demo in DEMOS if not options["slugs"] or demo.slug in options["slugs"]]
        seeded = [seed(demo, now=timezone.now()).slug for demo in wanted if not is_seeded(demo.slug)]
        self.stdout.write(json.dumps({"seeded": seeded, "seconds": round(time.perf_counter() - started, 1)}))
