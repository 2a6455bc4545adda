"""Decides which triggers fire: the same functions for a run of the workspace and for a dry run of it.

A trigger fires when its condition has held for ``hold_days`` (0: at once) and then stays active until it is
released: until ``release`` holds, or without one until the condition no longer does. While it is active it
does not fire again, except for a new event it waits for. A snooze holds it back, and so do two caps: its own of
``reentry_max`` firings in ``reentry_days``, and the workspace's over all triggers of an account.

Nothing is read or written here: states come in and go out as rows that nobody has saved.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from health.choices import Held
from health.conditions import (
    HEALTH_BAND,
    HEALTH_SCORE,
    Facts,
    Key,
    absences_of,
    accounts_where,
    events_of,
    metrics_of,
    named_metrics,
)
from health.models import TriggerFiring, TriggerPolicy, TriggerState, TriggerVersion
from health.wording import in_words

FIRED = "fired"
Counts = dict[str, Counter[str]]
States = Mapping[UUID, Mapping[UUID, TriggerState]]
# A trigger, an account, and when it fired there.
Earlier = tuple[UUID, UUID, datetime]
_PRIORITIES = {"high": 0, "medium": 1, "low": 2}


@dataclass(slots=True)
class Outcome:
    """What a run decided. ``counts``: trigger key to ``fired`` or a reason of ``Held``, to the number of accounts."""

    changed: list[TriggerState] = field(default_factory=list)
    fired: list[TriggerFiring] = field(default_factory=list)
    counts: Counts = field(default_factory=lambda: defaultdict(Counter))


def judge(
    versions: Iterable[TriggerVersion],
    facts: Facts,
    states: States,
    settled: Mapping[UUID, set[UUID]],
    load: Callable[[UUID, set[UUID]], Iterable[TriggerState]],
) -> Outcome:
    """Move every trigger on by one run over ``facts.known_since``'s accounts; caps are not looked at yet.

    ``settled``: trigger to the accounts on which it stands and has fired, whose states are not in ``states``;
    ``load`` fetches those that are needed. Cost: one pass over the columns each condition names.
    """
    outcome = Outcome()
    for version in versions:
        key = version.trigger_id
        _Judge(version, facts, states.get(key, {}), settled.get(key, set()), load).run(outcome)
    return outcome


class _Judge:
    """Moves one trigger's states on by one run."""

    def __init__(
        self,
        version: TriggerVersion,
        facts: Facts,
        states: Mapping[UUID, TriggerState],
        settled: set[UUID],
        load: Callable[[UUID, set[UUID]], Iterable[TriggerState]],
    ) -> None:
        self.version = version
        self.definition = version.definition
        self.states = dict(states)
        self.settled = settled
        self.load = load
        handled = {account: state.handled_at for account, state in states.items() if state.handled_at}
        self.facts = replace(facts, handled=handled)
        self.hold = timedelta(days=self.definition.get("hold_days", 0))

    def run(self, outcome: Outcome) -> None:
        facts, condition = self.facts, self.definition["condition"]
        within = facts.known_since.keys()
        holding = accounts_where(condition, facts) & within
        if left := self.settled - holding:
            self.states.update({state.account_id: state for state in self.load(self.version.trigger_id, left)})
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
                self._settle(state, outcome)
            if before != (state.holding_since, state.is_active, state.fired_at):
                outcome.changed.append(state)

    def _settle(self, state: TriggerState, outcome: Outcome) -> None:
        """Fire on an account where the condition holds, or count why not."""
        at = self.facts.at
        if state.is_active or state.holding_since is None:
            return
        counts = outcome.counts[self.version.trigger.key]
        if at - state.holding_since < self.hold:
            counts[Held.WAITING.value] += 1
        elif state.snoozed_until is not None and state.snoozed_until > at:
            counts[Held.SNOOZED.value] += 1
        else:
            state.is_active, state.fired_at, state.handled_at = True, at, at
            outcome.fired.append(self._firing(state.account_id))

    def _with_news(self, condition: Mapping[str, Any]) -> set[Key]:
        events = events_of(condition)
        return set().union(*(accounts_where({"event": event}, self.facts) for event in events)) if events else set()

    def _released(self, holding: Iterable[Key]) -> set[Key]:
        active = {account for account, state in self.states.items() if state.is_active} - set(holding)
        release = self.definition.get("release")
        return active & accounts_where(release, self.facts) if release else active

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


class Caps:
    """How many firings an account may have: of one trigger, and of all of them."""

    def __init__(self, versions: Iterable[TriggerVersion], policy: TriggerPolicy | None) -> None:
        self.own = {
            version.trigger_id: (version.definition["reentry_max"], timedelta(days=version.definition["reentry_days"]))
            for version in versions
            if version.definition.get("reentry_max")
        }
        self.whole = (
            (policy.account_max, timedelta(days=policy.account_days or 0)) if policy and policy.account_max else None
        )

    @property
    def longest(self) -> timedelta:
        """How far back earlier firings count; none where no cap is set."""
        spans = [span for _, span in self.own.values()] + ([self.whole[1]] if self.whole else [])
        return max(spans, default=timedelta())

    def concern(self, firing: TriggerFiring) -> bool:
        """Whether some cap may hold ``firing`` back."""
        return self.whole is not None or firing.version.trigger_id in self.own

    def apply(self, outcome: Outcome, earlier: Sequence[Earlier], at: datetime) -> None:
        """Take out of ``outcome`` the firings that would be one too many; their states count as having fired.

        Where the workspace's cap leaves room for some only, the most pressing priority comes first, then the key.
        """
        own: Counter[tuple[UUID, UUID]] = Counter()
        whole: Counter[UUID] = Counter()
        for trigger, account, moment in earlier:
            if trigger in self.own and moment > at - self.own[trigger][1]:
                own[trigger, account] += 1
            if self.whole and moment > at - self.whole[1]:
                whole[account] += 1
        kept, refused = [], set()
        for firing in sorted(outcome.fired, key=_pressing) if self.whole else outcome.fired:
            trigger, account = firing.version.trigger_id, firing.account_id
            held = None
            if trigger in self.own and own[trigger, account] >= self.own[trigger][0]:
                held = Held.CAPPED
            elif self.whole and whole[account] >= (self.whole[0] or 0):
                held = Held.WORKSPACE_CAP
            if held is None:
                kept.append(firing)
                whole[account] += 1
            else:
                refused.add((trigger, account))
                outcome.counts[firing.version.trigger.key][held.value] += 1
        for state in outcome.changed:
            if (state.trigger_id, state.account_id) in refused:
                state.is_active = True
        outcome.fired = kept


def _pressing(firing: TriggerFiring) -> tuple[int, str]:
    return _PRIORITIES.get(firing.version.definition.get("priority", "medium"), 1), firing.version.trigger.key


def duplicate_key(trigger_key: str, definition: Mapping[str, Any]) -> str:
    """What keeps a second CTA from being opened while one of the same key is not closed on the account."""
    return definition.get("duplicate_key") or f"trigger-{trigger_key}"
