"""``manage.py receipt_drill [SLUG]``: every receipt of a workspace holds, and none with one byte of it changed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_tenants.utils import tenant_context

from accounts.choices import Role
from accounts.models import User
from health.receipt_drill import drill
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Change receipts byte by byte and check that each change is noticed. Without SLUG: the oldest tenant."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?")
        parser.add_argument("--sample", type=int, default=20, help="bytes changed of each receipt (default 20)")
        parser.add_argument("--whole", type=int, default=1, help="receipts of each kind of which every byte is")
        parser.add_argument("--history", type=int, help="at most so many earlier scores (default all)")

    def handle(self, *args: Any, slug: str | None = None, **options: Any) -> None:
        ready = Tenant.objects.ready().exclude(slug="platform").order_by("created_at")
        tenant = ready.filter(slug=slug).first() if slug else ready.first()
        if tenant is None:
            raise CommandError(f"There is no tenant {slug}." if slug else "There is no tenant to try it with.")
        with tenant_context(tenant):
            owner = User.objects.active().filter(role=Role.OWNER).order_by("pk").first()
            if owner is None:
                raise CommandError(f"{tenant.slug} has no active owner.")
            named = {name: options[name] for name in ("sample", "whole", "history")}
            found = drill(owner, at=timezone.localtime(), told=self._tell, **named)
        line = "{:<32} {:>9} {:>12} {:>12} {:>9} {:>9}"
        self.stdout.write(line.format("kind", "receipts", "bytes", "forgeries", "refused", "accepted"))
        for kind, one in sorted(found.items()):
            counts = (one.receipts, one.bytes_tried, one.forgeries_tried, len(one.refused), len(one.unnoticed))
            self.stdout.write(line.format(kind, *(f"{count:,}" for count in counts)))
        wrong = [told for one in found.values() for told in (*one.refused, *one.unnoticed)]
        if wrong:
            raise CommandError("\n".join([f"{len(wrong)} went wrong:", *wrong[:10]]))
        self.stdout.write(f"Every receipt of {tenant.slug} holds, and no changed one does.")

    def _tell(self, receipts: int) -> None:
        self.stderr.write(f"{receipts:,} receipts tried")
