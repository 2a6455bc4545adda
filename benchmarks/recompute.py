"""Health: scoring a whole tenant with evidence against one scan of what it reads, dirty sets, and growth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case

# 30 days of daily rows with bitmaps, eight stated figures and two months of ticket figures an account: as much
# as performance.md §3 measured, in the shipped tables. Everything follows from the account's number.
FILL = """
INSERT INTO accounts_account (id, name, status, segment, industry, country, website, timezone, currency, arr, seats,
    assigned_users, renewal_on, customer_since_on, scorecard_key, custom, created_at, updated_at, version)
SELECT md5('account ' || n)::uuid, 'Company ' || lpad(n::text, 6, '0'), 'active', '', '', '', '', '', 'USD',
    1000 + n %% 900 * 100, 20, 10 + n %% 40, %(on)s::date + (n %% 365)::int, %(on)s::date - 700, '', '{}',
    %(at)s, %(at)s, 1
FROM generate_series(1, %(accounts)s) n;
INSERT INTO accounts_contract (id, account_id, number, status, start_on, end_on, notice_days, auto_renew, currency,
    arr, billing, source, external_id, custom, created_at, updated_at, version)
SELECT md5('contract ' || a.id)::uuid, a.id, '', 'active', %(on)s::date - 300, %(on)s::date + 65, 0, false, 'USD',
    a.arr, '', '', '', '{}', %(at)s, %(at)s, 1
FROM accounts_account a;
INSERT INTO usage_featureslot (id, slot, key, name, events, valid_from_on, counted, origin)
SELECT md5('slot ' || n)::uuid, n, 'feature_' || n, 'Feature ' || n, '[]', %(on)s::date - 700, true, 'tenant'
FROM generate_series(1, 4) n WHERE NOT EXISTS (SELECT FROM usage_featureslot);
INSERT INTO usage_signal (kind, first_at) SELECT k, %(at)s::timestamptz - interval '700 days'
FROM unnest(ARRAY['login', 'mobile']) k ON CONFLICT DO NOTHING;
INSERT INTO usage_accountday (account_id, day, word, features, quantity, logins, sessions, session_seconds,
    workflows_started, workflows_completed, act, login, mobile, k1, k2, k3, k4, k5, k6, k7, k8, last_at)
SELECT a.id, %(on)s::date - d, 0, 15, 40 + a.assigned_users, 12, 9, 4000, 6, 5, b.act, b.act, b.act & b.mask,
    b.act & b.mask, b.act & (b.mask >> 1), b.act & (b.mask >> 2), b.act & (b.mask >> 3), 0, 0, 0, 0,
    (%(on)s::date - d)::timestamptz + interval '18 hours'
FROM accounts_account a CROSS JOIN generate_series(0, 29) d
CROSS JOIN LATERAL (SELECT
    (hashtextextended(a.id::text, d) & ((1::bigint << a.assigned_users) - 1)) AS act,
    hashtextextended(a.id::text, 77) | hashtextextended(a.id::text, 78) | hashtextextended(a.id::text, 79) AS mask) b
WHERE d %% 10 <> 9;
INSERT INTO usage_metriclatest (account_id, metric, "on", number, choice, source, recorded_at)
SELECT a.id, m.metric, %(on)s::date - (h.h %% 20)::int,
    CASE WHEN m.options IS NULL THEN m.least + (h.h %% (m.spread * 100))::numeric / 100 END,
    COALESCE(m.options[1 + h.h %% 9 / 6 + h.h %% 2 * (h.h %% 5 / 4)], ''), 'crm', %(at)s
FROM accounts_account a CROSS JOIN (VALUES
    ('data_accuracy_pct', 82, 18, NULL), ('data_error_rate_pct', 0, 4, NULL), ('roi_multiple', 1, 3, NULL),
    ('response_pct', 50, 50, NULL),
    ('objectives', 0, 1, ARRAY['on_track', 'partial', 'off_track']),
    ('reference', 0, 1, ARRAY['active', 'willing', 'unwilling']),
    ('executive_engagement', 0, 1, ARRAY['strong', 'moderate', 'weak']),
    ('renewals', 0, 1, ARRAY['proactive', 'standard', 'late'])) m(metric, least, spread, options)
