"""Of the twenty edge cases every desk gets wrong somewhere, those of calendars and clocks on walls: 1 to 7 and 20.

Told to the engine, and lived by real tickets. Hours are those a person names who counts on a wall calendar.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Severity, WorkCalendar
from businesstime import NoWorkingTime, read_calendar
from support import actions
from support.actions.incident_letters import next_update_after
from support.models import HolidayList, Ladder, SlaAlert
from support.queries.promises import Desk
from support.sla import Mark, Period, Promise, explain, judge, moments, runs_of
from tests.support.sla.engine import OFFICE, RESPONSE, always, at, hours, office, state
from tests.support.world import agent, clock, customer, install, ticket


@pytest.mark.parametrize(
    "created", ["2026-11-27 22:13:07", "2026-11-28 11:00", "2026-11-29 23:59:59", "2026-11-30 03:00"]
)
def test_a_clock_that_begins_while_closed_starts_at_the_next_opening(created):
    """1. Night, Saturday, the last second of Sunday, early Monday: the seconds of creation vanish."""
    assert state(RESPONSE, hours(8), ("created", created), now="2026-11-30 09:00").due_at == at("2026-11-30 17:00")


def test_a_budget_that_ends_at_closing_is_due_then_and_kept_all_night():
    """2. Shown is the closing instant; judged is by time used, so an answer before the next opening is in time."""
    entries = ("created", "2026-11-27 09:00"), ("response", "2026-11-30 08:59:59")
    found = state(RESPONSE, hours(8), *entries)
    assert (found.due_at, found.verdict) == (at("2026-11-27 17:00"), "met")
    late = state(RESPONSE, hours(8), ("created", "2026-11-27 09:00"), ("response", "2026-11-30 09:00:01"))
    assert (late.due_at, late.verdict) == (at("2026-11-27 17:00"), "missed")
    assert late.missed_at == at("2026-11-30 09:00")


def test_nobody_is_told_of_a_breach_while_an_answer_would_still_be_in_time(desk):
    """2. All weekend nothing is broken; it is with the first working moment."""
    found = ticket(desk, at("2026-11-27 09:00"))
    for moment in ("2026-11-27 17:00", "2026-11-27 17:01", "2026-11-28 12:00", "2026-11-30 08:59:59"):
        actions.sweep(at=at(moment))
        assert not SlaAlert.objects.filter(threshold="100%").exists()
        assert clock(found, "first_response").verdict == "running"
    actions.sweep(at=at("2026-11-30 09:00:01"))
    assert SlaAlert.objects.get(threshold="100%").clock == clock(found, "first_response")


def test_holidays_at_the_start_in_the_middle_and_every_year_do_not_count():
    """3. Once, and by month and day."""
    calendar = office(holidays=["2026-12-25"], recurring_holidays=["01-01"])
    promise = hours(16, calendar=calendar)
    assert state(RESPONSE, promise, ("created", "2026-12-24 09:00")).due_at == at("2026-12-28 17:00")
    assert state(RESPONSE, promise, ("created", "2026-12-25 10:00")).due_at == at("2026-12-29 17:00")
    assert state(RESPONSE, promise, ("created", "2026-12-31 09:00")).due_at == at("2027-01-04 17:00")


def test_a_night_shift_runs_on_into_a_holiday_and_none_begins_on_it():
    """3. The shift belongs to the day it starts on: its tail counts, the holiday's own does not."""
    nights = {day: [["22:00", "06:00"]] for day in OFFICE}
    calendar = read_calendar({"timezone": "Europe/Berlin", "weekly": nights, "holidays": ["2026-12-24"]})
    tail = state(RESPONSE, hours(8, calendar=calendar), ("created", "2026-12-23 22:00"))
    assert tail.due_at == at("2026-12-24 06:00")
    following = state(RESPONSE, hours(1, calendar=calendar), ("created", "2026-12-24 22:30"))
    assert following.due_at == at("2026-12-25 23:00")


def test_a_listed_holiday_that_is_worked_or_observed_nowhere_counts_like_any_day(desk):
    """3. Listed but inactive: a day of the country the workspace works, and a list no calendar observes."""
    germany = HolidayList.objects.create(key="de", name="Germany", country="DE", removed=["2026-12-25"])
    germany.calendars.add(WorkCalendar.objects.get(key="bh-9-17"))
    HolidayList.objects.create(key="unused", name="Unused", days=["2026-12-28"])
    assert clock(ticket(desk, at("2026-12-24 13:00")), "first_response").due_at == at("2026-12-25 13:00")


