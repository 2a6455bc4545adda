"""Tickets set aside: out of the queue until a moment or the customer's word, while their clocks run on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts.errors import RuleViolated
from engagement.actions import notify
from engagement.choices import Kind
from support.actions.log import AT_HAND, add_event, audit, locked, store
from support.actions.tickets import NotAllowed
from support.choices import ACTIVE, EventKind
from support.models import Ticket

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = timedelta(days=366)


@transaction.atomic
def snooze(
    ticket: Ticket, until: datetime | None, *, actor: User, at: datetime, expected_version: int | None = None
) -> Ticket:
    """Set an active ticket aside until a moment, or (None) until its customer writes, which ends it in any case.

    It leaves the queue and no promise waits for it. Raises RuleViolated, StaleVersion.
    """
    ticket = locked(ticket, expected_version)
    if ticket.status not in ACTIVE:
        raise NotAllowed("done", "A ticket that is done waits for nothing.", "until")
    if until is not None and not at < until <= at + LONGEST:
        raise RuleViolated("until", "Choose a moment ahead, within a year.", "until")
    store(ticket, snoozed_at=at, snoozed_until=until, snoozed_by=actor)
    data = {"until": until}
    add_event(ticket, EventKind.SNOOZED, at=at, actor=actor, data=data)
    audit("snooze", ticket, actor=actor, at=at, after=data)
    return ticket


@transaction.atomic
def wake(ticket: Ticket, *, actor: User | None, at: datetime, expected_version: int | None = None) -> Ticket:
    """Bring it back into the queue, if it is aside."""
    ticket = locked(ticket, expected_version)
    if ticket.snoozed_at is None:
        return ticket
    before = {"until": ticket.snoozed_until}
    store(ticket, **AT_HAND)
    add_event(ticket, EventKind.WOKEN, at=at, actor=actor)
    audit("wake", ticket, actor=actor, at=at, before=before)
    return ticket


def wake_snoozed(*, at: datetime, most: int = 500) -> int:
    """Bring back those whose moment has come, and tell whoever has them; how many.

    The queue shows them from that moment on, swept or not. Each is a transaction; two sweeps tell once.
    """
    due = Ticket.objects.filter(snoozed_until__lte=at).order_by("snoozed_until").values_list("pk", flat=True)
    return sum(_wake_due(pk, at) for pk in due[:most])


@transaction.atomic
def _wake_due(pk: UUID, at: datetime) -> bool:
    rows = Ticket.objects.select_for_update(of=("self",), skip_locked=True).select_related("account")
    found = rows.select_related("assignee", "snoozed_by").filter(pk=pk, snoozed_until__lte=at).first()
    if found is None or found.snoozed_until is None:
        return False
    people = [person for person in (found.assignee or found.snoozed_by,) if person is not None]
    key = f"woken:{found.pk}:{found.snoozed_until.isoformat()}"
    wake(found, actor=None, at=at)
    notify(
        people, kind=Kind.TICKET, title=f"Back in your queue: {found}"[:200], body=found.account.name,
        url=f"/tickets/{found.pk}/", account=found.account, at=at, dedupe_key=key,
    )  # fmt: skip
    return True