CROSS JOIN LATERAL (SELECT abs(hashtextextended(a.id::text || m.metric, 1)) AS h) h;
INSERT INTO usage_metricvalue (id, account_id, metric, "on", number, choice, source, recorded_at)
SELECT md5('value ' || account_id || metric)::uuid, account_id, metric, "on", number, choice, source, recorded_at
FROM usage_metriclatest;
INSERT INTO usage_metricvalue (id, account_id, metric, "on", number, choice, source, recorded_at)
SELECT md5('tickets ' || a.id || m || d)::uuid, a.id, m, %(on)s::date - d,
    CASE m WHEN 'resolution_hours_total' THEN 30 ELSE 1 END, '', 'desk', %(at)s
FROM accounts_account a CROSS JOIN unnest(ARRAY['tickets_opened', 'tickets_resolved', 'resolution_hours_total']) m
CROSS JOIN generate_series(1, 57, 14) d;
INSERT INTO usage_metriclatest (account_id, metric, "on", number, choice, source, recorded_at)
SELECT a.id, m, %(on)s::date - 1, 1, '', 'desk', %(at)s
FROM accounts_account a CROSS JOIN unnest(ARRAY['tickets_opened', 'tickets_resolved', 'resolution_hours_total']) m;
"""
# The limit: every table the recompute reads, each read once and added up by account, as any score needs it:
# no windows, no shares, no distinct users, nothing fetched. All columns over the longest spans, whichever a card reads.
SCANS = (
    """SELECT account_id, count(*), sum(quantity), sum(logins), sum(sessions), bit_or(act), bit_or(login),
        bit_or(mobile), bit_or(k1), bit_or(k2), bit_or(k3), bit_or(k4)
        FROM usage_accountday WHERE day > %(on)s::date - 30 AND day <= %(on)s GROUP BY account_id""",
    'SELECT account_id, count(*), sum(number), max(choice), max("on") FROM usage_metriclatest GROUP BY account_id',
    """SELECT account_id, count(*), sum(number) FROM usage_metricvalue
        WHERE superseded_at IS NULL AND "on" > %(on)s::date - 60 GROUP BY account_id""",
    "SELECT count(*), max(scorecard_key), max(segment), sum(assigned_users), max(renewal_on) FROM accounts_account",
    "SELECT account_id, count(*), sum(arr), max(end_on) FROM accounts_contract GROUP BY account_id",
    "SELECT account_id, count(*), max(left_on) FROM accounts_contact GROUP BY account_id",
    "SELECT account_id, count(*), max(score), max(computed_at) FROM health_accounthealth GROUP BY account_id",
    "SELECT account_id, count(*), max(fired_at) FROM health_triggerstate GROUP BY account_id",
)


def fill(accounts: int, *, at: dt.datetime) -> None:
    """``accounts`` accounts with everything a Fleet score reads, in the selected schema."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in filter(None, (part.strip() for part in FILL.split(";\n"))):
            cursor.execute(statement, {"accounts": accounts, "at": at, "on": at.date()})
        for table in ("accounts_account", "accounts_contract", "usage_accountday", "usage_metriclatest",
                      "usage_metricvalue"):  # fmt: skip
            cursor.execute(f"VACUUM ANALYZE {table}")


def scan(on: dt.date) -> None:
    """Read every input once; PostgreSQL works the sums out, the client gets one number."""
    with connection.cursor() as cursor:
        for statement in SCANS:
            cursor.execute(f"SELECT count(found) FROM ({statement}) AS found", {"on": on})
            cursor.fetchone()


def forget() -> None:
    """As if every score were about to change: no history, and current rows that differ from what comes."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE health_healthscore")
        cursor.execute("UPDATE health_accounthealth SET coverage_pct = 0, computed_at = '2000-01-01'")
        cursor.execute("VACUUM health_accounthealth, health_triggerstate")


def rewind() -> None:
    """Scores as they stand, but older than the next run, so that it replaces them."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE health_accounthealth SET computed_at = '2000-01-01'")
        cursor.execute("VACUUM health_accounthealth, health_triggerstate")


def mark(count: int, *, at: dt.datetime) -> None:
    """``count`` accounts, spread over all, have new facts."""
    rewind()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_changedaccount")
        cursor.execute(
            "INSERT INTO accounts_changedaccount (account_id, changed_at)"
            " SELECT id, %s FROM accounts_account ORDER BY md5(id::text) LIMIT %s",
            [at, count],
        )