@pytest.mark.parametrize(
    ("created", "due"),
    [("2026-03-28 22:00", "2026-03-29T02:00:00+00:00"), ("2026-10-24 22:00", "2026-10-25T01:00:00+00:00")],
)
def test_a_night_of_23_or_25_hours_is_as_long_as_it_was(created, due):
    """4. Five hours of a night shift are five hours, whatever the clock on the wall did meanwhile."""
    nights = read_calendar({"timezone": "Europe/Berlin", "weekly": {"sat": [["22:00", "06:00"]]}})
    found = state(RESPONSE, hours(5, calendar=nights), ("created", created), now=created)
    assert found.due_at.isoformat() == due
    parts = explain(found, at=found.due_at)
    assert sum((part.length for part in parts if part.counts), timedelta()) == timedelta(hours=5)


def test_a_window_that_opens_inside_the_gap_opens_when_the_gap_ends():
    """4. From half past two on a night without the hour from two to three: it opens at three, and is not lost."""
    gap = read_calendar({"timezone": "Europe/Berlin", "weekly": {"sun": [["02:30", "04:00"]]}})
    found = state(RESPONSE, hours(0.5, calendar=gap), ("created", "2026-03-29 00:00"))
    assert found.due_at == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_what_happened_in_the_hour_that_comes_twice_keeps_its_order():
    """4. Half past two, and half past two again: an hour lies between, and the first is taken where none is named."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    run = runs_of("first_response", RESPONSE, [Mark("created", first), Mark("response", first.replace(fold=1))])[0]
    found = judge(run, [Period(first, hours(2, calendar=always()))], at=first)
    assert (found.consumed, found.due_at - found.run.started_at) == (timedelta(hours=1), timedelta(hours=2))
    assert run.started_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_midnight_that_does_not_exist_loses_no_minute_and_adds_none():
    """4. In Sao Paulo the day began at one: whole days were 23 hours long."""
    days = read_calendar(
        {"timezone": "America/Sao_Paulo", "weekly": {day: [["00:00", "24:00"]] for day in ("sat", "sun")}}
    )
    created = at("2018-11-03 12:00", "America/Sao_Paulo")
    run = runs_of("first_response", RESPONSE, [Mark("created", created)])[0]
    found = judge(run, [Period(created, hours(24, calendar=days))], at=created)
    assert found.due_at == at("2018-11-04 13:00", "America/Sao_Paulo")


def test_round_the_clock_loses_no_minute_at_midnight_and_2359_loses_one():
    """5. 24:00 is the end of the day; whoever enters 23:59 closes for a minute each night, and it shows."""
    week = (*OFFICE, "sat", "sun")
    whole, short = (
        read_calendar({"timezone": "UTC", "weekly": {day: [["00:00", end]] for day in week}})
        for end in ("24:00", "23:59")
    )
    for calendar in (always("UTC"), whole):
        assert state(RESPONSE, hours(72, calendar=calendar), ("created", "2026-11-27 23:30")).due_at == at(
            "2026-11-30 23:30"
        )
    assert state(RESPONSE, hours(72, calendar=short), ("created", "2026-11-27 23:30")).due_at == at("2026-11-30 23:33")


def test_split_shifts_night_shifts_and_one_dates_own_hours():
    """6. Monday closed by an override; Tuesday's night is eight hours, Wednesday has one of its own."""
    calendar = read_calendar(
        {
            "timezone": "Europe/Berlin",
            "weekly": {"mon": [["08:00", "12:00"], ["13:00", "17:00"]], "tue": [["22:00", "06:00"]]},
            "date_overrides": {"2026-11-30": [], "2026-12-02": [["10:00", "11:00"]]},
        }
    )
    assert state(RESPONSE, hours(9, calendar=calendar), ("created", "2026-11-30 07:00")).due_at == at(
        "2026-12-02 11:00"
    )


def test_a_window_of_no_length_is_refused_and_a_day_without_windows_is_closed():
    """6. Nine to nine is nothing and no whole day; an empty list is a day off."""
    with pytest.raises(ValueError, match=r"(?i)mon"):
        read_calendar({"timezone": "UTC", "weekly": {"mon": [["09:00", "09:00"]]}})
    closed = read_calendar({"timezone": "UTC", "weekly": {"mon": [], "tue": [["09:00", "10:00"]]}})
    assert closed.add(datetime(2026, 11, 30, 9, tzinfo=UTC), 30) == datetime(2026, 12, 1, 9, 30, tzinfo=UTC)


