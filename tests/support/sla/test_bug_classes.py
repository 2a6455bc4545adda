"""What breaks in the clocks of other desks, class by class as their trackers have it: a test that sees each of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Severity, WorkCalendar
from businesstime import read_calendar
from engagement.models import Notification
from support import actions
from support.models import SlaAlert, SlaClock, Team, Ticket
from support.queries import customers, listing
from support.queries.record import clock_lines
from support.sla import Mark, Period, judge, moments, runs_of
from tests.support.sla.engine import OFFICE, RESOLUTION, RESPONSE, UPDATE, at, hours, marks, office, state
from tests.support.world import agent, clock, customer, install, ticket


class TestAlertStorms:
    """1. Reminders at midnight and on Sundays, once a day for ever, or never again after the deadline moved."""

    def test_no_threshold_falls_at_night_or_on_a_sunday(self):
        found = moments(state(RESPONSE, hours(8), ("created", "2026-11-27 16:00")), ["10%", "50%", "80%", "60m"])
        assert [moment.astimezone(ZoneInfo("Europe/Berlin")).strftime("%a %H:%M") for moment in found.values()] == [
            "Fri 16:48", "Mon 12:00", "Mon 14:24", "Mon 15:00",
        ]  # fmt: skip

    def test_a_ticket_nobody_touches_for_a_month_is_told_of_once_and_nobody_gets_the_same_notice_twice(self, desk):
        worker, found = agent(), ticket(desk, at("2026-11-23 09:00"))
        for day in range(30):
            actions.sweep(at=at("2026-11-24 23:59:59") + timedelta(days=day))
        assert SlaAlert.objects.filter(clock__ticket=found).count() == 4
        assert Notification.objects.filter(user=worker).count() == 4

    def test_a_deadline_moved_later_may_warn_again_and_one_moved_earlier_does_not_repeat(self, db):
        install("mna")
        found = ticket(customer("fortune-500", pack="mna"), at("2026-11-24 10:00"), severity="high")
        actions.sweep(at=at("2026-11-24 11:36"))
        for severity, moment in (("medium", "11:40"), ("high", "11:45")):
            changed = Severity.objects.get(key=severity)
            actions.change_severity(found, changed, actor=None, at=at(f"2026-11-24 {moment}"))
        actions.sweep(at=at("2026-11-24 11:50"))
        told = SlaAlert.objects.filter(clock__kind="first_response", threshold="80%").order_by("sent_at")
        assert [row.fell_due_at for row in told if row.rearmed_at is None] == [at("2026-11-24 11:36")]


class TestBrokenChains:
    """2. Only the first level fires, or one clock's levels hang on another's deadline."""

    def test_all_thresholds_of_a_chain_are_planned_at_once(self):
        wanted = ["25%", "50%", "75%", "100%"]
        assert list(moments(state(RESPONSE, hours(8), ("created", "2026-11-23 09:00")), wanted)) == wanted

    def test_each_clock_warns_by_its_own_deadline(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        planned = {
            held.kind: dict(zip(held.thresholds, held.moments, strict=True))["80%"] for held in found.clocks.all()
        }
        assert planned == {"first_response": at("2026-11-23 15:24"), "resolution": at("2026-11-24 13:48")}

    def test_the_next_threshold_is_told_after_one_that_came_late(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        actions.sweep(at=at("2026-11-23 16:00"))
        actions.sweep(at=at("2026-11-24 09:01"))
        told = SlaAlert.objects.filter(clock__ticket=found).order_by("sent_at").values_list("threshold", "is_late")
        assert list(told) == [("80%", True), ("100%", False)]

    def test_one_alert_nobody_can_be_told_of_stops_no_other_and_is_told_later(self, desk):
        worker = agent()
        first, second = (ticket(desk, at(f"2026-11-23 09:0{minute}"), assignee=worker) for minute in (0, 1))
        sweep = import_module("support.actions.sweep")
        real = sweep.notify

        def broken(*given, **named):
            if f"#{first.number} " in named["title"]:
                raise OSError("disk full")
            return real(*given, **named)

        with patch.object(sweep, "notify", broken):
            assert actions.sweep(at=at("2026-11-23 15:30")).told == 1
        assert SlaAlert.objects.get(clock__ticket=second).told_at is not None
        assert actions.sweep(at=at("2026-11-23 15:31")).told == 1
        assert Notification.objects.filter(user=worker).count() == 2


class TestLostPauses:
    """3. A pause lost when the level changes, shown as violated while it waits, or added as wall clock."""

    def test_time_held_is_business_time_and_survives_a_change_of_promise(self):
        entries = marks(
            ("created", "2026-11-23 09:00"),
            ("status", "2026-11-23 16:00", "waiting"),
            ("status", "2026-11-24 10:00", "open"),
        )
        run = runs_of("resolution", RESOLUTION, entries)[0]
        periods = [Period(at("2026-11-23 09:00"), hours(8)), Period(at("2026-11-24 10:30"), hours(10))]
        found = judge(run, periods, at=at("2026-11-24 10:30"))
        assert (found.paused, found.due_at) == (timedelta(hours=2), at("2026-11-24 13:00"))

    def test_what_waits_is_shown_as_waiting_and_never_as_late(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        actions.reply(found, "Which version?", actor=agent(), at=at("2026-11-23 10:00"), status="waiting_customer")
        later = at("2026-12-24 10:00")
        actions.sweep(at=later)
        line = next(line for line in clock_lines(found, later) if line.clock.kind == "resolution")
        assert (line.late, line.left, line.clock.verdict, line.tone) == (False, None, "paused", "neutral")
        assert not Ticket.objects.overdue(later).exists()
        assert not SlaAlert.objects.exists()

    def test_a_pause_outlives_a_new_severity_and_a_new_calendar(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        actions.change_status(found, "waiting_customer", actor=None, at=at("2026-11-23 10:00"))
        actions.change_severity(found, Severity.objects.get(key="S2"), actor=None, at=at("2026-11-23 11:00"))
        actions.recompute_open("Calendar", at=at("2026-11-23 11:30"))
        actions.change_status(found, "open", actor=None, at=at("2026-11-23 12:00"))
        held = clock(found, "resolution")
        assert (held.paused_seconds, held.due_at) == (2 * 3600, at("2026-11-25 11:00"))


class TestAnsweredYetOverdue:
    """4. The update escalates after the reply, one clock hides another, a merged or solved ticket is chased."""

    def test_an_answer_ends_the_update_that_was_owed_and_starts_the_next(self):
        entries = ("created", "2026-11-23 09:00"), ("update", "2026-11-23 10:00"), ("done", "2026-11-23 12:00")
        first = state(UPDATE, hours(2), *entries, clock="update")
        second = state(UPDATE, hours(2), *entries, clock="update", cycle=2)
        assert (first.verdict, second.run.started_at, second.verdict) == ("met", at("2026-11-23 10:00"), "met")

    def test_a_resolved_ticket_owes_no_first_response(self):
        found = state(RESPONSE, hours(8), ("created", "2026-11-23 09:00"), ("done", "2026-11-23 10:00"))
        assert found.verdict == "cancelled"

    def test_resolving_does_not_undo_that_the_first_response_was_missed(self):
        entries = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 13:30")
        assert state(RESPONSE, hours(4), *entries).verdict == "missed"
        void = ("created", "2026-11-23 09:00"), ("cancelled", "2026-11-23 13:30")
        assert state(RESPONSE, hours(4), *void).verdict == "cancelled"

    def test_the_earliest_running_deadline_is_shown_and_goes_when_its_promise_is_kept(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        assert (found.next_due_clock, found.next_due_at) == ("first_response", at("2026-11-23 17:00"))
        actions.reply(found, "Looking", actor=agent(), at=at("2026-11-23 10:00"))
        found.refresh_from_db()
        assert (found.next_due_clock, found.next_due_at) == ("resolution", at("2026-11-24 17:00"))
        actions.resolve(found, actor=None, at=at("2026-11-23 11:00"))
        found.refresh_from_db()
        assert (found.next_due_clock, found.next_due_at) == ("", None)

    def test_another_team_or_assignee_moves_no_deadline(self, desk):
        found, team = ticket(desk, at("2026-11-23 09:00")), Team.objects.create(key="b", name="B")
        before = list(found.clocks.order_by("kind").values_list("kind", "due_at"))
        actions.assign(found, agent(), actor=None, at=at("2026-11-23 15:00"), team=team)
        actions.change_level(found, 2, reason="Needs logs", actor=None, at=at("2026-11-23 16:00"))
        assert list(found.clocks.order_by("kind").values_list("kind", "due_at")) == before

    def test_a_breach_that_was_noted_but_not_yet_told_is_not_told_of_a_promise_that_was_kept(self, desk):
        """The answer was given in time, and stored while a sweep was noting the breach."""
        worker, found = agent(), ticket(desk, at("2026-11-23 09:00"))
        actions.note_due(at=at("2026-11-24 09:00:01"))
        actions.reply(found, "Here", actor=worker, at=at("2026-11-23 16:59:59"))
        actions.sweep(at=at("2026-11-24 09:00:20"))
        assert clock(found, "first_response").verdict == "met"
        assert not Notification.objects.filter(user=worker, kind="sla_breach").exists()
        assert not SlaAlert.objects.filter(told_at=None).exists()


class TestLateYetMet:
    """5. Late between two sweeps, or late at night behind business hours."""

    def test_late_between_two_sweeps_is_late(self):
        entries = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 13:00:30")
        assert state(RESOLUTION, hours(4), *entries, now="2026-11-23 13:10").verdict == "missed"

    def test_an_answer_at_night_after_the_time_was_used_up_is_late(self):
        entries = ("created", "2026-11-23 09:00"), ("response", "2026-11-23 22:00")
        found = state(RESPONSE, hours(7), *entries)
        assert (found.verdict, found.missed_at) == ("missed", at("2026-11-23 16:00"))


class TestEditedPolicies:
    """6. A change that reaches nobody, a change that judges anew, tickets that stay late without a level."""

    def test_whoever_edits_hours_sees_open_deadlines_follow_by_themselves(self, desk):
        found = ticket(desk, at("2026-11-23 16:00"))
        actions.recompute_where_calendars_changed(at=at("2026-11-23 16:01"))
        longer = {"timezone": "", "weekly": {day: [["09:00", "18:00"]] for day in OFFICE}}
        WorkCalendar.objects.filter(key="bh-9-17").update(definition=longer)
        run = actions.recompute_where_calendars_changed(at=at("2026-11-23 16:05"))
        assert (run.total, run.changed) == (1, 1)
        assert clock(found, "first_response").due_at == at("2026-11-24 15:00")

    def test_a_level_switched_off_is_promised_to_nobody_new_and_kept_for_those_who_have_it(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        policy = found.policies.get()
        actions.change_policy(policy, is_enabled=False, actor=agent("owner"), at=at("2026-11-23 10:00"))
        actions.recompute_open("Switched off", at=at("2026-11-23 10:01"))
        assert clock(found, "first_response").due_at == at("2026-11-23 17:00")
        assert policy not in ticket(desk, at("2026-11-23 11:00")).policies.all()

    def test_a_promise_taken_out_of_a_level_is_late_for_nobody(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        rules = [{"severity": "*", "response": {"value": 8, "unit": "business_hours", "op": "<="}}]
        policy = found.policies.get()
        actions.change_policy(policy, rules=rules, actor=agent("owner"), at=at("2026-11-23 10:00"))
        actions.recompute_open("No resolution any more", at=at("2026-11-23 10:01"))
        assert clock(found, "resolution").verdict == "cancelled"
        actions.sweep(at=at("2026-12-24 10:00"))
        assert set(SlaAlert.objects.values_list("clock__kind", flat=True)) == {"first_response"}


class TestCalendars:
    """7. Lunch as a holiday, one window a day, one day like the next."""

    def test_lunch_is_part_of_the_week_and_days_differ(self):
        week = {"mon": [["08:00", "12:00"], ["13:00", "17:00"]], "thu": [["14:00", "20:00"]]}
        calendar = read_calendar({"timezone": "Europe/Berlin", "weekly": week})
        assert state(RESPONSE, hours(2, calendar=calendar), ("created", "2026-11-23 11:00")).due_at == at(
            "2026-11-23 14:00"
        )
        assert state(RESPONSE, hours(9, calendar=calendar), ("created", "2026-11-23 08:00")).due_at == at(
            "2026-11-26 15:00"
        )

    def test_a_lunch_break_is_no_time_for_warnings_either(self):
        lunch = office(breaks=[{"date": "2026-11-23", "from": "12:00", "to": "13:00"}])
        found = moments(state(RESPONSE, hours(4, calendar=lunch), ("created", "2026-11-23 09:30")), ["75%"])
        assert found["75%"] == at("2026-11-23 13:30")


class TestZones:
    """8. The banner in the wrong zone; shifts that move with the clocks."""

    def test_the_zone_of_the_calendar_decides_whatever_the_moment_carried(self):
        created = at("2026-11-23 23:30", "Asia/Tokyo")
        run = runs_of("first_response", RESPONSE, [Mark("created", created)])[0]
        assert judge(run, [Period(created, hours(1))], at=created).due_at == at("2026-11-23 16:30")

    @pytest.mark.parametrize("friday", ["2026-03-27", "2026-10-23"])
    def test_opening_stays_at_nine_on_the_wall_after_the_clocks_changed(self, friday):
        found = state(RESPONSE, hours(2), ("created", f"{friday} 16:00"), now=f"{friday} 16:00")
        assert found.due_at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%a %H:%M") == "Mon 10:00"

    def test_the_page_writes_a_deadline_in_the_readers_zone(self, client, desk):
        found, reader = ticket(customer(zone="Asia/Tokyo"), at("2026-11-23 09:00", "Asia/Tokyo")), agent()
        reader.timezone = "America/New_York"
        reader.save()
        client.force_login(reader)
        # Five in the afternoon in Tokyo is three in the morning in New York.
        assert "03:00" in client.get(f"/tickets/{found.pk}/").content.decode()


class TestReopening:
    """9. A reset that hides a miss, time done counted as time worked, first contact kept."""

    def test_reopening_gives_no_time_back_and_takes_none(self, desk):
        found = actions.resolve(ticket(desk, at("2026-11-23 09:00")), actor=None, at=at("2026-11-23 16:00"))
        found = actions.reopen(found, actor=None, at=at("2026-11-25 09:00"))
        held = clock(found, "resolution")
        assert (held.consumed_seconds, held.due_at) == (7 * 3600, at("2026-11-26 10:00"))
        assert found.solved_at_first_contact is None

    def test_a_solution_that_was_missed_stays_missed(self, desk):
        found = actions.resolve(ticket(desk, at("2026-11-23 09:00")), actor=None, at=at("2026-11-25 10:00"))
        found = actions.reopen(found, actor=None, at=at("2026-11-25 11:00"))
        assert clock(found, "resolution").verdict == "missed"
        assert found.reopened_count == 1


class TestFalseFirstResponses:
    """10. Notes, robots and tickets nobody outside opened."""

    def test_a_note_a_robot_and_the_customers_own_second_mail_are_none(self, desk):
        found = ticket(desk, at("2026-11-23 09:00"))
        actions.note(found, "Cache", actor=agent(), at=at("2026-11-23 09:10"))
        actions.reply(found, "Received", actor=None, at=at("2026-11-23 09:20"), is_automatic=True)
        actions.customer_reply(found, "Hello?", contact=None, at=at("2026-11-23 09:30"))
        assert clock(found, "first_response").verdict == "running"

    def test_nobody_breaks_a_promise_to_themselves(self, desk):
        ticket(desk, at("2026-11-23 09:00"), opened_by_staff=True, actor=agent())
        actions.sweep(at=at("2026-12-24 10:00"))
        assert not SlaClock.objects.filter(kind="first_response").exists()


def test_each_resolution_is_rated_for_itself(desk):
    """11. Once for a conversation only: a ticket solved twice is asked about twice, and both answers stay."""
    found = actions.resolve(ticket(desk, at("2026-11-23 09:00")), actor=None, at=at("2026-11-23 10:00"))
    actions.rate(found, 2, at=at("2026-11-23 11:00"))
    found = actions.reopen(Ticket.objects.get(pk=found.pk), actor=None, at=at("2026-11-23 12:00"))
    found = actions.resolve(found, actor=None, at=at("2026-11-23 13:00"))
    actions.rate(found, 5, at=at("2026-11-23 14:00"))
    assert list(found.ratings.order_by("cycle").values_list("score", flat=True)) == [2, 5]


class TestDisplay:
    """12. Time left of the wrong clock, or below zero without a word."""

    def test_what_is_left_is_negative_once_it_is_late(self):
        found = state(RESPONSE, hours(2), ("created", "2026-11-23 09:00"), now="2026-11-23 14:00")
        assert found.remaining == timedelta(hours=-3)

    def test_the_queue_names_the_promise_whose_time_it_shows_and_says_late(self, desk):
        worker, found = agent(), ticket(desk, at("2026-11-23 09:00"))
        row = self.row(worker, at("2026-11-24 10:00"))
        assert (row["next_due_clock"], row["left_seconds"], row["is_late"]) == ("first_response", -3600, True)
        actions.reply(found, "Here", actor=worker, at=at("2026-11-24 10:00"))
        row = self.row(worker, at("2026-11-24 10:00"))
        assert (row["next_due_clock"], row["left_seconds"], row["is_late"]) == ("resolution", 7 * 3600, False)

    @pytest.mark.parametrize(
        ("looked", "late"), [("2026-11-28 12:00", False), ("2026-11-30 08:59", False), ("2026-11-30 09:01", True)]
    )
    def test_what_is_due_at_closing_is_late_for_nobody_before_the_next_opening(self, desk, looked, late):
        """Everywhere it is said: the queue, its tab and its count, the ticket, the account, the customer's page."""
        worker, found = agent(), ticket(desk, at("2026-11-27 09:00"))
        now, reader = at(looked), agent("portal_admin")
        reader.portal_accounts.add(desk)
        filters = listing.TicketFilters()
        said = {
            self.row(worker, now)["is_late"],
            Ticket.objects.overdue(now).exists(),
            bool(listing.view_counts(worker, filters, now)["overdue"]),
            next(line.late for line in clock_lines(found, now) if line.clock.kind == "first_response"),
            listing.tickets_of_account(worker, desk.pk, now)[0].is_late,
            customers.tickets_for(reader, done=False, at=now)[0].is_late,
        }
        assert said == {late}

    def test_less_than_an_hour_is_late_at_the_hour(self, db):
        install("mna")
        worker = agent()
        ticket(customer("fortune-500", pack="mna"), at("2026-11-24 10:00"), severity="critical")
        for moment, late in (("10:59:59", False), ("11:00:01", True)):
            now = at(f"2026-11-24 {moment}")
            assert (self.row(worker, now)["is_late"], Ticket.objects.overdue(now).exists()) == (late, late)

    @staticmethod
    def row(reader, now: datetime) -> dict:
        return listing.ticket_list(reader, listing.TicketFilters(), "due", "", now).page.rows[0]
