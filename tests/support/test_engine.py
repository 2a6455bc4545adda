"""The clocks at their edges: the twenty cases every desk gets wrong somewhere, each with the hours a person names."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from businesstime import NoWorkingTime, read_calendar
from support.sla import BadPromise, ClockRule, Mark, Period, Promise, explain, judge, moments, runs_of

OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
RESPONSE = ClockRule(frozenset({"response"}))
UPDATE = ClockRule(frozenset({"update"}), frozenset({"waiting"}), repeats=True)
RESOLUTION = ClockRule(frozenset({"done"}), frozenset({"waiting", "vendor"}))
WEEK = timedelta(days=7)


def office(**changes):
    return read_calendar({"timezone": "Europe/Berlin", "weekly": OFFICE, **changes})


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def hours(amount, *, strict=False, calendar=None):
    value = {"value": amount, "unit": "business_hours", "op": "<" if strict else "<="}
    return Promise.read(value, calendar or office(), minutes_per_day=480)


def marks(*entries):
    """``("created", "2026-11-23 09:00"), ("status", moment, "waiting")`` as marks."""
    return [Mark(kind, at(moment), *rest) for kind, moment, *rest in entries]


def state(rule, promise, *entries, now="2026-12-31 12:00", cycle=1, clock="resolution", reopen_within=None):
    runs = runs_of(clock, rule, marks(*entries), reopen_within=reopen_within)
    run = next(run for run in runs if run.cycle == cycle)
    return judge(run, [Period(run.started_at, promise)], at=at(now))


class TestTheTwentyCases:
    @pytest.mark.parametrize(
        "created", ["2026-11-27 22:13:07", "2026-11-28 11:00", "2026-11-29 23:59:59", "2026-11-30 03:00"]
    )
    def test_01_created_while_closed_starts_at_the_next_opening(self, created):
        found = state(RESPONSE, hours(8), ("created", created), now="2026-11-30 09:00")
        assert found.due_at == at("2026-11-30 17:00")

    def test_02_a_budget_that_ends_at_closing_is_due_then_and_kept_all_night(self):
        entries = ("created", "2026-11-27 09:00"), ("response", "2026-11-30 08:59:59")
        found = state(RESPONSE, hours(8), *entries)
        assert (found.due_at, found.verdict) == (at("2026-11-27 17:00"), "met")
        late = state(RESPONSE, hours(8), ("created", "2026-11-27 09:00"), ("response", "2026-11-30 09:00:01"))
        assert (late.due_at, late.verdict) == (at("2026-11-27 17:00"), "missed")
        assert late.missed_at == at("2026-11-30 09:00")

    def test_03_holidays_at_the_start_and_in_the_middle_do_not_count(self):
        calendar = office(holidays=["2026-12-25"], recurring_holidays=["01-01"])
        promise = hours(16, calendar=calendar)
        assert state(RESPONSE, promise, ("created", "2026-12-24 09:00")).due_at == at("2026-12-28 17:00")
        assert state(RESPONSE, promise, ("created", "2026-12-25 10:00")).due_at == at("2026-12-29 17:00")

    def test_04_the_night_the_clocks_change_is_as_long_as_it_was(self):
        nights = read_calendar({"timezone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]]}})
        promise = hours(5, calendar=nights)
        forward = state(RESPONSE, promise, ("created", "2026-03-28 22:00"), now="2026-03-28 23:00")
        back = state(RESPONSE, promise, ("created", "2026-10-24 22:00"), now="2026-10-24 23:00")
        assert forward.due_at.isoformat() == "2026-03-29T02:00:00+00:00"
        assert back.due_at.isoformat() == "2026-10-25T01:00:00+00:00"
        for found, long in ((forward, 5), (back, 5)):
            parts = explain(found, at=found.due_at)
            assert sum((part.length for part in parts if part.counts), timedelta()) == timedelta(hours=long)

    def test_04_what_happened_in_the_hour_that_comes_twice_keeps_its_order(self):
        always = read_calendar({"timezone": "Europe/Berlin", "always_open": True})
        first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
        run = runs_of("first_response", RESPONSE, [Mark("created", first), Mark("response", first.replace(fold=1))])[0]
        found = judge(run, [Period(first, hours(2, calendar=always))], at=first)
        assert (found.consumed, found.due_at - found.run.started_at) == (timedelta(hours=1), timedelta(hours=2))

    def test_05_round_the_clock_loses_no_minute_at_midnight(self):
        always = read_calendar({"timezone": "UTC", "always_open": True})
        whole_days = read_calendar(
            {"timezone": "UTC", "weekly": {d: [["00:00", "24:00"]] for d in (*OFFICE, "sat", "sun")}}
        )
        for calendar in (always, whole_days):
            found = state(RESPONSE, hours(72, calendar=calendar), ("created", "2026-11-27 23:30"))
            assert found.due_at == at("2026-11-30 23:30")

    def test_06_split_night_and_overridden_days(self):
        calendar = read_calendar(
            {
                "timezone": "Europe/Berlin",
                "weekly": {"mon": [["08:00", "12:00"], ["13:00", "17:00"]], "tue": [["22:00", "06:00"]]},
                "date_overrides": {"2026-11-30": [], "2026-12-02": [["10:00", "11:00"]]},
            }
        )
        promise = hours(9, calendar=calendar)
        # Monday is closed by the override; Tuesday's night is eight hours, Wednesday has one.
        assert state(RESPONSE, promise, ("created", "2026-11-30 07:00")).due_at == at("2026-12-02 11:00")

    def test_07_a_calendar_without_open_hours_is_refused_and_never_searched_for_ever(self):
        with pytest.raises(ValueError, match="never open"):
            read_calendar({"timezone": "UTC", "weekly": {}})
        once = read_calendar({"timezone": "UTC", "date_overrides": {"2020-01-01": [["09:00", "10:00"]]}})
        with pytest.raises(NoWorkingTime):
            state(RESPONSE, hours(1, calendar=once), ("created", "2026-11-23 09:00"))

    def test_08_a_pause_outside_opening_hours_adds_nothing(self):
        found = state(
            RESOLUTION, hours(8), ("created", "2026-11-27 09:00"),
            ("status", "2026-11-27 17:00", "waiting"), ("status", "2026-11-30 09:00", "open"), now="2026-11-30 10:00",
        )  # fmt: skip
        assert (found.due_at, found.paused) == (at("2026-11-27 17:00"), timedelta())

    def test_09_created_in_a_waiting_status_waits_from_the_start(self):
        entries = ("created", "2026-11-23 09:00", "waiting"), ("status", "2026-11-23 12:00", "open")
        assert state(RESOLUTION, hours(8), *entries).due_at == at("2026-11-24 12:00")
        held = state(RESOLUTION, hours(8), entries[0], now="2026-11-24 12:00")
        assert (held.due_at, held.consumed, held.verdict) == (None, timedelta(), "paused")

    def test_10_a_first_response_never_pauses_and_the_resolution_does(self):
        entries = ("created", "2026-11-23 09:00"), ("status", "2026-11-23 09:05", "waiting")
        assert state(RESPONSE, hours(4), *entries, now="2026-11-23 15:00").verdict == "missed"
        assert state(RESOLUTION, hours(4), *entries, now="2026-11-23 15:00").verdict == "paused"

    def test_11_paused_now_has_no_deadline_but_what_is_left_and_gets_it_back(self):
        entries = ("created", "2026-11-23 09:00"), ("status", "2026-11-23 11:00", "waiting")
        held = state(RESOLUTION, hours(8), *entries, now="2026-11-25 12:00")
        assert (held.due_at, held.remaining) == (None, timedelta(hours=6))
        resumed = state(RESOLUTION, hours(8), *entries, ("status", "2026-11-25 12:00", "open"), now="2026-11-25 12:00")
        assert resumed.due_at == at("2026-11-26 10:00")

    def test_12_adjacent_waiting_statuses_count_once_to_the_second(self):
        found = state(
            RESOLUTION, hours(8), ("created", "2026-11-23 09:00"), ("status", "2026-11-23 10:00:01", "waiting"),
            ("status", "2026-11-23 11:00:02", "vendor"), ("status", "2026-11-23 12:00:03", "open"),
        )  # fmt: skip
        assert found.paused == timedelta(hours=2, seconds=2)
        assert found.due_at == at("2026-11-24 11:00:02")

    def test_13_reopened_in_time_the_same_clock_goes_on_later_a_new_one_starts(self):
        entries = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 11:00"), ("done", "2026-11-24 11:00")
        soon = (*entries, ("reopened", "2026-11-25 09:00", "open"))
        assert state(RESOLUTION, hours(8), *soon, reopen_within=WEEK).due_at == at("2026-11-25 15:00")
        late = (*entries, ("reopened", "2026-12-07 09:00", "open"))
        first = state(RESOLUTION, hours(8), *late, reopen_within=WEEK)
        second = state(RESOLUTION, hours(8), *late, reopen_within=WEEK, cycle=2)
        assert (first.verdict, first.consumed) == ("met", timedelta(hours=2))
        assert (second.run.started_at, second.due_at) == (at("2026-12-07 09:00"), at("2026-12-07 17:00"))

    def test_14_a_new_severity_counts_from_the_start_and_keeps_what_was_judged(self):
        run = runs_of("resolution", RESOLUTION, marks(("created", "2026-11-23 09:00")))[0]
        milder = [Period(at("2026-11-23 09:00"), hours(4)), Period(at("2026-11-23 11:00"), hours(16))]
        assert judge(run, milder, at=at("2026-11-23 12:00")).due_at == at("2026-11-24 17:00")
        too_late = [Period(at("2026-11-23 09:00"), hours(4)), Period(at("2026-11-23 14:00"), hours(16))]
        kept = judge(run, too_late, at=at("2026-11-23 15:00"))
        assert (kept.verdict, kept.missed_at, kept.due_at) == ("missed", at("2026-11-23 13:00"), at("2026-11-24 17:00"))
        worse = [Period(at("2026-11-23 09:00"), hours(16)), Period(at("2026-11-23 14:00"), hours(4))]
        assert judge(run, worse, at=at("2026-11-23 14:00")).verdict == "missed"

    def test_15_what_ended_keeps_the_promise_it_ended_under(self):
        entries = marks(("created", "2026-11-23 09:00"), ("done", "2026-11-23 12:00"))
        run = runs_of("resolution", RESOLUTION, entries)[0]
        periods = [Period(at("2026-11-23 09:00"), hours(4)), Period(at("2026-11-24 09:00"), hours(1))]
        assert judge(run, periods, at=at("2026-11-25 09:00")).verdict == "met"

    def test_16_judged_by_when_it_happened_and_not_by_when_somebody_looks(self):
        entries = ("created", "2026-11-23 09:00"), ("response", "2026-11-23 13:00:00.000001")
        for looked in ("2026-11-23 13:00:01", "2027-06-01 00:00"):
            assert state(RESPONSE, hours(4), *entries, now=looked).verdict == "missed"

    def test_17_thresholds_fall_in_business_time_and_a_pause_does_not_bring_them_again(self):
        entries = ("created", "2026-11-27 15:00"), ("status", "2026-11-30 12:00", "waiting")
        resumed = (*entries, ("status", "2026-12-01 12:00", "open"))
        before = moments(state(RESOLUTION, hours(8), *entries, now="2026-12-01 11:00"), ["50%", "80%", "100%"])
        after = moments(state(RESOLUTION, hours(8), *resumed, now="2026-12-01 12:00"), ["50%", "80%", "100%"])
        assert before == {"50%": at("2026-11-30 11:00")}
        assert after["50%"] == at("2026-11-30 11:00")
        assert after["80%"] == at("2026-12-01 13:24")
        assert at("2026-12-01 15:00") < after["100%"] <= at("2026-12-01 15:00:00.001")

    def test_18_two_messages_in_a_row_count_from_the_first_and_an_answer_stops_the_clock(self):
        entries = ("created", "2026-11-23 09:00"), ("customer", "2026-11-23 11:00"), ("response", "2026-11-23 12:00")
        found = state(RESPONSE, hours(4), *entries)
        assert (found.consumed, found.verdict) == (timedelta(hours=3), "met")

    def test_19_cancelled_ends_the_clocks_without_a_verdict(self):
        entries = ("created", "2026-11-23 09:00"), ("cancelled", "2026-11-23 12:00")
        for rule in (RESPONSE, RESOLUTION, UPDATE):
            found = state(rule, hours(2), *entries)
            assert found.verdict == "cancelled"
            assert moments(found, []) == {}

    def test_20_seconds_decades_leap_days_and_days_that_are_not_24_hours(self):
        leap = state(RESPONSE, hours(8), ("created", "2028-02-28 13:00"))
        assert leap.due_at == at("2028-02-29 13:00")
        days = Promise.read({"value": 5, "unit": "business_days"}, office(), minutes_per_day=480)
        assert state(RESPONSE, days, ("created", "2026-11-23 10:00")).due_at == at("2026-11-30 10:00")
        decades = hours(8 * 260 * 19)
        found = state(RESPONSE, decades, ("created", "2001-01-01 09:00"))
        assert office().between(at("2001-01-01 09:00"), found.due_at) == timedelta(hours=8 * 260 * 19)


class TestTheirBugs:
    """Each class of ``what breaks`` in the trackers of other desks, by its number there."""

    def test_01_no_warning_at_midnight_or_on_a_sunday(self):
        found = moments(state(RESPONSE, hours(8), ("created", "2026-11-27 16:00")), ["10%", "50%", "80%", "60m"])
        assert [moment.astimezone(ZoneInfo("Europe/Berlin")).strftime("%a %H:%M") for moment in found.values()] == [
            "Fri 16:48", "Mon 12:00", "Mon 14:24", "Mon 15:00",
        ]  # fmt: skip

    def test_02_all_thresholds_of_a_chain_are_planned_at_once(self):
        wanted = ["25%", "50%", "75%", "100%"]
        assert list(moments(state(RESPONSE, hours(8), ("created", "2026-11-23 09:00")), wanted)) == wanted

    def test_03_time_held_is_business_time_and_survives_a_change_of_promise(self):
        entries = marks(
            ("created", "2026-11-23 09:00"),
            ("status", "2026-11-23 16:00", "waiting"),
            ("status", "2026-11-24 10:00", "open"),
        )
        run = runs_of("resolution", RESOLUTION, entries)[0]
        periods = [Period(at("2026-11-23 09:00"), hours(8)), Period(at("2026-11-24 10:30"), hours(10))]
        found = judge(run, periods, at=at("2026-11-24 10:30"))
        assert (found.paused, found.due_at) == (timedelta(hours=2), at("2026-11-24 13:00"))

    def test_04_an_answer_ends_the_update_that_was_owed_and_starts_the_next(self):
        entries = ("created", "2026-11-23 09:00"), ("update", "2026-11-23 10:00"), ("done", "2026-11-23 12:00")
        first = state(UPDATE, hours(2), *entries, clock="update")
        second = state(UPDATE, hours(2), *entries, clock="update", cycle=2)
        assert (first.verdict, second.run.started_at, second.verdict) == ("met", at("2026-11-23 10:00"), "met")

    def test_04_a_resolved_ticket_owes_no_first_response(self):
        found = state(RESPONSE, hours(8), ("created", "2026-11-23 09:00"), ("done", "2026-11-23 10:00"))
        assert found.verdict == "cancelled"

    def test_04_resolving_does_not_undo_that_the_first_response_was_missed(self):
        entries = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 13:30")
        assert state(RESPONSE, hours(4), *entries).verdict == "missed"
        void = ("created", "2026-11-23 09:00"), ("cancelled", "2026-11-23 13:30")
        assert state(RESPONSE, hours(4), *void).verdict == "cancelled"

    def test_05_late_between_two_sweeps_is_late(self):
        entries = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 13:00:30")
        assert state(RESOLUTION, hours(4), *entries, now="2026-11-23 13:10").verdict == "missed"

    def test_06_lunch_is_part_of_the_week_and_not_a_holiday(self):
        lunch = read_calendar(
            {"timezone": "Europe/Berlin", "weekly": {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in OFFICE}}
        )
        found = state(RESPONSE, hours(4, calendar=lunch), ("created", "2026-11-23 11:00"))
        assert found.due_at == at("2026-11-23 16:00")

    def test_08_the_zone_of_the_calendar_decides_whatever_the_moment_carried(self):
        created = at("2026-11-23 23:30", "Asia/Tokyo")
        run = runs_of("first_response", RESPONSE, [Mark("created", created)])[0]
        assert judge(run, [Period(created, hours(1))], at=created).due_at == at("2026-11-23 16:30")

    def test_12_what_is_left_is_negative_once_it_is_late(self):
        found = state(RESPONSE, hours(2), ("created", "2026-11-23 09:00"), now="2026-11-23 14:00")
        assert found.remaining == timedelta(hours=-3)


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