def test_a_calendar_without_open_hours_is_refused_and_never_searched_for_ever():
    """7. An error when it is saved; a calendar that ran out says so, and is no wall clock."""
    with pytest.raises(ValueError, match="never open"):
        read_calendar({"timezone": "UTC", "weekly": {}})
    once = read_calendar({"timezone": "UTC", "date_overrides": {"2020-01-01": [["09:00", "10:00"]]}})
    with pytest.raises(NoWorkingTime):
        state(RESPONSE, hours(1, calendar=once), ("created", "2026-11-23 09:00"))


def test_a_ticket_an_escalation_and_an_incident_open_although_their_calendar_ran_out(db):
    """7. Nobody is turned away and no other deadline stands still: there is no promise, and the rest is recomputed."""
    install("fleet")
    account = customer("standard", pack="fleet", zone="America/New_York")
    good = ticket(account, at("2026-11-23 10:00", "America/New_York"))
    worker = agent("csm")
    WorkCalendar.objects.filter(key="bh-8-18-et").update(
        definition={"timezone": "UTC", "date_overrides": {"2020-01-01": [["09:00", "10:00"]]}}
    )
    assert ticket(account, at("2026-11-23 18:00")).clocks.count() == 0
    raised = actions.escalate(
        account, ladder=Ladder.objects.get(pack="fleet"), path="default", level="T2", reason="Stuck", actor=worker,
        at=at("2026-11-23 19:00"),
    )  # fmt: skip
    assert raised.clocks.count() == 0
    severity = Severity.objects.order_by("rank").first()
    incident = actions.open_incident(
        title="Down", severity=severity, impact=1, accounts=[account], update_minutes=60, has_cadence=True,
        calendar=WorkCalendar.objects.get(key="bh-8-18-et"), actor=worker, at=at("2026-11-23 19:00"),
    )  # fmt: skip
    assert (incident.clocks.count(), next_update_after(incident, at("2026-11-23 19:00"))) == (0, None)
    run = actions.recompute_open("The calendar changed", at=at("2026-11-24 10:00"))
    assert (run.done, run.finished_at is not None) == (run.total, True)
    good.refresh_from_db()
    assert good.next_due_at == clock(good, "first_response").due_at == at("2026-11-24 10:00", "America/New_York")


def test_seconds_decades_leap_days_and_days_that_are_not_24_hours():
    """20. The 29th of February is a Tuesday of eight hours; five business days are no 120 hours."""
    leap = state(RESPONSE, hours(8), ("created", "2028-02-28 13:00:07"))
    assert leap.due_at == at("2028-02-29 13:00:07")
    days = Promise.read({"value": 5, "unit": "business_days"}, office(), minutes_per_day=480)
    assert state(RESPONSE, days, ("created", "2026-11-23 10:00")).due_at == at("2026-11-30 10:00")
    decades = hours(8 * 260 * 19)
    found = state(RESPONSE, decades, ("created", "2001-01-01 09:00"))
    assert office().between(at("2001-01-01 09:00"), found.due_at) == timedelta(hours=8 * 260 * 19)


def test_an_hour_before_is_taken_off_in_business_time():
    """20. "60 minutes before" a deadline at ten on Monday is ten minutes past opening only where ten past is open."""
    found = moments(state(RESPONSE, hours(2), ("created", "2026-11-27 15:30")), ["60m"])
    assert found["60m"] == at("2026-11-27 16:30")
    over_the_weekend = moments(state(RESPONSE, hours(2), ("created", "2026-11-27 16:30")), ["100m"])
    assert over_the_weekend["100m"] == at("2026-11-27 16:50")


def test_customers_of_one_workspace_keep_their_own_hours(desk):
    """20. Nine to five is each customer's own; the ticket remembers which (AMB-12)."""
    tokyo = ticket(customer(zone="Asia/Tokyo"), at("2026-11-23 09:00", "Asia/Tokyo"))
    lima = ticket(customer(zone="America/Lima"), at("2026-11-23 09:00", "America/Lima"))
    assert clock(tokyo, "first_response").due_at == at("2026-11-23 17:00", "Asia/Tokyo")
    assert clock(lima, "first_response").due_at == at("2026-11-23 17:00", "America/Lima")
    assert Desk().calendars.zone != lima.timezone
