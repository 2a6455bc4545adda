"""The period of a report, as it stands in an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

PERIODS = {"30": "30 days", "90": "90 days", "365": "12 months"}
DEFAULT = "90"
LONGEST = timedelta(days=5 * 366)


@dataclass(frozen=True, slots=True)
class Period:
    """Two days, both included. ``problem`` says what was wrong with the days asked for; then the default counts."""

    since: date
    until: date
    key: str = ""
    problem: str = ""

    @property
    def start(self) -> datetime:
        return _midnight(self.since)

    @property
    def end(self) -> datetime:
        """The midnight after the last day."""
        return _midnight(self.until + timedelta(days=1))

    @property
    def months(self) -> list[date]:
        """The first days of its months, oldest first."""
        found, month = [], self.since.replace(day=1)
        while month <= self.until:
            found.append(month)
            month = following(month)
        return found

    def parameters(self) -> dict[str, str]:
        """As they stand in an address."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    @classmethod
    def read(cls, query: Mapping[str, str], today: date) -> Period:
        """The period of an address: two days, or one of ``PERIODS`` until today."""
        key = query.get("period", "")
        key = key if key in PERIODS else DEFAULT
        default = cls(today - timedelta(days=int(key) - 1), today, key)
        if not query.get("since") and not query.get("until"):
            return default
        try:
            since = date.fromisoformat(query.get("since") or default.since.isoformat())
            until = date.fromisoformat(query.get("until") or today.isoformat())
        except ValueError:
            return cls(default.since, today, key, "Give days as 2026-11-24.")
        if not timedelta() <= until - since <= LONGEST or since.year < 2000 or until.year > today.year + 1:
            return cls(default.since, today, key, "The first day is not after the last, and at most five years before.")
        return cls(since, until)


def following(month: date) -> date:
    """The first day of the next month."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())
