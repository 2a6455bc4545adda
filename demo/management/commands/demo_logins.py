"""Print the logins of the demonstration workspaces as one JSON list."""

import json
from typing import Any

from django.core.management.base import BaseCommand

from demo import names
from demo.workspaces import DEMOS, PASSWORD
from tenants.actions import host_of
from tenants.models import Tenant

SHOWN = (("Victoria Hale", "vp_cs"), ("Mara Lind", "csm"), ("Nora Whitfield", "owner"))


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        present = set(Tenant.objects.ready().values_list("slug", flat=True))
        logins = [
            {"host": host_of(demo.slug), "email": names.email(name, demo.domain), "password": PASSWORD, "role": role}
            for demo in DEMOS
            if demo.slug in present
            for name, role in SHOWN
        ]
        self.stdout.write(json.dumps(logins))
