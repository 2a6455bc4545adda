"""The calendar against the oracle that looks at every minute, over generated calendars in many zones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from businesstime import NoWorkingTime, read_calendar
from tests.businesstime.oracle import Oracle

ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Kathmandu",
    "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Chatham", "Africa/Casablanca", "Asia/Tehran",
    "America/St_Johns", "Europe/London", "Pacific/Apia", "Antarctica/Troll", "Africa/Cairo",
)  # fmt: skip
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Around changes of the clocks, new year and the leap day, where mistakes live.
ANCHORS = tuple(
    datetime.fromisoformat(day).replace(tzinfo=UTC)
    for day in (
        "2026-03-28", "2026-10-24", "2026-03-07", "2026-10-31", "2026-04-04", "2026-09-26", "2028-02-28",
        "2026-12-30", "2018-11-03", "2011-12-29", "2026-02-14", "2026-11-24", "2025-12-25", "2026-01-01",
    )
)  # fmt: skip
HORIZON = 4 * 24 * 60


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def windows(draw):
    """Windows of one day that do not overlap, the last one perhaps over midnight."""
    edges = draw(st.lists(st.integers(0, 287), min_size=0, max_size=6, unique=True))
    edges = sorted(edge * 5 for edge in edges)
    if len(edges) % 2:
        edges.append(24 * 60)
    pairs = [[clock(a), clock(b)] for a, b in zip(edges[::2], edges[1::2], strict=True)]
    if edges and edges[-1] < 24 * 60 - 5 and draw(st.booleans()):
        pairs.append([clock(edges[-1] + 5), clock(draw(st.integers(0, edges[0] // 5)) * 5)])
    return pairs


@st.composite
def calendars(draw, anchor):
    near = st.integers(-2, 7).map(lambda day: (anchor + timedelta(days=day)).date().isoformat())
    definition = {
        "timezone": draw(st.sampled_from(ZONES)),
        "weekly": draw(st.dictionaries(st.sampled_from(DAYS), windows(), min_size=2)),
        "holidays": draw(st.lists(near, max_size=2)),
        "recurring_holidays": draw(st.lists(near.map(lambda day: day[5:]), max_size=1)),
        "date_overrides": draw(st.dictionaries(near, windows(), max_size=2)),
        "always_open": draw(st.integers(0, 15)) == 0,
    }
    breaks = draw(st.lists(st.tuples(near, st.integers(0, 280), st.integers(1, 287)), max_size=2))
    definition["breaks"] = [
        {"date": day, "from": clock(a * 5), "to": clock(((a + b) % 288) * 5)} for day, a, b in breaks if b % 288
    ]
    return definition


@st.composite
def cases(draw):
    anchor = draw(st.sampled_from(ANCHORS))
    definition = draw(calendars(anchor))
    start = anchor + timedelta(minutes=draw(st.integers(0, 3 * 24 * 60)))
    return definition, start, draw(st.integers(-2000, 2000))


def usable(definition):
    return definition["always_open"] or any(definition["weekly"].values()) or any(definition["date_overrides"].values())


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cases())
def test_the_calendar_agrees_with_every_minute(case):
    definition, start, minutes = case
    if not usable(definition):
        return
    calendar, oracle = read_calendar(definition), Oracle(definition)
    assert calendar.is_open(start) is oracle.is_open(start)
    end = start + timedelta(minutes=1500)
    assert calendar.between(start, end) == timedelta(minutes=oracle.worked(start, end))
    expected = oracle.add(start, minutes, HORIZON)
    if expected is not None:
        assert utc(calendar.add(start, minutes)) == expected
    opens = oracle.next_open(start, HORIZON)
    if opens is not None:
        assert utc(calendar.next_open(start)) == opens


def utc(moment: datetime) -> datetime:
    """Python calls a moment in a fold unequal to any other zone's; instants are compared in one zone."""
    return moment.astimezone(UTC)


def generated(seed: int) -> tuple[dict, datetime]:
    """A plausible working week somewhere, and a moment near a change of the clocks."""
    draw = random.Random(seed)
    opens, length = draw.randrange(0, 24 * 60, 15), draw.randrange(60, 23 * 60, 15)
    hours = [clock(opens), clock((opens + length) % (24 * 60))]
    if hours[1] == "00:00":
        hours[1] = "24:00"
    definition = {
        "timezone": draw.choice(ZONES),
        "weekly": {day: [hours] for day in draw.sample(DAYS, draw.randint(2, 7))},
        "holidays": [],
    }
    return definition, draw.choice(ANCHORS) + timedelta(minutes=draw.randrange(4 * 24 * 60))


@pytest.mark.parametrize("block", range(20))
def test_random_weeks_agree_with_every_minute(block):
    for seed in range(block * 100, block * 100 + 100):
        definition, start = generated(seed)
        calendar, oracle = read_calendar(definition), Oracle(definition)
        minutes = random.Random(seed).randint(-900, 900)
        expected = oracle.add(start, minutes, HORIZON)
        if expected is not None:
            assert utc(calendar.add(start, minutes)) == expected, (seed, definition, start, minutes)
        end = start + timedelta(minutes=600)
        assert calendar.between(start, end) == timedelta(minutes=oracle.worked(start, end)), seed


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(cases(), st.integers(-60_000_000_000, 60_000_000_000))
def test_time_between_undoes_adding_to_the_microsecond(case, microseconds):
    definition, start, _ = case
    if not usable(definition):
        return
    calendar = read_calendar(definition)
    start += timedelta(microseconds=microseconds % 60_000_000)
    budget = timedelta(microseconds=microseconds)
    try:
        due = calendar.add(start, Fraction(microseconds, 60_000_000))
    except NoWorkingTime:
        return
    assert calendar.between(start, due) == budget
