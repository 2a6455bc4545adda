"""``manage.py resume_tenant SLUG``: serve a suspended workspace, or one in maintenance, again."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.actions import TenantRefused, resume_tenant
from tenants.models import Tenant


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, slug: str, **options: Any) -> None:
        try:
            tenant = resume_tenant(Tenant.objects.get(slug=slug))
        except Tenant.DoesNotExist as error:
            raise CommandError(f"There is no tenant {slug}.") from error
        except TenantRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps({"tenant": tenant.slug, "status": tenant.status}))
