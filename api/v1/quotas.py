"""``quotas``: what the workspace and the caller may use."""

from __future__ import annotations

from django.conf import settings
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions.bulk import MAX_ROWS
from accounts.quotas import storage_bytes, uses
from api.idempotency import KEPT
from api.json import MAX_DEPTH
from api.pagination import KeysetPagination
from api.parsers import MAX_BODY
from api.throttling import tenant_limit
from api.views import Endpoint

LIMITS = {
    "calls_per_minute": "Calls a minute of this token or person",
    "calls_per_minute_workspace": "Calls a minute of the workspace",
    "page_size": "Largest page",
    "bulk_items": "Items of a bulk call",
    "body_bytes": "Bytes of a JSON body",
    "json_depth": "Levels of a JSON body",
    "idempotency_hours": "Hours an Idempotency-Key is kept",
    "accounts": "Accounts the workspace may have, archived ones not counted",
    "accounts_used": "Accounts it has",
    "users": "Active users the workspace may have, the portal's too",
    "users_used": "Active users it has",
    "events_per_day": "Events the workspace may send a day (UTC)",
    "events_used_today": "Events it sent today, those sent twice counted twice",
    "calls_busiest_minute": "Calls of the workspace in the busiest of the last ten minutes",
    "storage_bytes_used": "Bytes its tables take in the database; there is no limit",
}


class QuotasSerializer(serializers.Serializer):
    """What ``LIMITS`` names."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {name: serializers.IntegerField(help_text=text) for name, text in LIMITS.items()}


class Quotas(Endpoint):
    policy = {"GET": "profile.own"}

    @extend_schema(
        summary="Limits in force",
        description="What is left in this minute is in the RateLimit headers of every answer.",
        responses=QuotasSerializer,
    )
    def get(self, request: Request) -> Response:
        figures = (
            settings.API_CALLS_PER_MINUTE,
            tenant_limit(),
            KeysetPagination.max_page_size,
            MAX_ROWS,
            MAX_BODY,
            MAX_DEPTH,
            int(KEPT.total_seconds() // 3600),
            *_of_the_workspace(),
        )
        return Response(dict(zip(LIMITS, figures, strict=True)))


def _of_the_workspace() -> tuple[int, ...]:
    accounts, users, events, calls = uses(timezone.now())
    pairs = (accounts.limit, accounts.used, users.limit, users.used, events.limit, events.used)
    return (*pairs, calls.used, storage_bytes())


urlpatterns = [path("quotas/", Quotas.as_view(), name="quotas")]
