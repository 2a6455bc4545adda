"""Telling customers of an incident: one letter, to chosen people of each affected account, in their own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.errors import RuleViolated
from accounts.models import Contact, Workspace
from businesstime import NoWorkingTime
from engagement.actions import Letter, post_letters
from support import lifecycle
from support.actions.conversation import reply
from support.actions.incident_log import add_entry, audit_incident, follow_clocks, locked_incident, tell_accounts
from support.actions.incident_scope import told, waiting_among
from support.actions.log import one_line, settings_row
from support.choices import EntryKind, IncidentStatus
from support.models import Incident, IncidentDelivery, IncidentLetter, Ticket
from support.queries.addresses import host, sender, support_address
from support.queries.incident_clocks import update_promise
from support.queries.incident_letters import greeted_as, words_for, workspace_zone
from support.queries.promises import Desk
from support.sla.clocks import add

if TYPE_CHECKING:
    from accounts.models import User

MOST_PEOPLE = 1000
MOST_TEXT = 10_000
# Once it is closed customers may still be told what was learnt, and not that it goes on.
AFTER_CLOSING = frozenset({lifecycle.REVIEWED, lifecycle.PREVENTION})


class PartMissing(RuleViolated):
    """Parts of a letter are empty; ``parts`` names them all (FMEA-8.5)."""

    def __init__(self, parts: Sequence[str]) -> None:
        super().__init__("missing", f"Still empty: {', '.join(parts)}.", parts[0])
        self.parts = list(parts)


@transaction.atomic
def send_letter(
    incident: Incident,
    key: str,
    *,
    values: Mapping[str, str],
    contacts: Sequence[Contact],
    subject: str,
    opening: str = "",
    tickets: Sequence[Ticket] = (),
    actor: User,
    at: datetime,
    expected_version: int | None = None,
) -> IncidentLetter:
    """Send the letter ``key`` with its parts' ``values`` to ``contacts`` of affected accounts. Returns it.

    Whoever opened one of the linked active ``tickets`` reads it there, as an answer that stops the ticket's clocks
    (FMEA-8.4); the others get a mail through the outbox, in the transaction of the letter. Raises PartMissing,
    RuleViolated. About eight queries, and some for each answered ticket.
    """
    incident = locked_incident(incident, expected_version)
    letter = lifecycle.letter_of(incident.letters, key)
    if letter is None:
        raise RuleViolated("unknown", "The methodology has no such letter.", "letter")
    _check(incident, key, contacts)
    parts = {name: _text(values.get(name, ""), name) for name in letter["fields"]}
    empty = [name for name, text in parts.items() if not text.strip()]
    if empty:
        raise PartMissing(empty)
    row = IncidentLetter.objects.create(
        incident=incident, key=key, name=letter["name"], subject=one_line(subject, "subject", 200),
        opening=_text(opening, "opening").strip(), values=list(parts.items()), sent_by=actor, sent_at=at,
    )  # fmt: skip
    count = _deliver(row, incident, parts, contacts, tickets, actor=actor, at=at)
    accounts = list({contact.account_id: contact.account for contact in contacts}.values())
    data = {"letter": row.pk, "name": row.name, "people": count, "accounts": len(accounts)}
    add_entry(incident, EntryKind.LETTER, row.subject, actor=actor, at=at, data=data)
    told(incident, at=at)
    follow_clocks(incident, at=at)
    tell_accounts(incident, accounts, f"{row.name} sent", actor=actor, at=at, body=row.subject, verb="letter")
    audit_incident("letter", incident, actor=actor, at=at, after=data | {"key": key})
    return row


def next_update_after(incident: Incident, at: datetime) -> datetime | None:
    """Until when the word after one at ``at`` would be promised; None where none is, or it is over. A few queries."""
    promise = update_promise(incident, Desk()) if incident.status == IncidentStatus.OPEN else None
    try:
        return add(promise.calendar, at, promise.target) if promise else None
    except NoWorkingTime:
        return None  # its calendar ran out: nothing is promised


def may_send(incident: Incident, key: str) -> bool:
    """Whether the letter ``key`` still makes sense: of a closed incident only what was learnt is told."""
    return incident.status != IncidentStatus.CLOSED or lifecycle.kind_of(key) in AFTER_CLOSING


def signature() -> str:
    """How a letter ends. One query."""
    return f"{Workspace.objects.values_list('name', flat=True).first() or 'Your'} Support"


def _check(incident: Incident, key: str, contacts: Sequence[Contact]) -> None:
    if not may_send(incident, key):
        raise RuleViolated("closed", "This incident is closed: only what was learnt can still be told.", "letter")
    if not contacts:
        raise RuleViolated("nobody", "Choose whom it goes to.", "contacts")
    if len(contacts) > MOST_PEOPLE:
        raise RuleViolated("too_many", f"At most {MOST_PEOPLE} people at once.", "contacts")
    affected = set(incident.affected.present().values_list("account", flat=True))
    if any(contact.account_id not in affected or not contact.email for contact in contacts):
        raise RuleViolated("contacts", "Choose people of affected accounts who have an address.", "contacts")


def _text(value: object, field: str) -> str:
    text = str(value).replace("\x00", "")
    if len(text) > MOST_TEXT:
        raise RuleViolated("too_long", f"At most {MOST_TEXT:,} characters.", field)
    return text


def _deliver(
    row: IncidentLetter,
    incident: Incident,
    parts: Mapping[str, str],
    contacts: Sequence[Contact],
    tickets: Sequence[Ticket],
    *,
    actor: User,
    at: datetime,
) -> int:
    """Answer the tickets, post the mails, keep who was told; how many people."""
    zone, signed, upcoming = workspace_zone(), signature(), next_update_after(incident, at)

    def words(account: Any, name: str) -> dict[str, str]:
        return words_for(incident, account, name, zone, upcoming)

    found: dict[tuple[Any, str], IncidentDelivery] = {}
    for ticket in waiting_among(incident, tickets):
        person = ticket.requester
        name = greeted_as(person) if person else ticket.account.name
        body = lifecycle.body_of(parts, words(ticket.account, name), opening=row.opening, signed=signed)
        reply(ticket, body, actor=actor, at=at)
        email = person.email if person else ""
        found.setdefault(
            (ticket.account_id, email or str(ticket.pk)),
            IncidentDelivery(
                letter=row, account=ticket.account, contact=person, ticket=ticket, name=name, email=email, body=body
            ),
        )
    mails = []
    desk, at_host = settings_row(), host()
    name_of_house, reply_to = sender(desk, at_host), support_address(desk, at_host)
    for contact in contacts:
        if (contact.account_id, contact.email) in found:
            continue
        told_with = words(contact.account, greeted_as(contact))
        body = lifecycle.body_of(parts, told_with, opening=row.opening, signed=signed)
        delivery = IncidentDelivery(
            letter=row, account=contact.account, contact=contact, name=contact.name or contact.email,
            email=contact.email, body=body, dedupe_key=f"incident-letter:{row.pk}:{contact.pk}",
        )  # fmt: skip
        found[contact.account_id, contact.email] = delivery
        subject = lifecycle.replaced(row.subject, told_with)
        headers = {"Message-ID": f"<{delivery.pk}@{at_host}>", "X-Loop": at_host}
        mails.append(Letter(contact.email, subject, body, name_of_house, reply_to, headers, delivery.dedupe_key))
    IncidentDelivery.objects.bulk_create(found.values())
    post_letters(mails, at=at)
    return len(found)
