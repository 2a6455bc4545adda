"""Quiet hours: from which moment on a CTA may be opened. Pure, in the workspace's time zone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

_SATURDAY = 5


class QuietHours(NamedTuple):
    """Daily hours, the end not counted, and whole weekends. ``start`` and ``end`` come together or not at all."""

    start: time | None
    end: time | None
    weekends: bool
    zone: str

    def over_at(self, at: datetime) -> datetime:
        """``at`` itself outside quiet hours, else the first moment after them."""
        moment = at.astimezone(ZoneInfo(self.zone))
        # An evening, a weekend and a morning at the longest; two rounds more do no harm.
        for _ in range(5):
            later = self._later(moment)
            if later is None:
                break
            moment = later
        return at if moment == at else moment

    def _later(self, moment: datetime) -> datetime | None:
        """A later moment to look at if ``moment`` is quiet."""
        if self.weekends and moment.weekday() >= _SATURDAY:
            return _midnight_after(moment)
        if self.start is None or self.end is None:
            return None
        now = moment.time()
        if self.start < self.end:
            return _at(moment, self.end) if self.start <= now < self.end else None
        if now < self.end:
            return _at(moment, self.end)
        return _at(_midnight_after(moment), self.end) if now >= self.start else None


def _midnight_after(moment: datetime) -> datetime:
    return _at(moment + timedelta(days=1), time())


def _at(moment: datetime, clock: time) -> datetime:
    return moment.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=0, fold=0)
