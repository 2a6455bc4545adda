"""A calendar from its JSON shape (INTERFACES §4), every mistake named by field and rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from businesstime.calendar import Calendar
from businesstime.rules import DAY_SECONDS, WEEKDAYS, Rules, Window

FIELDS = frozenset({"timezone", "weekly", "holidays", "recurring_holidays", "date_overrides", "breaks", "always_open"})
MAX_DATES = 2000
MAX_WINDOWS = 48


@dataclass(frozen=True, slots=True)
class CalendarProblem:
    """One mistake: where (``weekly/mon/0``), which rule (``overlap``) and a sentence for people."""

    field: str
    rule: str
    detail: str


class InvalidCalendar(ValueError):
    """The calendar cannot be used; ``problems`` lists every mistake found."""

    def __init__(self, problems: list[CalendarProblem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.field}: {problem.detail}" for problem in problems))


def read_calendar(definition: object, *, default_timezone: str = "") -> Calendar:
    """The calendar ``definition`` describes. Raises InvalidCalendar naming every mistake.

    ``default_timezone`` is used where the definition names none (a pack's "tenant", AMB-12).
    """
    reader = _Reader()
    rules = reader.rules(definition, default_timezone)
    if reader.problems or rules is None:
        raise InvalidCalendar(reader.problems)
    return Calendar(rules)


class _Reader:
    """Collects problems while it reads, so that an author sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[CalendarProblem] = []

    def refuse(self, field: str, rule: str, detail: str) -> None:
        self.problems.append(CalendarProblem(field, rule, detail))

    def rules(self, definition: object, default_timezone: str) -> Rules | None:
        if not isinstance(definition, Mapping):
            self.refuse("", "type", "A calendar is an object.")
            return None
        for name in sorted(set(map(str, definition)) - FIELDS):
            self.refuse(name, "unknown", f"Unknown field; use {', '.join(sorted(FIELDS))}.")
        always_open = definition.get("always_open", False)
        if not isinstance(always_open, bool):
            self.refuse("always_open", "type", "Use true or false.")
        zone = self.zone(definition.get("timezone") or default_timezone)
        weekly = self.weekly(definition.get("weekly") or {})
        overrides = self.overrides(definition.get("date_overrides") or {})
        rules = Rules(
            zone=zone or ZoneInfo("UTC"),
            weekly=weekly,
            holidays=frozenset(self.days(definition.get("holidays") or [], "holidays")),
            recurring_holidays=frozenset(self.month_days(definition.get("recurring_holidays") or [])),
            overrides=overrides,
            breaks=self.breaks(definition.get("breaks") or []),
            always_open=always_open is True,
        )
        if not self.problems and not always_open and not any(weekly) and not any(overrides.values()):
            self.refuse("weekly", "empty", "The calendar is never open: give at least one window or always_open.")
        return rules

    def zone(self, name: object) -> ZoneInfo | None:
        if not isinstance(name, str) or not name:
            self.refuse("timezone", "required", "Name a time zone such as Europe/Berlin.")
            return None
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, KeyError):  # not found is a KeyError, a path an OSError or ValueError
            self.refuse("timezone", "unknown", f"{name[:64]!r} is not a time zone of the IANA list.")
            return None

    def weekly(self, value: object) -> tuple[tuple[Window, ...], ...]:
        if not isinstance(value, Mapping):
            self.refuse("weekly", "type", "Use an object with the keys mon to sun.")
            return ((),) * 7
        for name in sorted(set(map(str, value)) - set(WEEKDAYS)):
            self.refuse(f"weekly/{name}", "unknown", "Unknown day; use mon, tue, wed, thu, fri, sat or sun.")
        return tuple(self.windows(value.get(day) or [], f"weekly/{day}") for day in WEEKDAYS)

    def overrides(self, value: object) -> dict[date, tuple[Window, ...]]:
        if not isinstance(value, Mapping):
            self.refuse("date_overrides", "type", "Use an object of dates, each with its windows.")
            return {}
        if len(value) > MAX_DATES:
            self.refuse("date_overrides", "too_many", f"At most {MAX_DATES} dates.")
            return {}
        read: dict[date, tuple[Window, ...]] = {}
        for name, windows in value.items():
            field = f"date_overrides/{name}"
            day = self.day(name, field)
            if day:
                read[day] = self.windows([] if windows is None else windows, field)
        return read

    def windows(self, value: object, field: str) -> tuple[Window, ...]:
        """Windows in order of their start, touching ones kept apart, overlapping ones refused."""
        if not isinstance(value, list) or len(value) > MAX_WINDOWS:
            self.refuse(field, "type", f'Use a list of at most {MAX_WINDOWS} windows such as [["09:00", "17:00"]].')
            return ()
        read = sorted(window for at, item in enumerate(value) if (window := self.window(item, f"{field}/{at}")))
        for before, after in pairwise(read):
            if after[0] < before[1]:
                self.refuse(field, "overlap", f"{clock(*before)} and {clock(*after)} overlap.")
        return tuple(read)

    def window(self, value: object, field: str) -> Window | None:
        if not isinstance(value, list | tuple) or len(value) != 2:
            self.refuse(field, "type", 'A window is a pair such as ["09:00", "17:00"].')
            return None
        return self.span(value[0], value[1], field)

    def span(self, start: object, end: object, field: str) -> Window | None:
        begins, ends = self.time(start, f"{field}/0"), self.time(end, f"{field}/1")
        if begins is None or ends is None:
            return None
        if begins == DAY_SECONDS:
            self.refuse(f"{field}/0", "time", "A window cannot begin at 24:00; use 00:00 of the next day.")
            return None
        if begins == ends:
            self.refuse(
                field, "empty", "A window cannot begin and end at the same time; 00:00 to 24:00 is a whole day."
            )
            return None
        return (begins, ends if ends > begins else ends + DAY_SECONDS)

    def time(self, value: object, field: str) -> int | None:
        """Seconds after midnight of ``HH:MM`` or ``HH:MM:SS``; 24:00 closes the day."""
        parts = value.split(":") if isinstance(value, str) else []
        if len(parts) in {2, 3} and all(len(part) == 2 and part.isascii() and part.isdigit() for part in parts):
            hour, minute, second = (*map(int, parts), 0)[:3]
            total = hour * 3600 + minute * 60 + second
            if minute < 60 and second < 60 and total <= DAY_SECONDS:
                return total
        self.refuse(field, "time", f"{str(value)[:20]!r} is not a time of day; use HH:MM from 00:00 to 24:00.")
        return None

    def day(self, value: object, field: str) -> date | None:
        if isinstance(value, str) and len(value) == 10:
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.refuse(field, "date", f"{str(value)[:20]!r} is not a date; use YYYY-MM-DD.")
        return None

    def days(self, value: object, field: str) -> Iterator[date]:
        for at, item in self.items(value, field):
            day = self.day(item, f"{field}/{at}")
            if day:
                yield day

    def month_days(self, value: object) -> Iterator[tuple[int, int]]:
        for at, item in self.items(value, "recurring_holidays"):
            field = f"recurring_holidays/{at}"
            # A leap year, so that 02-29 may be listed; it then closes leap years only.
            day = self.day(f"2000-{item}", field) if isinstance(item, str) and len(item) == 5 else None
            if day:
                yield (day.month, day.day)
            elif not any(problem.field == field for problem in self.problems):
                self.refuse(field, "date", f"{str(item)[:20]!r} is not a day of the year; use MM-DD.")

    def breaks(self, value: object) -> dict[date, tuple[Window, ...]]:
        read: dict[date, tuple[Window, ...]] = {}
        for at, item in self.items(value, "breaks"):
            field = f"breaks/{at}"
            if not isinstance(item, Mapping) or set(item) != {"date", "from", "to"}:
                self.refuse(field, "type", 'A break is {"date", "from", "to"}.')
                continue
            day, window = self.day(item["date"], f"{field}/date"), self.span(item["from"], item["to"], field)
            if day and window:
                read[day] = (*read.get(day, ()), window)
        return read

    def items(self, value: object, field: str) -> Iterator[tuple[int, Any]]:
        if not isinstance(value, list):
            self.refuse(field, "type", "Use a list.")
        elif len(value) > MAX_DATES:
            self.refuse(field, "too_many", f"At most {MAX_DATES} entries.")
        else:
            yield from enumerate(value)


def clock(begins: int, ends: int) -> str:
    """``09:00–17:00`` of a window, an overnight end as the next day's time."""
    if ends > DAY_SECONDS:
        ends -= DAY_SECONDS
    return f"{begins // 3600:02}:{begins // 60 % 60:02}–{ends // 3600:02}:{ends // 60 % 60:02}"
