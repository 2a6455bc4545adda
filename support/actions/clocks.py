"""Bringing the stored clocks to what the log says. The only place that writes them, but for the sweep."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models.expressions import RawSQL

from businesstime import Calendar, NoWorkingTime
from support.actions.log import settings_row
from support.choices import Clock, EntryKind, Verdict
from support.models import (
    CalendarSnapshot,
    Escalation,
    EscalationUpdate,
    Incident,
    SlaAlert,
    SlaClock,
    SupportSettings,
    Ticket,
    TicketEvent,
)
from support.queries.incident_clocks import incident_states
from support.queries.levels import level_promises
from support.queries.promises import Desk
from support.queries.states import Happened, escalation_states, ticket_states
from support.sla import State, moments

log = logging.getLogger(__name__)
BREACH = "100%"
ENDED = frozenset({Verdict.MET, Verdict.MISSED, Verdict.CANCELLED})
CLOCK_ENTRIES = (
    EntryKind.OPENED, EntryKind.LETTER, EntryKind.UPDATE, EntryKind.RESOLVED, EntryKind.REOPENED, EntryKind.REVIEW,
)  # fmt: skip
# Each column, and how PostgreSQL reads the words it is written in.
WRITTEN = {
    "policy_version_id": "uuid", "calendar_id": "uuid", "target_seconds": "int", "strict": "bool",
    "started_at": "timestamptz", "armed_at": "timestamptz", "due_at": "timestamptz", "stopped_at": "timestamptz",
    "consumed_seconds": "int", "paused_seconds": "int", "remaining_seconds": "int", "missed_at": "timestamptz",
    "verdict": "text", "thresholds": "text", "moments": "text", "next_alert_at": "timestamptz",
    "computed_at": "timestamptz",
}  # fmt: skip
NESTED = {"thresholds": "::varchar[]", "moments": "::timestamptz[]"}
# A statement of eighteen parameters, whatever the number of clocks: as rows they cost three times as much.
RENEW = f"""
update support_slaclock as c set {", ".join(f"{name} = v.{name}{NESTED.get(name, '')}" for name in WRITTEN)}
from unnest(%s::uuid[], {", ".join(f"%s::{kind}[]" for kind in WRITTEN.values())}) as v(id, {", ".join(WRITTEN)})
where c.id = v.id
"""


@dataclass(frozen=True, slots=True)
class Recomputed:
    """What a recomputation did: how many clocks it wrote, and of how many tickets the next deadline moved."""

    clocks: int
    moved: int


@transaction.atomic
def recompute(
    tickets: Sequence[Ticket], *, at: datetime, desk: Desk | None = None, settings: SupportSettings | None = None
) -> Recomputed:
    """Work the clocks of ``tickets`` out again as of ``at`` and store them.

    A clock that ended keeps its verdict and the calendar it was counted in, unless the log says that it goes on.
    One whose calendar ran out stays as it was, and stops nobody else's. The caller has the tickets' rows locked.
    About ten queries whatever their number.
    """
    desk, settings = desk or Desk(), settings or settings_row()
    keys = [ticket.pk for ticket in tickets]
    events, stored = _log(keys), _stored(SlaClock.objects.filter(ticket__in=among(keys)))
    alerts = _alerts(ticket=keys)
    policies: dict[UUID, list[UUID]] = defaultdict(list)
    for ticket_id, policy_id in Ticket.policies.through.objects.filter(ticket__in=among(keys)).values_list(
        "ticket_id", "slapolicy_id"
    ):
        policies[ticket_id].append(policy_id)
    writing = _Writing(settings, alerts, at)
    worked_out: list[Ticket] = []
    for ticket in tickets:
        try:
            states = ticket_states(ticket, events[ticket.pk], policies[ticket.pk], desk=desk, settings=settings, at=at)
        except NoWorkingTime:
            log.warning("ticket %s: its calendar does not hold the time promised", ticket.pk)
            continue
        writing.settle(stored[ticket.pk], states, ticket_id=ticket.pk)
        worked_out.append(ticket)
    writing.save()
    return Recomputed(writing.written, _show(worked_out, writing.clocks_of))


@transaction.atomic
def recompute_escalations(escalations: Sequence[Escalation], *, at: datetime, desk: Desk | None = None) -> None:
    """The same for escalations, whose promises are those of their level."""
    desk = desk or Desk()
    keys = [escalation.pk for escalation in escalations]
    stored, alerts = _stored(SlaClock.objects.filter(escalation__in=keys)), _alerts(escalation=keys)
    updates: dict[UUID, list[EscalationUpdate]] = defaultdict(list)
    for update in EscalationUpdate.objects.filter(escalation__in=keys):
        updates[update.escalation_id].append(update)
    writing = _Writing(settings_row(), alerts, at)
    worked_out: list[Escalation] = []
    for escalation in escalations:
        promises = level_promises(escalation, desk)
        try:
            states = escalation_states(escalation, updates[escalation.pk], promises, at=at)
        except NoWorkingTime:
            log.warning("escalation %s: its calendar does not hold the time promised", escalation.pk)
            continue
        writing.settle(stored[escalation.pk], states, escalation_id=escalation.pk)
        worked_out.append(escalation)
    writing.save()
    for escalation in worked_out:
        due = [clock.due_at for clock in writing.clocks_of[escalation.pk] if clock.due_at and not clock.stopped_at]
        escalation.next_due_at = min(due, default=None)
        Escalation.objects.filter(pk=escalation.pk).update(next_due_at=escalation.next_due_at)


@transaction.atomic
def recompute_incidents(incidents: Sequence[Incident], *, at: datetime, desk: Desk | None = None) -> None:
    """The same for incidents; repeats on their rows what lists show. Four queries an incident besides."""
    desk, settings = desk or Desk(), settings_row()
    keys = [incident.pk for incident in incidents]
    stored, alerts = _stored(SlaClock.objects.filter(incident__in=keys)), _alerts(incident=keys)
    writing = _Writing(settings, alerts, at)
    worked_out: list[Incident] = []
    for incident in incidents:
        entries = list(incident.entries.filter(kind__in=CLOCK_ENTRIES).order_by("at", "pk"))
        present = incident.affected.present().select_related("account__tier")
        accounts = [row.account for row in present]
        try:
            states = incident_states(incident, entries, accounts, desk=desk, settings=settings, at=at)
        except NoWorkingTime:
            log.warning("incident %s: a calendar does not hold the time promised", incident.pk)
            continue
        writing.settle(stored[incident.pk], states, incident_id=incident.pk)
        worked_out.append(incident)
    writing.save()
    for incident in worked_out:
        running = [clock for clock in writing.clocks_of[incident.pk] if clock.due_at and not clock.stopped_at]
        incident.next_due_at = min((clock.due_at for clock in running if clock.due_at), default=None)
        updates = [clock.due_at for clock in running if clock.kind == Clock.UPDATE]
        incident.next_update_at = updates[0] if updates else None
        Incident.objects.filter(pk=incident.pk).update(
            next_due_at=incident.next_due_at, next_update_at=incident.next_update_at
        )


class _Writing:
    """Clocks to be written: made, changed, or left as they ended."""

    def __init__(self, settings: SupportSettings, alerts: dict[UUID, list[SlaAlert]], at: datetime) -> None:
        self.settings, self.alerts, self.at = settings, alerts, at
        self.new: list[SlaClock] = []
        self.changed: list[SlaClock] = []
        self.rearmed: list[UUID] = []
        self.snapshots: dict[str, UUID] = {}
        self.clocks_of: dict[UUID, list[SlaClock]] = defaultdict(list)

    @property
    def written(self) -> int:
        return len(self.new) + len(self.changed)

    def settle(self, stored: dict[tuple[str, int], SlaClock], states: Sequence[State], **owner: Any) -> None:
        """Bring the stored clocks of one ticket, escalation or incident to ``states``."""
        (key,) = owner.values()
        for state in states:
            clock = stored.pop((str(state.run.clock), state.run.cycle), None)
            if clock is None:
                clock = SlaClock(kind=state.run.clock, cycle=state.run.cycle, **owner)
                self.new.append(clock)
            elif _is_judged(clock, state):
                self.clocks_of[key].append(clock)
                continue
            else:
                self.changed.append(clock)
            self.fill(clock, state)
            self.clocks_of[key].append(clock)
        for clock in stored.values():
            self.withdraw(clock)
            self.clocks_of[key].append(clock)

    def withdraw(self, clock: SlaClock) -> None:
        """Nobody promises this any more: it ends without a verdict."""
        if clock.stopped_at is None and clock.verdict != Verdict.CANCELLED:
            clock.stopped_at, clock.due_at, clock.next_alert_at = self.at, None, None
            clock.verdict, clock.missed_at, clock.computed_at = Verdict.CANCELLED, None, self.at
            self.changed.append(clock)

    def fill(self, clock: SlaClock, state: State) -> None:
        promise, run = state.promise, state.run
        escalate_at = promise.ref.escalate_at_pct if promise.ref else None
        own = promise.ref.warn_at if promise.ref else None
        warnings = self.settings.warn_at if own is None else own
        wanted = [*warnings, *([f"{escalate_at}%"] if escalate_at else []), BREACH]
        reached = {} if state.verdict == Verdict.CANCELLED else moments(state, dict.fromkeys(wanted))
        clock.policy_version = promise.ref
        clock.calendar_id = self.snapshot(promise.calendar)
        clock.target_seconds, clock.strict = promise.seconds, promise.strict
        clock.started_at, clock.armed_at, clock.stopped_at = run.started_at, state.armed_at, run.stopped_at
        clock.due_at = state.due_at
        clock.consumed_seconds = int(state.consumed.total_seconds())
        clock.paused_seconds = int(state.paused.total_seconds())
        clock.remaining_seconds = int(state.remaining.total_seconds())
        clock.missed_at, clock.verdict, clock.computed_at = state.missed_at, state.verdict, self.at
        clock.thresholds, clock.moments = list(reached), list(reached.values())
        told = self.told(clock, reached)
        clock.next_alert_at = min((at for name, at in reached.items() if name not in told), default=None)

    def snapshot(self, calendar: Calendar) -> UUID | None:
        """The key under which ``calendar`` is kept as it is now; None where time simply elapses."""
        if not calendar.source:
            return None
        if calendar.source not in self.snapshots:
            digest = hashlib.sha256(calendar.source.encode()).hexdigest()
            row, _made = CalendarSnapshot.objects.get_or_create(
                digest=digest, defaults={"definition": json.loads(calendar.source)}
            )
            self.snapshots[calendar.source] = row.pk
        return self.snapshots[calendar.source]

    def told(self, clock: SlaClock, reached: dict[str, datetime]) -> set[str]:
        """The thresholds nobody needs to be told of again.

        One whose deadline moved to a later moment, still to come, may be told again.
        """
        told = set()
        for alert in self.alerts.get(clock.pk, ()):
            moment = reached.get(alert.threshold)
            if moment is not None and moment > self.at and moment > alert.fell_due_at:
                self.rearmed.append(alert.pk)
            else:
                told.add(alert.threshold)
        return told

    def save(self) -> None:
        if self.rearmed:
            SlaAlert.objects.filter(pk__in=self.rearmed).update(rearmed_at=self.at)
        SlaClock.objects.bulk_create(self.new, batch_size=1000)
        if self.changed:
            _renew(self.changed)


def _renew(clocks: Sequence[SlaClock]) -> None:
    """Write what became of clocks that are stored. One statement."""
    columns = [[clock.pk for clock in clocks], *([getattr(clock, name) for clock in clocks] for name in WRITTEN)]
    with connection.cursor() as cursor:
        cursor.execute(RENEW, [array_of(column) for column in columns])


def array_of(values: Iterable[Any]) -> str:
    """Keys, moments, numbers and our own words as PostgreSQL writes an array; nothing in them needs an escape."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f'"{array_of(value)}"'
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _is_judged(clock: SlaClock, state: State) -> bool:
    """Whether it ended as it is stored: then it keeps its verdict, whatever became of policies and calendars."""
    same = clock.started_at == state.run.started_at and clock.stopped_at == state.run.stopped_at
    return clock.stopped_at is not None and same and clock.verdict in ENDED


