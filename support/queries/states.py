"""A ticket's and an escalation's clocks worked out from what happened to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from support.choices import ACTIVE, DONE, Clock, EventKind, Status
from support.models import Escalation, EscalationUpdate, SupportSettings, Ticket, TicketEvent
from support.queries.promises import Desk, Promises, shortest
from support.sla import ClockRule, Mark, Period, State, judge, runs_of
from support.sla import timeline as marks

RESPONSE, UPDATE = "response", "update"
ACKNOWLEDGE, ACTION = "acknowledge", "action"


class Happened(NamedTuple):
    """An entry of a ticket's log, so far as its clocks read it."""

    pk: int
    kind: str
    at: datetime
    data: dict[str, Any]


def ticket_rules(settings: SupportSettings, pause_on: Sequence[str] | None = None) -> dict[str, ClockRule]:
    """What stops and pauses each clock of a ticket (AMB-14). A first response never waits: else it could be parked.

    ``pause_on`` are the statuses in which its service level lets it wait; None: those of the workspace.
    """
    if pause_on is None:
        return _ticket_rules(settings.pause_on_customer, settings.pause_on_vendor)
    return _ticket_rules(Status.WAITING_CUSTOMER in pause_on, Status.WAITING_VENDOR in pause_on)


@cache
def _ticket_rules(on_customer: bool, on_vendor: bool) -> dict[str, ClockRule]:
    paused = ((Status.WAITING_CUSTOMER, on_customer), (Status.WAITING_VENDOR, on_vendor))
    waiting = frozenset(str(status) for status, wanted in paused if wanted)
    return {
        Clock.FIRST_RESPONSE: ClockRule(frozenset({RESPONSE})),
        Clock.UPDATE: ClockRule(frozenset({UPDATE}), frozenset({str(Status.WAITING_CUSTOMER)}) | waiting, repeats=True),
        Clock.RESOLUTION: ClockRule(frozenset({marks.DONE}), waiting),
    }


ESCALATION_CLOCK_RULES = {
    Clock.ACKNOWLEDGE: ClockRule(frozenset({ACKNOWLEDGE, ACTION, UPDATE, marks.DONE})),
    Clock.FIRST_ACTION: ClockRule(frozenset({ACTION, UPDATE, marks.DONE})),
    Clock.UPDATE: ClockRule(frozenset({UPDATE}), repeats=True),
    Clock.RESOLUTION: ClockRule(frozenset({marks.DONE})),
}


def ticket_marks(events: Iterable[TicketEvent | Happened]) -> list[Mark]:
    """What the clocks need to know of a ticket's log.

    An answer counts when it was given by a person and reached the customer: one that could not be delivered
    is as if it had never been written. So is an entry that was taken back.
    """
    log = _standing(events)
    failed = {event.data.get("message") for event in log if event.kind == EventKind.REPLY_FAILED}
    found: list[Mark] = []
    for event in log:
        if event.kind == EventKind.CREATED:
            found.append(Mark(marks.CREATED, event.at, event.data.get("status", Status.NEW)))
        elif event.kind == EventKind.STATUS:
            found.extend(_of_status(event))
        elif _answers(event, failed):
            found += [Mark(RESPONSE, event.at), Mark(UPDATE, event.at)]
    return found


def _standing(events: Iterable[TicketEvent | Happened]) -> list[TicketEvent | Happened]:
    """The log without the entries that were taken back."""
    log = list(events)
    undone = {event.data.get("event") for event in log if event.kind == EventKind.UNDONE}
    return [event for event in log if event.pk not in undone] if undone else log


def _answers(event: TicketEvent | Happened, failed: set[Any]) -> bool:
    """Whether a person answered, and the answer arrived so far as is known."""
    if event.kind != EventKind.AGENT_REPLY or event.data.get("automatic"):
        return False
    return event.data.get("message") not in failed


def _of_status(event: TicketEvent | Happened) -> list[Mark]:
    before, after = event.data["from"], event.data["to"]
    if after == Status.CANCELLED:
        return [Mark(marks.CANCELLED, event.at)]
    if after in DONE:
        return [Mark(marks.DONE, event.at)] if before in ACTIVE else []
    if before in DONE:
        return [Mark(marks.REOPENED, event.at, after)]
    return [Mark(marks.STATUS, event.at, after)]


def severities(events: Iterable[TicketEvent | Happened]) -> list[tuple[datetime, str]]:
    """The severity from each moment on, by key; empty for none."""
    return [
        (event.at, event.data.get("severity", "") or "")
        for event in events
        if event.kind in {EventKind.CREATED, EventKind.SEVERITY}
    ]


def ticket_states(
    ticket: Ticket,
    events: Sequence[Happened],
    policies: Sequence[UUID],
    *,
    desk: Desk,
    settings: SupportSettings,
    at: datetime,
) -> list[State]:
    """Every promise about ``ticket`` as of ``at``. No queries.

    The targets follow the severity, counted from the start of the cycle (AMB-15).
    """
    changes = [
        (since, desk.promises(policies, severity, zone=ticket.timezone, tier=ticket.tier_key))
        for since, severity in severities(events)
    ]
    happened = ticket_marks(events)
    window = timedelta(days=settings.reopen_days)
    found: list[State] = []
    for clock, rule in ticket_rules(settings, desk.pause_on(policies)).items():
        if clock == Clock.FIRST_RESPONSE and ticket.opened_by_staff:
            continue
        found += _judged(clock, rule, happened, changes, window, at)
    return found


def _judged(
    clock: str,
    rule: ClockRule,
    happened: Sequence[Mark],
    changes: Sequence[tuple[datetime, Promises]],
    window: timedelta | None,
    at: datetime,
) -> list[State]:
    if not any(clock in promises for _since, promises in changes):
        return []
    states = []
    for run in runs_of(clock, rule, happened, reopen_within=window):
        periods = []
        for since, promises in changes:
            due = shortest(promises.get(clock, ()), run.started_at)
            if due is not None:
                periods.append(Period(since, due.promise))
        states.append(judge(run, periods, at=at))
    return states


def escalation_marks(escalation: Escalation, updates: Iterable[EscalationUpdate]) -> list[Mark]:
    """What the clocks need to know of an escalation."""
    found = [Mark(marks.CREATED, escalation.raised_at)]
    if escalation.acknowledged_at:
        found.append(Mark(ACKNOWLEDGE, escalation.acknowledged_at))
    if escalation.first_action_at:
        found.append(Mark(ACTION, escalation.first_action_at))
    found += [Mark(UPDATE, update.at) for update in updates if update.kind == "update"]
    if escalation.resolved_at:
        solved = escalation.outcome in {"resolved", "partial"}
        found.append(Mark(marks.DONE if solved else marks.CANCELLED, escalation.resolved_at))
    return found


def escalation_states(
    escalation: Escalation, updates: Sequence[EscalationUpdate], promises: dict[str, Any], *, at: datetime
) -> list[State]:
    """Every promise about ``escalation`` as of ``at``; ``promises`` are those of its level by clock."""
    happened = escalation_marks(escalation, updates)
    found: list[State] = []
    for clock, rule in ESCALATION_CLOCK_RULES.items():
        promise = promises.get(clock)
        if promise is None:
            continue
        found += [judge(run, [Period(run.started_at, promise)], at=at) for run in runs_of(clock, rule, happened)]
    return found
