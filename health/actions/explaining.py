"""Why a trigger fires on an account or does not: each of its tests with what is known, and what holds it back.

Read with the functions that fire it; ``tests/health/test_explaining.py`` compares the answer with a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from accounts.models import Account
from accounts.queries.workspace import workspace_day
from health.actions.rehearsal import current_of
from health.actions.triggers import facts_at, reading
from health.conditions import EVENT_WINDOW_DAYS, Condition, Facts, accounts_where, events_of, leaves
from health.models import Trigger, TriggerState, TriggerVersion
from health.queries.inputs import columns_for, subjects
from health.wording import fact, in_words
from ui import formats


class Tested(NamedTuple):
    """One test of the condition: in words, whether it holds, and what is known, in words."""

    words: str
    holds: bool
    known: str


class Why(NamedTuple):
    """``verdict``: a sentence. ``fires``: with the next run, if nothing changes."""

    holds: bool
    fires: bool
    verdict: str
    tests: list[Tested]


def why_on(trigger: Trigger, definition: Mapping[str, Any], account: Account, *, at: datetime) -> Why:
    """The trigger with ``definition`` on ``account`` with what is known at ``at``. Ten queries at most."""
    on = workspace_day(at)
    triggers = reading((TriggerVersion(trigger=trigger, definition=definition),))
    found = subjects([account.pk], on, since=True)
    if not found:
        return Why(False, False, "It is no customer today, and triggers look at customers.", [])
    facts = facts_at(
        triggers,
        [account.pk],
        columns_for([account.pk], set(triggers.metrics), on),
        current_of(triggers.own, account.pk),
        known_since={account.pk: found[0].known_since},
        at=at,
        on=on,
    )
    state = TriggerState.objects.filter(trigger=trigger, account=account).first()
    if state is not None and state.handled_at is not None:
        facts = replace(facts, handled={account.pk: state.handled_at})
    condition = definition["condition"]
    holds = account.pk in accounts_where(condition, facts)
    fires, verdict = _verdict(definition, state, facts, holds=holds)
    if fires and not trigger.is_enabled:
        fires, verdict = False, "It holds, but the trigger is switched off."
    return Why(holds, fires, verdict, [_tested(test, account, facts) for test in leaves(condition)])


def _tested(test: Condition, account: Account, facts: Facts) -> Tested:
    words, holds = in_words(test), account.pk in accounts_where(test, facts)
    return Tested(words[:1].upper() + words[1:], holds, _known(test, account, facts))


def _known(test: Condition, account: Account, facts: Facts) -> str:
    """What is known of what a test asks about."""
    if "segment" in test:
        return "in it" if account.pk in facts.segments.get(test["segment"], ()) else "not in it"
    if "metric" in test:
        columns = [f"{test['metric']}:{each}" for each in test.get("severity", ())] or [test["metric"]]
        seen = [(name, facts.metrics.get(name, {}).get(account.pk)) for name in columns]
        return ", ".join(fact(name, value) for name, value in seen if value is not None) or "not measured"
    last = facts.events.get(test.get("event") or test["absent"], {}).get(account.pk)
    if last is not None:
        handled = facts.handled.get(account.pk)
        fired = ", for which it fired already" if "event" in test and handled is not None and last <= handled else ""
        return f"last on {formats.day(workspace_day(last))}{fired}"
    return f"not noted in the last {EVENT_WINDOW_DAYS} days" if "event" in test else "never"


def _verdict(
    definition: Mapping[str, Any], state: TriggerState | None, facts: Facts, *, holds: bool
) -> tuple[bool, str]:
    """(whether it fires with the next run, a sentence)."""
    if not holds:
        return False, "It does not fire: the condition does not hold."
    if state is None:
        state = TriggerState(holding_since=facts.at)
    if state.is_active and not _has_news(definition["condition"], state, facts):
        when = formats.day(workspace_day(state.fired_at)) if state.fired_at else "an earlier day"
        return False, f"It fired on {when} and is not released yet; it does not fire twice."
    if state.snoozed_until is not None and state.snoozed_until > facts.at:
        return False, f"It holds, and is snoozed until {formats.day(workspace_day(state.snoozed_until))}."
    due = (state.holding_since or facts.at) + timedelta(days=definition.get("hold_days", 0))
    if due > facts.at:
        return False, f"It holds, and fires on {formats.day(workspace_day(due))} if it still does."
    return True, "It fires with the next run."


def _has_news(condition: Condition, state: TriggerState, facts: Facts) -> bool:
    """Whether an event it waits for happened after it fired last."""
    return any(state.account_id in accounts_where({"event": event}, facts) for event in events_of(condition))
