"""How many calls a caller and a workspace may make in a minute, counted in Redis, told on every answer."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core.cache import cache as shared_cache
from django.db import connection
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.authentication import caller_key
from tenants.quotas import CALL_MINUTES, calls_key, counters

log = logging.getLogger(__name__)
WINDOW = 60
QUOTA_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the tighter of the two limits in this minute."""

    limit: int
    remaining: int
    reset: int

    @property
    def exceeded(self) -> bool:
        return self.remaining < 0

    def headers(self) -> dict[str, str]:
        """The RateLimit headers, and Retry-After when nothing is left."""
        left = max(self.remaining, 0)
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(left),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW}",
        }
        return found | {"Retry-After": str(self.reset)} if self.exceeded else found


def tenant_limit() -> int:
    """Calls a minute of the selected workspace: its quota, or the default. Cached for half a minute."""
    key = "api-calls-per-minute"
    found = shared_cache.get(key)
    if found is None:
        from tenants.models import Quota

        quota = Quota.objects.filter(tenant__schema_name=connection.schema_name).first()
        found = (quota.api_calls_per_minute if quota else None) or settings.API_CALLS_PER_MINUTE_TENANT
        shared_cache.set(key, found, QUOTA_SECONDS)
    return int(found)


class CallsPerMinute(BaseThrottle):
    """Refuses a caller, and a workspace, that makes too many calls; leaves the RateLimit headers on the view."""

    budget: Budget

    def allow_request(self, request: Request, view: Any) -> bool:
        """Whether the call is within both limits. One round trip."""
        self.budget = take(request)
        view.headers.update(self.budget.headers())
        return not self.budget.exceeded

    def wait(self) -> int:
        """Seconds until the next minute."""
        return self.budget.reset


def take(request: Request) -> Budget:
    """Count one call and return what is left. One round trip.

    Windows are fixed minutes. Without Redis nothing is refused: the limits protect the service, and refusing
    everybody would not. Callers without a token are counted by address.
    """
    known = caller_key(request)
    subject = known or f"address:{get_adapter().get_client_ip(request._request)}"
    own = settings.API_CALLS_PER_MINUTE if known else settings.API_CALLS_PER_MINUTE_ANONYMOUS
    now = time.time()
    reset = WINDOW - int(now) % WINDOW
    minute = int(now) // WINDOW
    keys = [f"rate:{connection.schema_name}:{subject}:{minute}", calls_key(connection.schema_name, minute)]
    try:
        with counters().pipeline(transaction=False) as pipe:
            # The workspace's minutes are kept as long as its quotas page looks back.
            for key, minutes in zip(keys, (2, CALL_MINUTES + 1), strict=True):
                pipe.incr(key)
                pipe.expire(key, WINDOW * minutes)
            used, _expires, used_by_all, _expires = pipe.execute()
    except redis.RedisError:
        log.warning("api: rate limits are not counted, Redis does not answer", exc_info=True)
        return Budget(own, own, reset)
    whole = tenant_limit()
    tighter = min((own - used, own), (whole - used_by_all, whole))
    return Budget(tighter[1], tighter[0], reset)
