"""Warnings and breaches of promises: each told once, late ones as late, none lost, whatever dies or stands still."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from tests.chaos import zones
from tests.chaos.cluster import OWNER
from tests.chaos.invariants import settle

CLOCKS = ("first_response", "resolution")
EVERYTHING = {(clock, threshold): 1 for clock in CLOCKS for threshold in ("80%", "100%")}
WORKERS = ("worker", "worker-2")


@pytest.fixture
def promise(cluster):
    """Makes a service level for tickets of one channel: minutes to the response and the solution."""

    def make(channel, *, response, resolution=None, calendar="storm-always", unit="minutes"):
        rule = {"severity": "*", "response": {"value": response, "unit": unit, "op": "<="}}
        if resolution:
            rule["resolution"] = {"value": resolution, "unit": unit, "op": "<="}
        if not cluster.rows("select 1 from accounts_workcalendar where key = %s", calendar):
            definition = {"timezone": "UTC", "always_open": True}
            cluster.post("support/calendars/", {"key": calendar, "name": calendar, "definition": definition})
        body = {"key": f"storm-{channel}", "name": channel, "scope": "channel", "channels": [channel]}
        cluster.post("support/sla-policies/", body | {"calendar": calendar, "rules": [rule]})

    return make


@pytest.fixture
def tickets(cluster, accounts_of):
    """Opens tickets of one channel, as if they had been written some minutes ago; returns their ids."""

    def make(channel, count, *, minutes_ago=0.0, **account):
        source = f"promises-{channel}"
        accounts_of(source, 1, owner=OWNER, **account)
        (customer,) = cluster.rows("select account_id::text from accounts_externalid where source = %s", source)[0]
        severities = cluster.rows("select key from accounts_severity order by rank limit 1")
        body = {"account": customer, "subject": f"Storm by {channel}", "body": "Help", "channel": channel, "impact": 1}
        body |= {"assignee": OWNER, **({"severity": severities[0][0]} if severities else {})}
        began = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes_ago)
        given = body | ({"created_at": began.isoformat()} if minutes_ago else {})
        return [cluster.post("support/tickets/", given)["id"] for _ in range(count)]

    return make


def told(cluster, ids):
    """For each ticket how often each threshold of each clock was told."""
    rows = cluster.rows(
        "select c.ticket_id::text, c.kind, a.threshold from support_slaalert a "
        "join support_slaclock c on c.id = a.clock_id where c.ticket_id = any(%s::uuid[]) and a.told_at is not null",
        list(ids),
    )
    found = {key: Counter() for key in ids}
    for key, clock, threshold in rows:
        found[key][clock, threshold] += 1
    return found


def moments(cluster, ids):
    """(threshold, when it fell due, when it was told of, late) of the tickets' first responses."""
    return cluster.rows(
        "select a.threshold, a.fell_due_at, a.sent_at, a.is_late from support_slaalert a "
        "join support_slaclock c on c.id = a.clock_id "
        "where c.ticket_id = any(%s::uuid[]) and c.kind = 'first_response' order by a.fell_due_at",
        list(ids),
    )


def test_a_worker_killed_in_the_middle_of_a_sweep_tells_everything_once(cluster, promise, tickets):
    promise("slack", response=1, resolution=2)
    with cluster.frozen("beat", *WORKERS):
        ids = tickets("slack", 60, minutes_ago=3)
    for _ in range(8):
        cluster.tend(cluster.random.uniform(0.5, 3))
        cluster.kill(cluster.random.choice(WORKERS))
    cluster.until(lambda: all(found == EVERYTHING for found in told(cluster, ids).values()), 180, "everything told")
    settle(cluster)
    cluster.tend(20)  # a full round of the sweep, which must find nothing more to tell
    settle(cluster)
    assert all(found == EVERYTHING for found in told(cluster, ids).values())


