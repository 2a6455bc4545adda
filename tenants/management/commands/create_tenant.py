"""Create a workspace that can be used at once; prints its sub-domain, host and the seconds it took."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants.actions import TenantRefused, create_tenant, host_of

PACKS = ("fmea", "mna", "fleet", "bis", "generic")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--name", required=True)
        parser.add_argument("--pack", required=True, choices=PACKS)
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-password", required=True)
        parser.add_argument("--timezone", default="UTC")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.perf_counter()
        try:
            tenant = create_tenant(
                options["slug"],
                name=options["name"],
                pack=options["pack"],
                owner_email=options["owner_email"],
                owner_password=options["owner_password"],
                timezone=options["timezone"],
                at=timezone.now(),
                reserved=True,
            )
        except TenantRefused as error:
            raise CommandError(f"{error.field}: {error}") from error
        seconds = round(time.perf_counter() - started, 2)
        self.stdout.write(json.dumps({"tenant": tenant.slug, "host": host_of(tenant.slug), "seconds": seconds}))
