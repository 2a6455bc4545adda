"""The ladders of escalation: their steps, and what each level promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from support.choices import PolicyScope
from support.models import Escalation, Ladder, SlaPolicy
from support.queries.promises import ESCALATION_RULES, Desk
from support.sla import Promise


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. ``role`` is the pack's role that owns it; ``leads_to`` are the steps it may pass on to."""

    key: str
    name: str
    rank: int
    role: str = ""
    triggers: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    leads_to: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def step_of(ladder: Ladder, key: str, path: str = "") -> Step:
    """The step ``key`` of ``ladder``; one a path names without describing it has a name only."""
    level: Mapping[str, Any] = next((level for level in ladder.definition.get("levels", []) if level["key"] == key), {})
    steps: list[str] = next((p["steps"] for p in ladder.definition.get("paths", []) if p["key"] == path), [])
    place = steps.index(key) + 1 if key in steps else level.get("level", 1)
    following = steps[place : place + 1] if key in steps else []
    return Step(
        key=key,
        name=level.get("name") or ladder.names.get(key) or key.replace("_", " ").replace("-", " ").capitalize(),
        rank=level.get("level") or place,
        role=level.get("role") or key,
        triggers=tuple(level.get("triggers", ())),
        handles=tuple(level.get("handles", ())),
        asks=tuple(level.get("escalates_when", ())),
        leads_to=tuple(level.get("escalates_to") or following),
        data=level,
    )


def path_of(ladder: Ladder, key: str) -> Mapping[str, Any] | None:
    """The path ``key`` of ``ladder``, None where there is none."""
    return next((path for path in ladder.definition.get("paths", []) if path["key"] == key), None)


def level_promises(escalation: Escalation, desk: Desk) -> dict[str, Promise]:
    """What the level of ``escalation`` promises: its service level where there is one, else its own words. No query."""
    zone = escalation.account.timezone or desk.calendars.zone
    version = next((v for v in desk.versions.values() if _is_of(v.policy, escalation)), None)
    if version is not None:
        tier = escalation.account.tier.key if escalation.account.tier else ""
        return desk.of_version(version, "*", zone=zone, tier=tier, rules=ESCALATION_RULES)
    return _in_words(step_of(escalation.ladder, escalation.level).data, desk, zone)


def _is_of(policy: SlaPolicy, escalation: Escalation) -> bool:
    """Whether ``policy`` is in force and about the escalation's level."""
    about = (policy.scope, policy.level, policy.pack)
    in_force = policy.is_enabled and policy.retired_at is None
    return in_force and about == (PolicyScope.ESCALATION, escalation.level, escalation.ladder.pack)


def _in_words(level: Mapping[str, Any], desk: Desk, zone: str) -> dict[str, Promise]:
    """The times a level itself names, counted in its calendar, else round the clock."""
    row = desk.calendars.by_key.get(level.get("calendar", "")) or desk.calendars.by_key.get("24x7")
    if row is None:
        return {}
    calendar = desk.calendars.calendar(row, zone)
    found = {}
    for clock, rule in ESCALATION_RULES.items():
        name = "ack" if rule == "response" else rule
        promise = Promise.read(level.get(name), calendar, minutes_per_day=row.minutes_per_day)
        if promise is not None:
            found[str(clock)] = promise
    return found
