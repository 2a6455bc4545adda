"""Short words for stories about one clock, told to the engine without a database."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from businesstime import read_calendar
from support.sla import ClockRule, Mark, Period, Promise, State, judge, runs_of

OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
RESPONSE = ClockRule(frozenset({"response"}))
UPDATE = ClockRule(frozenset({"update"}), frozenset({"waiting"}), repeats=True)
RESOLUTION = ClockRule(frozenset({"done"}), frozenset({"waiting", "vendor"}))
WEEK = timedelta(days=7)


def office(**changes):
    """Nine to five from Monday to Friday in Berlin."""
    return read_calendar({"timezone": "Europe/Berlin", "weekly": OFFICE, **changes})


def always(zone="Europe/Berlin"):
    """Round the clock."""
    return read_calendar({"timezone": zone, "always_open": True})


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def hours(amount, *, strict=False, calendar=None) -> Promise:
    """So many business hours; with ``strict`` less than that."""
    value = {"value": amount, "unit": "business_hours", "op": "<" if strict else "<="}
    return Promise.read(value, calendar or office(), minutes_per_day=480)


def marks(*entries) -> list[Mark]:
    """``("created", "2026-11-23 09:00"), ("status", moment, "waiting")`` as marks."""
    return [Mark(kind, at(moment), *rest) for kind, moment, *rest in entries]


def state(rule, promise, *entries, now="2026-12-31 12:00", cycle=1, clock="resolution", reopen_within=None) -> State:
    """What becomes of one promise in one cycle of this story."""
    runs = runs_of(clock, rule, marks(*entries), reopen_within=reopen_within)
    run = next(run for run in runs if run.cycle == cycle)
    return judge(run, [Period(run.started_at, promise)], at=at(now))
