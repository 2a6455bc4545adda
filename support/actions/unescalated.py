"""Telling once of tickets that a methodology would have escalated by now (FLEET-9.1)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from accounts.choices import Role
from accounts.models import User
from engagement.actions import notify
from engagement.choices import Kind
from support.models import Escalation, Ladder, Ticket
from support.queries.escalations import OURS, escalates_after

if TYPE_CHECKING:
    from collections.abc import Iterable


@transaction.atomic
def tell_unescalated(*, at: datetime, most: int = 500) -> int:
    """Tell whoever works them, and the account's owner, of tickets too old that nobody escalated; how many.

    Each ticket is told of once; a person hears of all of theirs in one notice. One query without such a rule.
    """
    rules = Ladder.objects.filter(definition__has_key="auto_rules").values_list("definition__auto_rules", flat=True)
    hours = escalates_after(rules)
    if hours is None:
        return 0
    rows = Ticket.objects.filter(
        ~Exists(Escalation.objects.filter(ticket=OuterRef("pk"))),
        created_at__lte=at - timedelta(hours=hours), unescalated_told_at=None, status__in=OURS,
    ).select_related("account__owner", "assignee")  # fmt: skip
    found = list(rows.select_for_update(of=("self",), skip_locked=True).order_by("created_at", "pk")[:most])
    for person, tickets in _by_person(found).values():
        _tell(person, tickets, hours, at)
    Ticket.objects.filter(pk__in=[ticket.pk for ticket in found]).update(unescalated_told_at=at)
    return len(found)


def _by_person(tickets: Iterable[Ticket]) -> dict[UUID, tuple[User, list[Ticket]]]:
    """Whose they are: the assignee's and the account owner's; the agents' where there is neither."""
    agents: list[User] | None = None
    found: dict[UUID, tuple[User, list[Ticket]]] = {}
    people: dict[UUID, User] = {}
    theirs: dict[UUID, list[Ticket]] = defaultdict(list)
    for ticket in tickets:
        told = {person.pk: person for person in (ticket.assignee, ticket.account.owner) if person}
        if not told:
            agents = list(User.objects.active().filter(role=Role.SUPPORT_AGENT)) if agents is None else agents
            told = {person.pk: person for person in agents}
        people |= told
        for key in told:
            theirs[key].append(ticket)
    for key, person in people.items():
        found[key] = (person, theirs[key])
    return found


def _tell(person: User, tickets: list[Ticket], hours: int, at: datetime) -> None:
    first = tickets[0]
    if len(tickets) == 1:
        title, body = f"Open for {hours} hours and not escalated: {first}", first.account.name
        url, account = f"/tickets/{first.pk}/", first.account
    else:
        title = f"{len(tickets)} tickets are open for {hours} hours and not escalated"
        url, account = "/escalations/", None
        body = "\n".join(f"{ticket}, {ticket.account.name}" for ticket in tickets[:10])
    notify(
        [person], kind=Kind.SLA_WARNING, title=title[:200], body=body, url=url, account=account, at=at,
        dedupe_key=f"unescalated:{first.pk}",
    )  # fmt: skip
