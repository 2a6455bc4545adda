"""Every mistake in a calendar is named by its field and rule."""

from __future__ import annotations

import pytest

from businesstime import InvalidCalendar, read_calendar

GOOD = {"timezone": "Europe/Berlin", "weekly": {"mon": [["09:00", "17:00"]]}}


def problems(definition, **options):
    with pytest.raises(InvalidCalendar) as caught:
        read_calendar(definition, **options)
    return [(problem.field, problem.rule) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"timezone": "Mars/Olympus"}, [("timezone", "unknown")]),
        ({"timezone": "../../etc/passwd"}, [("timezone", "unknown")]),
        ({"timezone": ""}, [("timezone", "required")]),
        ({"timezone": 7}, [("timezone", "required")]),
        ({"weekly": {"mon": [["9:00", "17:00"]]}}, [("weekly/mon/0/0", "time")]),
        ({"weekly": {"mon": [["09:00", "24:01"]]}}, [("weekly/mon/0/1", "time")]),
        ({"weekly": {"mon": [["09:60", "17:00"]]}}, [("weekly/mon/0/0", "time")]),
        ({"weekly": {"mon": [["24:00", "06:00"]]}}, [("weekly/mon/0/0", "time")]),
        ({"weekly": {"mon": [["09:00", "09:00"]]}}, [("weekly/mon/0", "empty")]),
        ({"weekly": {"mon": [["09:00", None]]}}, [("weekly/mon/0/1", "time")]),
        ({"weekly": {"mon": [["09:00"]]}}, [("weekly/mon/0", "type")]),
        ({"weekly": {"mon": "09:00-17:00"}}, [("weekly/mon", "type")]),
        ({"weekly": {"mon": [["09:00", "13:00"], ["12:59", "17:00"]]}}, [("weekly/mon", "overlap")]),
        ({"weekly": {"mon": [["22:00", "06:00"], ["23:00", "23:30"]]}}, [("weekly/mon", "overlap")]),
        ({"weekly": {"monday": [["09:00", "17:00"]]}}, [("weekly/monday", "unknown")]),
        ({"weekly": []}, [("weekly", "empty")]),
        ({"weekly": [1]}, [("weekly", "type")]),
        ({"weekly": {}}, [("weekly", "empty")]),
        ({"holidays": ["2026-02-29"]}, [("holidays/0", "date")]),
        ({"holidays": "2026-12-25"}, [("holidays", "type")]),
        ({"holidays": ["2026-01-01"] * 2001}, [("holidays", "too_many")]),
        ({"recurring_holidays": ["02-30"]}, [("recurring_holidays/0", "date")]),
        ({"recurring_holidays": ["12-25", 7]}, [("recurring_holidays/1", "date")]),
        ({"date_overrides": {"tomorrow": []}}, [("date_overrides/tomorrow", "date")]),
        ({"date_overrides": [1]}, [("date_overrides", "type")]),
        ({"breaks": [{"date": "2026-11-24", "from": "10:00"}]}, [("breaks/0", "type")]),
        ({"breaks": [{"date": "x", "from": "10:00", "to": "11:00"}]}, [("breaks/0/date", "date")]),
        ({"always_open": "yes"}, [("always_open", "type")]),
        ({"lunch": True}, [("lunch", "unknown")]),
    ],
)
def test_a_mistake_is_named(changes, expected):
    assert problems({**GOOD, **changes}) == expected


def test_all_mistakes_are_told_at_once():
    assert problems({"timezone": "Nowhere", "holidays": ["x"], "weekly": {"mon": [["a", "b"]]}}) == [
        ("timezone", "unknown"),
        ("weekly/mon/0/0", "time"),
        ("weekly/mon/0/1", "time"),
        ("holidays/0", "date"),
    ]


@pytest.mark.parametrize("definition", [None, [], "calendar", 5])
def test_a_calendar_is_an_object(definition):
    assert problems(definition) == [("", "type")]


def test_the_zone_may_come_from_the_tenant():
    weekly = {"weekly": GOOD["weekly"]}
    assert read_calendar(weekly, default_timezone="Asia/Tokyo").rules.zone.key == "Asia/Tokyo"
    assert read_calendar(GOOD, default_timezone="Asia/Tokyo").rules.zone.key == "Europe/Berlin"


def test_seconds_are_understood():
    calendar = read_calendar({**GOOD, "weekly": {"mon": [["09:00:30", "17:00"]]}})
    assert calendar.rules.weekly[0] == ((9 * 3600 + 30, 17 * 3600),)
