"""``manage.py offboard_tenant SLUG --export FILE``: hand over a workspace's data as a zip, then remove all of it."""

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.actions import TenantRefused
from tenants.models import Tenant
from tenants.offboarding import offboard_tenant


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--export", required=True, type=Path, help="the zip file to write")

    def handle(self, *args: Any, slug: str, export: Path, **options: Any) -> None:
        started = time.perf_counter()
        if export.exists():
            raise CommandError(f"{export} exists already.")
        try:
            found = offboard_tenant(Tenant.objects.get(slug=slug), export_to=export, at=timezone.now())
        except Tenant.DoesNotExist as error:
            raise CommandError(f"There is no tenant {slug}.") from error
        except (TenantRefused, OSError) as error:
            raise CommandError(str(error)) from error
        answer = {
            "tenant": slug,
            "export": str(export),
            "tables": len(found.tables),
            "rows": found.rows,
            "files": found.files,
            "bytes": found.size,
            "seconds": round(time.perf_counter() - started, 2),
        }
        self.stdout.write(json.dumps(answer))
