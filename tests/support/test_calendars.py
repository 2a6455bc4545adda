"""Calendars and days off of a workspace's own: written, tried, applied, taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import RuleViolated
from accounts.models import WorkCalendar
from businesstime import read_calendar
from businesstime.findings import night_overlaps, oddities
from support import actions
from support.models import HolidayList
from tests.factories import AccountFactory
from tests.support.levels import DAYS, FRIDAY, OFFICE, due
from tests.support.world import agent, at, install, ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return agent("admin")


HOURS = {"name": "Office", "timezone": "Europe/Berlin", "minutes_per_day": "480"} | dict.fromkeys(DAYS, "9:00-17:00")


class TestCalendars:
    def test_hours_are_written_as_people_do(self, desk):
        sent = HOURS | {
            "fri": "09:00-12:00, 13:00–16:30", "sat": "22:00-06:00", "sun": "closed", "holidays": "2026-12-24\n12-25",
            "overrides": "2026-12-31 09:00-12:00\n2027-01-02 closed", "breaks": "2026-12-03 12:00-13:00",
        }  # fmt: skip
        assert desk.post("/support/calendars/new/", sent).status_code == 302
        row = WorkCalendar.objects.get(key="office")
        assert row.definition == {
            "timezone": "Europe/Berlin",
            "weekly": OFFICE["weekly"] | {"fri": [["09:00", "12:00"], ["13:00", "16:30"]], "sat": [["22:00", "06:00"]]},
            "holidays": ["2026-12-24"],
            "recurring_holidays": ["12-25"],
            "date_overrides": {"2026-12-31": [["09:00", "12:00"]], "2027-01-02": []},
            "breaks": [{"date": "2026-12-03", "from": "12:00", "to": "13:00"}],
        }
        form = desk.get("/support/calendars/office/").context["form"]
        assert form.initial["fri"] == "09:00-12:00, 13:00-16:30"
        assert form.initial["overrides"] == ["2026-12-31 09:00-12:00", "2027-01-02 closed"]
        shown = desk.get("/support/calendars/").content.decode()
        assert "Monday–Thursday 09:00–17:00" in shown

    @pytest.mark.parametrize(
        ("change", "field", "words"),
        [
            ({"mon": "9 to 5"}, "mon", "write hours as 09:00-17:00"),
            ({"mon": "09:00-12:00, 11:00-17:00"}, "mon", "overlap"),
            ({"mon": "22:00-10:00"}, "tue", "Monday 22:00–10:00 runs into Tuesday 09:00–17:00"),
            ({"mon": "09:00-25:00"}, "mon", "not a time of day"),
            ({"holidays": "2026-02-30"}, "holidays", "not a date"),
            ({"overrides": "2026-12-31"}, "overrides", "Line 1"),
            ({"overrides": "2026-12-31 closed\n2026-12-31 09:00-10:00"}, "overrides", "stands twice"),
            ({"breaks": "2026-12-03 12:00-12:00"}, "breaks", "same time"),
            (dict.fromkeys(DAYS, ""), "mon", "never open"),
        ],
    )
    def test_mistakes_stand_at_their_fields(self, desk, change, field, words):
        refused = desk.post("/support/calendars/new/", HOURS | change)
        assert refused.status_code == 422
        assert words in " ".join(refused.context["form"].errors[field])
        assert not WorkCalendar.objects.filter(key="office").exists()

    def test_a_change_is_looked_at_then_applied_and_taken_back(self, desk, gold):
        opened = ticket(AccountFactory(), FRIDAY)
        actions.recompute_where_calendars_changed(at=timezone.now())
        was, longer = due(opened), HOURS | {"fri": "09:00-18:00"}
        page = "/support/calendars/office/"
        looked = desk.post(page, longer | {"step": "preview"}).content.decode()
        assert "2 of 2 open deadlines" in looked
        assert due(opened) == was
        desk.post(page, longer | {"step": "save"})
        assert actions.recompute_where_calendars_changed(at=timezone.now()).changed == 1
        assert due(opened) == was - timedelta(hours=1)
        entry = desk.get(page).context["changes"][0]
        desk.post(f"{page}restore/", {"entry": str(entry.pk)})
        actions.recompute_where_calendars_changed(at=timezone.now())
        assert due(opened) == was

    def test_a_calendar_that_is_counted_in_is_not_removed_and_a_methodologys_is_not_edited(self, desk, gold):
        desk.post("/support/calendars/office/delete/")
        assert WorkCalendar.objects.filter(key="office").exists()
        gold.delete()
        desk.post("/support/calendars/office/delete/")
        assert not WorkCalendar.objects.filter(key="office").exists()
        install("fmea")
        assert desk.get("/support/calendars/bh-9-17/").status_code == 404
        assert desk.get("/support/calendars/new/?copy=bh-9-17").context["form"].initial["mon"] == "09:00-17:00"

    def test_one_calendar_and_five_are_shown_in_the_same_number_of_queries(self, desk, lead, office):
        def listed(number):
            actions.save_holidays(None, name=f"L{number}", days=["12-24"], calendars=[office], actor=lead,
                                  at=timezone.now())  # fmt: skip

        listed(0)
        desk.get("/support/calendars/")
        cache.clear()
        with CaptureQueriesContext(connection) as one:
            desk.get("/support/calendars/")
        for number in range(1, 5):
            WorkCalendar.objects.create(key=f"c{number}", name=f"C{number}", definition=OFFICE)
            listed(number)
        cache.clear()
        with CaptureQueriesContext(connection) as five:
            assert "C4" in desk.get("/support/calendars/").content.decode()
        assert len(five) <= len(one)


class TestOddities:
    def read(self, **weekly):
        return read_calendar({"timezone": "UTC", "weekly": weekly}).rules

    def test_small_gaps_and_a_day_that_ends_a_minute_early_are_told(self):
        rules = self.read(
            mon=[["09:00", "12:00"], ["12:05", "17:00"]], tue=[["08:00", "23:59"]], wed=[["00:00", "08:00"]]
        )
        assert oddities(rules) == [
            "Monday: 5 minutes after 09:00–12:00 are closed.",
            "Tuesday ends at 23:59: its last minute is closed. 24:00 closes the day.",
        ]

    def test_a_lunch_hour_and_a_night_shift_that_meets_the_morning_are_in_order(self):
        rules = self.read(mon=[["09:00", "12:00"], ["13:00", "24:00"]], sun=[["22:00", "09:00"]])
        assert oddities(rules) == []
        assert night_overlaps(rules) == []

    def test_a_night_that_runs_into_the_morning_is_found_over_the_week_too(self):
        found = night_overlaps(self.read(sun=[["22:00", "09:30"]], mon=[["09:00", "12:00"]]))
        assert [problem.field for problem in found] == ["weekly/mon"]


class TestDaysOff:
    def test_a_countrys_holidays_move_deadlines_when_they_are_applied(self, desk, office, gold):
        opened = ticket(AccountFactory(), at("2026-12-24 16:55"))
        actions.recompute_where_calendars_changed(at=at("2026-12-24 17:00"))
        assert due(opened) == at("2026-12-25 10:55")
        sent = {"name": "Germany", "country": "DE", "subdivision": "BY", "days": "12-31", "calendars": str(office.pk)}
        looked = desk.post("/support/calendars/days-off/new/", sent | {"step": "preview"}).content.decode()
        assert "2 of 2 open deadlines" in looked
        assert not HolidayList.objects.exists()
        desk.post("/support/calendars/days-off/new/", sent | {"step": "save"})
        row = HolidayList.objects.get()
        assert (row.key, row.days, list(row.calendars.all())) == ("germany", ["12-31"], [office])
        actions.recompute_where_calendars_changed(at=at("2026-12-24 17:00"))
        assert due(opened) == at("2026-12-28 10:55")
        page = f"/support/calendars/days-off/{row.pk}/"
        assert "German Unity Day" in desk.get(page).content.decode()
        desk.post(page, sent | {"removed": "2026-12-25", "step": "save"})
        actions.recompute_where_calendars_changed(at=at("2026-12-24 17:00"))
        assert due(opened) == at("2026-12-25 10:55")
        desk.post(f"{page}delete/")
        assert not HolidayList.objects.exists()

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"country": "XX"}, "country"),
            ({"country": "DE", "subdivision": "TX"}, "subdivision"),
            ({"days": ["24.12."]}, "days"),
            ({"days": ["02-30"]}, "days"),
            ({"days": ["12-24"], "removed": ["never"]}, "removed"),
            ({}, "days"),
        ],
    )
    def test_mistakes_are_named(self, lead, values, field):
        with pytest.raises(RuleViolated) as refused:
            actions.save_holidays(None, name="X", actor=lead, at=timezone.now(), **values)
        assert refused.value.field == field
        assert not HolidayList.objects.exists()

    def test_the_last_day_of_february_may_be_off_each_year(self, lead):
        row = actions.save_holidays(None, name="Leap", days=["02-29"], actor=lead, at=timezone.now())
        assert row.days == ["02-29"]
