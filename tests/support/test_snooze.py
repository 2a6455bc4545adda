"""Tickets set aside: out of the queue, clocks running, back at their moment or with the customer's word."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.errors import RuleViolated, StaleVersion
from engagement.models import Notification
from support import actions
from support.forms.tickets import SnoozeForm
from support.models import Ticket
from support.queries import listing
from support.queries.listing import TicketFilters
from tests.support.world import agent, clock, customer, install, ticket

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.fixture
def worker():
    return agent()


@pytest.fixture
def found(worker):
    install("fmea")
    return ticket(customer("basic", pack="fmea"), NOW, severity="S1", assignee=worker)


def tabs(user, at):
    """In which tabs the one ticket is, by their counts and by their rows alike."""
    counts = listing.view_counts(user, TicketFilters(), at)
    views = ("mine", "active", "aside", "overdue")
    rows = {view: listing.ticket_list(user, TicketFilters(view=view), "", "", at).total for view in views}
    assert {view: counts[view] for view in views} == rows
    return {view for view, total in rows.items() if total}


def test_it_leaves_the_queue_until_its_moment_and_its_clocks_run_on(found, worker):
    due = clock(found, "first_response").due_at
    back = NOW + timedelta(hours=3)
    assert tabs(worker, NOW) == {"mine", "active"}
    actions.snooze(found, back, actor=worker, at=NOW)
    assert tabs(worker, NOW) == {"aside"}
    assert tabs(worker, back - timedelta(seconds=1)) == {"aside"}
    # At its moment it is there, whether anything swept or not.
    assert tabs(worker, back) == {"mine", "active"}
    assert clock(found, "first_response").due_at == due
    assert actions.wake_snoozed(at=back - timedelta(seconds=1)) == 0
    assert actions.wake_snoozed(at=back) == 1
    assert actions.wake_snoozed(at=back) == 0
    told = Notification.objects.get(user=worker, title__startswith="Back in your queue")
    assert told.url == f"/tickets/{found.pk}/"
    found.refresh_from_db()
    assert (found.snoozed_at, found.snoozed_until, found.snoozed_by) == (None, None, None)
    assert list(found.events.values_list("kind", flat=True))[-2:] == ["snoozed", "woken"]


def test_what_is_late_is_shown_among_the_overdue_though_it_is_aside(found, worker):
    actions.snooze(found, None, actor=worker, at=NOW)
    late = NOW + timedelta(days=2)
    assert tabs(worker, late) == {"aside", "overdue"}
    actions.sweep(at=late)
    assert Notification.objects.filter(user=worker, kind="sla_breach").exists()


def test_the_customers_word_brings_it_back_and_an_automatic_one_does_not(found, worker):
    actions.snooze(found, None, actor=worker, at=NOW)
    assert actions.wake_snoozed(at=NOW + timedelta(days=300)) == 0
    actions.customer_reply(found, "I am away", contact=None, at=NOW, is_automatic=True)
    assert tabs(worker, NOW) == {"aside"}
    actions.customer_reply(found, "It is back", contact=None, at=NOW + timedelta(minutes=1))
    assert tabs(worker, NOW + timedelta(minutes=1)) == {"mine", "active"}
    assert Notification.objects.get(user=worker).title.startswith("The customer wrote")


def test_solving_it_or_giving_it_away_ends_it(found, worker):
    actions.snooze(found, None, actor=worker, at=NOW)
    other = agent()
    actions.assign(found, other, actor=worker, at=NOW)
    assert tabs(other, NOW) == {"mine", "active"}
    actions.snooze(found, None, actor=other, at=NOW)
    actions.resolve(found, actor=other, at=NOW)
    found.refresh_from_db()
    assert found.snoozed_at is None
    with pytest.raises(RuleViolated):
        actions.snooze(found, None, actor=other, at=NOW)


def test_a_moment_that_cannot_be_and_a_lost_race_are_refused(found, worker):
    for until in (NOW, NOW - timedelta(hours=1), NOW + timedelta(days=400)):
        with pytest.raises(RuleViolated) as refused:
            actions.snooze(found, until, actor=worker, at=NOW)
        assert refused.value.field == "until"
    with pytest.raises(StaleVersion):
        actions.snooze(found, None, actor=worker, at=NOW, expected_version=found.version + 1)
    assert tabs(worker, NOW) == {"mine", "active"}


@pytest.mark.parametrize(
    ("when", "wanted"),
    [
        ("reply", None),
        ("hours", "2026-11-25 03:30"),
        ("tomorrow", "2026-11-25 09:00"),
        ("monday", "2026-11-30 09:00"),
        ("moment", "2026-12-24 18:00"),
    ],
)
def test_the_moments_people_mean_are_those_of_their_own_zone(when, wanted):
    zone = ZoneInfo("America/New_York")
    with timezone.override(zone):
        form = SnoozeForm({"when": when, "until": "2026-12-24T18:00"})
        assert form.is_valid()
        # Tuesday evening there, Wednesday in UTC.
        found = form.moment(datetime(2026, 11, 24, 23, 30, tzinfo=zone))
    assert found == (datetime.fromisoformat(wanted).replace(tzinfo=zone) if wanted else None)


def test_on_the_page_and_over_rest(client, worker):
    found = ticket(customer(), timezone.now(), assignee=worker)
    client.force_login(worker)
    page = f"/tickets/{found.pk}/"
    assert "Set aside" in client.get(page).content.decode()
    put = client.post(f"{page}snooze/", {"snooze-when": "tomorrow", "then": "next"}, follow=True)
    assert put.redirect_chain[-1][0].startswith("/tickets/")
    assert "It does not work" not in client.get("/tickets/?view=mine").content.decode()
    assert "It does not work" in client.get("/tickets/?view=aside").content.decode()
    shown = client.get(page).content.decode()
    assert re.search(r"Set aside by .*?until <time", shown)
    assert client.post(f"{page}wake/").status_code == 302
    assert "Set aside by" not in client.get(page).content.decode()
    past = {"snooze-when": "moment", "snooze-until": "2001-01-01T00:00"}
    for wrong in ({}, {"snooze-when": "never"}, {"snooze-when": "moment"}, past):
        refused = client.post(f"{page}snooze/", wrong, follow=True).content.decode()
        assert re.search(r"Choose (until when|the moment|a moment)", refused), wrong
    assert not Ticket.objects.aside(timezone.now()).exists()
    address, sent = f"/api/v1/support/tickets/{found.pk}/", {"content_type": "application/json"}
    until = (timezone.now() + timedelta(days=2)).replace(microsecond=0)
    kept = client.post(f"{address}snooze/", json.dumps({"until": until.isoformat()}), **sent).json()
    assert datetime.fromisoformat(kept["snoozed_until"]) == until
    late = client.post(f"{address}wake/", headers={"If-Match": '"1"'}, **sent)
    assert late.status_code == 412
    assert client.post(f"{address}wake/", **sent).json()["snoozed_at"] is None
    wrong = client.post(f"{address}snooze/", json.dumps({"until": "2001-01-01T00:00:00Z"}), **sent)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/until")
