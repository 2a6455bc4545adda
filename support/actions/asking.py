"""Asking customers how it went: one mail for each resolution, with a link that answers for that resolution only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse

from accounts.errors import RuleViolated
from accounts.links import absolute
from engagement.actions import post_letter
from support.actions.handling import rate
from support.actions.letters import leaves_by_mail
from support.actions.log import locked, settings_row
from support.choices import Status
from support.models import Ticket
from support.queries.addresses import host, reply_address, sender
from support.queries.ratings import Asked, rated, rating_token

if TYPE_CHECKING:
    from uuid import UUID

    from support.models import TicketRating

# What was resolved before that is not asked about any more: nobody remembers.
ASK_WITHIN = timedelta(days=2)
MOST_ASKED = 200
ASKING = """We have resolved your ticket #{number}: {subject}

How did it go? Tell us here, it takes one click and needs no sign-in:

{link}

The link works for 30 days. If it is not resolved, answer this mail and the ticket opens again."""


def ask_for_ratings(*, at: datetime) -> int:
    """Ask about what was resolved lately and was not asked about yet; how many were asked.

    Nobody is asked twice about a resolution, by however many workers; one that was opened again is asked about when
    it is resolved again. Two queries and about nine for each.
    """
    if not settings_row().ask_for_rating:
        return 0
    rows = Ticket.objects.filter(
        status__in=[Status.RESOLVED, Status.CLOSED], csat_asked_at=None, resolved_at__gt=at - ASK_WITHIN
    )
    due = rows.exclude(requester=None).exclude(requester__email="").order_by("resolved_at")
    return sum(_ask(key, at=at) for key in list(due.values_list("pk", flat=True)[:MOST_ASKED]))


@transaction.atomic
def _ask(key: UUID, *, at: datetime) -> bool:
    ticket = locked(Ticket(pk=key))
    if ticket.csat_asked_at is not None or ticket.status not in {Status.RESOLVED, Status.CLOSED}:
        return False
    # Noted even where nobody is asked, so that it does not come up again; no change an agent would have to read.
    Ticket.objects.filter(pk=ticket.pk).update(csat_asked_at=at)
    requester = ticket.requester
    if requester is None or not leaves_by_mail(ticket, ticket.channel) or rated(ticket):
        return False
    at_host = host()
    link = absolute(reverse("support:rate", args=[rating_token(ticket)]))
    post_letter(
        to=requester.email, subject=f"How did we do? [#{ticket.number}]", at=at,
        body=ASKING.format(number=ticket.number, subject=ticket.subject, link=link),
        sender=sender(settings_row(), at_host), reply_to=reply_address(ticket, at_host),
        headers={
            "Message-ID": f"<rating-{ticket.pk}.{ticket.cycle}@{at_host}>", "X-Loop": at_host,
            "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
        },
        dedupe_key=f"ticket-rating:{ticket.pk}:{ticket.cycle}",
    )  # fmt: skip
    return True


@transaction.atomic
def rate_once(asked: Asked, score: int, *, comment: str, at: datetime) -> TicketRating:
    """Keep the answer of whoever holds the link; once. Returns it. Raises RuleViolated where it was answered, or
    where the ticket was opened again.
    """
    ticket = locked(asked.ticket)
    if ticket.cycle != asked.cycle or ticket.status not in {Status.RESOLVED, Status.CLOSED}:
        raise RuleViolated("rating.gone", "The ticket was opened again; we will ask when it is resolved.")
    if rated(ticket):
        raise RuleViolated("rating.once", "It was rated already.")
    return rate(ticket, score, comment=comment, at=at)
