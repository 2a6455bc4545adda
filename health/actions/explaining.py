"""Why a trigger fires on an account or does not: each of its tests with what is known, and what holds it back.

Read with the functions that fire it; ``tests/health/test_explaining.py`` compares the answer with a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from accounts.models import Account, Workspace
from accounts.queries.workspace import workspace_day
from health.actions.rehearsal import current_of
from health.actions.triggers import active_triggers, facts_at, hold_back, reading
from health.choices import Held
from health.conditions import EVENT_WINDOW_DAYS, Condition, Facts, accounts_where, leaves
from health.judging import Outcome, judge
from health.models import Trigger, TriggerFiring, TriggerPolicy, TriggerState, TriggerVersion
from health.queries.inputs import columns_for, subjects
from health.wording import fact, in_words, so_many_days
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


def why_on(trigger: Trigger, definition: Mapping[str, Any], account: Account, *, at: datetime, zone: str = "") -> Why:
    """The trigger with ``definition`` on ``account`` with what is known at ``at``. Twelve queries at most.

    Under a cap of the workspace the other triggers are read with it, because they share it. ``zone`` is the
    workspace's; without it, one query more.
    """
    zone = zone or Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
    on = workspace_day(at, zone)
    found = subjects([account.pk], on, since=True)
    if not found:
        return Why(False, False, "It is no customer today, and triggers look at customers.", [])
    policy = TriggerPolicy.objects.first()
    version = TriggerVersion(trigger=trigger, definition=definition)
    triggers = reading((version, *_rivals(trigger, policy)))
    facts = facts_at(
        triggers,
        [account.pk],
        columns_for([account.pk], set(triggers.metrics), on) if triggers.metrics else {},
        current_of(triggers.own, account.pk),
        known_since={account.pk: found[0].known_since},
        at=at,
        on=on,
    )
    states = {state.trigger_id: state for state in TriggerState.objects.filter(account=account)}
    state = states.get(trigger.pk)
    known = replace(facts, handled={account.pk: state.handled_at}) if state and state.handled_at else facts
    tests = [_tested(test, account, known, zone) for test in leaves(definition["condition"])]
    if account.pk not in accounts_where(definition["condition"], known):
        return Why(False, False, "It does not fire: the condition does not hold.", tests)
    if not trigger.is_enabled:
        return Why(True, False, "It holds, but the trigger is switched off.", tests)
    on_account = {key: {account.pk: each} for key, each in states.items()}
    outcome = judge(triggers.versions, facts, on_account, {}, load=lambda *_: ())
    hold_back(outcome, triggers, policy, at, zone)
    return Why(True, *_verdict(version, state, outcome, policy, zone), tests)


def _rivals(trigger: Trigger, policy: TriggerPolicy | None) -> tuple[TriggerVersion, ...]:
    """The other triggers that are on, where the workspace caps what all of them may do to an account."""
    if policy is None or policy.account_max is None:
        return ()
    return tuple(version for version in active_triggers().versions if version.trigger_id != trigger.pk)


def _tested(test: Condition, account: Account, facts: Facts, zone: str) -> Tested:
    words, holds = in_words(test), account.pk in accounts_where(test, facts)
    return Tested(words[:1].upper() + words[1:], holds, _known(test, account, facts, zone))


def _known(test: Condition, account: Account, facts: Facts, zone: str) -> str:
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
        return f"last on {formats.day(workspace_day(last, zone))}{fired}"
    return f"not noted in the last {EVENT_WINDOW_DAYS} days" if "event" in test else "never"


def _verdict(
    version: TriggerVersion, state: TriggerState | None, outcome: Outcome, policy: TriggerPolicy | None, zone: str
) -> tuple[bool, str]:
    """(whether it fires with the next run, a sentence), from what was decided where the condition holds."""
    held = next(map(Held, outcome.counts[version.trigger.key]), None)
    firing = next((firing for firing in outcome.fired if firing.version is version), None)
    state = next((each for each in outcome.changed if each.trigger_id == version.trigger_id), state)
    if held is None:
        return (False, _standing(version, state, zone)) if firing is None else (True, "It fires with the next run.")
    words = held.label.lower()
    if firing is not None and firing.due_at is not None:
        end = formats.moment(firing.due_at.astimezone(ZoneInfo(zone)))
        return True, f"It fires with the next run, and its CTA is held back: {words} until {end}."
    return False, f"It holds, and is held back: {words}{_until(held, version.definition, state, policy, zone)}."


def _standing(version: TriggerVersion, state: TriggerState | None, zone: str) -> str:
    """What a trigger says that is not released yet: it fired, or a cap held that firing back."""
    if state is None or state.fired_at is None:
        return "It fired on an earlier day and is not released yet; it does not fire twice."
    when = formats.day(workspace_day(state.fired_at, zone))
    firings = TriggerFiring.objects.filter(account=state.account_id, version__trigger=version.trigger_id)
    if firings.filter(fired_at=state.fired_at).exists():
        return f"It fired on {when} and is not released yet; it does not fire twice."
    return f"A cap held it back on {when}, and it is not released yet; it does not fire before that."


def _until(
    held: Held, definition: Mapping[str, Any], state: TriggerState | None, policy: TriggerPolicy | None, zone: str
) -> str:
    """What holds it back more closely: until when, or by which figures."""
    if held == Held.CAPPED:
        return f" of {definition['reentry_max']} in {so_many_days(definition['reentry_days'])}"
    if held == Held.WORKSPACE_CAP and policy is not None:
        return f" of {policy.account_max} in {so_many_days(policy.account_days or 0)}"
    if held == Held.WAITING and state is not None and state.holding_since is not None:
        due = state.holding_since + timedelta(days=definition.get("hold_days", 0))
        return f"; it fires on {formats.day(workspace_day(due, zone))} if it still holds"
    if state is not None and state.snoozed_until is not None:
        return f" until {formats.day(workspace_day(state.snoozed_until, zone))}"
    return ""
