"""Backtests: asked for by a person, worked through by a background task, stored once."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.queries.workspace import workspace_day
from engagement.actions import notify
from engagement.choices import Kind
from health.actions.claiming import take
from health.backtest import compare, falls, grade, losses_seen, outcomes_of, standing
from health.cards import compile_definition
from health.choices import BACKTEST_WORKING, BacktestState, Basis, Step
from health.models import Backtest, ScorecardVersion
from health.models.lab import MOST_MONTHS
from health.queries.replay import Replay, replay_days, roster

if TYPE_CHECKING:
    from accounts.models import User

log = logging.getLogger(__name__)
WARNING_LEVELS = {"yellow": 1, "orange": 2, "red": 3}
# Of the warnings that stand and the falls, so many are kept; every loss is.
MOST_STANDING, MOST_FALLS, FALLS_DAYS = 500, 25, 90
WAITED_FOR = timedelta(seconds=45)


@transaction.atomic
def start_backtest(
    version: ScorecardVersion,
    *,
    challenger: ScorecardVersion | None = None,
    months: int = 12,
    step: str = Step.MONTH,
    horizon_days: int = 90,
    basis: str = Basis.RECORDED,
    segment: str = "",
    until: date | None = None,
    actor: User | None,
    at: datetime,
) -> Backtest:
    """Ask for a replay of ``version``, which a worker then runs. Raises RuleViolated naming field and rule.

    ``until`` ends the span on a past day, for history that ends there; nothing later is judged.
    """
    today = workspace_day(at)
    _check_span(months, horizon_days, step, basis)
    if challenger is not None and challenger.pk == version.pk:
        raise RuleViolated("same", "Compare it with another version.", "challenger")
    if Backtest.objects.filter(state__in=BACKTEST_WORKING).count() >= 3:
        raise RuleViolated("busy", "Three backtests are under way. Wait for one, or cancel it.")
    if until is not None and until > today:
        raise RuleViolated("future", "History ends today at the latest.", "until")
    today = until or today
    backtest = Backtest.objects.create(
        version=version,
        challenger=challenger,
        definition=version.definition,
        challenger_definition=None if challenger is None else challenger.definition,
        months=months,
        step=step,
        horizon_days=horizon_days,
        basis=basis,
        segment=segment[:60],
        today=today,
        days=len(replay_days(today, months=months, step=step)),
        created_by=actor,
        created_at=at,
        touched_at=at,
    )
    after = {"scorecard": version.scorecard.key, "version": version.number, "months": months, "basis": basis}
    record("backtest.start", backtest, actor=actor, at=at, after=after)
    from health.tasks import run_backtest  # tasks stands above actions; only sending needs it.

    run_backtest.delay_on_commit(str(backtest.pk))
    return backtest


def _check_span(months: int, horizon_days: int, step: str, basis: str) -> None:
    if not 1 <= months <= MOST_MONTHS:
        raise RuleViolated("range", f"From 1 to {MOST_MONTHS} months.", "months")
    if not 30 <= horizon_days <= 365:
        raise RuleViolated("range", "From 30 to 365 days.", "horizon_days")
    if step not in Step.values:
        raise RuleViolated("choice", f"One of {', '.join(Step.values)}.", "step")
    if basis not in Basis.values:
        raise RuleViolated("choice", f"One of {', '.join(Basis.values)}.", "basis")


@transaction.atomic
def cancel_backtest(backtest: Backtest, *, actor: User | None, at: datetime) -> Backtest:
    """Stop after the day under way. Raises RuleViolated when it has ended already."""
    backtest = Backtest.objects.select_for_update(of=("self",)).get(pk=backtest.pk)
    if backtest.state not in BACKTEST_WORKING:
        raise RuleViolated("over", "It has ended already.")
    backtest.cancel_requested = True
    if backtest.state == BacktestState.QUEUED:
        backtest.state, backtest.finished_at = BacktestState.CANCELLED, at
    backtest.save(update_fields=["cancel_requested", "state", "finished_at"])
    record("backtest.cancel", backtest, actor=actor, at=at)
    return backtest


@transaction.atomic
def delete_backtest(backtest: Backtest, *, actor: User | None, at: datetime) -> None:
    """Delete a backtest that has ended. Raises RuleViolated while it runs."""
    backtest = Backtest.objects.select_for_update(of=("self",)).get(pk=backtest.pk)
    if backtest.state in BACKTEST_WORKING:
        raise RuleViolated("under_way", "Cancel it first.")
    record("backtest.delete", backtest, actor=actor, at=at, before={"version": backtest.definition["key"]})
    backtest.delete()


def run(backtest_id: UUID) -> None:
    """Replay, grade and store. A second worker on the same backtest does nothing; a cancelled one ends early.

    An error that is ours ends it with a message and is logged.
    """
    waiting = Backtest.objects.filter(state__in=BACKTEST_WORKING).select_related("created_by")
    backtest = take(waiting, backtest_id, position=0)
    if backtest is None:
        return
    started = perf_counter()
    try:
        found = _replayed(backtest)
    except Exception:
        log.exception("health: backtest %s stopped", backtest_id)
        _end(backtest, BacktestState.FAILED, message="Our mistake; it has been noted. Nothing was changed.")
        return
    if found is None:
        _end(backtest, BacktestState.CANCELLED)
        return
    result, rows = found
    _end(backtest, BacktestState.DONE, result=result, rows=rows, seconds=round(perf_counter() - started, 2))


def _replayed(backtest: Backtest) -> tuple[dict[str, Any], dict[str, Any]] | None:
    days = replay_days(backtest.today, months=backtest.months, step=backtest.step)
    definitions = [backtest.definition, backtest.challenger_definition]
    cards = [compile_definition(one) for one in definitions if one is not None]
    people = roster(backtest.segment)
    replay = Replay(cards, people, days, basis=backtest.basis)
    for done in replay.run():
        going = Backtest.objects.filter(pk=backtest.pk, cancel_requested=False)
        if not going.update(position=done, touched_at=timezone.now()):
            return None
    return graded(replay, horizon=backtest.horizon_days, today=backtest.today.toordinal())


def graded(replay: Replay, *, horizon: int, today: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """(figures, rows by account) of a replay that has run. Numbers and text only."""
    days = [day.toordinal() for day in replay.days]
    outcomes = outcomes_of(replay.people.accounts, days, today=today)
    champion = replay.histories[0]
    grades = [grade(history, outcomes, horizon=horizon, today=today) for history in replay.histories]
    scored = [
        int((history.colour >= 0)[:, place].sum()) for history in replay.histories[:1] for place in range(len(days))
    ]
    result = {
        "days": days,
        "customers": [int(outcomes.alive[:, place].sum()) for place in range(len(days))],
        "scored": scored,
        "losses": len(outcomes.losses),
        "losses_in_span": sum(1 for loss in outcomes.losses if days and loss.on > days[0]),
        "renewals": sum(1 for _, on in outcomes.renewals if days and on > days[0]),
        "champion": grades[0],
        "challenger": grades[1] if len(grades) > 1 else None,
        "rivals": compare(champion, replay.histories[1], outcomes, horizon=horizon, today=today)
        if len(grades) > 1
        else None,
    }
    return result, _rows(replay, outcomes)


def _rows(replay: Replay, outcomes: Any) -> dict[str, Any]:
    """Losses with what was foreseen of them, the warnings that stand by colour, the largest falls."""
    history = replay.histories[0]
    ids = [str(key) for key in replay.people.ids]

    def named(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "account": ids[row["account"]]} for row in rows]

    return {
        "losses": {name: named(losses_seen(history, outcomes, level)) for name, level in WARNING_LEVELS.items()},
        "standing": {
            name: named(standing(history, outcomes, level)[:MOST_STANDING]) for name, level in WARNING_LEVELS.items()
        },
        "falls": named(falls(history, outcomes, over=FALLS_DAYS, most=MOST_FALLS)),
    }


@transaction.atomic
def _end(backtest: Backtest, state: str, **values: Any) -> None:
    """Note the end; whoever asked is told where they will hardly have waited for it."""
    now = timezone.now()
    ended = Backtest.objects.filter(pk=backtest.pk, state=BacktestState.RUNNING)
    if not ended.update(state=state, finished_at=now, touched_at=now, **values) or backtest.created_by is None:
        return
    words = {BacktestState.DONE: "is done", BacktestState.FAILED: "was stopped by an error"}
    if state in words and now - backtest.created_at > WAITED_FOR:
        notify(
            [backtest.created_by],
            kind=Kind.SYSTEM,
            title=f"The backtest of {backtest.definition['name']} {words[BacktestState(state)]}",
            url=f"/health/backtests/{backtest.pk}/",
            at=now,
            dedupe_key=f"backtest:{backtest.pk}",
        )
