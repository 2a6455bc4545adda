"""Links with which customers rate a resolution."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from support.choices import Status
from support.models import Ticket, TicketRating
from tenants import signing

PURPOSE = "ticket-rating"
WORKS_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which resolution of which ticket a link asks about."""

    ticket: Ticket
    cycle: int

    @property
    def state(self) -> str:
        """``open``, ``rated``, or ``gone`` where the ticket was opened again. One query at most."""
        if self.ticket.cycle != self.cycle or self.ticket.status not in {Status.RESOLVED, Status.CLOSED}:
            return "gone"
        return "rated" if rated(self.ticket) else "open"


def rating_token(ticket: Ticket) -> str:
    """What stands in the link: worth nothing in another workspace, for another ticket or resolution."""
    return signing.dumps([str(ticket.pk), ticket.cycle], purpose=PURPOSE)


def asked_with(token: str) -> Asked | None:
    """What ``token`` asks about; None where nobody here gave it out, or too long ago. One query."""
    try:
        key, cycle = signing.loads(token, purpose=PURPOSE, max_age=WORKS_FOR.total_seconds())
    except signing.BadSignature:
        return None
    ticket = Ticket.objects.filter(pk=UUID(key)).first()
    return Asked(ticket, cycle) if ticket is not None else None


def rated(ticket: Ticket) -> bool:
    """Whether the customer answered about this resolution. One query."""
    return TicketRating.objects.filter(ticket=ticket, cycle=ticket.cycle).exists()
