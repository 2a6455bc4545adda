"""How much of the installation one workspace may use."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection

from tenants.blueprint import public_schema
from tenants.models import Quota, Tenant

log = logging.getLogger(__name__)
CACHED_SECONDS = 60
DAY = timedelta(days=1)
CALL_MINUTES = 10


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


def take_events(number: int, *, at: datetime) -> bool:
    """Count ``number`` events of the selected workspace on the UTC day of ``at``; False, uncounted, above its limit.

    The count lives in Redis: two or three round trips. Without Redis everything is taken, since the limit protects
    the service and refusing everybody would not.
    """
    key, store = _day_key(connection.schema_name, at), caches["global"]
    try:
        store.add(key, 0, timeout=int(2 * DAY.total_seconds()))
        if store.incr(key, number) <= limits_of().events_per_day:
            return True
        store.decr(key, number)
    except (redis.RedisError, ValueError):
        log.warning("quotas: events are not counted, Redis does not answer", exc_info=True)
        return True
    return False


def events_on(schema: str, at: datetime) -> int:
    """Events a workspace sent in on the UTC day of ``at``, those sent twice counted twice."""
    return int(caches["global"].get(_day_key(schema, at)) or 0)


def calls_key(schema: str, minute: int) -> str:
    """Where the API calls of a workspace in one minute since the epoch are counted."""
    return f"rate:{schema}:*:{minute}"


def busiest_minute(schema: str, at: datetime) -> int:
    """API calls of the busiest of the last ten minutes, the one under way included. One round trip.

    Zero without Redis: what is not counted is not shown as used.
    """
    now = int(at.timestamp()) // 60
    try:
        found = counters().mget([calls_key(schema, minute) for minute in range(now - CALL_MINUTES + 1, now + 1)])
    except redis.RedisError:
        log.warning("quotas: calls cannot be read, Redis does not answer", exc_info=True)
        return 0
    return max(int(count or 0) for count in found)  # type: ignore[union-attr]


@cache
def counters() -> redis.Redis[Any]:
    """Redis as the API counts in it."""
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)


def seconds_to_next_day(at: datetime) -> int:
    """Seconds until the next UTC day, when events are taken again."""
    begin = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((begin + DAY - at).total_seconds()) + 1


def _day_key(schema: str, at: datetime) -> str:
    return f"events:{schema}:{at.astimezone(UTC):%Y-%m-%d}"
