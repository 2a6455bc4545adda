"""Takes triggers through the days ahead with the functions that fire them, and stores nothing.

Assumed: nothing new happens. Figures stay as they are; what the calendar moves does move: silence grows, renewals
come nearer, events grow old, minimum durations fill, caps and snoozes run out. A CTA stays open, so a second one of
the same duplicate key is none. A trigger that records an event sets off the next within minutes, as in life.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.metrics import METRICS
from accounts.models import Account, User
from accounts.queries.workspace import workspace_day
from health.actions.storing import Current
from health.actions.triggers import facts_at, put_off, reading
from health.choices import Firing, Held
from health.conditions import HEALTH_BAND, HEALTH_CHANGE, HEALTH_SCORE, Facts
from health.judging import Caps, Outcome, duplicate_key, judge
from health.models import AccountHealth, TriggerFiring, TriggerPolicy, TriggerState, TriggerVersion
from health.queries.events import BAND_WORSENED
from health.queries.inputs import frame_for, subjects
from playbooks.queries import open_ctas

# A ring of triggers that set each other off ends here, for a day.
MOST_ROUNDS = 12
MOST_ROWS = 20_000
_STANDING = (Held.WAITING.value, Held.SNOOZED.value)


@dataclass(slots=True)
class Report:
    """What would happen. ``rows``: day, account, trigger, outcome, due moment and evidence; MOST_ROWS at most.

    ``held``: trigger to reason to number; of those that wait or are snoozed the most on any one day.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    by_trigger: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    by_owner: Counter[str] = field(default_factory=Counter)
    by_day: Counter[int] = field(default_factory=Counter)
    held: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    accounts: int = 0
    fired: int = 0


class Rehearsal:
    """One walk through the days. ``versions`` are those that would be on."""

    def __init__(self, versions: Sequence[TriggerVersion], *, at: datetime) -> None:
        self.at = at
        self.triggers = reading(tuple(sorted(versions, key=lambda version: version.trigger_id)))
        self.policy = TriggerPolicy.objects.first()
        self.caps = Caps(self.triggers.versions, self.policy)
        self.report = Report()
        self._raised: dict[str, dict[UUID, datetime]] = defaultdict(dict)

    def run(self, days: int) -> Iterator[int]:
        """Go through ``days`` days from ``at``, the first of them today; yields how many are done.

        Ten queries a day at most, whatever the number of accounts and triggers.
        """
        self._begin()
        for day in range(days):
            self._day(day)
            yield day + 1

    def _begin(self) -> None:
        on = workspace_day(self.at)
        triggers = self.triggers
        self.current = current_of(triggers.own)
        ids = [subject.account_id for subject in subjects(None, on, since=False)]
        self.columns = frame_for(ids, set(triggers.metrics), on, everyone=True).by_account(triggers.metrics)
        self.states: dict[UUID, dict[UUID, TriggerState]] = {}
        for state in TriggerState.objects.filter(trigger__in=[version.trigger_id for version in triggers.versions]):
            self.states.setdefault(state.trigger_id, {})[state.account_id] = state
        past = TriggerFiring.objects.filter(fired_at__gt=self.at - self.caps.longest)
        self.earlier = list(past.values_list("version__trigger", "account", "fired_at"))
        self.taken = _taken(self.triggers.versions)
        self.owners = dict(Account.objects.exclude(owner=None).values_list("pk", "owner__email"))
        self.people = set(User.objects.active().values_list("email", flat=True))

    def _day(self, day: int) -> None:
        at = self.at + timedelta(days=day)
        facts = self._facts(at)
        self.report.accounts = max(self.report.accounts, len(facts.known_since))
        standing: dict[str, Counter[str]] = defaultdict(Counter)
        moment: datetime | None = at
        for turn in range(MOST_ROUNDS):
            if moment is None:
                break
            outcome = self._round(day, replace(self._with_raised(facts, moment), at=moment))
            self._count_held(outcome, standing, is_first=turn == 0)
            self._note(day, outcome)
            moment = self._next_round(moment, before=at + timedelta(days=1))
        for key, counts in standing.items():
            for reason, number in counts.items():
                self.report.held[key][reason] = max(self.report.held[key][reason], number)

    def _facts(self, at: datetime) -> Facts:
        on = workspace_day(at)
        triggers = self.triggers
        known_since = {each.account_id: each.known_since for each in subjects(None, on, since=bool(triggers.absences))}
        moving = set(triggers.metrics) & METRICS.keys()
        columns = {name: column for name, column in self.columns.items() if name not in moving}
        if moving:
            columns |= frame_for(list(known_since), moving, on, everyone=True).by_account(moving)
        return facts_at(triggers, None, columns, self.current, known_since=known_since, at=at, on=on)

    def _with_raised(self, facts: Facts, at: datetime) -> Facts:
        """The facts with what triggers have recorded by ``at``."""
        if not self._raised:
            return facts
        events = {key: dict(moments) for key, moments in facts.events.items()}
        for key, moments in self._raised.items():
            if key in self.triggers.events | self.triggers.absences:
                known = {account: moment for account, moment in moments.items() if moment <= at}
                events.setdefault(key, {}).update(known)
        return replace(facts, events=events)

    def _next_round(self, after: datetime, *, before: datetime) -> datetime | None:
        """A minute after the next event that a trigger records and another waits for; None if there is none today.

        An event is recorded with its CTA, so at the end of quiet hours if that has to wait for it.
        """
        waited_for = self._raised.keys() & (self.triggers.events | self.triggers.absences)
        ahead = [moment for key in waited_for for moment in self._raised[key].values() if after <= moment < before]
        return min(ahead) + timedelta(minutes=1) if ahead else None

    def _round(self, day: int, facts: Facts) -> Outcome:
        outcome = judge(self.triggers.versions, facts, self.states, {}, load=lambda *_: ())
        if any(self.caps.concern(firing) for firing in outcome.fired):
            self.caps.apply(outcome, self.earlier, facts.at)
        put_off(outcome, self.policy, facts.at)
        for state in outcome.changed:
            self.states.setdefault(state.trigger_id, {})[state.account_id] = state
        return outcome

    def _count_held(self, outcome: Outcome, standing: dict[str, Counter[str]], *, is_first: bool) -> None:
        for key, counts in outcome.counts.items():
            for reason, number in counts.items():
                if reason not in _STANDING:
                    self.report.held[key][reason] += number
                elif is_first:
                    standing[key][reason] = number

    def _note(self, day: int, outcome: Outcome) -> None:
        """Write down what fired and which events that records."""
        for firing in outcome.fired:
            account, trigger, definition = firing.account_id, firing.version.trigger, firing.version.definition
            self.earlier.append((trigger.pk, account, firing.fired_at))
            key = (account, duplicate_key(trigger.key, definition))
            opens = key not in self.taken
            self.taken.add(key)
            self._add(day, firing, Firing.OPENED if opens else Firing.DUPLICATE)
            event = definition.get("raises")
            if opens and event:
                self._raised[event][account] = firing.due_at or firing.fired_at

    def _add(self, day: int, firing: TriggerFiring, outcome: Firing) -> None:
        report, definition = self.report, firing.version.definition
        report.fired += 1
        report.by_trigger[firing.version.trigger.key][outcome.value] += 1
        named = definition.get("owner")
        owner = named if named in self.people else self.owners.get(firing.account_id, "")
        if outcome == Firing.OPENED:
            report.by_owner[owner] += 1
            report.by_day[day] += 1
        if len(report.rows) < MOST_ROWS:
            report.rows.append(
                {
                    "day": day,
                    "account": str(firing.account_id),
                    "trigger": firing.version.trigger.key,
                    "outcome": outcome.value,
                    "owner": owner,
                    "due_at": firing.due_at.isoformat() if firing.due_at else None,
                    "evidence": {name: firing.evidence[name] for name in ("condition", "facts", "events")},
                }
            )


