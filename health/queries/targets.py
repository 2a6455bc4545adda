"""KPIs against their targets: of one account with what to do about a miss, and over a book of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from health.kpis import metric_names
from health.models import Kpi
from health.queries.inputs import columns_for
from health.queries.kpis import Reading, kpi_readings
from health.scoring import is_met, number

MONTH = timedelta(days=30)
MONTHS = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """A KPI of one account: its reading, what the methodology does about a miss, and whether it worsens steadily."""

    reading: Reading
    actions: list[str]
    worsening: bool


@dataclass(frozen=True, slots=True)
class Figure:
    """A KPI over a book: how many accounts have a reading, their mean now and before, and how many meet the target.

    Means are None where nobody has a reading; ``met`` is None without a target.
    """

    kpi: Kpi
    measured: int
    mean: Decimal | None
    before: Decimal | None
    met: int | None

    @property
    def change(self) -> Decimal | None:
        """The mean against that of the beginning of the period."""
        return None if self.mean is None or self.before is None else self.mean - self.before


def standings(account_id: UUID, *, on: date) -> list[Standing]:
    """The account's measured KPIs, by category. A constant number of queries.

    ``worsening``: the figure got worse in each of the last three months, whatever the target says (FLEET-5.6).
    """
    readings = [reading for reading in kpi_readings(account_id, on=on) if reading.value is not None]
    names = {name for reading in readings for name in metric_names(reading.kpi.key)}
    months = [columns_for([account_id], names, on - MONTH * back) for back in range(MONTHS, 0, -1)]
    found = []
    for reading in readings:
        course = [_value(columns, reading.kpi, account_id) for columns in months]
        actions = list(reading.kpi.data.get("action_if_missed") or [])
        found.append(Standing(reading, actions, _worsens(reading.kpi, [*course, reading.value])))
    return found


def _worsens(kpi: Kpi, course: list[Decimal | None]) -> bool:
    known = [value for value in course if value is not None]
    if len(known) < len(course):
        return False
    less_is_better = kpi.data.get("direction") == "down" or (kpi.op or "").startswith("<")
    return all(later > earlier if less_is_better else later < earlier for earlier, later in pairwise(known))


def categories() -> list[str]:
    """The categories of KPIs, by name. One query."""
    return sorted(set(Kpi.objects.order_by().values_list("category", flat=True)))


def figures(account_ids: list[UUID], *, category: str, on: date, since: date) -> list[Figure]:
    """Every KPI of ``category`` (empty: all) over the accounts on ``on``, its mean on ``since`` beside it.

    Five queries at most, whatever the number of accounts.
    """
    kpis = list(Kpi.objects.filter(category=category) if category else Kpi.objects.all())
    names = {name for kpi in kpis for name in metric_names(kpi.key)}
    now, before = columns_for(account_ids, names, on), columns_for(account_ids, names, since)
    return [_figure(kpi, _values(now, kpi, account_ids), _values(before, kpi, account_ids)) for kpi in kpis]


def _figure(kpi: Kpi, now: list[Decimal], before: list[Decimal]) -> Figure:
    met = None
    if kpi.op is not None:
        met = sum(bool(is_met(kpi.op, kpi.target, value)) for value in now)
    return Figure(kpi, len(now), _mean(now), _mean(before), met)


def _values(columns: Mapping[str, Mapping[UUID, Any]], kpi: Kpi, account_ids: Iterable[UUID]) -> list[Decimal]:
    found = (_value(columns, kpi, account_id) for account_id in account_ids)
    return [value for value in found if value is not None]


def _value(columns: Mapping[str, Mapping[UUID, Any]], kpi: Kpi, account_id: UUID) -> Decimal | None:
    for name in metric_names(kpi.key):
        seen = columns.get(name, {}).get(account_id)
        if seen is not None:
            return number(seen.value)
    return None


def _mean(values: list[Decimal]) -> Decimal | None:
    return sum(values, Decimal(0)) / len(values) if values else None
