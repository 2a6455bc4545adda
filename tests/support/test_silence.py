"""Customers who are asked and say nothing: reminded once, then their ticket counts as solved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actions import create_contact
from engagement.models import OutboxMessage
from support import actions
from support.models import SupportSettings
from tests.support.world import agent, customer, ticket

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def days(number):
    return NOW + timedelta(days=number)


@pytest.fixture
def worker():
    return agent()


@pytest.fixture
def wanted(worker):
    """The workspace reminds after three days and gives up four days later."""
    values = {"remind_after_days": 3, "solve_after_days": 4}
    actions.configure_clocks(values, actor=worker, at=NOW)
    assert SupportSettings.objects.get().remind_after_days == 3


def asked(worker, channel="email", **fields):
    account = customer()
    person = create_contact(account, name="Dana", email="dana@silent.example", actor=None, at=NOW)
    found = ticket(account, NOW, channel=channel, requester=person, **fields)
    actions.reply(found, "Which version?", actor=worker, at=NOW, status="waiting_customer")
    found.refresh_from_db()
    return found


def automatic(found):
    return list(found.messages.filter(is_automatic=True).values_list("body", flat=True))


def test_one_reminder_goes_out_and_then_it_counts_as_solved(worker, wanted):
    found = asked(worker)
    assert actions.follow_silence(at=days(3) - timedelta(seconds=1)) == (0, 0)
    assert actions.follow_silence(at=days(3)) == (1, 0)
    assert actions.follow_silence(at=days(5)) == (0, 0)
    [body] = automatic(found)
    assert f"ticket #{found.number}" in body
    assert "solved in 4 days" in body
    sent = OutboxMessage.objects.filter(to="dana@silent.example").latest("created_at")
    assert sent.headers["Auto-Submitted"] == "auto-replied"
    found.refresh_from_db()
    assert found.status == "waiting_customer"
    assert actions.follow_silence(at=days(7) - timedelta(seconds=1)) == (0, 0)
    assert actions.follow_silence(at=days(7)) == (0, 1)
    found.refresh_from_db()
    assert (found.status, found.resolved_at) == ("resolved", days(7))
    event = found.events.filter(kind="status").last()
    assert event.data["reason"] == "The customer was silent for 4 days after a reminder"


def test_a_word_of_the_customer_ends_it_and_a_new_question_begins_anew(worker, wanted):
    found = asked(worker)
    actions.customer_reply(found, "Version 4", contact=None, at=days(1))
    assert actions.follow_silence(at=days(9)) == (0, 0)
    actions.reply(found, "And which build?", actor=worker, at=days(9), status="waiting_customer")
    assert actions.follow_silence(at=days(11)) == (0, 0)
    actions.reply(found, "It says so below.", actor=worker, at=days(11))
    assert actions.follow_silence(at=days(13)) == (0, 0)
    assert actions.follow_silence(at=days(14)) == (1, 0)
    actions.reply(found, "Are you there?", actor=worker, at=days(15))
    # Asked again by a person: neither solved four days after the old reminder nor left without a new one.
    assert actions.follow_silence(at=days(18)) == (1, 0)
    assert actions.follow_silence(at=days(22)) == (0, 1)


def test_who_is_not_reached_by_what_is_written_is_neither_reminded_nor_given_up(worker, wanted):
    phoned = asked(worker, channel="phone")
    assert actions.follow_silence(at=days(3)) == (0, 0)
    assert actions.follow_silence(at=days(90)) == (0, 0)
    phoned.refresh_from_db()
    assert (phoned.status, automatic(phoned)) == ("waiting_customer", [])


def test_it_is_off_until_the_workspace_wants_it_and_may_stop_at_the_reminder(worker):
    found = asked(worker)
    assert actions.follow_silence(at=days(90)) == (0, 0)
    actions.configure_clocks({"remind_after_days": 2}, actor=worker, at=NOW)
    assert actions.follow_silence(at=days(90)) == (1, 0)
    assert "solved" not in automatic(found)[0]
    assert actions.follow_silence(at=days(190)) == (0, 0)
