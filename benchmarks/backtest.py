"""The backtest lab: a version replayed over 24 month ends of a whole tenant, with what was known on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from django.db import connection

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.recompute import fill

MONTHS = 24
# Two years of stated figures, each recorded on its day, and of use on every sixth day; a tenth of the customers left.
HISTORY = """
INSERT INTO usage_metricvalue (id, account_id, metric, "on", number, choice, source, recorded_at)
SELECT md5('past ' || l.account_id || l.metric || m)::uuid, l.account_id, l.metric, %(on)s::date - 30 - 30 * m,
    CASE WHEN l.number IS NULL THEN NULL ELSE GREATEST(l.number - m %% 5, 0) END, l.choice, l.source,
    (%(on)s::date - 30 - 30 * m)::timestamptz
FROM usage_metriclatest l CROSS JOIN generate_series(0, 24) m WHERE l.source = 'crm';
INSERT INTO usage_accountday (account_id, day, word, features, quantity, logins, sessions, session_seconds,
    workflows_started, workflows_completed, act, login, mobile, k1, k2, k3, k4, k5, k6, k7, k8, last_at)
SELECT d.account_id, d.day - 30 * m, d.word, d.features, d.quantity, d.logins, d.sessions, d.session_seconds,
    d.workflows_started, d.workflows_completed, d.act, d.login, d.mobile, d.k1, d.k2, d.k3, d.k4, 0, 0, 0, 0,
    d.last_at - make_interval(days => 30 * m)
FROM usage_accountday d CROSS JOIN generate_series(1, 24) m
WHERE d.day > %(on)s::date - 30 AND (%(on)s::date - d.day) %% 6 = 0;
UPDATE accounts_contract SET status = 'churned', end_on = %(on)s::date - 30 - (abs(hashtext(id::text)) %% 500)::int,
    start_on = %(on)s::date - 700 WHERE abs(hashtext(id::text)) %% 10 = 0;
"""


def remember(*, at: dt.datetime) -> None:
    """Two years of history behind the accounts of the recompute's benchmark."""
    with connection.cursor() as cursor:
        for statement in filter(None, (part.strip() for part in HISTORY.split(";\n"))):
            cursor.execute(statement, {"on": at.date()})
        for table in ("accounts_contract", "usage_accountday", "usage_metricvalue"):
            cursor.execute(f"VACUUM ANALYZE {table}")


def replay(at: dt.datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole backtest of the default card: replay, outcomes, grades."""
    from health.actions.backtests import graded
    from health.cards import compile_definition
    from health.models import ScorecardVersion
    from health.queries.replay import Replay, replay_days, roster

    version = ScorecardVersion.objects.get(state="active", scorecard__is_default=True)
    days = replay_days(at.date(), months=MONTHS, step="month")
    run = Replay([compile_definition(version.definition)], roster(), days, basis="recorded")
    for _done in run.run():
        pass
    return graded(run, horizon=90, today=at.date().toordinal())


def check(at: dt.datetime, accounts: int) -> None:
    """Most customers were scored on most days, and the losses were found."""
    result, _rows = replay(at)
    assert min(result["scored"][3:]) > accounts * 0.8, result["scored"]
    assert result["losses_in_span"] > accounts * 0.05, result["losses_in_span"]
    assert result["champion"]["judged"] > accounts * 5


def timed(at: dt.datetime) -> list[float]:
    started = perf_counter()
    replay(at)
    return [perf_counter() - started]


def cases(bench: Bench) -> Iterator[Case]:
    at, count = bench.now, bench.accounts
    bench.select("backtest")
    fill(count, at=at)
    remember(at=at)
    yield Case(
        area="backtest", name=f"backtest of {count:,} accounts over {MONTHS} month ends", run=lambda: timed(at),
        floor=None, goal=60, measure="seconds", units=count, unit="accounts", reps=3, pids=bench.backends,
        verify=lambda: check(at, count),
    )  # fmt: skip
