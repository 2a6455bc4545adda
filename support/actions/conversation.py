"""What is said in a ticket: answers, the customer's messages, internal notes, and whether they arrived."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.actions.changes import mark_changed
from support.actions.clocks import recompute
from support.actions.letters import leaves_by_mail, post, undelivered
from support.actions.log import AT_HAND, add_event, audit, locked, store, written
from support.actions.telling import mentioned, tell_mentioned, tell_wrote
from support.actions.tickets import change_status, waiting_for
from support.choices import DONE, WAITING, Delivery, EventKind, Status
from support.models import Message, Ticket

if TYPE_CHECKING:
    from accounts.models import Contact, User


@transaction.atomic
def reply(
    ticket: Ticket,
    body: str,
    *,
    actor: User | None,
    at: datetime,
    status: str = "",
    html: str = "",
    channel: str = "",
    delivery: str = "",
    is_automatic: bool = False,
    expected_version: int | None = None,
) -> Message:
    """Answer the customer. Returns the message; a new ticket becomes open, or ``status`` where one is given.

    A person's answer is the first response and the update that was owed, as of ``at``; an automatic one
    (acknowledgement, out of office, a machine's suggestion, AMB-134) is neither. Where the customer is reached by
    mail it goes into the outbox and its ``delivery`` is pending: ``mark_failed`` takes its effect back. ``delivery``
    says otherwise for an answer that was given elsewhere.
    """
    ticket = locked(ticket, expected_version)
    by_mail = not delivery and leaves_by_mail(ticket, channel or ticket.channel)
    delivery = delivery or (Delivery.PENDING if by_mail else Delivery.NONE)
    message = Message.objects.create(
        ticket=ticket, author=actor, body=written(body), html=html, channel=channel or ticket.channel,
        delivery=delivery, sent_at=at if delivery == Delivery.SENT else None, is_automatic=is_automatic, created_at=at,
    )  # fmt: skip
    if by_mail:
        post(message, ticket, at=at)
    data = {"message": str(message.pk), "automatic": is_automatic}
    add_event(ticket, EventKind.AGENT_REPLY, at=at, actor=actor, data=data)
    if not is_automatic:
        first = {} if ticket.first_responded_at or ticket.opened_by_staff else {"first_responded_at": at}
        takes = {"assignee": actor} if ticket.assignee_id is None and actor is not None else {}
        store(ticket, last_agent_at=at, **first, **takes)
        if ticket.status == Status.WAITING_CUSTOMER:
            # Asked once more: the silence begins anew.
            store(ticket, **waiting_for(ticket.status, at))
    wanted = status or (Status.OPEN if ticket.status == Status.NEW and not is_automatic else "")
    if wanted and wanted != ticket.status:
        change_status(ticket, wanted, actor=actor, at=at)
    else:
        recompute([ticket], at=at)
    audit("reply", ticket, actor=actor, at=at, after={"message": str(message.pk), "automatic": is_automatic})
    return message


@transaction.atomic
def customer_reply(
    ticket: Ticket,
    body: str,
    *,
    contact: Contact | None,
    at: datetime,
    channel: str = "",
    html: str = "",
    quoted: str = "",
    mail_id: str = "",
    actor: User | None = None,
    is_automatic: bool = False,
) -> Message:
    """Take a message of the customer's. Returns it. One that was waited for goes on; one that was done reopens.

    An automatic message (out of office) is kept and changes nothing.
    """
    ticket = locked(ticket)
    message = Message.objects.create(
        ticket=ticket, from_customer=True, contact=contact, author=None, body=written(body), html=html,
        quoted=quoted, channel=channel or ticket.channel, mail_id=mail_id, is_automatic=is_automatic, created_at=at,
    )  # fmt: skip
    data = {"message": str(message.pk), "automatic": is_automatic}
    add_event(ticket, EventKind.CUSTOMER_REPLY, at=at, actor=actor, data=data)
    if not is_automatic:
        store(ticket, last_customer_at=at, **(AT_HAND if ticket.snoozed_at else {}))
        if ticket.status in DONE | WAITING:
            change_status(ticket, Status.OPEN, actor=actor, at=at, reason="The customer wrote")
        mark_changed([ticket.account_id], at=at)
        tell_wrote(ticket, message, at=at)
    audit("customer_reply", ticket, actor=actor, at=at, after={"message": str(message.pk)})
    return message


@transaction.atomic
def note(ticket: Ticket, body: str, *, actor: User | None, at: datetime) -> Message:
    """Add an internal note. Returns it. It is no response: no clock knows of it. Whom it names with an @ is told."""
    ticket = locked(ticket)
    message = Message.objects.create(
        ticket=ticket, is_internal=True, author=actor, body=written(body), channel=ticket.channel, created_at=at
    )
    told = mentioned(message.body, besides=actor)
    data = {"message": str(message.pk), "told": [str(person) for person in told]}
    add_event(ticket, EventKind.NOTE, at=at, actor=actor, data=data)
    store(ticket)
    tell_mentioned(ticket, message, told, at=at)
    audit("note", ticket, actor=actor, at=at, after=data)
    return message


@transaction.atomic
def mark_sent(message: Message, *, at: datetime, mail_id: str = "") -> bool:
    """The message left the house; False where that was known."""
    changed = Message.objects.filter(pk=message.pk).exclude(delivery=Delivery.SENT)
    values = {"mail_id": mail_id} if mail_id else {}
    return bool(changed.update(delivery=Delivery.SENT, sent_at=at, delivery_error="", **values))


@transaction.atomic
def mark_failed(message: Message, *, error: str, at: datetime) -> None:
    """The message never reached the customer: the clocks it stopped run again, as if it had not been written."""
    ticket = locked(message.ticket)
    changed = Message.objects.filter(pk=message.pk).exclude(delivery=Delivery.FAILED)
    if not changed.update(delivery=Delivery.FAILED, delivery_error=error[:300], sent_at=None):
        return
    data = {"message": str(message.pk), "error": error[:300]}
    add_event(ticket, EventKind.REPLY_FAILED, at=at, actor=None, data=data)
    arrived = ticket.messages.public().filter(from_customer=False, is_automatic=False).exclude(delivery=Delivery.FAILED)
    first = arrived.order_by("created_at").values_list("created_at", flat=True).first()
    store(ticket, first_responded_at=None if ticket.opened_by_staff else first)
    recompute([ticket], at=at)
    audit("reply_failed", ticket, actor=None, at=at, after=data)


def follow_mail(*, at: datetime) -> dict[str, int]:
    """Note of every answer on its way whether its mail left; ``{"sent", "failed"}``. Safe to run twice."""
    counts = {"sent": 0, "failed": 0}
    for message, error, moment in undelivered(at=at):
        if error:
            mark_failed(message, error=error, at=at)
        else:
            mark_sent(message, at=moment)
        counts["failed" if error else "sent"] += 1
    return counts
