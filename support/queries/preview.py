"""What a change of calendars or service levels would do to deadlines that are still open. Nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import F

from businesstime import NoWorkingTime
from support.choices import Clock, Verdict
from support.models import SlaClock, Ticket, TicketEvent
from support.queries.promises import Desk
from support.queries.states import Happened, ticket_states

if TYPE_CHECKING:
    from support.models import SupportSettings

MOST_TICKETS = 5_000
BATCH = 500
MOST_SHOWN = 10
READ = ("pk", "number", "subject", "timezone", "tier_key", "opened_by_staff", "next_due_at")


@dataclass(frozen=True, slots=True)
class Moved:
    """One deadline that would move. ``after`` None: nothing is promised any more, ``before`` None: newly promised."""

    ticket: Ticket
    clock: str
    before: datetime | None
    after: datetime | None


@dataclass(slots=True)
class Preview:
    """How many open deadlines of how many tickets were looked at, and what would become of them.

    ``left_out`` tickets are due later than those looked at; ``stuck`` would never be due.
    """

    tickets: int = 0
    deadlines: int = 0
    earlier: int = 0
    later: int = 0
    begun: int = 0
    ended: int = 0
    newly_late: int = 0
    stuck: int = 0
    left_out: int = 0
    examples: list[Moved] = field(default_factory=list)

    @property
    def moved(self) -> int:
        return self.earlier + self.later + self.begun + self.ended


def preview(desk: Desk, settings: SupportSettings, *, at: datetime, most: int = MOST_TICKETS) -> Preview:
    """Judge the open tickets that are due next by ``desk``, which holds the change, and compare with what is stored.

    Four queries for every 500 tickets.
    """
    rows = Ticket.objects.active().order_by(F("next_due_at").asc(nulls_last=True), "pk")
    keys = list(rows.values_list("pk", flat=True)[:most])
    found = Preview(tickets=len(keys))
    if len(keys) == most:
        found.left_out = rows.count() - most
    for start in range(0, len(keys), BATCH):
        _look(keys[start : start + BATCH], desk, settings, at, found)
    return found


def _look(keys: Sequence[UUID], desk: Desk, settings: SupportSettings, at: datetime, found: Preview) -> None:
    tickets = Ticket.objects.filter(pk__in=keys).only(*READ).order_by(F("next_due_at").asc(nulls_last=True), "pk")
    events: dict[UUID, list[Happened]] = defaultdict(list)
    log = TicketEvent.objects.filter(ticket__in=keys).order_by("ticket_id", "at", "pk")
    for key, *event in log.values_list("ticket_id", "pk", "kind", "at", "data"):
        events[key].append(Happened(*event))
    policies: dict[UUID, list[UUID]] = defaultdict(list)
    for ticket_id, policy_id in Ticket.policies.through.objects.filter(ticket__in=keys).values_list(
        "ticket_id", "slapolicy_id"
    ):
        policies[ticket_id].append(policy_id)
    stored = _stored(keys)
    for ticket in tickets:
        try:
            states = ticket_states(
                ticket, events[ticket.pk], policies[ticket.pk], desk=desk, settings=settings, at=at
            )  # fmt: skip
        except NoWorkingTime:
            found.stuck += 1
            continue
        _compare(ticket, stored[ticket.pk], states, found, at)


def _stored(keys: Iterable[UUID]) -> dict[UUID, dict[tuple[str, int], datetime | None]]:
    found: dict[UUID, dict[tuple[str, int], datetime | None]] = defaultdict(dict)
    rows = SlaClock.objects.running().filter(ticket__in=keys)
    for ticket, kind, cycle, due in rows.values_list("ticket", "kind", "cycle", "due_at"):
        found[ticket][kind, cycle] = due
    return found


def _compare(
    ticket: Ticket, stored: dict[tuple[str, int], datetime | None], states: Iterable[Any], found: Preview, at: datetime
) -> None:
    now = {
        (str(state.run.clock), state.run.cycle): state.due_at
        for state in states
        if state.run.stopped_at is None and state.verdict != Verdict.CANCELLED
    }
    found.deadlines += len(stored)
    for key in sorted({*stored, *now}):
        before, after = stored.get(key), now.get(key)
        if before == after and (key in stored) == (key in now):
            continue
        if key not in stored:
            found.begun += 1
        elif key not in now:
            found.ended += 1
        elif before is None or after is None:
            continue  # waiting: its deadline is not known before it goes on
        else:
            found.earlier += after < before
            found.later += after > before
        found.newly_late += bool(after and after < at and (before is None or before >= at))
        if len(found.examples) < MOST_SHOWN:
            found.examples.append(Moved(ticket, Clock(key[0]).label, before, after))
