"""What is promised, and why a deadline is where it is."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from support.sla import BadPromise, Promise, explain
from tests.support.sla.engine import RESOLUTION, RESPONSE, at, hours, office, state


@pytest.mark.requirement("MNA-4.2")
def test_less_than_is_missed_at_the_exact_moment_and_within_is_not():
    entries = ("created", "2026-11-23 09:00"), ("response", "2026-11-23 10:00")
    assert state(RESPONSE, hours(1), *entries).verdict == "met"
    exact = state(RESPONSE, hours(1, strict=True), *entries)
    assert (exact.verdict, exact.missed_at) == ("missed", at("2026-11-23 10:00"))


class TestPromises:
    @pytest.mark.parametrize(
        ("value", "field"),
        [
            ({"value": 0, "unit": "hours"}, "value"),
            ({"value": -4, "unit": "hours"}, "value"),
            ({"value": "soon", "unit": "hours"}, "value"),
            ({"value": 1e30, "unit": "weeks"}, "value"),
            ({"value": 4, "unit": "moons"}, "unit"),
            ({"value": 4, "unit": "hours", "op": ">"}, "op"),
        ],
    )
    def test_one_nobody_can_keep_is_refused_by_field(self, value, field):
        with pytest.raises(BadPromise) as refused:
            Promise.read(value, office(), minutes_per_day=480)
        assert refused.value.field == field

    def test_hours_elapse_and_business_hours_are_worked(self):
        plain = Promise.read({"value": 24, "unit": "hours"}, office(), minutes_per_day=480)
        assert state(RESPONSE, plain, ("created", "2026-11-27 16:00")).due_at == at("2026-11-28 16:00")


class TestExplanation:
    def test_every_interval_touches_the_next_and_the_counted_ones_add_up(self):
        calendar = office(holidays=["2026-11-25"])
        found = state(
            RESOLUTION, hours(16, calendar=calendar), ("created", "2026-11-23 15:00"),
            ("status", "2026-11-24 10:00", "waiting"), ("status", "2026-11-24 12:00", "open"), now="2026-11-26 12:00",
        )  # fmt: skip
        parts = explain(found, at=at("2026-11-26 12:00"))
        assert [part.why for part in parts] == [
            "counted", "closed", "counted", "waiting", "counted", "holiday", "counted",
        ]  # fmt: skip
        assert all(before.end == after.start for before, after in pairwise(parts))
        assert sum((part.length for part in parts if part.counts), timedelta()) == timedelta(hours=16)
        assert parts[-1].end == found.due_at

    def test_a_long_story_keeps_its_beginning_and_its_end(self):
        found = state(RESPONSE, hours(8 * 400), ("created", "2026-11-23 09:00"), now="2026-11-23 09:00")
        parts = explain(found, at=at("2026-11-23 09:00"), most=20)
        assert (len(parts), parts[0].start, parts[-1].end) == (20, at("2026-11-23 09:00"), found.due_at)
