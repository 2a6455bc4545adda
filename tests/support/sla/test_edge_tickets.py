"""Of the twenty edge cases every desk gets wrong somewhere, those of a ticket's life: 8 to 19.

Told to the engine, and lived by real tickets. Hours are those a person names who counts on a wall calendar.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from accounts.models import Severity, WorkCalendar
from support import actions
from support.models import SlaAlert
from support.sla import Period, judge, moments, runs_of
from tests.support.sla.engine import OFFICE, RESOLUTION, RESPONSE, UPDATE, WEEK, at, hours, marks, state
from tests.support.world import agent, clock, customer, install, ticket


def test_a_pause_outside_opening_hours_adds_nothing(desk):
    """8. Waiting from closing on Friday to opening on Monday is no time of the calendar."""
    found = ticket(desk, at("2026-11-27 09:00"))
    actions.change_status(found, "waiting_customer", actor=None, at=at("2026-11-27 17:00"))
    actions.change_status(found, "open", actor=None, at=at("2026-11-30 09:00"))
    held = clock(found, "resolution")
    assert (held.due_at, held.paused_seconds) == (at("2026-11-30 17:00"), 0)


def test_a_ticket_created_in_a_waiting_status_waits_from_the_start(desk):
    """9. The first status is part of the story."""
    found = ticket(desk, at("2026-11-23 09:00"), status="waiting_customer")
    held = clock(found, "resolution")
    assert (held.due_at, held.consumed_seconds, held.verdict) == (None, 0, "paused")
    actions.change_status(found, "open", actor=None, at=at("2026-11-23 12:00"))
    assert clock(found, "resolution").due_at == at("2026-11-25 12:00")


def test_pausing_is_per_clock(desk):
    """10. The first response never waits, or a miss is hidden by parking; resolution waits; the update is suspended."""
    found = ticket(desk, at("2026-11-23 09:00"))
    actions.change_status(found, "waiting_customer", actor=None, at=at("2026-11-23 09:05"))
    assert clock(found, "first_response").due_at == at("2026-11-23 17:00")
    assert clock(found, "resolution").due_at is None
    entries = ("created", "2026-11-23 09:00"), ("status", "2026-11-23 10:00", "waiting")
    update = state(
        UPDATE, hours(4), *entries, ("status", "2026-11-23 12:00", ""), clock="update", now="2026-11-23 12:00"
    )
    assert (update.verdict, update.due_at) == ("running", at("2026-11-23 15:00"))
    assert state(UPDATE, hours(4), *entries, clock="update").verdict == "paused"


def test_a_paused_clock_has_no_deadline_but_what_is_left_and_gets_it_back(desk):
    """11. Six hours were left; they are left two days later, and end where six hours end."""
    found = ticket(desk, at("2026-11-23 09:00"))
    actions.reply(found, "Which version?", actor=agent(), at=at("2026-11-23 11:00"), status="waiting_customer")
    held = clock(found, "resolution")
    assert (held.due_at, held.remaining_seconds) == (None, 14 * 3600)
    found.refresh_from_db()
    assert found.next_due_at is None
    actions.customer_reply(found, "12.1", contact=None, at=at("2026-11-25 12:00"))
    assert clock(found, "resolution").due_at == at("2026-11-27 10:00")


def test_adjacent_waiting_statuses_count_once_to_the_second():
    """12. From the customer to a third party: one pause, no second lost between."""
    found = state(
        RESOLUTION, hours(8), ("created", "2026-11-23 09:00"), ("status", "2026-11-23 10:00:01", "waiting"),
        ("status", "2026-11-23 11:00:02", "vendor"), ("status", "2026-11-23 12:00:03", "open"),
    )  # fmt: skip
    assert found.paused == timedelta(hours=2, seconds=2)
    assert found.due_at == at("2026-11-24 11:00:02")
    assert all(one.end == other.start for one, other in pairwise(found.run.gaps))


def test_reopened_in_time_the_same_clock_goes_on_and_later_a_new_one_starts(desk):
    """13. The time it was done is cut out; closing what is resolved moves nothing; after the window a new cycle."""
    found = ticket(desk, at("2026-11-23 09:00"))
    found = actions.resolve(found, actor=None, at=at("2026-11-23 11:00"))
    found = actions.close(found, actor=None, at=at("2026-11-24 11:00"))
    assert clock(found, "resolution").consumed_seconds == 2 * 3600
    found = actions.reopen(found, actor=None, at=at("2026-11-25 09:00"))
    assert clock(found, "resolution").due_at == at("2026-11-26 15:00")
    found = actions.resolve(found, actor=None, at=at("2026-11-25 10:00"))
    actions.reopen(found, actor=None, at=at("2026-12-07 09:00"))
    first, second = clock(found, "resolution"), clock(found, "resolution", 2)
    assert (first.verdict, first.consumed_seconds) == ("met", 3 * 3600)
    assert (second.started_at, second.due_at) == (at("2026-12-07 09:00"), at("2026-12-08 17:00"))


def test_a_reopening_counts_its_window_from_the_end_of_the_work():
    """13. To the second: a week later the same clock, a second after that a new one."""
    done = ("created", "2026-11-23 09:00"), ("done", "2026-11-23 11:00"), ("done", "2026-11-24 11:00")
    same = state(RESOLUTION, hours(8), *done, ("reopened", "2026-11-30 11:00", "open"), reopen_within=WEEK)
    assert (same.run.cycle, same.due_at) == (1, at("2026-11-30 17:00"))
    later = (*done, ("reopened", "2026-11-30 11:00:01", "open"))
    assert state(RESOLUTION, hours(8), *later, reopen_within=WEEK, cycle=2).run.started_at == at("2026-11-30 11:00:01")


def test_a_new_severity_counts_from_the_start_and_keeps_what_was_judged():
    """14. Pauses and all; milder after the miss stays missed, worse after the time is missed at once."""
    run = runs_of("resolution", RESOLUTION, marks(("created", "2026-11-23 09:00")))[0]
    milder = [Period(at("2026-11-23 09:00"), hours(4)), Period(at("2026-11-23 11:00"), hours(16))]
    assert judge(run, milder, at=at("2026-11-23 12:00")).due_at == at("2026-11-24 17:00")
    too_late = [Period(at("2026-11-23 09:00"), hours(4)), Period(at("2026-11-23 14:00"), hours(16))]
    kept = judge(run, too_late, at=at("2026-11-23 15:00"))
    assert (kept.verdict, kept.missed_at, kept.due_at) == ("missed", at("2026-11-23 13:00"), at("2026-11-24 17:00"))
    worse = [Period(at("2026-11-23 09:00"), hours(16)), Period(at("2026-11-23 14:00"), hours(4))]
    assert judge(run, worse, at=at("2026-11-23 14:00")).verdict == "missed"


def test_a_change_of_severity_leaves_both_deadlines_in_the_history(db):
    """14. What was due before stands in the log beside what is due now; the old alert is planned no more."""
    install("mna")
    found = ticket(customer("fortune-500", pack="mna"), at("2026-11-24 10:00"), severity="critical")
    high = Severity.objects.get(key="high")
    found = actions.change_severity(found, high, actor=agent(), at=at("2026-11-24 10:30"), reason="A workaround")
    event = found.events.get(kind="severity")
    assert datetime.fromisoformat(event.data["due_before"]) == at("2026-11-24 11:00")
    assert found.next_due_at == at("2026-11-24 12:00")
    actions.sweep(at=at("2026-11-24 11:01"))
    assert SlaAlert.objects.count() == 0


def test_an_edited_calendar_moves_what_is_open_and_no_verdict(desk):
    """15. What ended keeps the calendar it was judged by."""
    judged, running = ticket(desk, at("2026-11-23 09:00")), ticket(desk, at("2026-11-23 09:00"))
    actions.reply(judged, "Done", actor=agent(), at=at("2026-11-23 16:00"))
    before = clock(judged, "first_response")
    lunch = {"timezone": "", "weekly": {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in OFFICE}}
    WorkCalendar.objects.filter(key="bh-9-17").update(definition=lunch)
    actions.recompute_open("Lunch", at=at("2026-11-23 16:30"))
    assert clock(running, "first_response").due_at == at("2026-11-24 10:00")
    after = clock(judged, "first_response")
    assert (after.consumed_seconds, after.calendar_id) == (7 * 3600, before.calendar_id)
    assert clock(running, "first_response").calendar_id != before.calendar_id


@pytest.mark.parametrize("looked", ["2026-11-23 13:00:01", "2027-06-01 00:00"])
def test_judged_is_by_when_it_happened_and_not_by_when_somebody_looks(looked):
    """16. A millionth of a second too late is late, now and in half a year."""
    entries = ("created", "2026-11-23 09:00"), ("response", "2026-11-23 13:00:00.000001")
    assert state(RESPONSE, hours(4), *entries, now=looked).verdict == "missed"
    in_time = entries[0], ("response", "2026-11-23 13:00")
    assert state(RESPONSE, hours(4), *in_time, now=looked).verdict == "met"


def test_thresholds_fall_in_business_time_and_a_pause_does_not_bring_them_again():
    """17. A threshold that was reached stays where it was; those ahead move with the deadline."""
    entries = ("created", "2026-11-27 15:00"), ("status", "2026-11-30 12:00", "waiting")
    resumed = (*entries, ("status", "2026-12-01 12:00", "open"))
    before = moments(state(RESOLUTION, hours(8), *entries, now="2026-12-01 11:00"), ["50%", "80%", "100%"])
    after = moments(state(RESOLUTION, hours(8), *resumed, now="2026-12-01 12:00"), ["50%", "80%", "100%"])
    assert before == {"50%": at("2026-11-30 11:00")}
    assert after["50%"] == at("2026-11-30 11:00")
    assert after["80%"] == at("2026-12-01 13:24")
    assert at("2026-12-01 15:00") < after["100%"] <= at("2026-12-01 15:00:00.001")


def test_an_alert_is_told_once_for_each_ticket_clock_cycle_and_threshold(desk):
    """17. Nothing repeats at midnight, nor a week later; another cycle is another promise."""
    found = ticket(desk, at("2026-11-23 09:00"))
    for day in range(8):
        actions.sweep(at=at("2026-11-25 00:00:01") + timedelta(days=day))
    assert sorted(SlaAlert.objects.values_list("clock__kind", "threshold")) == [
        ("first_response", "100%"), ("first_response", "80%"), ("resolution", "100%"), ("resolution", "80%"),
    ]  # fmt: skip
    found = actions.resolve(found, actor=None, at=at("2026-12-03 09:00"))
    actions.reopen(found, actor=None, at=at("2026-12-14 09:00"))
    actions.sweep(at=at("2026-12-16 09:01"))
    assert SlaAlert.objects.filter(clock__kind="resolution", clock__cycle=2).count() == 2


def test_a_first_response_is_public_human_and_sent(desk):
    """18. No note, no robot, no mail that failed; two messages in a row count from the first."""
    found, worker = ticket(desk, at("2026-11-23 09:00")), agent()
    actions.customer_reply(found, "Hello?", contact=None, at=at("2026-11-23 10:00"))
    actions.note(found, "A known fault", actor=worker, at=at("2026-11-23 10:10"))
    actions.reply(found, "We got it", actor=None, at=at("2026-11-23 10:20"), is_automatic=True)
    lost = actions.reply(found, "Here", actor=worker, at=at("2026-11-23 10:30"), delivery="pending")
    actions.mark_failed(lost, error="550 no such user", at=at("2026-11-23 10:40"))
    assert (clock(found, "first_response").verdict, clock(found, "first_response").started_at) == (
        "running", at("2026-11-23 09:00"),
    )  # fmt: skip
    actions.reply(found, "Here, again", actor=worker, at=at("2026-11-23 12:00"))
    held = clock(found, "first_response")
    assert (held.verdict, held.consumed_seconds) == ("met", 3 * 3600)


def test_a_ticket_staff_opened_owes_no_first_response(desk):
    """18. Nobody waits for an answer to a question nobody asked."""
    logged = ticket(desk, at("2026-11-23 09:00"), opened_by_staff=True, actor=agent())
    assert set(logged.clocks.values_list("kind", flat=True)) == {"resolution"}


@pytest.mark.parametrize("way", ["merged", "spam"])
def test_merged_and_spam_end_their_clocks_without_a_verdict(desk, way):
    """19. Neither met nor missed, not even after the time: nobody was promised anything, nobody is told."""
    found, other = ticket(desk, at("2026-11-23 09:00")), ticket(desk, at("2026-11-23 10:00"))
    late = at("2026-11-24 12:00")
    if way == "merged":
        actions.merge(found, other, actor=agent(), at=late)
    else:
        actions.cancel(found, actor=agent(), at=late, reason="Spam")
    assert set(found.clocks.values_list("verdict", flat=True)) == {"cancelled"}
    actions.sweep(at=at("2026-12-24 10:00"))
    assert not SlaAlert.objects.filter(clock__ticket=found).exists()


def test_what_was_brought_from_elsewhere_is_promised_nothing_and_back_dated_from_when_it_began(desk):
    """19. An import judges nobody; a call logged in the evening counts from the call."""
    brought = ticket(desk, at("2020-01-06 09:00"), at=at("2026-11-23 09:00"), policies=[])
    assert brought.clocks.count() == 0
    logged = ticket(desk, at("2026-11-23 09:00"), at=at("2026-11-23 16:00"))
    assert clock(logged, "first_response").due_at == at("2026-11-23 17:00")


def test_a_split_ticket_gains_no_time(desk):
    """19. Its clock began when the message it is about was written."""
    found = ticket(desk, at("2026-11-23 09:00"))
    second = actions.customer_reply(found, "And another thing", contact=None, at=at("2026-11-23 11:00"))
    part = actions.split(found, second, subject="Another", actor=agent(), at=at("2026-11-23 16:00"))
    assert clock(part, "first_response").due_at == at("2026-11-24 11:00")


def test_a_deleted_account_takes_its_clocks_and_alerts_along(desk):
    """19. Nothing is swept for a customer who is gone."""
    ticket(desk, at("2026-11-23 09:00"))
    desk.delete()
    assert actions.sweep(at=at("2026-12-24 10:00")).told == 0
