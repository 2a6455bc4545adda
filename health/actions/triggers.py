"""Evaluates every trigger over a run's accounts at once and records what fired.

A trigger fires when its condition has held for ``hold_days`` (0: at once) and then stays active until it is
released: until ``release`` holds, or without one until the condition no longer does. While it is active it
does not fire again, except for a new event it waits for. A snooze or the cap of ``reentry_max`` firings in
``reentry_days`` holds it back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q

from health.conditions import Facts, Key, absences_of, accounts_where, events_of, in_words, metrics_of, named_metrics
from health.models import TriggerFiring, TriggerState, TriggerVersion
from health.queries.events import (
    BAND_WORSENED,
    CHURN_RISK,
    CONTRACT_AT_RISK,
    flag_metrics,
    happened,
    last_happened,
)
from health.queries.inputs import Columns, Frame, Subject

HEALTH_SCORE = "health_score"
HEALTH_BAND = "health_band"
HEALTH_CHANGE = "health_score_change"
_OWN_METRICS = frozenset({HEALTH_SCORE, HEALTH_BAND, HEALTH_CHANGE})


@dataclass(frozen=True, slots=True)
class ActiveTriggers:
    """The newest versions of the enabled triggers and what they read."""

    versions: tuple[TriggerVersion, ...]
    metrics: frozenset[str]
    events: frozenset[str]
    absences: frozenset[str]
    own: frozenset[str]


NO_TRIGGERS = ActiveTriggers((), frozenset(), frozenset(), frozenset(), frozenset())


def active_triggers() -> ActiveTriggers:
    """What is to be evaluated. One query."""
    versions = tuple(
        TriggerVersion.objects.filter(trigger__is_enabled=True)
        .order_by("trigger_id", "-number")
        .distinct("trigger_id")
        .select_related("trigger")
    )
    conditions = [condition for version in versions for condition in _conditions(version)]
    events = frozenset().union(*(events_of(condition) for condition in conditions))
    metrics = frozenset().union(*(metrics_of(condition) for condition in conditions))
    return ActiveTriggers(
        versions,
        (metrics | flag_metrics(events)) - _OWN_METRICS,
        events,
        frozenset().union(*(absences_of(condition) for condition in conditions)),
        _own(metrics, events),
    )


def _own(metrics: frozenset[str], events: frozenset[str]) -> frozenset[str]:
    """What the triggers ask of the run's own results (health.actions.storing)."""
    own = (metrics & _OWN_METRICS) | (events & {BAND_WORSENED})
    return own | {"rag", "since"} if events & {CHURN_RISK, CONTRACT_AT_RISK} else own


def _conditions(version: TriggerVersion) -> list[Mapping[str, Any]]:
    release = version.definition.get("release")
    return [version.definition["condition"], *([release] if release else [])]


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
    """Evaluate ``triggers`` over ``subjects``; write states and firings; return the number fired.

    ``frame`` and ``current`` are the run's own inputs and results; ``everyone`` says that the subjects are all
    there are. Call inside the run's transaction. Nine queries at most, whatever the number of accounts and
    triggers.
    """
    if not triggers.versions:
        return 0
    known_since = {subject.account_id: subject.known_since for subject in subjects}
    current = list(current)
    ids = None if everyone else list(known_since)
    columns = frame.by_account(triggers.metrics)
    facts = Facts(
        at=at,
        metrics=_metrics(triggers, columns, current),
        events=happened(triggers.events, ids, columns, current, at=at, on=on) if triggers.events else {},
        known_since=known_since,
    )
    if triggers.absences:
        silent = last_happened(triggers.absences, ids, at=at)
        facts = replace(facts, events={**silent, **facts.events})
    states, settled = _states(triggers, ids)
    changed: list[TriggerState] = []
    fired: list[TriggerFiring] = []
    for version in triggers.versions:
        key = version.trigger_id
        _Judge(version, facts, states.get(key, {}), settled.get(key, set())).run(changed, fired)
    fired = _within_caps(triggers, fired, changed, at)
    _save(changed, fired)
    return len(fired)


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
    changes. They are loaded when it does not (``_Judge``). Two queries.
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


