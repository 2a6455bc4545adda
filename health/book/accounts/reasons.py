"""Why an account deserves a look: the one most pressing thing known about it, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from health.book.filters import AT_RISK
from ui.formats import number, percent

Row = Mapping[str, Any]
# A score that moved less says little; somebody spoken to within these days was not forgotten.
FELL_BY, ROSE_BY, SILENT_DAYS, RENEWS_DAYS, THIN_PCT = 5, 5, 30, 60, 50
FULL_PCT, EMPTY_PCT = 90, 40
ALERT, GROWTH = "triangle-alert", "arrow-up-right"


@dataclass(frozen=True, slots=True)
class Reason:
    """The sentence, and the icon that says whether it is trouble or a chance."""

    text: str
    icon: str = ALERT


def reason_for(row: Row, *, today: date, now: datetime, cta: str = "", moved: str = "") -> Reason | None:
    """The most pressing of what is known; None when there is nothing to say.

    ``cta`` is the title of the account's most urgent open CTA, ``moved`` the measure that moved its score most.
    """
    return _falling(row, moved) or (Reason(cta) if cta else None) or _renewing(row, today) or _quiet(row, now, today)


def _falling(row: Row, moved: str) -> Reason | None:
    change = row["health__change_30d"]
    if change is None or change > -FELL_BY:
        return None
    return Reason(moved or f"Score down {number(-change, 0)} in 30 days")


def _renewing(row: Row, today: date) -> Reason | None:
    day = row["renewal_on"]
    if day is None:
        return None
    days = (day - today).days
    if days < 0:
        return Reason(f"Renewal {-days} d overdue")
    if days <= RENEWS_DAYS and row["health__current_rag"] in AT_RISK:
        return Reason(f"At risk, renews in {days} d")
    return None


def _quiet(row: Row, now: datetime, today: date) -> Reason | None:
    touched, used, coverage = row["last_touch__at"], row["seat_use"], row["health__coverage_pct"]
    silent = None if touched is None else (now - touched).days
    if silent is not None and silent > SILENT_DAYS:
        return Reason(f"No contact for {silent} days")
    if row["owner__email"] is None:
        return Reason("Nobody owns it")
    if used is not None and used >= FULL_PCT:
        return Reason(f"{percent(used)} of seats given out", GROWTH)
    if used is not None and used < EMPTY_PCT:
        return Reason(f"Only {percent(used)} of seats given out")
    if coverage is not None and coverage < THIN_PCT:
        return Reason(f"Score rests on {percent(coverage)} of its weight")
    change = row["health__change_30d"]
    if change is not None and change >= ROSE_BY:
        return Reason(f"Score up {number(change, 0)} in 30 days", GROWTH)
    return None
