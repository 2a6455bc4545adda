"""KPIs against their targets: of one account with what to do about a miss, and over a book of accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

from health.kpis import metric_names
from health.models import Kpi
from health.queries.inputs import Frame, columns_for, frame_for
from health.queries.kpis import Reading, kpi_readings
from health.scoring import is_met, number
from usage.columns import MISSING

MONTH = timedelta(days=30)
MONTHS = 3
MOST_NAMED = 1000


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

    Five queries at most, whatever the number of accounts; each distinct figure is looked at once, not each account's.
    """
    kpis = list(Kpi.objects.filter(category=category) if category else Kpi.objects.all())
    names = {name for kpi in kpis for name in metric_names(kpi.key)}
    # To name so many accounts costs more than to read those that are not asked about.
    everyone = len(account_ids) > MOST_NAMED
    now, before = (frame_for(account_ids, names, day, everyone=everyone) for day in (on, since))
    return [_figure(kpi, _values(now, kpi), _values(before, kpi)) for kpi in kpis]


def _figure(kpi: Kpi, now: Counter[Decimal], before: Counter[Decimal]) -> Figure:
    met = None
    if kpi.op is not None:
        met = sum(count for value, count in now.items() if is_met(kpi.op, kpi.target, value))
    return Figure(kpi, now.total(), _mean(now), _mean(before), met)


def _values(frame: Frame, kpi: Kpi) -> Counter[Decimal]:
    """How many accounts have each value, by the first of the KPI's metrics that they have."""
    found: Counter[Decimal] = Counter()
    waiting = np.full(len(frame.accounts), True)
    for name in metric_names(kpi.key):
        codes, cells = frame.coded(name)
        here = waiting & (codes != MISSING)
        for cell, count in zip(cells, np.bincount(codes[here], minlength=len(cells)).tolist(), strict=True):
            value = number(cell.value) if count else None
            if value is not None:
                found[value] += count
        waiting &= ~here
    return found


def _value(columns: Mapping[str, Mapping[UUID, Any]], kpi: Kpi, account_id: UUID) -> Decimal | None:
    for name in metric_names(kpi.key):
        seen = columns.get(name, {}).get(account_id)
        if seen is not None:
            return number(seen.value)
    return None


def _mean(values: Counter[Decimal]) -> Decimal | None:
    return sum((value * count for value, count in values.items()), Decimal(0)) / values.total() if values else None
