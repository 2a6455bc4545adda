"""What is promised: so much time, of which kind, and whether exactly that much is in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from typing import Any

from businesstime import Calendar, read_calendar

# Seconds of the units that elapse; those that begin with ``business_`` count in the calendar's hours.
ELAPSED = {"minutes": 60, "hours": 3600, "days": 86400, "weeks": 7 * 86400}
BUSINESS = {"business_minutes": 60, "business_hours": 3600}
BUSINESS_DAYS = "business_days"
UNITS = (*ELAPSED, *BUSINESS, BUSINESS_DAYS)
MOST_SECONDS = 2_000_000_000


class BadPromise(ValueError):
    """A promise that cannot be kept by anybody; ``field`` names what is wrong with it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


@dataclass(frozen=True, slots=True)
class Promise:
    """``seconds`` of ``calendar``; with ``strict`` ("less than") exactly that much is too late (AMB-10).

    ``ref`` names where it stands, for whoever stores the answer.
    """

    seconds: int
    calendar: Calendar
    strict: bool = False
    ref: Any = None

    @property
    def target(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    @classmethod
    def read(
        cls, value: Mapping[str, Any] | None, calendar: Calendar, *, minutes_per_day: int, ref: Any = None
    ) -> Promise | None:
        """The promise of ``{"value", "unit", "op"}``; None where nothing is promised. Raises BadPromise."""
        if value is None:
            return None
        unit = value.get("unit")
        if unit not in UNITS:
            raise BadPromise("unit", f"Use one of {', '.join(UNITS)}.")
        if value.get("op", "<=") not in {"<", "<="}:
            raise BadPromise("op", "Use < or <=.")
        seconds = _seconds(value.get("value"), str(unit), minutes_per_day)
        counted = elapsed(calendar.rules.zone.key) if unit in ELAPSED else calendar
        return cls(seconds, counted, value.get("op") == "<", ref)


def _seconds(value: Any, unit: str, minutes_per_day: int) -> int:
    try:
        number = Fraction(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise BadPromise("value", "Use a number.") from error
    each = minutes_per_day * 60 if unit == BUSINESS_DAYS else (ELAPSED | BUSINESS)[unit]
    seconds = number * each
    if not 1 <= seconds <= MOST_SECONDS:
        raise BadPromise("value", "A promise is longer than nothing, and shorter than a lifetime.")
    return int(seconds)


@lru_cache(maxsize=64)
def elapsed(zone: str) -> Calendar:
    """Round the clock, every day of the year (AMB-13), shown in ``zone``."""
    return read_calendar({"timezone": zone, "always_open": True})
