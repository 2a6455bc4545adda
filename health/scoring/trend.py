"""Whether a series of readings is rising or falling (AMB-130), and how far a KPI is attained (AMB-60)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

RECENT = 3
READINGS = 2 * RECENT
IMPROVING = Decimal("1.1")
DECLINING = Decimal("0.9")


def trend(readings: Sequence[Decimal]) -> str:
    """improving, declining or stable: the last three readings against the three before, oldest first.

    More than a tenth above is improving, more than a tenth below declining, exactly a tenth stable. Fewer than
    six readings are stable (AMB-130).
    """
    if len(readings) < READINGS:
        return "stable"
    recent, before = sum(readings[-RECENT:]), sum(readings[-READINGS:-RECENT])
    if recent > before * IMPROVING:
        return "improving"
    if recent < before * DECLINING:
        return "declining"
    return "stable"


def is_met(op: str | None, target: Decimal | None, actual: Decimal) -> bool | None:
    """Whether ``actual`` meets a KPI's target; None for a KPI that is tracked without one."""
    if op is None or target is None:
        return None
    return {"<": actual < target, "<=": actual <= target, ">": actual > target, ">=": actual >= target}[op]


def attainment(op: str, target: Decimal, actual: Decimal) -> Decimal:
    """How far a KPI is attained, 0 to 100: actual over target, or target over actual where lower is better."""
    if op in {"<", "<="}:
        share = Decimal(1) if actual <= target else target / actual
    else:
        share = actual / target if target else Decimal(1)
    return min(max(share * 100, Decimal(0)), Decimal(100))
