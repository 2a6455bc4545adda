"""The desk: a sweep with nothing to tell and with a backlog, and every open deadline counted again."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case

# One in ten is open.
TICKETS = {"S": 2_000, "M": 200_000, "L": 200_000}
SWEEPS = 100
WITHIN = 10.0
# Tickets of three tiers and four severities over a year, the open ones of the last month; a clock of each that ended.
FILL = """
INSERT INTO accounts_account (id, name, status, segment, industry, country, website, timezone, currency, arr, seats,
    customer_since_on, scorecard_key, custom, created_at, updated_at, version, tier_id)
SELECT md5('account ' || n)::uuid, 'Company ' || n, 'active', '', '', '', '', (ARRAY['Europe/Berlin',
    'America/New_York', 'Asia/Kolkata'])[1 + n %% 3], 'USD', 1000, 20, %(at)s::date - 700, '', '{}', %(at)s, %(at)s, 1,
    (SELECT id FROM accounts_tier WHERE pack = 'fmea' ORDER BY rank OFFSET n %% 3 LIMIT 1)
FROM generate_series(1, %(accounts)s) n;
INSERT INTO support_ticket (id, number, subject, account_id, cc, channel, type, component, category, severity_id,
    impact, priority, tier_key, tier_rank, status, level, tags, custom, root_cause, engineering_reference, timezone,
    opened_by_staff, next_due_clock, created_at, confirmed_by_customer, reopened_count, cycle, minutes_spent,
    csat_comment, source, external_id, version, resolved_at)
SELECT md5('ticket ' || n)::uuid, n, 'It does not work ' || n, a.id, '{}', 'email', 'question', '', '', s.id, 3,
    s.rank + 3, t.key, t.rank, CASE WHEN n %% 10 = 0 THEN 'open' ELSE 'closed' END, 1, '{}', '{}', '', '', a.timezone,
    false, '', c.created, false, 0, 1, 0, '', '', '', 1, CASE WHEN n %% 10 <> 0 THEN c.created + interval '9 hours' END
FROM generate_series(1, %(tickets)s) n
JOIN accounts_account a ON a.id = md5('account ' || (1 + n %% %(accounts)s))::uuid
JOIN accounts_tier t ON t.id = a.tier_id
JOIN (SELECT id, rank, row_number() OVER (ORDER BY rank) - 1 AS place FROM accounts_severity WHERE pack = 'fmea') s
    ON s.place = (n / 10) %% 4
CROSS JOIN LATERAL (SELECT %(at)s::timestamptz - CASE WHEN n %% 10 = 0 THEN interval '30 days' ELSE interval '365 days'
    END * (n %% 9973) / 9973 AS created) c;
INSERT INTO support_ticketevent (ticket_id, kind, at, data)
SELECT t.id, 'created', t.created_at, jsonb_build_object('status', 'new', 'severity', s.key)
FROM support_ticket t JOIN accounts_severity s ON s.id = t.severity_id;
INSERT INTO support_ticketevent (ticket_id, kind, at, data)
SELECT t.id, 'status', t.created_at + interval '3 hours' * n, jsonb_build_object('from', f, 'to', o, 'reason', '')
FROM support_ticket t CROSS JOIN (VALUES (1, 'new', 'waiting_customer'), (2, 'waiting_customer', 'open')) v(n, f, o)
WHERE t.status = 'open' AND t.number %% 20 = 0;
INSERT INTO support_ticket_policies (ticket_id, slapolicy_id)
SELECT t.id, p.id FROM support_ticket t JOIN support_slapolicy p
    ON p.scope = 'ticket' AND p.retired_at IS NULL AND t.tier_key = ANY(p.tier_keys);
INSERT INTO support_slaclock (id, ticket_id, kind, cycle, target_seconds, strict, started_at, armed_at, stopped_at,
    consumed_seconds, paused_seconds, remaining_seconds, verdict, thresholds, moments, computed_at)
SELECT md5('clock ' || t.id)::uuid, t.id, 'first_response', 1, 28800, false, t.created_at, t.created_at,
    t.created_at + interval '2 hours', 7200, 0, 21600, 'met', '{}', '{}', %(at)s
FROM support_ticket t WHERE t.status = 'closed'
"""
DUE = "SELECT id, thresholds, moments, armed_at FROM support_slaclock WHERE next_alert_at <= %s ORDER BY next_alert_at"
AGAIN = """DELETE FROM support_slaalert;
UPDATE support_slaclock SET next_alert_at = moments[1], verdict = 'running', missed_at = NULL
WHERE stopped_at IS NULL AND moments <> '{}'"""


def cases(bench: Bench) -> Iterator[Case]:
    from support import actions
    from support.models import SlaAlert, SlaClock

    tickets = TICKETS[bench.size]
    fill(bench)
    named = f"{tickets:,} tickets, {tickets // 10:,} of them open"
    yield Case(
        "desk", f"every open deadline counted again, {named}", lambda: [_timed(actions.recompute_open, bench.now)],
        None, WITHIN, measure="seconds", reps=3, verify=lambda: check_recompute(bench.now, tickets),
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE support_slaclock")
    quiet = bench.now - dt.timedelta(days=4000)
    yield Case(
        "desk", f"sweep with nothing due, {named}", lambda: [actions.sweep(at=quiet) for _ in range(SWEEPS)],
        lambda: [_read("SELECT 1") for _ in range(SWEEPS)], 4, units=SWEEPS, unit="sweeps", floor_name="select 1",
        pids=bench.backends,
    )  # fmt: skip
    later = bench.now + dt.timedelta(days=400)
    due = SlaClock.objects.alerting(later).count()

    def note() -> None:
        while actions.note_due(at=later):
            pass

    def check() -> None:
        _prepare()
        note()
        assert SlaAlert.objects.values("clock").distinct().count() == due
        assert not SlaClock.objects.alerting(later).exists()

    yield Case(
        "desk", f"note a backlog of {due:,} due clocks", note, lambda: _read(DUE, later), 5, units=due, unit="clocks",
        floor_name="read the due rows by index", prepare=_prepare, verify=check, pids=bench.backends,
    )  # fmt: skip


def check_recompute(at: dt.datetime, tickets: int) -> None:
    """Every open ticket has its clocks, and counting again changes none of them."""
    from support import actions
    from support.models import SlaClock

    first = actions.recompute_open("Bench", at=at)
    assert first.done == tickets // 10
    assert SlaClock.objects.filter(ticket__status="open").values("ticket").distinct().count() == tickets // 10
    assert actions.recompute_open("Bench", at=at).changed == 0


def _timed(recompute: object, at: dt.datetime) -> float:
    began = time.perf_counter()
    recompute("Bench", at=at)  # type: ignore[operator]
    return time.perf_counter() - began


def _read(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        cursor.fetchall()


def _prepare() -> None:
    with connection.cursor() as cursor:
        for statement in AGAIN.split(";\n"):
            cursor.execute(statement)
        cursor.execute("VACUUM support_slaclock")


def fill(bench: Bench) -> None:
    """The workspace with its tickets, made once for whoever measures on it; it is selected afterwards."""
    filled = "desk" in bench.tenants
    bench.select("desk", pack="fmea")
    if filled:
        return
    values = {"at": bench.now, "tickets": TICKETS[bench.size], "accounts": 500}
    with connection.cursor() as cursor:
        for statement in filter(None, (part.strip() for part in FILL.split(";\n"))):
            cursor.execute(statement, values)
        for table in ("accounts_account", "support_ticket", "support_ticketevent", "support_slaclock"):
            cursor.execute(f"VACUUM ANALYZE {table}")
