"""Evaluates every trigger over a run's accounts at once and records what fired, what was held back, and why.

What fires is decided in ``health.judging``; here its facts and states are read and its outcome is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q

from accounts.models import Workspace
from health.choices import Held
from health.conditions import (
    HEALTH_BAND,
    HEALTH_CHANGE,
    HEALTH_SCORE,
    Facts,
    Key,
    absences_of,
    events_of,
    metrics_of,
    segments_of,
)
from health.judging import FIRED, Caps, Outcome, judge
from health.models import SegmentMember, TriggerFiring, TriggerPolicy, TriggerRun, TriggerState, TriggerVersion
from health.queries.events import (
    BAND_WORSENED,
    CHURN_RISK,
    CONTRACT_AT_RISK,
    flag_metrics,
    happened,
    last_happened,
)
from health.queries.inputs import Columns, Frame, Subject
from health.quiet import QuietHours

_OWN_METRICS = frozenset({HEALTH_SCORE, HEALTH_BAND, HEALTH_CHANGE})


@dataclass(frozen=True, slots=True)
class ActiveTriggers:
    """The newest versions of the enabled triggers and what they read."""

    versions: tuple[TriggerVersion, ...]
    metrics: frozenset[str]
    events: frozenset[str]
    absences: frozenset[str]
    own: frozenset[str]
    segments: frozenset[str] = frozenset()


NO_TRIGGERS = ActiveTriggers((), frozenset(), frozenset(), frozenset(), frozenset())


def active_triggers() -> ActiveTriggers:
    """What is to be evaluated. One query."""
    versions = tuple(
        TriggerVersion.objects.filter(trigger__is_enabled=True)
        .order_by("trigger_id", "-number")
        .distinct("trigger_id")
        .select_related("trigger")
    )
    return reading(versions)


def reading(versions: tuple[TriggerVersion, ...]) -> ActiveTriggers:
    """These versions with what they read."""
    conditions = [condition for version in versions for condition in conditions_of(version.definition)]
    events = frozenset().union(*(events_of(condition) for condition in conditions))
    metrics = frozenset().union(*(metrics_of(condition) for condition in conditions))
    return ActiveTriggers(
        versions,
        (metrics | flag_metrics(events)) - _OWN_METRICS,
        events,
        frozenset().union(*(absences_of(condition) for condition in conditions)),
        _own(metrics, events),
        frozenset().union(*(segments_of(condition) for condition in conditions)),
    )


def _own(metrics: frozenset[str], events: frozenset[str]) -> frozenset[str]:
    """What the triggers ask of the run's own results (health.actions.storing)."""
    own = (metrics & _OWN_METRICS) | (events & {BAND_WORSENED})
    return own | {"rag", "since"} if events & {CHURN_RISK, CONTRACT_AT_RISK} else own


