"""What a service level would promise about a ticket nobody has opened yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Tier
from businesstime import Calendar, InvalidCalendar, NoWorkingTime
from support.choices import Clock
from support.models import SlaPolicy
from support.queries.calendars import Calendars, calendar_of
from support.queries.promises import ANY, ESCALATION_RULES, rule_for
from support.sla import Interval, Period, Promise, Run, explain, judge
from support.sla.clocks import add

ANSWERS = {
    "response_due": Clock.ACKNOWLEDGE,
    "first_action_due": Clock.FIRST_ACTION,
    "resolution_due": Clock.RESOLUTION,
    "first_update_due": Clock.UPDATE,
}


class SimulationRefused(ValueError):
    """The question means nothing to this service level; ``field`` and ``rule`` say what."""

    def __init__(self, field: str, rule: str, detail: str) -> None:
        super().__init__(detail)
        self.field, self.rule = field, rule


class OutOfRange(ValueError):
    """The calendar does not hold so much time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """When a promise would be due, in the calendar's zone, and every stretch of time until then."""

    promise: Promise
    due: datetime
    steps: Sequence[Interval]


def simulate_policy(
    policy: SlaPolicy, *, tier: str, severity: str, created_at: datetime, zone: str = "", holidays: Sequence[str] = ()
) -> dict[str, datetime | None]:
    """When each promise of the newest version would be due, None where nothing is promised.

    ``zone`` is the customer's, for a calendar that names none; ``holidays`` are added to the calendar's own. A
    tier it is not for is promised nothing. Raises SimulationRefused, also for a tier nobody has, and OutOfRange. Four
    queries, two more for such a tier.
    """
    found = explain_policy(policy, tier=tier, severity=severity, created_at=created_at, zone=zone, holidays=holidays)
    return {name: answer.due if answer else None for name, answer in found.items()}


def explain_policy(
    policy: SlaPolicy, *, tier: str, severity: str, created_at: datetime, zone: str = "", holidays: Sequence[str] = ()
) -> dict[str, Answer | None]:
    """``simulate_policy`` with the reasons: judged and explained by the functions that real tickets use."""
    version = policy.versions.all()[0]
    rules = [rule["severity"] for rule in version.rules]
    if severity not in rules and ANY not in rules:
        raise SimulationRefused("severity", "choice", f"Use {', '.join(rules)}.")
    rule = rule_for(version.rules, severity)
    if not _is_for(policy, tier):
        _check_tier(tier)
        return dict.fromkeys(ANSWERS)
    if rule is None:
        return dict.fromkeys(ANSWERS)
    calendars = Calendars(year=created_at.year)
    row = calendars.by_key.get(version.tier_calendars.get(tier, ""), version.calendar)
    calendar = _calendar(calendars, row, zone, holidays)
    found: dict[str, Answer | None] = {}
    try:
        for name, clock in ANSWERS.items():
            value = rule.get(ESCALATION_RULES[clock])
            promise = Promise.read(value, calendar, minutes_per_day=row.minutes_per_day)
            found[name] = _answer(clock, promise, created_at, calendar) if promise else None
    except NoWorkingTime as error:
        raise OutOfRange(f"{str(error).capitalize()}.") from error
    return found


def _answer(clock: str, promise: Promise, created_at: datetime, calendar: Calendar) -> Answer:
    began = created_at.astimezone(UTC)
    state = judge(Run(clock, 1, began), [Period(began, promise)], at=began)
    due = add(promise.calendar, created_at, promise.target).astimezone(calendar.rules.zone)
    return Answer(promise, due, explain(state, at=began))


def _is_for(policy: SlaPolicy, tier: str) -> bool:
    """Whether a ticket of ``tier`` is promised this; the workspace may call a pack's tier by a longer key."""
    if not policy.tier_keys or tier in {"", ANY}:
        return True
    return tier in policy.tier_keys or f"{policy.pack}-{tier}" in policy.tier_keys


def _check_tier(tier: str) -> None:
    """Nothing is promised to a tier that is another service level's; one that nobody has is refused. Two queries."""
    known = set(Tier.objects.values_list("key", flat=True))
    for pack, keys in SlaPolicy.objects.values_list("pack", "tier_keys"):
        known |= {*keys, *(key.removeprefix(f"{pack}-") for key in keys)}
    if tier not in known:
        raise SimulationRefused("tier", "choice", f"There is no such tier. Use {', '.join(sorted(known))}.")


def _calendar(calendars: Calendars, row: Any, zone: str, holidays: Sequence[str]) -> Calendar:
    if zone:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, KeyError) as error:
            raise SimulationRefused("timezone", "unknown", f"{zone[:64]!r} is not a time zone.") from error
    definition = calendars.definition(row, zone)
    for day in holidays:
        field = "recurring_holidays" if len(day) == 5 else "holidays"
        definition[field] = sorted({*definition.get(field, []), day})
    try:
        return calendar_of(definition)
    except InvalidCalendar as error:
        problem = error.problems[0]
        raise SimulationRefused("holidays", problem.rule, problem.detail) from error