def among(keys: Iterable[UUID]) -> RawSQL:
    """``keys`` as a list to look rows up by, in one parameter: hundreds of them cost more than the look-up."""
    return RawSQL("SELECT unnest(%s::uuid[])", [list(keys)])


def _log(keys: Iterable[UUID]) -> dict[UUID, list[Happened]]:
    found: dict[UUID, list[Happened]] = defaultdict(list)
    events = TicketEvent.objects.filter(ticket__in=among(keys)).order_by("ticket_id", "at", "pk")
    for key, *event in events.values_list("ticket_id", "pk", "kind", "at", "data"):
        found[key].append(Happened(*event))
    return found


def _stored(rows: Any) -> dict[UUID, dict[tuple[str, int], SlaClock]]:
    found: dict[UUID, dict[tuple[str, int], SlaClock]] = defaultdict(dict)
    for clock in rows:
        found[clock.ticket_id or clock.escalation_id or clock.incident_id][clock.kind, clock.cycle] = clock
    return found


def _alerts(**owner: Iterable[UUID]) -> dict[UUID, list[SlaAlert]]:
    ((name, keys),) = owner.items()
    found: dict[UUID, list[SlaAlert]] = defaultdict(list)
    for alert in SlaAlert.objects.filter(rearmed_at=None, **{f"clock__{name}__in": among(keys)}):
        found[alert.clock_id].append(alert)
    return found


SHOW = """
update support_ticket as t
set next_due_at = v.due, next_due_clock = v.clock, breached_at = v.breached
from unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::timestamptz[]) as v(id, due, clock, breached)
where t.id = v.id
"""


def _show(tickets: Sequence[Ticket], clocks_of: dict[UUID, list[SlaClock]]) -> int:
    """Repeat on the tickets what lists show of their clocks; how many next deadlines moved. One query."""
    rows, moved = [], 0
    for ticket in tickets:
        clocks = clocks_of[ticket.pk]
        running = [(c.due_at, c.kind) for c in clocks if c.due_at is not None and c.stopped_at is None]
        due, kind = min(running, default=(None, ""))
        broken = [c.missed_at for c in clocks if c.verdict == Verdict.MISSED and c.missed_at is not None]
        breached = min(broken, default=None)
        moved += due != ticket.next_due_at
        ticket.next_due_at, ticket.next_due_clock, ticket.breached_at = due, kind, breached
        rows.append((ticket.pk, due, kind, breached))
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(SHOW, [list(column) for column in zip(*rows, strict=True)])
    return moved
