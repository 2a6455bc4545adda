"""Customers who are asked and say nothing: reminded once, then their ticket counts as solved."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from support.actions.conversation import reply
from support.actions.letters import leaves_by_mail
from support.actions.log import settings_row, store
from support.actions.tickets import resolve
from support.choices import Channel, Status
from support.models import Ticket

if TYPE_CHECKING:
    from uuid import UUID

    from support.models.tickets import TicketQuerySet

REMINDER = """We asked you something in ticket #{number} and have not heard from you yet.

If you still need us, answer this message.{then}"""
THEN = " Otherwise we take it as solved in {days}; you can open it again at any time."


def follow_silence(*, at: datetime, most: int = 200) -> tuple[int, int]:
    """Remind who was asked so many days ago, solve what stayed silent after it: (reminded, solved).

    Only where the workspace wants it, and where the customer reads what is written: by mail or in the portal. Each
    ticket is a transaction; two at once do nothing twice.
    """
    settings = settings_row()
    if not settings.remind_after_days:
        return 0, 0
    reminded = solved = 0
    if settings.solve_after_days:
        due = _silent().filter(reminded_at__lte=at - timedelta(days=settings.solve_after_days))
        solved = sum(_solve(pk, settings.solve_after_days, at) for pk in _keys(due, most))
    due = _silent().filter(reminded_at=None, waiting_since__lte=at - timedelta(days=settings.remind_after_days))
    reminded = sum(_remind(pk, settings.solve_after_days, at) for pk in _keys(due, most))
    return reminded, solved


def _silent() -> TicketQuerySet:
    return Ticket.objects.filter(status=Status.WAITING_CUSTOMER, waiting_since__isnull=False)


def _keys(rows: TicketQuerySet, most: int) -> list[UUID]:
    reached = rows.filter(channel=Channel.PORTAL) | rows.filter(requester__isnull=False)
    return list(reached.order_by("waiting_since", "pk").values_list("pk", flat=True)[:most])


@transaction.atomic
def _remind(pk: UUID, days: int, at: datetime) -> bool:
    ticket = _claimed(pk)
    if ticket is None or ticket.reminded_at is not None:
        return False
    # Marked either way, so that one that cannot be reached is not looked at again and again.
    reached = ticket.channel == Channel.PORTAL or leaves_by_mail(ticket, ticket.channel)
    if not reached:
        store(ticket, waiting_since=None)
        return False
    then = THEN.format(days="a day" if days == 1 else f"{days} days") if days else ""
    reply(ticket, REMINDER.format(number=ticket.number, then=then), actor=None, at=at, is_automatic=True)
    ticket.refresh_from_db(fields=["version"])
    store(ticket, reminded_at=at)
    return True


@transaction.atomic
def _solve(pk: UUID, days: int, at: datetime) -> bool:
    ticket = _claimed(pk)
    if ticket is None or ticket.reminded_at is None:
        return False
    silence = "a day" if days == 1 else f"{days} days"
    resolve(ticket, actor=None, at=at, reason=f"The customer was silent for {silence} after a reminder")
    return True


def _claimed(pk: UUID) -> Ticket | None:
    rows = Ticket.objects.select_for_update(of=("self",), skip_locked=True).select_related("requester")
    return rows.filter(pk=pk, status=Status.WAITING_CUSTOMER).first()
