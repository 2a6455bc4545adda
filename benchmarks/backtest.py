"""The backtest lab: a version replayed over 24 month ends of a whole tenant, with what was known on each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.past import FACTS, remember, tidy
from benchmarks.recompute import fill

MONTHS = 24


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
    remember(FACTS, at=at)
    tidy("accounts_contract", "usage_accountday", "usage_metricvalue")
    yield Case(
        area="backtest", name=f"backtest of {count:,} accounts over {MONTHS} month ends", run=lambda: timed(at),
        floor=None, goal=60, measure="seconds", units=count, unit="accounts", reps=3, pids=bench.backends,
        verify=lambda: check(at, count),
    )  # fmt: skip
