"""What the search finds of tickets and incidents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat

from accounts.search import Source, found, having
from support.choices import IncidentStatus
from support.models import Incident, Ticket
from support.models.tickets import DONE_STATUSES

if TYPE_CHECKING:
    from accounts.models import User

NUMBER = re.compile(r"#?(\d{1,18})")
INCIDENT = re.compile(r"INC-(\d{1,9})", re.IGNORECASE)


def _tickets(user: User, words: str) -> QuerySet[Any]:
    """Tickets by their subject or, with or without #, their number; solved ones last."""
    asked = having("subject", words)
    if number := NUMBER.fullmatch(words):
        asked |= Q(number=int(number[1]))
    rows = Ticket.objects.visible_to(user).filter(asked)
    rows = rows.annotate(
        named=Concat(Value("#"), Cast(F("number"), TextField()), Value(" "), F("subject"), output_field=TextField())
    )
    later = Q(status__in=DONE_STATUSES)
    return found(rows, words, key="pk", target="pk", title="named", detail="account__name", later=later)


def _incidents(user: User, words: str) -> QuerySet[Any]:
    """Incidents by their title or their number, as in INC-4; closed ones last."""
    asked = having("title", words)
    if number := INCIDENT.fullmatch(words):
        asked |= Q(number=int(number[1]))
    rows = Incident.objects.visible_to(user).filter(asked)
    code = Concat(Value("INC-"), Cast(F("number"), TextField()), Value(" "), F("title"), output_field=TextField())
    later = Q(status=IncidentStatus.CLOSED)
    return found(
        rows.annotate(named=code), words, key="pk", target="pk", title="named", detail="component", later=later
    )


TICKETS = Source("Tickets", "tickets.view", "ticket", "support:ticket-detail", _tickets, "support:ticket-list")
INCIDENTS = Source(
    "Incidents", "incidents.view", "activity", "support:incident-detail", _incidents, "support:incident-list"
)
