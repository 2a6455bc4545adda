"""Daily rows: what keeping them costs on top of storing events, and what reading a window of them costs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial

from django.db import connection, transaction

from benchmarks.bench import Bench
from benchmarks.data import Portfolio, make_accounts
from benchmarks.harness import Case

# The drain's statement without daily rows and signals: storing alone.
_FOLDED, _SIGNALS = "folded AS (", "signals AS ("


def store_only(now: dt.datetime) -> None:
    """Empty the inbox into usage_event with the shipped statement, less the daily rows."""
    from usage.actions.draining import DRAIN
    from usage.fold import FOLD
    from usage.partitions import window_floor

    raw = DRAIN.format(share_only="").replace(f"folded AS ({FOLD}),", "").replace("FROM folded", "FROM events")
    raw = raw[: raw.index(_SIGNALS)] + raw[raw.index("arrived AS (") :]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true),"
            " set_config('enable_nestloop', 'off', true)"
        )
        cursor.execute(raw, {"share": 200_000, "floor": window_floor(now), "zone": "UTC", "at": now})
        cursor.fetchone()


def cases(bench: Bench) -> Iterator[Case]:
    """Keeping the daily rows, then reading a window of them for every account."""
    bench.select("rollups")
    portfolio = make_accounts(bench.accounts)
    yield from keeping(bench, portfolio)
    yield from reading(bench, portfolio)


def keeping(bench: Bench, portfolio: Portfolio) -> Iterator[Case]:
    """The same events accepted and drained, with and without daily rows."""
    from benchmarks.ingest import accept, make_bodies, truncate
    from usage.actions import drain

    bodies, _ = make_bodies(portfolio, bench.now, 5000, count=20)
    truncate()
    accept(bodies, bench.now)
    drain(at=bench.now)

    def kept() -> None:
        accept(bodies, bench.now)
        drain(at=bench.now)

    def stored() -> None:
        accept(bodies, bench.now)
        store_only(bench.now)

    yield Case(
        "rollups", "events counted with their daily rows, in a drain", kept, stored, goal=1.5,
        units=5000 * len(bodies), unit="events", pids=bench.backends, prepare=truncate,
        floor_name="the same events stored only", verify=partial(same_as_rebuilt, kept, truncate),
    )  # fmt: skip


def same_as_rebuilt(kept: Callable[[], None], truncate: Callable[[], None]) -> None:
    """What the drain folded is what a rebuild from the events gives."""
    from usage.actions import rebuild_account_days
    from usage.models import AccountDay

    truncate()
    kept()
    before = list(AccountDay.objects.order_by("account_id", "day", "word").values())
    rebuild_account_days(dt.date(2000, 1, 1), dt.date(9998, 12, 31))
    assert before == list(AccountDay.objects.order_by("account_id", "day", "word").values())


# 27 of 30 days of every account, one row for each 64 of its users, bits drawn by hash.
FILL = """
INSERT INTO usage_accountday (account_id, day, word, features, quantity, logins, sessions, session_seconds,
    workflows_started, workflows_completed, act, login, mobile, k1, k2, k3, k4, k5, k6, k7, k8, last_at)
SELECT a.id, %(on)s::date - d, w, 63, 30 + d, 12, 9, 4000, 6, 5, b.act, b.act, b.act & b.one, b.act & b.two,
    b.act & (b.two << 1), b.act & (b.one >> 1), b.act & (b.two >> 2), b.act & (b.one << 2), b.act & (b.one >> 3), 0, 0,
    (%(on)s::date - d)::timestamptz + interval '18 hours'
FROM accounts_account a CROSS JOIN generate_series(0, 29) d
CROSS JOIN generate_series(0, (a.assigned_users - 1) / 64) w
CROSS JOIN LATERAL (SELECT least(64, a.assigned_users - 64 * w) AS people) p
CROSS JOIN LATERAL (SELECT
    hashtextextended(a.id::text, d * 100 + w) & hashtextextended(a.id::text, d)
        & CASE WHEN p.people = 64 THEN -1::bigint ELSE (((1::bigint << (p.people - 1)) - 1) << 1) | 1 END AS act,
    hashtextextended(a.id::text, 77) AS one,
    hashtextextended(a.id::text, 78) & hashtextextended(a.id::text, 79) AS two) b
WHERE d %% 10 <> 9
"""
# The limit: the same days read once with plain aggregates.
SCAN = """
SELECT count(*), sum(quantity), sum(logins), sum(sessions), sum(session_seconds), bit_or(act), bit_or(login),
    bit_or(mobile), bit_or(k1), bit_or(k2), bit_or(k3), bit_or(k4)
FROM usage_accountday WHERE day > %(on)s::date - 30 AND day <= %(on)s
"""


def reading(bench: Bench, portfolio: Portfolio) -> Iterator[Case]:
    """Thirty days of use of every account: active users, features, change; against one scan."""
    from usage.actions import define_key_features
    from usage.counts import QUIET, counts_of

    on = bench.now.date()
    names = [{"key": f"feature_{n}", "name": f"Feature {n}"} for n in range(1, 7)]
    define_key_features(names, actor=None, at=bench.now)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE usage_accountday")
        cursor.execute(FILL, {"on": on})
        cursor.execute("VACUUM ANALYZE usage_accountday")
        cursor.execute("ANALYZE accounts_account")

    def scan() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT {QUIET}")
            cursor.execute(SCAN, {"on": on})
            cursor.fetchone()

    yield Case(
        "rollups", f"30 days of use of {len(portfolio.accounts):,} accounts",
        lambda: counts_of(None, on), scan, goal=5, units=len(portfolio.accounts), unit="accounts",
        pids=bench.backends, floor_name="one scan of the 30 days", verify=partial(same_as_counted, on),
    )  # fmt: skip


def same_as_counted(on: dt.date, sample: int = 50) -> None:
    """Fifty accounts' counts, made again bit by bit."""
    from usage.counts import counts_of
    from usage.models import AccountDay

    window = counts_of(None, on)
    for place in range(0, len(window.accounts), max(1, len(window.accounts) // sample)):
        rows = list(AccountDay.objects.filter(account_id=window.accounts[place], day__gt=on - dt.timedelta(days=30)))
        used: dict[tuple[int, int], set[int]] = {}
        for row in rows:
            for bit in range(64):
                if row.act >> bit & 1:
                    features = used.setdefault((row.word, bit), set())
                    features |= {slot for slot in range(1, 9) if getattr(row, f"k{slot}") >> bit & 1}
        expected = {
            "active": len(used),
            "two_features": sum(len(features) >= 2 for features in used.values()),
            "three_features": sum(len(features) >= 3 for features in used.values()),
            "feature_users": sum(len(features) for features in used.values()),
            "quantity": sum(row.quantity for row in rows),
        }
        found = {name: int(window.columns[name][place]) for name in expected}
        assert found == expected, (found, expected)
