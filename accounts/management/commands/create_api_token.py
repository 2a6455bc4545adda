"""``manage.py create_api_token acme --user ann@acme.test --name sync --scope read --scope write``."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django_tenants.utils import schema_context

from accounts.actions.tokens import issue_token
from accounts.choices import Scope
from accounts.errors import RuleViolated
from accounts.models import User
from tenants.models import Tenant


class Command(BaseCommand):
    help = "Make an API token of a tenant's user and print it, this once, as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant")
        parser.add_argument("--user", required=True, help="address of the user the token acts for")
        parser.add_argument("--name", required=True, help="what will use the token")
        parser.add_argument("--scope", action="append", choices=Scope.values, default=[], help="repeat for several")
        parser.add_argument("--days", type=int, default=365, help="lifetime, 1 to 365")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = Tenant.objects.filter(slug=options["slug"]).first()
        if tenant is None:
            raise CommandError(f"There is no tenant {options['slug']}.")
        with schema_context(tenant.schema_name):
            user = User.objects.filter(email__iexact=options["user"]).first()
            if user is None:
                raise CommandError(f"There is no user {options['user']} in {options['slug']}.")
            raw = self._issue(user, options)
        self.stdout.write(json.dumps({"token": raw}))

    def _issue(self, user: User, options: dict[str, Any]) -> str:
        try:
            _token, raw = issue_token(
                user,
                name=options["name"],
                scopes=options["scope"],
                actor=None,
                at=timezone.now(),
                days=options["days"],
            )
        except RuleViolated as broken:
            raise CommandError(str(broken)) from broken
        return raw
