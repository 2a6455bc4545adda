"""``manage.py restore_drill [SLUG]``: shows that a workspace comes back from its dump as it was."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.drill import DrillFailed, drill
from tenants.models import Tenant


class Command(BaseCommand):
    help = (
        "Dump one tenant, drop it, restore it and compare every table. Without SLUG: the oldest demo or other tenant."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?")

    def handle(self, *args: Any, slug: str | None = None, **options: Any) -> None:
        ready = Tenant.objects.ready()
        tenant = (
            ready.filter(slug=slug).first() if slug else ready.exclude(slug="platform").order_by("created_at").first()
        )
        if tenant is None:
            raise CommandError(f"There is no tenant {slug}." if slug else "There is no tenant to try it with.")
        try:
            found = drill(tenant)
        except DrillFailed as error:
            raise CommandError(f"{tenant.slug} stands as it was before: {error}") from error
        self.stdout.write(json.dumps(asdict(found) | {"equal": True}))
