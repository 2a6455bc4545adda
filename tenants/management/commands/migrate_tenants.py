"""Bring the public schema and all workspaces up to this release; prints one JSON object."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.fleet import Busy, migrate_fleet


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            report = migrate_fleet(at=timezone.now())
        except Busy as busy:
            raise CommandError(str(busy)) from busy
        answer = {
            "tenants": report.tenants,
            "migrated": report.migrated,
            "failed": report.failed,
            "seconds": round(time.perf_counter() - started, 2),
        }
        self.stdout.write(json.dumps(answer))
        if report.failed:
            raise SystemExit(1)
