"""KPI readings of one account against their targets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from health.kpis import metric_names
from health.models import Kpi
from health.queries.inputs import columns_for
from health.scoring import is_met, number

# How old the last reading of a KPI may be before it is overdue, by its frequency.
OVERDUE_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "annual": 366}


@dataclass(frozen=True, slots=True)
class Reading:
    """A KPI and its last reading. ``is_met`` is None without a target or a reading."""

    kpi: Kpi
    value: Decimal | None
    observed_at: datetime | None
    source: str
    is_met: bool | None
    is_overdue: bool


def kpi_readings(account_id: UUID, *, on: date) -> list[Reading]:
    """Every KPI with the account's last reading up to a day, by category. A constant number of queries."""
    kpis = list(Kpi.objects.all())
    names = {name for kpi in kpis for name in metric_names(kpi.key)}
    columns = columns_for([account_id], names, on)
    return [
        _reading(kpi, [columns.get(name, {}).get(account_id) for name in metric_names(kpi.key)], on) for kpi in kpis
    ]


def _reading(kpi: Kpi, found: list[Any], on: date) -> Reading:
    seen = next((item for item in found if item is not None), None)
    value = number(seen.value) if seen is not None else None
    limit = OVERDUE_DAYS.get(kpi.frequency)
    if seen is None or value is None:
        return Reading(kpi, None, None, "", None, is_overdue=limit is not None)
    observed_at = seen.observed_at
    late = limit is not None and (on - observed_at.date()).days > limit
    return Reading(kpi, value, observed_at, seen.source, is_met(kpi.op, kpi.target, value), late)
