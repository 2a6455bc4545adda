"""Working time at its edges, each with the hour a person would name."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from businesstime import NoWorkingTime, read_calendar
from businesstime.rules import next_business_day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = {day: [["09:00", "17:00"]] for day in WEEKDAYS}


def calendar(**changes):
    return read_calendar({"timezone": "Europe/Berlin", "weekly": OFFICE, **changes})


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-11-24 09:00", 60, "2026-11-24 10:00"),
        # Exactly used up at closing: due then, not at the next opening.
        ("2026-11-24 09:00", 480, "2026-11-24 17:00"),
        ("2026-11-24 16:00", 60, "2026-11-24 17:00"),
        ("2026-11-24 16:00", Decimal("60.01"), "2026-11-25 09:00:00.600000"),
        # Started while closed: the night, the weekend and the early morning do not count.
        ("2026-11-24 22:30", 30, "2026-11-25 09:30"),
        ("2026-11-28 12:00", 30, "2026-11-30 09:30"),
        ("2026-11-25 03:00", 480, "2026-11-25 17:00"),
        ("2026-11-27 16:30", 60, "2026-11-30 09:30"),
        # Back in time, as a warning before a deadline.
        ("2026-11-25 10:00", -60, "2026-11-25 09:00"),
        ("2026-11-25 09:30", -60, "2026-11-24 16:30"),
        ("2026-11-25 09:00", -480, "2026-11-24 09:00"),
        ("2026-11-30 08:00", -1, "2026-11-27 16:59"),
        # Nothing to use up: the moment itself, open or not.
        ("2026-11-28 12:00", 0, "2026-11-28 12:00"),
        ("2026-11-24 10:00", "0.5", "2026-11-24 10:00:30"),
        ("2026-11-24 10:00", 0.25, "2026-11-24 10:00:15"),
        ("2026-11-24 10:00", Fraction(1, 3), "2026-11-24 10:00:20"),
    ],
)
def test_adding_working_minutes_gives_the_instant_at_which_they_are_used_up(start, minutes, due):
    assert calendar().add(berlin(start), minutes) == berlin(due)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("2026-11-24 16:30", "2026-11-25 09:30", 60),
        ("2026-11-28 00:00", "2026-11-30 09:00", 0),
        ("2026-11-25 09:30", "2026-11-24 16:30", -60),
        ("2026-11-24 17:00", "2026-11-24 23:00", 0),
        ("2025-11-24 00:00", "2026-11-24 00:00", 261 * 480),
    ],
)
def test_time_between_two_instants_counts_open_hours_only(start, end, minutes):
    assert calendar().between(berlin(start), berlin(end)) == timedelta(minutes=minutes)


def test_opening_belongs_to_the_window_and_closing_does_not():
    office = calendar()
    assert office.is_open(berlin("2026-11-24 09:00")) is True
    assert office.is_open(berlin("2026-11-24 08:59:59")) is False
    assert office.is_open(berlin("2026-11-24 16:59:59")) is True
    assert office.is_open(berlin("2026-11-24 17:00")) is False


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-24 10:07", "2026-11-24 10:07"),
        ("2026-11-24 17:00", "2026-11-25 09:00"),
        ("2026-11-27 17:00", "2026-11-30 09:00"),
        ("2026-12-31 18:00", "2027-01-01 09:00"),
    ],
)
def test_the_next_opening_is_now_while_open(at, opens):
    assert calendar().next_open(berlin(at)) == berlin(opens)


def test_lunch_splits_a_day_and_touching_windows_join():
    split = calendar(weekly={"tue": [["08:00", "12:00"], ["13:00", "17:00"]]})
    assert split.add(berlin("2026-11-24 11:30"), 60) == berlin("2026-11-24 13:30")
    assert split.add(berlin("2026-11-24 11:30"), 30) == berlin("2026-11-24 12:00")
    joined = calendar(weekly={"tue": [["12:00", "17:00"], ["08:00", "12:00"]]})
    assert joined.add(berlin("2026-11-24 11:30"), 30.5) == berlin("2026-11-24 12:00:30")


def test_a_night_shift_belongs_to_the_day_it_starts_on():
    nights = calendar(weekly={"fri": [["22:00", "06:00"]]}, holidays=["2026-11-28"])
    # Saturday is a holiday, but the shift is Friday's.
    assert nights.add(berlin("2026-11-27 23:00"), 120) == berlin("2026-11-28 01:00")
    assert nights.between(berlin("2026-11-27 00:00"), berlin("2026-11-29 00:00")) == timedelta(hours=8)
    friday_off = calendar(weekly={"fri": [["22:00", "06:00"]]}, holidays=["2026-11-27"])
    assert friday_off.between(berlin("2026-11-27 00:00"), berlin("2026-11-29 00:00")) == timedelta()


def test_a_night_shift_that_runs_into_the_next_shift_counts_once():
    overlapping = calendar(weekly={"mon": [["22:00", "06:00"]], "tue": [["05:00", "13:00"]]})
    assert overlapping.between(berlin("2026-11-23 22:00"), berlin("2026-11-24 13:00")) == timedelta(hours=15)


def test_midnight_closes_a_day_and_the_next_one_goes_on():
    days = {day: [["00:00", "24:00"]] for day in (*WEEKDAYS, "sat", "sun")}
    assert calendar(weekly=days).add(berlin("2026-11-24 23:59"), 2) == berlin("2026-11-25 00:01")
    assert calendar(weekly={"tue": [["20:00", "24:00"]]}).is_open(berlin("2026-11-25 00:00")) is False


def test_a_holiday_closes_its_date_and_a_recurring_one_every_year():
    holidays = calendar(holidays=["2026-12-25"], recurring_holidays=["01-01", "02-29"])
    assert holidays.add(berlin("2026-12-24 16:30"), 60) == berlin("2026-12-28 09:30")
    assert holidays.next_open(berlin("2027-12-31 17:00")) == berlin("2028-01-03 09:00")
    assert holidays.is_open(berlin("2028-02-29 10:00")) is False
    assert holidays.is_open(berlin("2027-12-24 10:00")) is True


def test_an_override_replaces_its_date_even_on_a_holiday():
    eve = calendar(holidays=["2026-12-24"], date_overrides={"2026-12-24": [["08:00", "12:00"]], "2026-12-28": []})
    assert eve.between(berlin("2026-12-24 00:00"), berlin("2026-12-25 00:00")) == timedelta(hours=4)
    assert eve.next_open(berlin("2026-12-25 17:00")) == berlin("2026-12-29 09:00")


def test_breaks_are_cut_out_also_of_a_calendar_that_never_closes():
    fire_drill = [{"date": "2026-11-24", "from": "10:00", "to": "10:30"}]
    assert calendar(breaks=fire_drill).add(berlin("2026-11-24 09:00"), 90) == berlin("2026-11-24 11:00")
    always = read_calendar({"timezone": "UTC", "always_open": True, "holidays": ["2026-11-24"], "breaks": fire_drill})
    assert always.between(datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)) == timedelta(
        hours=23, minutes=30
    )


class TestClockChanges:
    nights = {"sat": [["22:00", "06:00"]]}

    def test_the_night_the_clocks_go_forward_is_an_hour_shorter(self):
        assert calendar(weekly=self.nights).add(berlin("2026-03-28 22:00"), 300) == berlin("2026-03-29 04:00")

    def test_the_night_the_clocks_go_back_is_an_hour_longer(self):
        assert calendar(weekly=self.nights).add(berlin("2026-10-24 22:00"), 300) == berlin("2026-10-25 02:00", fold=1)

    def test_a_window_inside_the_gap_is_not_worked(self):
        early = calendar(weekly={"sun": [["02:00", "03:00"]]})
        assert early.between(berlin("2026-03-29 00:00"), berlin("2026-03-30 00:00")) == timedelta()

    def test_a_window_that_opens_inside_the_gap_opens_when_the_gap_ends(self):
        early = calendar(weekly={"sun": [["02:30", "05:00"]]})
        assert early.next_open(berlin("2026-03-29 00:00")) == berlin("2026-03-29 03:00")
        assert early.between(berlin("2026-03-29 00:00"), berlin("2026-03-30 00:00")) == timedelta(hours=2)

    def test_wall_times_that_happen_twice_are_worked_twice(self):
        early = calendar(weekly={"sun": [["02:15", "02:45"]]})
        assert early.between(berlin("2026-10-25 00:00"), berlin("2026-10-26 00:00")) == timedelta(hours=1)
        assert early.add(berlin("2026-10-25 00:00"), 45) == berlin("2026-10-25 02:30", fold=1)

    def test_a_midnight_that_does_not_exist(self):
        paulo = read_calendar({"timezone": "America/Sao_Paulo", "weekly": {"sun": [["00:00", "02:00"]]}})
        start = datetime(2018, 11, 3, 12, tzinfo=ZoneInfo("America/Sao_Paulo"))
        assert paulo.next_open(start) == datetime(2018, 11, 4, 3, tzinfo=UTC)
        assert paulo.between(start, start + timedelta(days=1)) == timedelta(hours=1)

    def test_a_day_that_was_left_out_of_the_year(self):
        # Samoa went from 29 to 31 December 2011.
        apia = read_calendar({"timezone": "Pacific/Apia", "weekly": {"fri": [["09:00", "17:00"]]}})
        start = datetime(2011, 12, 29, tzinfo=ZoneInfo("Pacific/Apia"))
        assert apia.next_open(start) == datetime(2012, 1, 6, 9, tzinfo=ZoneInfo("Pacific/Apia"))


def test_answers_carry_the_calendars_zone_whatever_the_question_carried():
    due = calendar().add(datetime(2026, 7, 1, 7, 0, tzinfo=UTC), 60)
    assert due.isoformat() == "2026-07-01T10:00:00+02:00"


def test_a_moment_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="no offset"):
        calendar().add(datetime(2026, 11, 24, 9), 1)


def test_decades_are_counted_to_the_minute_and_fast():
    office = calendar(recurring_holidays=["12-25"])
    began = time.process_time()
    start = berlin("2001-01-01 09:00")
    due = office.add(start, 60 * 8 * 260 * 25)
    assert office.between(start, due) == timedelta(hours=8 * 260 * 25)
    assert time.process_time() - began < 1
    again = time.process_time()
    for minute in range(1000):
        office.add(start, minute)
    assert time.process_time() - again < 0.2


def test_a_calendar_that_never_opens_again_says_so_instead_of_searching_for_ever():
    once = calendar(weekly={}, date_overrides={"2026-11-24": [["09:00", "10:00"]]})
    assert once.add(berlin("2026-11-01 00:00"), 60) == berlin("2026-11-24 10:00")
    for question in (
        lambda: once.add(berlin("2026-11-24 09:30"), 31),
        lambda: once.add(berlin("2026-11-24 09:30"), -31),
        lambda: once.next_open(berlin("2026-11-24 10:00")),
        lambda: once.add(berlin("2300-01-01 00:00"), 1),
    ):
        with pytest.raises(NoWorkingTime):
            question()


@pytest.mark.parametrize(
    ("day", "days", "due"),
    [
        ("2026-11-24", 0, "2026-11-24"),
        ("2026-11-24", 2, "2026-11-26"),
        ("2026-11-26", 2, "2026-11-30"),
        ("2026-11-28", 0, "2026-11-30"),
        ("2026-11-28", 1, "2026-11-30"),
        ("2026-12-24", 1, "2026-12-28"),
    ],
)
def test_business_days_skip_weekends_and_holidays(day, days, due):
    rules = calendar(holidays=["2026-12-25"]).rules
    assert next_business_day(rules, datetime.fromisoformat(day).date(), days).isoformat() == due
