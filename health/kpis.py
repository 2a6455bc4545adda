"""KPI readings, and the measures that may be taken from them (AMB-60)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any, NamedTuple
from uuid import UUID

from health.scoring import attainment, number

_MILLIONTH = Decimal("0.000001")


class Target(NamedTuple):
    """A KPI's key, comparison and target."""

    key: str
    op: str
    target: Decimal


class Derived(NamedTuple):
    """An observation worked out from KPI readings; as old as the oldest of them."""

    value: Decimal
    observed_at: datetime
    source: str


def metric_names(key: str) -> tuple[str, str]:
    """The metrics under which a KPI's readings arrive: its key as it is and with underscores."""
    return key, key.replace("-", "_")


def fill_from_kpis(
    column: dict[UUID, Any], targets: tuple[Target, ...], columns: Mapping[str, Mapping[UUID, Any]]
) -> dict[UUID, Any]:
    """``column`` with the mean attainment of the measured KPIs where the metric itself was not given.

    A KPI without a target takes no part. The mean is cut to six decimals.
    """
    attained: dict[UUID, list[tuple[Decimal, datetime]]] = {}
    for target in targets:
        for name in metric_names(target.key):
            for account, reading in columns.get(name, {}).items():
                value = number(reading.value)
                if account not in column and value is not None:
                    share = attainment(target.op, target.target, value)
                    attained.setdefault(account, []).append((share, reading.observed_at))
    filled = dict(column)
    for account, shares in attained.items():
        mean = sum((share for share, _ in shares), Decimal(0)) / len(shares)
        oldest = min(moment for _, moment in shares)
        filled[account] = Derived(mean.quantize(_MILLIONTH, ROUND_DOWN), oldest, f"mean of {len(shares)} KPIs")
    return filled
