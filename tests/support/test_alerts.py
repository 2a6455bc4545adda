"""Warnings and breaches: each once, late ones marked, none lost; and what a threatened promise sets in motion."""

from __future__ import annotations

from datetime import timedelta

import pytest

from accounts.models import Severity
from engagement.models import Notification, OutboxMessage
from support import actions
from support.models import Escalation, SlaAlert, SlaClock
from tests.support.world import agent, at, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
BEFORE, WARNED, DUE = at("2026-11-24 10:47"), at("2026-11-24 10:48"), at("2026-11-24 11:00")
CREATED = at("2026-11-24 10:00")


@pytest.fixture
def critical():
    """A critical ticket: an hour to answer, four to solve."""
    install("mna")
    return ticket(customer("fortune-500", pack="mna"), CREATED, severity="critical")


def alerts(of):
    rows = SlaAlert.objects.filter(clock__ticket=of).order_by("sent_at", "fell_due_at")
    return [(row.clock.kind, row.threshold, row.is_late) for row in rows.select_related("clock")]


def test_nothing_is_told_before_its_moment_and_each_thing_once(critical):
    worker = agent()
    assert actions.sweep(at=BEFORE).told == 0
    assert [actions.sweep(at=WARNED).told, actions.sweep(at=WARNED).told] == [1, 0]
    assert [actions.sweep(at=DUE).told, actions.sweep(at=DUE + timedelta(hours=1)).told] == [1, 0]
    assert alerts(critical) == [("first_response", "80%", False), ("first_response", "100%", False)]
    assert Notification.objects.filter(user=worker).count() == 2
    assert OutboxMessage.objects.filter(user=worker).count() == 2


def test_a_sweep_that_was_stopped_for_an_hour_tells_everything_late_and_in_order(critical):
    worker = agent()
    assert actions.sweep(at=DUE + timedelta(hours=1)).told == 2
    assert alerts(critical) == [("first_response", "80%", True), ("first_response", "100%", True)]
    bodies = Notification.objects.filter(user=worker).values_list("body", flat=True)
    assert ["late" in body for body in bodies] == [True, True]


def test_an_answer_that_came_too_late_while_nobody_swept_is_still_told(critical):
    actions.reply(critical, "Sorry", actor=agent(), at=DUE + timedelta(minutes=30))
    assert clock(critical, "first_response").verdict == "missed"
    assert actions.sweep(at=DUE + timedelta(hours=1)).told == 2


def test_an_answer_in_time_leaves_nothing_to_tell(critical):
    actions.reply(critical, "Looking", actor=agent(), at=BEFORE)
    actions.sweep(at=DUE + timedelta(hours=1))
    assert alerts(critical) == []


def test_the_row_says_missed_as_soon_as_it_is_told(critical):
    actions.sweep(at=DUE)
    found = clock(critical, "first_response")
    assert (found.verdict, found.missed_at) == ("missed", DUE)
    critical.refresh_from_db()
    assert critical.breached_at == DUE


def test_a_milder_severity_moves_the_deadline_and_lets_it_warn_again(critical):
    actions.sweep(at=WARNED)
    high = Severity.objects.get(key="high")
    actions.change_severity(critical, high, actor=agent(), at=at("2026-11-24 10:50"))
    assert clock(critical, "first_response").due_at == at("2026-11-24 12:00")
    actions.sweep(at=at("2026-11-24 11:36"))
    told = SlaAlert.objects.filter(clock__ticket=critical, threshold="80%").order_by("sent_at")
    assert [row.fell_due_at for row in told] == [WARNED, at("2026-11-24 11:36")]
    assert [row.rearmed_at is None for row in told] == [False, True]


def test_warnings_taken_back_before_anybody_was_told_come_to_nothing_each_at_its_own_moment(critical):
    worker, high, medium = agent(), Severity.objects.get(key="high"), Severity.objects.get(key="medium")
    later, still_later = at("2026-11-24 10:50"), at("2026-11-24 11:40")
    actions.note_due(at=WARNED)
    actions.change_severity(critical, high, actor=worker, at=later)
    actions.note_due(at=at("2026-11-24 11:36"))
    actions.change_severity(critical, medium, actor=worker, at=still_later)
    actions.tell(at=still_later)
    rows = SlaAlert.objects.filter(clock__ticket=critical, threshold="80%").order_by("rearmed_at")
    assert [row.rearmed_at for row in rows] == [later, still_later]
    assert not Notification.objects.filter(user=worker).exists()


