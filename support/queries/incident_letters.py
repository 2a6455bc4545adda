"""Letters about an incident: their parts filled in, whom they may go to, what each account would read, who was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from accounts.choices import StakeholderRole
from accounts.models import Account, Contact, Workspace
from engagement.queries import letters as outbox_letters
from support import lifecycle
from support.choices import EntryKind
from support.models import Incident, IncidentDelivery, IncidentLetter, Ticket

if TYPE_CHECKING:
    from accounts.models import User

# Who is told if nobody chooses: those who run it, and those who answer for it.
TOLD_FIRST = (
    StakeholderRole.ADMINISTRATOR, StakeholderRole.CHAMPION, StakeholderRole.EXECUTIVE_SPONSOR,
    StakeholderRole.DECISION_MAKER,
)  # fmt: skip
MOST_TIMELINE = 40


@dataclass(slots=True)
class Audience:
    """An affected account with its people who have an address; ``chosen`` are those told if nobody says otherwise."""

    account: Account
    contacts: list[Contact] = field(default_factory=list)
    chosen: set[UUID] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Preview:
    """What one account's people would read."""

    account: Account
    people: list[str]
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Told:
    """A delivery with what became of its mail: sent, waiting, failed; ticket for an answer in a ticket."""

    delivery: IncidentDelivery
    state: str
    at: datetime | None = None
    error: str = ""


def audiences(incident: Incident, accounts: Iterable[Account]) -> list[Audience]:
    """``accounts`` with their people, by name. One query.

    Chosen are those told before, else who opened a linked ticket and who runs or answers for it, else the first.
    """
    found = {each.pk: Audience(each) for each in accounts}
    people = Contact.objects.present().filter(account__in=found).exclude(email="").annotate(
        told=Exists(IncidentDelivery.objects.filter(letter__incident=incident.pk, contact=OuterRef("pk"))),
        asked=Exists(Ticket.objects.filter(incident=incident.pk, requester=OuterRef("pk"))),
    )  # fmt: skip
    for contact in people.order_by("name", "pk"):
        contact.account = found[contact.account_id].account
        found[contact.account_id].contacts.append(contact)
    for each in found.values():
        told = {contact.pk for contact in each.contacts if contact.told}
        fitting = {contact.pk for contact in each.contacts if contact.asked or contact.stakeholder_role in TOLD_FIRST}
        each.chosen = told or fitting or {contact.pk for contact in each.contacts[:1]}
    return sorted(found.values(), key=lambda each: each.account.name.lower())


def filled(incident: Incident, letter: Mapping[str, Any]) -> dict[str, str]:
    """Its parts as they stand, in the methodology's order; what nobody has said yet is empty. Four queries at most.

    Moments stay words in braces: each account reads them in its own zone.
    """
    review = getattr(incident, "review", None)
    parts: Mapping[str, str] = review.parts if review else {}
    found = {}
    for name in letter["fields"]:
        found[name] = _FILLED[name](incident) if name in _FILLED else parts.get(name, "")
    return found


def _progress(incident: Incident) -> str:
    last = incident.entries.filter(kind=EntryKind.UPDATE).order_by("-at", "-pk").first()
    return last.body if last else ""


def timeline_text(incident: Incident) -> str:
    """What customers may know of the way it took: one line for each stage and update. One query."""
    kinds = (EntryKind.OPENED, EntryKind.STAGE, EntryKind.UPDATE, EntryKind.RESOLVED, EntryKind.REOPENED)
    zone = ZoneInfo(workspace_zone())
    lines = []
    for entry in incident.entries.filter(kind__in=kinds).order_by("at", "pk")[:MOST_TIMELINE]:
        words = entry.data.get("title", "") if entry.kind == EntryKind.STAGE else entry.body
        label = entry.get_kind_display() if entry.kind != EntryKind.STAGE else "Stage"
        text = " ".join(words.split())
        lines.append(f"{entry.at.astimezone(zone):%d %b %H:%M} {label}{f': {text}' if text else ''}")
    return "\n".join(lines)


def _safeguards(incident: Incident) -> str:
    return "\n".join(dict.fromkeys(action.title for action in incident.actions.all()))


def _owners(incident: Incident) -> str:
    return ", ".join(dict.fromkeys(str(action.owner) for action in incident.actions.select_related("owner")))