def conditions_of(definition: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The conditions of a trigger's definition: what makes it fire and what releases it."""
    release = definition.get("release")
    return [definition["condition"], *([release] if release else [])]


def evaluate(
    triggers: ActiveTriggers,
    subjects: Iterable[Subject],
    frame: Frame,
    current: Iterable[Any],
    *,
    at: datetime,
    on: date,
    everyone: bool,
) -> int:
    """Evaluate ``triggers`` over ``subjects``; write states, firings and the run; return the number fired.

    ``frame`` and ``current`` are the run's own inputs and results; ``everyone`` says that the subjects are all
    there are. Call inside the run's transaction. Thirteen queries at most, whatever the number of accounts and
    triggers.
    """
    if not triggers.versions:
        return 0
    known_since = {subject.account_id: subject.known_since for subject in subjects}
    ids = None if everyone else list(known_since)
    facts = facts_at(
        triggers, ids, frame.by_account(triggers.metrics), list(current), known_since=known_since, at=at, on=on
    )
    outcome = judge(triggers.versions, facts, *_states(triggers, ids), load=_load)
    hold_back(outcome, triggers, TriggerPolicy.objects.first(), at)
    run = _log(triggers, outcome, accounts=len(known_since), everyone=everyone, at=at)
    for firing in outcome.fired:
        firing.run = run
    _save(outcome.changed, outcome.fired)
    return len(outcome.fired)


def forget_runs(*, at: datetime) -> int:
    """Drop the runs of over ninety days ago, and those of over a week ago in which nothing fired or was held back."""
    old = TriggerRun.objects.filter(
        Q(at__lt=at - timedelta(days=90)) | Q(at__lt=at - timedelta(days=7), fired=0, held=0)
    )
    return old.delete()[0]


def facts_at(
    triggers: ActiveTriggers,
    ids: list[UUID] | None,
    columns: Columns,
    current: list[Any],
    *,
    known_since: Mapping[UUID, datetime | None],
    at: datetime,
    on: date,
) -> Facts:
    """What the triggers read, as known at ``at``; ``ids`` None: of every account. Five queries at most."""
    facts = Facts(
        at=at,
        metrics=_metrics(triggers, columns, current),
        events=happened(triggers.events, ids, columns, current, at=at, on=on) if triggers.events else {},
        known_since=known_since,
        segments=_members(triggers.segments, ids),
    )
    if triggers.absences:
        silent = last_happened(triggers.absences, ids, at=at)
        facts = replace(facts, events={**silent, **facts.events})
    return facts


def _members(segments: frozenset[str], ids: list[UUID] | None) -> dict[str, set[UUID]]:
    """Segment to the accounts now in it. A query if a trigger asks."""
    if not segments:
        return {}
    stays = SegmentMember.objects.current().filter(segment__in=segments)
    if ids is not None:
        stays = stays.filter(account__in=ids)
    grouped = stays.order_by().values_list("segment").annotate(accounts=ArrayAgg("account_id"))
    return {str(segment): set(accounts) for segment, accounts in grouped}


def hold_back(
    outcome: Outcome, triggers: ActiveTriggers, policy: TriggerPolicy | None, at: datetime, zone: str = ""
) -> None:
    """Take out what the caps refuse and put off what falls into quiet hours. A query for either, where it counts."""
    caps = Caps(triggers.versions, policy)
    if any(caps.concern(firing) for firing in outcome.fired):
        caps.apply(outcome, _earlier(caps, outcome.fired, at), at)
    put_off(outcome, policy, at, zone)


def put_off(outcome: Outcome, policy: TriggerPolicy | None, at: datetime, zone: str = "") -> None:
    """Let firings in quiet hours wait for their end, except those of a trigger that may disturb.

    ``zone`` is the workspace's; without it, a query where there are quiet hours.
    """
    if policy is None or not outcome.fired or not (policy.quiet_from or policy.quiet_weekends):
        return
    zone = zone or Workspace.objects.values_list("timezone", flat=True).get()
    due = QuietHours(policy.quiet_from, policy.quiet_until, policy.quiet_weekends, zone).over_at(at)
    if due <= at:
        return
    for firing in outcome.fired:
        if not firing.version.definition.get("ignores_quiet_hours"):
            firing.due_at = due
            outcome.counts[firing.version.trigger.key][Held.QUIET.value] += 1


def _metrics(triggers: ActiveTriggers, columns: Columns, current: list[Any]) -> dict[str, dict[Key, Any]]:
    """The columns as plain values, with the score, band and 30-day change of this very run."""
    metrics: dict[str, dict[Key, Any]] = {
        name: {account: seen.value for account, seen in columns[name].items()}
        for name in triggers.metrics
        if name in columns
    }
    metrics[HEALTH_SCORE] = {row.account_id: row.score for row in current if row.score is not None}
    metrics[HEALTH_BAND] = {row.account_id: row.band for row in current if row.band}
    metrics[HEALTH_CHANGE] = {row.account_id: row.change_30d for row in current if row.change_30d is not None}
    return metrics


def _states(
    triggers: ActiveTriggers, ids: list[UUID] | None
) -> tuple[dict[UUID, dict[UUID, TriggerState]], dict[UUID, set[UUID]]]:
    """Trigger to account to state, and trigger to the accounts on which it stands and has fired: ``settled``.

    Settled states of triggers without events are not loaded: as long as the condition holds there, nothing
    changes. They are loaded when it does not (``judge``). Two queries.
    """
    states: dict[UUID, dict[UUID, TriggerState]] = {}
    with_events = {v.trigger_id for v in triggers.versions if events_of(v.definition["condition"])}
    rows = TriggerState.objects.filter(trigger__in=[version.trigger_id for version in triggers.versions])
    if ids is not None:
        rows = rows.filter(account__in=ids)
    standing = rows.filter(is_active=True, holding_since__isnull=False).exclude(trigger__in=with_events)
    grouped = standing.order_by().values_list("trigger").annotate(accounts=ArrayAgg("account_id"))
    settled = {trigger: set(accounts) for trigger, accounts in grouped}
    rest = Q(trigger__in=with_events) | Q(is_active=False) | Q(holding_since=None)
    for state in rows.filter(rest):
        states.setdefault(state.trigger_id, {})[state.account_id] = state
    return states, settled


def _load(trigger: UUID, accounts: set[UUID]) -> Iterable[TriggerState]:
    return TriggerState.objects.filter(trigger=trigger, account__in=accounts)


def _earlier(caps: Caps, fired: list[TriggerFiring], at: datetime) -> list[tuple[UUID, UUID, datetime]]:
    """Firings that count towards a cap. One query."""
    rows = TriggerFiring.objects.filter(
        account__in={firing.account_id for firing in fired}, fired_at__gt=at - caps.longest
    )
    if caps.whole is None:
        rows = rows.filter(version__trigger__in=caps.own)
    return list(rows.values_list("version__trigger", "account", "fired_at"))


def _log(triggers: ActiveTriggers, outcome: Outcome, *, accounts: int, everyone: bool, at: datetime) -> TriggerRun:
    for firing in outcome.fired:
        outcome.counts[firing.version.trigger.key][FIRED] += 1
    counts = {key: dict(each) for key, each in outcome.counts.items() if each}
    held = sum(number for each in counts.values() for reason, number in each.items() if reason != FIRED)
    return TriggerRun.objects.create(
        at=at,
        accounts=accounts,
        is_full=everyone,
        triggers=len(triggers.versions),
        fired=len(outcome.fired),
        held=held,
        counts=counts,
    )


def _save(changed: list[TriggerState], fired: list[TriggerFiring]) -> None:
    TriggerState.objects.bulk_create(
        changed,
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["account", "trigger"],
        update_fields=["holding_since", "is_active", "fired_at", "handled_at"],
    )
    TriggerFiring.objects.bulk_create(fired, batch_size=5000)
