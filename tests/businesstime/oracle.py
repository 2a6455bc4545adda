"""Working time looked at minute by minute: slow, and written without the code under test."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Span = tuple[datetime, datetime]


class Oracle:
    """Asks of every single minute whether its wall clock lies in a window of its day or the day before."""

    def __init__(self, definition: dict) -> None:
        self.definition = definition
        self.zone = ZoneInfo(definition["timezone"])
        self.breaks = [
            span
            for item in definition.get("breaks", [])
            for span in [_span(date.fromisoformat(item["date"]), item["from"], item["to"])]
        ]
        self.seen: dict[date, list[Span]] = {}

    def is_open(self, at: datetime) -> bool:
        wall = at.astimezone(self.zone).replace(tzinfo=None)
        if any(start <= wall < end for start, end in self.breaks):
            return False
        if self.definition.get("always_open"):
            return True
        return any(start <= wall < end for start, end in self._near(wall.date()))

    def _near(self, day: date) -> list[Span]:
        if day not in self.seen:
            days = (day - timedelta(days=1), day)
            self.seen[day] = [_span(each, start, end) for each in days for start, end in self._windows(each)]
        return self.seen[day]

    def _windows(self, day: date) -> list:
        named = day.isoformat()
        if named in self.definition.get("date_overrides", {}):
            return self.definition["date_overrides"][named]
        listed = self.definition.get("holidays", []), self.definition.get("recurring_holidays", [])
        if named in listed[0] or named[5:] in listed[1]:
            return []
        return self.definition.get("weekly", {}).get(DAYS[day.weekday()], [])

    def worked(self, start: datetime, end: datetime) -> int:
        """Minutes worked between two whole minutes."""
        minutes = int((end - start) / MINUTE)
        return sum(self.is_open(start + minute * MINUTE) for minute in range(minutes))

    def add(self, start: datetime, minutes: int, limit: int) -> datetime | None:
        """The first minute edge by which ``minutes`` were worked; None beyond ``limit`` minutes."""
        at, left = start.astimezone(UTC), abs(minutes)
        for _ in range(limit):
            if not left:
                return at
            if minutes > 0:
                left -= self.is_open(at)
                at += MINUTE
            else:
                at -= MINUTE
                left -= self.is_open(at)
        return None if left else at

    def next_open(self, at: datetime, limit: int) -> datetime | None:
        return next((at + step * MINUTE for step in range(limit) if self.is_open(at + step * MINUTE)), None)


def _span(day: date, start: str, end: str) -> Span:
    begins, ends = (timedelta(hours=int(text[:2]), minutes=int(text[3:])) for text in (start, end))
    if ends < begins:
        ends += timedelta(days=1)
    midnight = datetime.combine(day, time())
    return midnight + begins, midnight + ends
