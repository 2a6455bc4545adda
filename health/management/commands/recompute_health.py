"""``manage.py recompute_health acme``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from time import perf_counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_tenants.utils import tenant_context

from health.actions import open_ctas, recompute
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Score every account of a tenant now, open the CTAs that follow, and print the speed as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']}.")
        with tenant_context(tenant):
            started = perf_counter()
            now = timezone.now()
            result = recompute(at=now)
            seconds = perf_counter() - started
            open_ctas(at=now)
        answer = {
            "accounts": result.accounts,
            "seconds": round(seconds, 3),
            "accounts_per_second": round(result.accounts / seconds, 1),
        }
        self.stdout.write(json.dumps(answer))
