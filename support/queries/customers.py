"""What a customer's people may know of their tickets: what was said to them, and the next thing they were promised.

SECURITY: rows are turned into these few fields here, so that a template cannot reach a note or a colleague's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from accounts.models import Account, Contact
from support.choices import DONE, Clock, Status
from support.models import Attachment, Message, SupportSettings, Ticket
from support.queries.channels import reach_of
from support.queries.fields import custom_shown, ticket_fields

if TYPE_CHECKING:
    from accounts.models import User

MOST = 200
WORDS = {
    Status.NEW: ("Received", "info"),
    Status.OPEN: ("Being worked on", "info"),
    Status.WAITING_CUSTOMER: ("Waiting for you", "watch"),
    Status.WAITING_VENDOR: ("Being worked on", "info"),
    Status.RESOLVED: ("Solved", "good"),
    Status.CLOSED: ("Closed", "good"),
    Status.CANCELLED: ("Closed", "neutral"),
}
PROMISES = {
    Clock.FIRST_RESPONSE: "First answer due",
    Clock.UPDATE: "Next update due",
    Clock.RESOLUTION: "Solution due",
}


@dataclass(frozen=True, slots=True)
class PortalTicket:
    """A ticket as its customer sees it. ``due_at`` is the next promise, named by ``promise``; None when none runs.

    It is late by the hours it is counted in: not while an answer would still be in time.
    """

    id: UUID
    number: int
    subject: str
    account: str
    opened_at: datetime
    state: str
    tone: str
    promise: str
    due_at: datetime | None
    is_late: bool
    is_done: bool
    may_rate: bool
    score: int | None
    comment: str
    merged_into: UUID | None
    custom: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class PortalMessage:
    """Something that was said, by whom, with its files: (key, name, bytes)."""

    by: str
    is_ours: bool
    body: str
    at: datetime
    files: list[tuple[UUID, str, int]]


def tickets_for(user: User, *, done: bool, at: datetime) -> list[PortalTicket]:
    """The tickets ``user`` may see, newest first: the open ones or those that are done. Two queries."""
    shown = _shows_deadlines()
    rows = Ticket.objects.visible_to(user).select_related("account").with_lateness(at)
    rows = rows.done() if done else rows.active()
    return [_ticket(row, shown) for row in rows.order_by("-created_at")[:MOST]]


def ticket_for(user: User, pk: UUID, at: datetime) -> tuple[Ticket, PortalTicket] | None:
    """The row, for the verbs, and what the customer sees of it; None where ``user`` may not. Three queries."""
    rows = Ticket.objects.visible_to(user).select_related("account", "requester")
    row = rows.with_lateness(at).filter(pk=pk).first()
    if row is None:
        return None
    fields = ticket_fields(for_customer=True) if row.custom else ()
    labels = [{"key": field.key, "label": field.label} for field in fields]
    return row, _ticket(row, _shows_deadlines(), custom_shown(row.custom, labels))


@dataclass(frozen=True, slots=True)
class PortalChannel:
    """A way to reach support that the customer may use. ``address`` is the workspace's own, never an example."""

    name: str
    address: str
    hours: str
    is_open: bool
    opens_at: datetime | None


def reach_for(user: User, *, at: datetime) -> list[PortalChannel]:
    """How ``user`` may reach support at ``at``, by the first of their accounts. Six queries."""
    account = Account.objects.visible_to(user).unarchived().select_related("tier").order_by("name").first()
    return [
        PortalChannel(each.channel.name, each.channel.own_address, each.hours, each.is_open, each.opens_at)
        for each in (reach_of(account, at=at) if account else [])
    ]


def messages_for(user: User, pk: UUID) -> list[PortalMessage]:
    """The public conversation, oldest first. Two queries."""
    rows = Message.objects.visible_to(user).public().filter(ticket=pk).select_related("author", "contact")
    return [_message(row) for row in rows.prefetch_related("attachments").order_by("created_at", "pk")[:MOST]]


def attachment_for(user: User, pk: UUID) -> Attachment | None:
    """A file of a public message of ``user``'s tickets, else None. One query."""
    return Attachment.objects.visible_to(user).filter(pk=pk).first()


def contact_for(user: User, account: Account) -> Contact | None:
    """Who ``user`` is among the contacts of ``account``. One query."""
    return Contact.objects.filter(account=account, email__iexact=user.email).first()


def _ticket(row: Ticket, shown: bool, custom: list[tuple[str, str]] | None = None) -> PortalTicket:
    state, tone = WORDS[Status(row.status)]
    due = row.next_due_at if shown and row.is_active else None
    late = due is not None and getattr(row, "is_late", False)
    solved = row.status in {Status.RESOLVED, Status.CLOSED}
    return PortalTicket(
        id=row.pk, number=row.number, subject=row.subject, account=row.account.name, opened_at=row.created_at,
        state=state, tone=tone, promise=PROMISES.get(Clock(row.next_due_clock), "") if due else "", due_at=due,
        is_late=late, is_done=row.status in DONE, may_rate=solved, score=row.csat_score, comment=row.csat_comment,
        merged_into=row.merged_into_id, custom=custom or [],
    )  # fmt: skip


def _message(row: Message) -> PortalMessage:
    author: Any = row.contact if row.from_customer else row.author
    name = str(
        getattr(author, "name", "") or getattr(author, "email", "") or ("You" if row.from_customer else "Support")
    )
    files = [(file.pk, file.name, file.size) for file in row.attachments.all()]
    return PortalMessage(name, not row.from_customer, row.body, row.created_at, files)


def _shows_deadlines() -> bool:
    found = SupportSettings.objects.values_list("customers_see_deadlines", flat=True).first()
    return True if found is None else found