def test_an_hour_without_a_sweep_loses_nothing_and_says_that_it_is_late(cluster, promise, tickets):
    promise("phone", response=20, resolution=40)
    with cluster.frozen("beat", *WORKERS):
        silent, answered, cancelled = tickets("phone", 3, minutes_ago=70)
        (fresh,) = tickets("phone", 1, minutes_ago=5)
        for key in (answered, fresh):
            cluster.post(f"support/tickets/{key}/messages/", {"body": "Here", "kind": "reply"})
        cluster.post(f"support/tickets/{cancelled}/status/", {"status": "cancelled"})
        cluster.redis("FLUSHALL")
    everything = {silent: EVERYTHING, answered: EVERYTHING, cancelled: {}, fresh: {}}
    cluster.until(lambda: told(cluster, everything) == everything, 120, "what fell due was told")
    settle(cluster)
    assert told(cluster, everything) == everything
    assert [late for *_rest, late in moments(cluster, [silent, answered])] == [True] * 4
    bodies = cluster.rows(
        "select n.body from engagement_notification n join support_slaalert a on n.dedupe_key = 'sla:' || a.id "
        "join support_slaclock c on c.id = a.clock_id where c.ticket_id = %s",
        silent,
    )
    assert ["This notice is late" in body for (body,) in bodies] == [True] * 4


def test_two_beats_at_once_tell_everything_once_and_in_time(cluster, promise, tickets):
    promise("chat", response=20, resolution=40, unit="minutes")
    with cluster.second_beat():
        # The last minute of one promise and of the other passes while both beats ring.
        ids = [*tickets("chat", 6, minutes_ago=19.5), *tickets("chat", 6, minutes_ago=39.5)]
        for _ in range(4):
            cluster.tend(cluster.random.uniform(5, 12))
            cluster.kill("beat")
        first, second = ids[:6], ids[6:]
        due = {("first_response", "80%"): 1, ("first_response", "100%"): 1}

        def everything():
            found = told(cluster, ids)
            return all(found[key] == due for key in first) and all(found[key] == EVERYTHING for key in second)

        cluster.until(everything, 120, "both beats told everything")
        cluster.tend(20)
        assert everything()
    settle(cluster)
    breaches = [(fell, sent) for threshold, fell, sent, _late in moments(cluster, first) if threshold == "100%"]
    assert all(dt.timedelta(0) <= sent - fell < dt.timedelta(minutes=5) for fell, sent in breaches)


@pytest.mark.parametrize(
    ("channel", "zone", "wall", "by", "window"),
    [
        # From two to three is missing: what opens at half past two opens when the clocks change.
        ("monitoring", "Antarctica/Troll", 2, 3600, ["02:30", "24:00"]),
        # From two to three comes twice: what closed at half past two opens again when the clocks change.
        ("emergency", "Australia/Lord_Howe", 3, -3600, ["02:00", "02:30"]),
    ],
)
def test_the_clocks_change_under_a_running_sweep(cluster, promise, tickets, channel, zone, wall, by, window):
    change = zones.next_minute(30)
    zones.changing(cluster.zones / zone, change, wall=dt.timedelta(hours=wall), by=by)
    week = {day: [window] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    body = {"key": f"storm-{channel}", "name": zone, "definition": {"timezone": zone, "weekly": week}}
    cluster.post("support/calendars/", body)
    promise(channel, response=0.5, unit="business_minutes", calendar=f"storm-{channel}")
    ids = tickets(channel, 5, timezone=zone)
    assert dt.datetime.now(dt.UTC) < change
    everything = {key: {("first_response", "80%"): 1, ("first_response", "100%"): 1} for key in ids}
    cluster.until(lambda: dt.datetime.now(dt.UTC) >= change, 120, "the clocks have changed")
    assert told(cluster, ids) == {key: {} for key in ids}
    cluster.until(lambda: told(cluster, ids) == everything, 120, "what fell due after the change was told")
    cluster.tend(20)
    settle(cluster)
    assert told(cluster, ids) == everything
    due = {
        threshold: round((fell - change).total_seconds(), 3) for threshold, fell, _sent, _late in moments(cluster, ids)
    }
    assert due == {"80%": 24, "100%": 30}
    assert {late for *_rest, late in moments(cluster, ids)} == {False}
