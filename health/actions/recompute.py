"""Recomputes health: reads every input in a constant number of queries, scores in memory, writes in sets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from time import perf_counter
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from accounts.queries.workspace import workspace_day
from health.actions.membership import evaluate_segments
from health.actions.scoring import score_accounts
from health.actions.standing import keep_standings, sum_day
from health.actions.storing import store
from health.actions.triggers import NO_TRIGGERS, ActiveTriggers, active_triggers, evaluate
from health.models import BandChange, HealthRun
from health.queries.inputs import active_cards, frame_for, subjects
from health.queries.scored import fill_measures_from_kpis, grouped, metrics_read


class RecomputeResult(NamedTuple):
    """What a run did: accounts scored, history rows and crossings written, triggers fired, seconds taken."""

    accounts: int
    history: int
    crossings: int
    firings: int
    seconds: float


def lock_health() -> None:
    """Wait for and take this tenant's health lock until the transaction ends.

    RACE: whoever scores or overrides reads its inputs after this, so a run that waited sees what the run
    before it saw and more, and its result may replace the other's.
    """
    with connection.cursor() as cursor:
        # Compiling plans just in time costs more than these statements take.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)), set_config('jit', 'off', true)",
            [f"health {connection.schema_name}"],
        )


@transaction.atomic
def recompute(account_ids: Iterable[UUID] | None = None, *, at: datetime) -> RecomputeResult:
    """Score accounts as of ``at``, all customers of that day or those of ``account_ids``.

    Current state, history, crossings, portfolio sums, trigger firings and segments commit together. An account whose
    stored score is newer than ``at`` keeps it. Marks of changed accounts up to ``at`` are used up. The number
    of queries does not depend on the number of accounts.
    """
    started = perf_counter()
    lock_health()
    ids = None if account_ids is None else sorted(set(account_ids))
    _use_up_marks(ids, at)
    return _run(ids, at=at, started=started)


@transaction.atomic
def backfill(*, at: datetime) -> RecomputeResult:
    """Score all customers as of the past moment ``at`` for the history only: no trigger fires, nobody is told.

    For a workspace that brings its history with it, oldest moment first. Crossings are kept as already handled.
    """
    started = perf_counter()
    lock_health()
    result = _run(None, at=at, started=started, triggers=NO_TRIGGERS)
    BandChange.objects.filter(handled_at=None, changed_at=at).update(handled_at=at)
    return result


@transaction.atomic
def recompute_changed(*, at: datetime) -> RecomputeResult | None:
    """Score the accounts marked as changed up to ``at``; None if there are none.

    Marks are deleted in the transaction that writes the scores: a crash leaves them for the next run.
    """
    started = perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_changedaccount WHERE changed_at <= %s)", [at])
        if not cursor.fetchone()[0]:
            return None
        lock_health()
        cursor.execute("DELETE FROM accounts_changedaccount WHERE changed_at <= %s RETURNING account_id", [at])
        ids = sorted(row[0] for row in cursor.fetchall())
    if not ids:
        return None
    return _run(ids, at=at, started=started)


@transaction.atomic
def recompute_nightly(*, at: datetime) -> RecomputeResult | None:
    """The full run of the workspace's day, once: None if that day has had it.

    Windows move at midnight, so a score may change though no fact did. The run and its scores commit together.
    """
    lock_health()
    on = workspace_day(at)
    if HealthRun.objects.filter(on=on).exists():
        return None
    result = recompute(at=at)
    HealthRun.objects.create(on=on, started_at=at, accounts=result.accounts, seconds=result.seconds)
    return result


def _use_up_marks(ids: list[UUID] | None, at: datetime) -> None:
    with connection.cursor() as cursor:
        if ids is None:
            cursor.execute("DELETE FROM accounts_changedaccount WHERE changed_at <= %s", [at])
        else:
            cursor.execute(
                "DELETE FROM accounts_changedaccount WHERE changed_at <= %s AND account_id = ANY(%s)", [at, ids]
            )


def _run(
    ids: list[UUID] | None, *, at: datetime, started: float, triggers: ActiveTriggers | None = None
) -> RecomputeResult:
    """``triggers`` None: those that are on, after segments have been found anew, for they may ask about them."""
    on = workspace_day(at)
    everyone = ids is None
    live = triggers is None
    cards = active_cards()
    triggers = triggers or active_triggers()
    accounts = subjects(ids, on, since=bool(triggers.absences))
    groups = grouped(accounts, cards)
    metrics = set(triggers.metrics)
    for card in groups:
        metrics |= metrics_read(card)
    frame = frame_for([subject.account_id for subject in accounts], metrics, on, everyone=everyone)
    rows: list[bytes] = []
    for card, places in groups.items():
        fill_measures_from_kpis(card, frame)
        rows += score_accounts(card, places, frame, at=at)
    stored = store(rows, at=at, on=on, tell=triggers.own)
    if live:
        evaluate_segments(ids, at=at)
    firings = evaluate(triggers, accounts, frame, stored.current, at=at, on=on, everyone=everyone)
    if keep_standings(on, ids) or everyone:
        sum_day(on)
    return RecomputeResult(stored.accounts, stored.history, stored.crossings, firings, perf_counter() - started)
