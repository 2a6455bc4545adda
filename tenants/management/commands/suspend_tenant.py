"""``manage.py suspend_tenant SLUG --reason TEXT``: stop serving a workspace; its data stays."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.actions import TenantRefused, suspend_tenant
from tenants.models import Tenant


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, slug: str, reason: str, **options: Any) -> None:
        try:
            tenant = suspend_tenant(Tenant.objects.get(slug=slug), reason=reason)
        except Tenant.DoesNotExist as error:
            raise CommandError(f"There is no tenant {slug}.") from error
        except TenantRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"tenant": tenant.slug, "status": tenant.status}))
