"""Files of an account that came with its tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.urls import reverse

from accounts.queries.files import MOST_ATTACHED, Attached
from support.models import Attachment

if TYPE_CHECKING:
    from accounts.models import User


def attached_to(user: User, account_id: UUID) -> list[Attached]:
    """Attachments of the account's tickets that ``user`` may see, newest first, at most 100. One query."""
    rows = Attachment.objects.visible_to(user).filter(message__ticket__account=account_id)
    rows = rows.select_related("message__ticket", "message__author", "message__contact").order_by("-created_at", "-pk")
    return [
        Attached(
            name=each.name,
            size=each.size,
            at=each.created_at,
            by=str(each.message.author or each.message.contact or ""),
            where=f"Ticket #{each.message.ticket.number}",
            page=reverse("support:ticket-detail", args=[each.message.ticket_id]),
            url=reverse("support:attachment", args=[each.pk]),
        )
        for each in rows[:MOST_ATTACHED]
    ]
