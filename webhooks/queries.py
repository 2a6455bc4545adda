"""Endpoints and their deliveries, for the page and the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from ui import keyset
from webhooks.catalogue import BY_NAME
from webhooks.choices import DeliveryState
from webhooks.models import Delivery, Endpoint

PAGE_SIZE = 50
# The rate of failure is of so many days.
RATED = timedelta(days=7)
_PENDING = Q(delivered_at=None, failed_at=None)
STATES: dict[str, Q] = {
    DeliveryState.WAITING: _PENDING & Q(attempts=0),
    DeliveryState.RETRYING: _PENDING & Q(attempts__gt=0),
    DeliveryState.DELIVERED: Q(delivered_at__isnull=False),
    DeliveryState.FAILED: Q(failed_at__isnull=False),
}
COLUMNS = (
    "pk", "event__type", "event__occurred_at", "is_test", "created_at", "not_before", "attempts", "delivered_at",
    "failed_at", "last_status", "last_error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint does: of the last 7 days how many ended and failed; what waits, and since when."""

    ended: int
    failed: int
    waiting: int
    waiting_since: datetime | None

    @property
    def failed_pct(self) -> float | None:
        """Share of those that ended that were given up; None while none ended."""
        return round(100 * self.failed / self.ended, 1) if self.ended else None


NOTHING = Health(0, 0, 0, None)


def endpoints_with_health(*, at: datetime) -> list[tuple[Endpoint, Health]]:
    """All endpoints, oldest first. Two queries, however many."""
    endpoints = list(Endpoint.objects.order_by("created_at", "pk"))
    found = healths([endpoint.pk for endpoint in endpoints], at=at)
    return [(endpoint, found.get(endpoint.pk, NOTHING)) for endpoint in endpoints]


def healths(endpoints: Collection[Any], *, at: datetime) -> dict[Any, Health]:
    """By key of the endpoint, of those with deliveries; tests do not count. One query."""
    rows = Delivery.objects.filter(endpoint__in=endpoints, is_test=False)
    since = at - RATED
    ended = Q(delivered_at__gte=since) | Q(failed_at__gte=since)
    counted = rows.order_by().values_list("endpoint").annotate(
        ended=Count("pk", filter=ended),
        failed=Count("pk", filter=Q(failed_at__gte=since)),
        waiting=Count("pk", filter=_PENDING),
        since=Min("created_at", filter=_PENDING),
    )  # fmt: skip
    return {key: Health(*figures) for key, *figures in counted}


@dataclass(frozen=True, slots=True)
class LogFilters:
    """Deliveries in one ``state`` and of one ``type``; unknown ones are none."""

    state: str = ""
    type: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> LogFilters:
        state, kind = query.get("state", ""), query.get("type", "")
        return cls(state if state in STATES else "", kind if kind in BY_NAME else "")

    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def in_state(rows: QuerySet[Delivery], state: str) -> QuerySet[Delivery]:
    """``rows`` in one state; all of them where it is empty."""
    return rows.filter(STATES[state]) if state else rows


def log(endpoint: Endpoint, filters: LogFilters, cursor: str) -> keyset.Page:
    """A page of an endpoint's deliveries, newest first. One query."""
    rows = in_state(Delivery.objects.filter(endpoint=endpoint), filters.state)
    if filters.type:
        rows = rows.filter(event__type=filters.type)
    order = keyset.Order("created_at", descending=True)
    return keyset.page(rows.values(*COLUMNS), order, Delivery._meta.get_field("created_at"), cursor, PAGE_SIZE)


def counts(endpoint: Endpoint) -> dict[str, int]:
    """How many deliveries of an endpoint are in each state. One query."""
    rows = Delivery.objects.filter(endpoint=endpoint)
    return rows.aggregate(**{str(state): Count("pk", filter=condition) for state, condition in STATES.items()})


def state_of(row: Mapping[str, Any]) -> DeliveryState:
    """The state of a row with the columns of ``log``."""
    if row["delivered_at"]:
        return DeliveryState.DELIVERED
    if row["failed_at"]:
        return DeliveryState.FAILED
    return DeliveryState.RETRYING if row["attempts"] else DeliveryState.WAITING
