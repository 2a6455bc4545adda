"""How much of the installation one workspace may use."""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.core.cache import caches
from django.db import connection

from tenants.blueprint import public_schema
from tenants.models import Quota, Tenant

CACHED_SECONDS = 60


class Limits(NamedTuple):
    """At most so many. ``events_per_day`` counts UTC days; ``api_calls_per_minute`` counts every token together."""

    accounts: int = 100_000
    users: int = 1_000
    api_calls_per_minute: int = 6_000
    events_per_day: int = 20_000_000


DEFAULT = Limits(api_calls_per_minute=settings.API_CALLS_PER_MINUTE_TENANT)


def _key(schema: str) -> str:
    return f"limits:{schema}"


def limits_of(schema: str | None = None) -> Limits:
    """The limits of ``schema``, by default the selected one. Asks the cache; at most one query a minute."""
    schema = schema or connection.schema_name
    found = caches["global"].get(_key(schema))
    if found is None:
        with public_schema():
            row = Quota.objects.filter(tenant__schema_name=schema).values(*Limits._fields).first() or {}
        found = {name: value for name, value in row.items() if value is not None}
        caches["global"].set(_key(schema), found, CACHED_SECONDS)
    return DEFAULT._replace(**found)


def set_limits(tenant: Tenant, **changes: int | None) -> Limits:
    """Change limits of ``tenant``; None goes back to the default. They hold at once. Returns all of them."""
    unknown = changes.keys() - set(Limits._fields)
    if unknown:
        raise LookupError(f"there is no limit called {', '.join(sorted(unknown))}")
    with public_schema():
        Quota.objects.update_or_create(tenant=tenant, defaults=changes)
    caches["global"].delete(_key(tenant.schema_name))
    return limits_of(tenant.schema_name)


def clear_limits(tenant: Tenant) -> None:
    """Go back to the defaults."""
    with public_schema():
        Quota.objects.filter(tenant=tenant).delete()
    caches["global"].delete(_key(tenant.schema_name))
