"""Whom an incident affects: accounts added and taken away, tickets linked, and answered all at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.actions.changes import mark_changed
from accounts.errors import RuleViolated
from accounts.models import Account
from support.actions.conversation import reply
from support.actions.incident_log import (
    add_entry,
    audit_incident,
    follow_clocks,
    store_incident,
    tell_accounts,
    worked_incident,
)
from support.actions.log import add_event, audit, locked, store, written
from support.choices import EntryKind, EventKind, Origin, Status
from support.models import Incident, IncidentAccount, Ticket

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import User

MOST_ACCOUNTS = 500


@transaction.atomic
def add_accounts(
    incident: Incident,
    accounts: Iterable[Account],
    *,
    origin: str = Origin.HAND,
    actor: User | None,
    at: datetime,
    follow: bool = True,
    expected_version: int | None = None,
) -> list[Account]:
    """Count ``accounts`` among those affected; those that were added, without the ones that were there already.

    Raises RuleViolated for more than MOST_ACCOUNTS in all. A few queries, and one an account.
    """
    incident = worked_incident(incident, expected_version)
    there = set(incident.affected.present().values_list("account", flat=True))
    added = [each for each in {each.pk: each for each in accounts}.values() if each.pk not in there]
    if len(there) + len(added) > MOST_ACCOUNTS:
        raise RuleViolated("too_many", f"An incident counts at most {MOST_ACCOUNTS} accounts.", "accounts")
    if not added:
        return []
    IncidentAccount.objects.bulk_create(
        IncidentAccount(incident=incident, account=each, origin=origin, added_at=at, added_by=actor) for each in added
    )
    add_entry(incident, EntryKind.ACCOUNTS, actor=actor, at=at, data={"added": _names(added), "origin": str(origin)})
    tell_accounts(incident, added, "Affected by an incident", actor=actor, at=at, body=incident.summary, verb="added")
    if follow:
        store_incident(incident)
        follow_clocks(incident, at=at)
        audit_incident("accounts_added", incident, actor=actor, at=at, after={"accounts": _keys(added)})
    return added


@transaction.atomic
def remove_accounts(
    incident: Incident, accounts: Iterable[Account], *, actor: User | None, at: datetime,
    expected_version: int | None = None,
) -> list[Account]:  # fmt: skip
    """Stop counting ``accounts`` among those affected; those that were there. Their tickets are unlinked."""
    incident = worked_incident(incident, expected_version)
    wanted = {each.pk: each for each in accounts}
    rows = incident.affected.present().filter(account__in=wanted)
    gone = [wanted[key] for key in rows.values_list("account", flat=True)]
    if not gone:
        return []
    for ticket in incident.tickets.filter(account__in=gone):
        _unlink(incident, ticket, actor=actor, at=at)
    rows.update(removed_at=at, removed_by=actor)
    add_entry(incident, EntryKind.ACCOUNTS, actor=actor, at=at, data={"removed": _names(gone)})
    tell_accounts(incident, gone, "No longer affected by an incident", actor=actor, at=at, verb="removed")
    store_incident(incident)
    follow_clocks(incident, at=at)
    audit_incident("accounts_removed", incident, actor=actor, at=at, before={"accounts": _keys(gone)})
    return gone


@transaction.atomic
def link_ticket(
    incident: Incident, ticket: Ticket, *, actor: User | None, at: datetime, follow: bool = True,
    expected_version: int | None = None,
) -> Incident:  # fmt: skip
    """Count ``ticket`` as telling of the incident; its account is affected then. A ticket tells of one incident."""
    incident, ticket = worked_incident(incident, expected_version), locked(ticket)
    if ticket.incident_id == incident.pk:
        return incident
    if ticket.incident_id is not None:
        raise RuleViolated("linked", "This ticket belongs to another incident; unlink it there first.", "ticket")
    store(ticket, incident=incident)
    add_event(ticket, EventKind.INCIDENT, at=at, actor=actor, data={"number": incident.number, "linked": True})
    data = {"ticket": ticket.pk, "number": ticket.number, "subject": ticket.subject, "linked": True}
    add_entry(incident, EntryKind.TICKET, actor=actor, at=at, data=data)
    add_accounts(incident, [ticket.account], origin=Origin.TICKET, actor=actor, at=at, follow=False)
    mark_changed([ticket.account_id], at=at)
    audit("incident", ticket, actor=actor, at=at, after={"incident": incident.number})
    if follow:
        store_incident(incident)
        follow_clocks(incident, at=at)
        audit_incident("ticket_linked", incident, actor=actor, at=at, after={"ticket": ticket.number})
    return incident


@transaction.atomic
def unlink_ticket(
    incident: Incident, ticket: Ticket, *, actor: User | None, at: datetime, expected_version: int | None = None
) -> Incident:
    """Take ``ticket`` away again; its account stays among those affected until it is removed."""
    incident = worked_incident(incident, expected_version)
    if not incident.tickets.filter(pk=ticket.pk).exists():
        raise RuleViolated("ticket", "This ticket is not linked.", "ticket")
    _unlink(incident, ticket, actor=actor, at=at)
    store_incident(incident)
    audit_incident("ticket_unlinked", incident, actor=actor, at=at, before={"ticket": ticket.number})
    return incident


@transaction.atomic
def answer_tickets(
    incident: Incident, body: str, *, tickets: Iterable[Ticket], status: str = "", actor: User, at: datetime,
    expected_version: int | None = None,
) -> list[Ticket]:  # fmt: skip
    """Answer ``tickets`` of the incident that are active, all with the same words; those that were answered.

    Each answer is a first response and an update of its ticket, and together they are a word to customers.
    """
    incident, body = worked_incident(incident, expected_version), written(body)
    if status and status not in {Status.OPEN, Status.WAITING_CUSTOMER, Status.RESOLVED}:
        raise RuleViolated("unknown", "Leave it as it is, wait for the customer, or resolve it.", "status")
    answered = waiting_among(incident, tickets)
    if not answered:
        raise RuleViolated("none", "No linked ticket of yours is still waiting.", "body")
    for ticket in answered:
        reply(ticket, body, actor=actor, at=at, status=status)
    data = {"tickets": [ticket.number for ticket in answered]}
    add_entry(incident, EntryKind.LETTER, body, actor=actor, at=at, data=data)
    told(incident, at=at)
    follow_clocks(incident, at=at)
    audit_incident("tickets_answered", incident, actor=actor, at=at, after=data)
    return answered


def waiting_among(incident: Incident, tickets: Iterable[Ticket]) -> list[Ticket]:
    """Those of ``tickets`` that are linked and wait, as they are now, by number. One query."""
    rows = incident.tickets.active().filter(pk__in=[ticket.pk for ticket in tickets])
    return list(rows.select_related("account", "requester").order_by("number"))


def told(incident: Incident, *, at: datetime) -> None:
    """Customers have just been told of it."""
    store_incident(incident, last_update_at=at, first_notice_at=incident.first_notice_at or at)


def _unlink(incident: Incident, ticket: Ticket, *, actor: User | None, at: datetime) -> None:
    ticket = locked(ticket)
    store(ticket, incident=None)
    add_event(ticket, EventKind.INCIDENT, at=at, actor=actor, data={"number": incident.number, "linked": False})
    data = {"ticket": ticket.pk, "number": ticket.number, "subject": ticket.subject, "linked": False}
    add_entry(incident, EntryKind.TICKET, actor=actor, at=at, data=data)
    mark_changed([ticket.account_id], at=at)
    audit("incident", ticket, actor=actor, at=at, before={"incident": incident.number})


def _names(accounts: Iterable[Account]) -> list[dict[str, str]]:
    return [{"id": str(each.pk), "name": each.name} for each in accounts]


def _keys(accounts: Iterable[Account]) -> list[UUID]:
    return [each.pk for each in accounts]