class _Judge:
    """Moves one trigger's states on by one run."""

    def __init__(
        self, version: TriggerVersion, facts: Facts, states: dict[UUID, TriggerState], settled: set[UUID]
    ) -> None:
        self.version = version
        self.definition = version.definition
        self.states = states
        self.settled = settled
        handled = {account: state.handled_at for account, state in states.items() if state.handled_at}
        self.facts = replace(facts, handled=handled)
        self.hold = timedelta(days=self.definition.get("hold_days", 0))

    def run(self, changed: list[TriggerState], fired: list[TriggerFiring]) -> None:
        facts, condition = self.facts, self.definition["condition"]
        within = facts.known_since.keys()
        holding = accounts_where(condition, facts) & within
        self._load(self.settled - holding)
        holding = holding - self.settled
        news = self._with_news(condition) & holding
        released = self._released(holding)
        for account in holding | (self.states.keys() & within):
            state = self.states.get(account) or TriggerState(account_id=account, trigger_id=self.version.trigger_id)
            before = (state.holding_since, state.is_active, state.fired_at)
            if account in released or account in news:
                state.is_active = False
            if account not in holding:
                state.holding_since = None
            else:
                state.holding_since = state.holding_since or facts.at
                if self._is_due(state):
                    state.is_active, state.fired_at, state.handled_at = True, facts.at, facts.at
                    fired.append(self._firing(account))
            if before != (state.holding_since, state.is_active, state.fired_at):
                changed.append(state)

    def _load(self, over: set[UUID]) -> None:
        """Load the settled states whose condition no longer holds. A query if there are any."""
        if over:
            rows = TriggerState.objects.filter(trigger=self.version.trigger_id, account__in=over)
            self.states.update({state.account_id: state for state in rows})

    def _with_news(self, condition: Mapping[str, Any]) -> set[Key]:
        events = events_of(condition)
        return set().union(*(accounts_where({"event": event}, self.facts) for event in events)) if events else set()

    def _released(self, holding: Iterable[Key]) -> set[Key]:
        active = {account for account, state in self.states.items() if state.is_active} - set(holding)
        release = self.definition.get("release")
        return active & accounts_where(release, self.facts) if release else active

    def _is_due(self, state: TriggerState) -> bool:
        at = self.facts.at
        if state.is_active or state.holding_since is None or at - state.holding_since < self.hold:
            return False
        return state.snoozed_until is None or state.snoozed_until <= at

    def _firing(self, account: UUID) -> TriggerFiring:
        condition, facts = self.definition["condition"], self.facts
        seen = {
            name: str(facts.metrics[name][account])
            for name in sorted(named_metrics(condition) | metrics_of(condition))
            if account in facts.metrics.get(name, {})
        }
        events = {
            key: facts.events[key][account].isoformat()
            for key in sorted(events_of(condition) | absences_of(condition))
            if account in facts.events.get(key, {})
        }
        evidence = {
            "condition": in_words(condition),
            "facts": seen,
            "events": events,
            "score": _text(facts.metrics[HEALTH_SCORE].get(account)),
            "band": facts.metrics[HEALTH_BAND].get(account),
            "actions": self.definition["actions"],
        }
        return TriggerFiring(account_id=account, version=self.version, fired_at=facts.at, evidence=evidence)


def _text(value: Decimal | str | None) -> str | None:
    return None if value is None else str(value)


def _within_caps(
    triggers: ActiveTriggers, fired: list[TriggerFiring], changed: list[TriggerState], at: datetime
) -> list[TriggerFiring]:
    """``fired`` without those that would be one too many in their trigger's window. One query if a cap is set."""
    caps = {v.trigger_id: v.definition for v in triggers.versions if v.definition.get("reentry_max")}
    capped = [firing for firing in fired if firing.version.trigger_id in caps]
    if not capped:
        return fired
    longest = max(definition["reentry_days"] for definition in caps.values())
    earlier = TriggerFiring.objects.filter(
        version__trigger__in=caps,
        account__in={firing.account_id for firing in capped},
        fired_at__gt=at - timedelta(days=longest),
    ).values_list("version__trigger", "account", "fired_at")
    counts: Counter[tuple[UUID, UUID]] = Counter(
        (trigger, account)
        for trigger, account, fired_at in earlier
        if fired_at > at - timedelta(days=caps[trigger]["reentry_days"])
    )
    refused = {
        (firing.version.trigger_id, firing.account_id)
        for firing in capped
        if counts[firing.version.trigger_id, firing.account_id] >= caps[firing.version.trigger_id]["reentry_max"]
    }
    for state in changed:
        if (state.trigger_id, state.account_id) in refused:
            state.is_active = True
    return [firing for firing in fired if (firing.version.trigger_id, firing.account_id) not in refused]


def _save(changed: list[TriggerState], fired: list[TriggerFiring]) -> None:
    TriggerState.objects.bulk_create(
        changed,
        batch_size=5000,
        update_conflicts=True,
        unique_fields=["account", "trigger"],
        update_fields=["holding_since", "is_active", "fired_at", "handled_at"],
    )
    TriggerFiring.objects.bulk_create(fired, batch_size=5000)