def current_of(own: frozenset[str], account: UUID | None = None) -> list[Current]:
    """Where each account (or this one) stands, as the last run stored it; what no trigger asks for is None."""
    if not own:
        return []
    health = AccountHealth.objects.all() if account is None else AccountHealth.objects.filter(account=account)
    rows = health.values_list(
        "account_id", "score", "current_band", "current_rag", "change_30d", "worsened_at", "band_since_on"
    )
    asked = [name in own for name in _TOLD]

    def told(values: list[Any]) -> list[Any]:
        return [value if is_asked and value != "" else None for is_asked, value in zip(asked, values, strict=True)]

    return [Current(account, *told(values)) for account, *values in rows]


# In the order of Current: what health.actions.storing tells of a run's results.
_TOLD = (HEALTH_SCORE, HEALTH_BAND, "rag", HEALTH_CHANGE, BAND_WORSENED, "since")


def _taken(versions: Sequence[TriggerVersion]) -> set[tuple[UUID, str]]:
    """(account, duplicate key) of CTAs that are open or about to be opened. Two queries."""
    keys = {duplicate_key(version.trigger.key, version.definition) for version in versions}
    taken = set(open_ctas().filter(duplicate_key__in=keys).values_list("account_id", "duplicate_key"))
    waiting = TriggerFiring.objects.filter(handled_at=None).select_related("version__trigger")
    for firing in waiting:
        taken.add((firing.account_id, duplicate_key(firing.version.trigger.key, firing.version.definition)))
    return taken


def would_be_on(versions: Mapping[Any, TriggerVersion], candidate: TriggerVersion | None) -> list[TriggerVersion]:
    """The versions that are on, with ``candidate`` in the place of its trigger's."""
    chosen = {key: version for key, version in versions.items() if version.trigger.is_enabled}
    if candidate is not None:
        chosen[candidate.trigger_id] = candidate
    return list(chosen.values())
