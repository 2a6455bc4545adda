"""Answers leave by mail: written into the outbox with the answer, followed until they arrived or were given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engagement.actions import add_letter_files, post_letter
from engagement.queries import letters
from support.actions.log import settings_row
from support.choices import Channel, Delivery
from support.models import Message, Ticket
from support.queries.addresses import host, reply_address, sender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.models import Attachment

# What is answered where it was asked: a call on the telephone, a chat in the chat.
BY_MAIL = frozenset({Channel.EMAIL, Channel.PORTAL, Channel.API, Channel.MONITORING})
MOST_REFERENCES = 20
MOST_ROUNDS = 500
# The outbox gives up after about ten hours; what it does not know after a day never will leave.
LOST_AFTER = timedelta(days=1)
ACKNOWLEDGED = """Thank you for your message. We have opened ticket #{number} for it and will answer here.

If there is more to say, answer this mail; it reaches the same people."""


def leaves_by_mail(ticket: Ticket, channel: str) -> bool:
    """Whether an answer through ``channel`` goes to the customer by mail."""
    return channel in BY_MAIL and ticket.requester is not None and bool(ticket.requester.email)


def post(message: Message, ticket: Ticket, *, at: datetime) -> None:
    """Put a public answer into the outbox, to the requester and, each by a mail of their own, those copied.

    It has a reply address, a Message-ID that follows from the answer, and the mails it answers as references; an
    automatic one says so. Changes ``mail_id`` of the answer. About seven queries.
    """
    settings, at_host = settings_row(), host()
    mail_id = f"<{message.pk}@{at_host}>"
    before = ticket.messages.public().exclude(mail_id="").exclude(pk=message.pk)
    references = list(before.order_by("-created_at").values_list("mail_id", flat=True)[:MOST_REFERENCES])[::-1]
    headers = {"Message-ID": mail_id, "X-Loop": at_host}
    if references:
        headers |= {"In-Reply-To": references[-1], "References": " ".join(references)}
    if message.is_automatic:
        headers |= {"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"}
    Message.objects.filter(pk=message.pk).update(mail_id=mail_id)
    message.mail_id = mail_id
    requester = ticket.requester.email if ticket.requester else ""
    others = [] if message.is_automatic else [address for address in ticket.cc if address.lower() != requester.lower()]
    name, answers_to = sender(settings, at_host), reply_address(ticket, at_host)
    for number, to in enumerate([requester, *others]):
        # A copy that comes back must not pass for the answer itself.
        own = {"Message-ID": f"<{message.pk}.{number}@{at_host}>"} if number else {}
        post_letter(
            to=to, subject=f"Re: {ticket.subject} [#{ticket.number}]", body=message.body, at=at, headers=headers | own,
            sender=name, reply_to=answers_to,
            dedupe_key=_key(message) if not number else f"{_key(message)}:copy",
        )  # fmt: skip


def add_files(message: Message, rows: Sequence[Attachment]) -> None:
    """Send ``rows`` along with an answer that is still to leave. One query."""
    files = [[row.name, row.content_type, str(row.file.name)] for row in rows]
    if message.delivery == Delivery.PENDING and files:
        add_letter_files(_key(message), files)


def undelivered(*, at: datetime) -> list[tuple[Message, str, datetime]]:
    """(answer, error or nothing, when) of every pending answer whose mail left or was given up. Two queries."""
    waiting = Message.objects.filter(delivery=Delivery.PENDING).select_related("ticket").order_by("created_at")
    pending = {_key(message): message for message in waiting[:MOST_ROUNDS]}
    rows = letters(pending)
    found = []
    for key, message in pending.items():
        row = rows.get(key)
        if row is None and message.created_at < at - LOST_AFTER:
            found.append((message, "No mail was written for it.", at))
        elif row is not None and row.sent_at:
            found.append((message, "", row.sent_at))
        elif row is not None and row.dead_at:
            found.append((message, row.last_error or "Given up.", row.dead_at))
    return found


def _key(message: Message) -> str:
    return f"ticket-message:{message.pk}"