def _last_due(incident: Incident) -> str:
    days = [action.due_on for action in incident.actions.all()]
    return max(days).isoformat() if days else ""


_FILLED = {
    "issue": lambda incident: incident.summary or incident.title,
    "affected service": lambda incident: incident.component,
    "severity": lambda incident: incident.severity.name if incident.severity else "",
    "acknowledged at": lambda incident: "{acknowledged_at}",
    "next update": lambda incident: "{next_update}" if incident.update_minutes else "",
    "progress": _progress,
    "resolution": lambda incident: incident.resolution,
    "resolved at": lambda incident: "{resolved_at}" if incident.resolved_at else "",
    "timeline": timeline_text,
    "safeguards": _safeguards,
    "owner": _owners,
    "due date": _last_due,
}  # fmt: skip


def workspace_zone() -> str:
    """The workspace's zone. One query."""
    return Workspace.objects.values_list("timezone", flat=True).first() or "UTC"


def words_for(
    incident: Incident, account: Account, name: str, zone: str, next_update: datetime | None
) -> dict[str, str]:
    """What the words in braces stand for, to one person of ``account``: moments in its zone."""
    zone = account.timezone or zone
    return {
        "contact": name,
        "account": account.name,
        "incident": incident.code,
        "title": incident.title,
        "acknowledged_at": _moment(incident.opened_at, zone),
        "next_update": _moment(next_update, zone),
        "resolved_at": _moment(incident.resolved_at, zone),
    }


def _moment(at: datetime | None, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %b %Y, %H:%M} ({zone})" if at else ""


def subject_of(incident: Incident, letter: Mapping[str, Any]) -> str:
    """The subject a letter begins with."""
    return f"[{incident.code}] {letter['name']}: {incident.title}"[:200]


def previews(
    incident: Incident,
    subject: str,
    values: Mapping[str, str],
    opening: str,
    contacts: Sequence[Contact],
    *,
    signed: str,
    next_update: datetime | None,
) -> list[Preview]:
    """What each account among the ``contacts`` would read, by name. One query."""
    zone = workspace_zone()
    by_account: dict[UUID, list[Contact]] = {}
    for contact in contacts:
        by_account.setdefault(contact.account_id, []).append(contact)
    found = []
    for people in by_account.values():
        account = people[0].account
        words = words_for(incident, account, greeted_as(people[0]), zone, next_update)
        body = lifecycle.body_of(values, words, opening=opening, signed=signed)
        names = [f"{contact.name} <{contact.email}>" for contact in people]
        found.append(Preview(account, names, lifecycle.replaced(subject, words), body))
    return sorted(found, key=lambda each: each.account.name.lower())


def greeted_as(contact: Contact) -> str:
    """How a letter greets them: by their name, else their address."""
    return contact.name or contact.email


def trail(user: User, incident: Incident) -> list[tuple[IncidentLetter, list[Told]]]:
    """Every letter with whom it told, newest first; only the accounts ``user`` may see. Two queries."""
    rows = IncidentDelivery.objects.filter(
        letter__incident=incident.pk, account__in=Account.objects.visible_to(user)
    ).select_related("account", "ticket", "letter__sent_by")
    deliveries = list(rows.order_by("-letter__sent_at", "letter", "account__name", "name"))
    mails = outbox_letters({row.dedupe_key for row in deliveries if row.dedupe_key})
    found: dict[UUID, tuple[IncidentLetter, list[Told]]] = {}
    for row in deliveries:
        found.setdefault(row.letter_id, (row.letter, []))[1].append(_told(row, mails))
    return list(found.values())


def states_of(keys: list[UUID]) -> dict[UUID, str]:
    """What became of these deliveries. Two queries."""
    deliveries = list(IncidentDelivery.objects.filter(pk__in=keys))
    mails = outbox_letters({row.dedupe_key for row in deliveries if row.dedupe_key})
    return {row.pk: _told(row, mails).state for row in deliveries}


def _told(row: IncidentDelivery, mails: Mapping[str, Any]) -> Told:
    if not row.dedupe_key:
        return Told(row, "ticket")
    mail = mails.get(row.dedupe_key)
    if mail is None:
        return Told(row, "failed", error="The mail is not in the outbox any more.")
    if mail.sent_at:
        return Told(row, "sent", mail.sent_at)
    return Told(row, "failed", mail.dead_at, mail.last_error) if mail.dead_at else Told(row, "waiting")