def check_against_slow_reference(at: dt.datetime) -> None:
    """Score 50 accounts one by one, reading the definition with whole fractions, and compare every stored figure."""
    from health.actions import recompute
    from health.models import AccountHealth

    recompute(at=at)
    rows = list(AccountHealth.objects.select_related("version").order_by("account_id")[:50])
    assert len(rows) == 50, "50 accounts have a score"
    for row in rows:
        total, points = slow_score(row.version.definition, dict(zip(_inputs(row), row.values, strict=True)))
        assert row.score == Decimal(int(total * 10**6)) / 10**6, (row.score, total)
        assert row.points == [None if worth is None else int(worth * 10**6) for worth in points]
    assert len({row.band for row in rows}) > 1, "the data spreads over bands"


def _inputs(row: Any) -> tuple[str, ...]:
    from health.cards import compiled

    return compiled(row.version).evidence_inputs


def slow_score(definition: dict[str, Any], values: dict[str, Any]) -> tuple[Fraction, list[Any]]:
    """The Fleet card by its text: the first level whose tests hold, the options' points, their share of 100."""
    points: list[Any] = []
    most = Fraction(0)
    for part in definition["dimensions"]:
        for measure in part["measures"]:
            worth = _worth(measure["scoring"], values)
            points.append(worth)
            most += 0 if worth is None else measure["points"]
    return sum((worth for worth in points if worth is not None), Fraction(0)) * 100 / most, points


def _worth(scoring: dict[str, Any], values: dict[str, Any]) -> Fraction | None:
    if scoring["kind"] == "choice":
        given = values[scoring["input"]]
        return None if given is None else Fraction(scoring["options"][given])
    named = {test["metric"] for level in scoring["levels"] for test in level["when"]}
    if any(values[name] is None for name in named - set(scoring.get("optional_inputs", []))):
        return None
    compare = {"<": Fraction.__lt__, "<=": Fraction.__le__, ">": Fraction.__gt__, ">=": Fraction.__ge__}
    for level in scoring["levels"]:
        if all(
            values[test["metric"]] is None
            or compare[test["op"]](Fraction(values[test["metric"]]), Fraction(str(test["value"])))
            for test in level["when"]
        ):
            return Fraction(level["points"])
    raise AssertionError("no level took the value")


def cases(bench: Bench) -> Iterator[Case]:
    from health.actions import recompute, recompute_changed

    at, on, count = bench.now, bench.now.date(), bench.accounts
    bench.select("recompute")
    fill(count, at=at)
    common: dict[str, Any] = {"area": "recompute", "pids": bench.backends, "unit": "accounts"}
    yield Case(
        name=f"recompute {count:,} accounts, every score new", run=lambda: recompute(at=at), floor=lambda: scan(on),
        floor_name="one scan of its inputs, summed by account", goal=7, units=count, prepare=forget,
        verify=lambda: check_against_slow_reference(at), **common,
    )  # fmt: skip
    yield Case(
        name=f"recompute {count:,} accounts, nothing new", run=lambda: recompute(at=at), floor=lambda: scan(on),
        floor_name="one scan of its inputs, summed by account", goal=7, units=count, prepare=rewind, **common,
    )  # fmt: skip
    # With a thousand accounts, ten changed ones cost what a run costs at all.
    dirty = count // 100
    yield Case(
        name=f"{dirty:,} changed accounts of {count:,}", run=lambda: recompute_changed(at=at),
        floor=lambda: recompute(at=at), floor_name="all accounts", goal=0.1 if count >= 10_000 else 0.3, units=dirty,
        prepare=lambda: mark(dirty, at=at), **common,
    )  # fmt: skip
    yield from growth(bench, common)


def growth(bench: Bench, common: dict[str, Any]) -> Iterator[Case]:
    """All accounts against a tenth of them: ten times the accounts within 13 times the time."""
    from health.actions import recompute

    at, count = bench.now, bench.accounts
    large = bench.select("recompute")
    small = bench.select("tenth")
    fill(count // 10, at=at)

    def run_in(tenant: Any) -> None:
        connection.set_tenant(tenant)
        recompute(at=at)

    def both() -> None:
        for tenant in (small, large):
            connection.set_tenant(tenant)
            rewind()

    both()
    run_in(small)
    yield Case(
        name=f"{count:,} accounts against {count // 10:,}", run=lambda: run_in(large), floor=lambda: run_in(small),
        floor_name=f"{count // 10:,} accounts", goal=13, units=count, prepare=both, measure="wall", **common,
    )  # fmt: skip