def test_a_breach_stays_a_breach_when_the_severity_is_taken_back(critical):
    actions.sweep(at=DUE)
    actions.change_severity(critical, Severity.objects.get(key="low"), actor=agent(), at=at("2026-11-24 11:10"))
    assert clock(critical, "first_response").verdict == "missed"
    actions.sweep(at=at("2026-11-25 10:00"))
    assert alerts(critical).count(("first_response", "100%", False)) == 1


def test_waiting_for_the_customer_warns_of_nothing_and_going_on_warns_once():
    install("mna")
    worker = agent()
    found = ticket(customer("fortune-500", pack="mna"), CREATED, severity="critical")
    actions.reply(found, "Which version?", actor=worker, at=at("2026-11-24 10:30"), status="waiting_customer")
    actions.sweep(at=at("2026-11-25 10:00"))
    held = clock(found, "resolution")
    assert (held.verdict, held.due_at, held.next_alert_at, alerts(found)) == ("paused", None, None, [])
    actions.customer_reply(found, "12.1", contact=None, at=at("2026-11-25 10:00"))
    assert clock(found, "resolution").due_at == at("2026-11-25 13:30")
    actions.sweep(at=at("2026-11-25 12:42"))
    assert alerts(found) == [("resolution", "80%", False)]


def test_a_night_of_the_clock_change_brings_each_alert_once():
    install("fmea")
    found = ticket(customer("enterprise", pack="fmea"), at("2026-10-25 01:30"), severity="S2")
    minute = timedelta(minutes=10)
    moment = found.created_at
    for _ in range(24):
        moment += minute
        actions.sweep(at=moment)
    assert alerts(found) == [("first_response", "80%", False), ("first_response", "100%", False)]


@pytest.mark.requirement("FLEET-10.4")
def test_a_promise_80_percent_used_escalates_by_itself_once():
    install("fleet")
    found = ticket(customer("standard", pack="fleet"), CREATED)
    assert clock(found, "first_response").due_at == CREATED + timedelta(hours=24)
    # Five days of eight to six Eastern, the first of which begins hours later.
    assert clock(found, "resolution").due_at == at("2026-11-30 18:00", "America/New_York")
    actions.sweep(at=CREATED + timedelta(hours=19, minutes=11))
    assert Escalation.objects.count() == 0
    assert actions.sweep(at=CREATED + timedelta(hours=19, minutes=12)).escalated == 1
    actions.sweep(at=CREATED + timedelta(hours=30))
    raised = Escalation.objects.get()
    assert (raised.ticket, raised.level, raised.is_automatic, raised.raised_by) == (found, "T2", True, None)
    assert found.events.filter(kind="escalated").count() == 1


def test_a_merged_ticket_warns_no_more(critical):
    other = ticket(critical.account, CREATED, severity="critical")
    actions.merge(critical, other, actor=agent(), at=at("2026-11-24 10:10"))
    actions.sweep(at=at("2026-11-26 10:00"))
    assert alerts(critical) == []
    assert set(SlaClock.objects.filter(ticket=critical).values_list("verdict", flat=True)) == {"cancelled"}


def test_a_sweep_with_nothing_due_is_one_query(critical, django_assert_num_queries):
    actions.sweep(at=BEFORE)
    with django_assert_num_queries(1):
        actions.sweep(at=BEFORE)


@pytest.mark.parametrize("count", [1, 3])
def test_noting_takes_the_same_statements_however_many_are_due(count, django_assert_num_queries):
    install("mna")
    account = customer("fortune-500", pack="mna")
    for _ in range(count):
        ticket(account, CREATED, severity="critical")
    with django_assert_num_queries(1):
        assert actions.note_due(at=DUE) == count
