"""The life of a ticket: opened, moved along, resolved, closed, reopened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.audit import plain
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated
from accounts.models import Account, Contact, Severity
from support.actions.clocks import recompute
from support.actions.fields import clean_custom
from support.actions.log import AT_HAND, add_event, audit, choice, locked, one_line, settings_row, store, written
from support.actions.routing import route_by_itself
from support.choices import ACTIVE, DONE, TRANSITIONS, Channel, Delivery, EventKind, Impact, Level, Status, TicketType
from support.models import Message, SupportSettings, Ticket
from support.queries.calendars import Calendars
from support.queries.promises import policies_for

if TYPE_CHECKING:
    from accounts.models import User
    from support.models import SlaPolicy, Team

LOWEST_RANK = 4
MOST_TAGS = 20
MOST_COPIED = 20
# What ``update_ticket`` changes; everything else has its own verb.
EDITABLE = frozenset(
    {
        "subject", "type", "component", "category", "impact", "tags", "custom", "requester", "cc", "root_cause",
        "engineering_reference", "team", "parent",
    }
)  # fmt: skip


class NotAllowed(RuleViolated):
    """The ticket's status does not lead there."""


@transaction.atomic
def open_ticket(
    account: Account, *, subject: str, body: str = "", channel: str, severity: Severity | None = None,
    impact: int = Impact.ONE, type: str = TicketType.QUESTION, component: str = "", category: str = "",
    requester: Contact | None = None, cc: Sequence[str] = (), tags: Sequence[str] = (),
    custom: dict[str, Any] | None = None, team: Team | None = None, assignee: User | None = None,
    status: str = Status.NEW, opened_by_staff: bool = False, source: str = "", external_id: str = "",
    policies: Sequence[SlaPolicy] | None = None, parent: Ticket | None = None, html: str = "", quoted: str = "",
    mail_id: str = "", actor: User | None, at: datetime, created_at: datetime | None = None,
) -> Ticket:  # fmt: skip
    """Open a ticket for ``account``; its first message is ``body``. Returns it with its clocks running.

    It happened at ``created_at`` (``at`` if not given). With ``opened_by_staff`` no first response is owed.
    The promises are those of the account's tier now (AMB-16); ``policies`` names others, an empty list none
    (tickets brought from elsewhere). One without team and assignee is routed. Raises RuleViolated.
    """
    began = created_at or at
    _check_opening(account, status, requester, began, at)
    ticket = Ticket(
        number=_next_number(), subject=one_line(subject, "subject", 300), account=account, requester=requester,
        cc=list(dict.fromkeys(cc)), channel=choice(channel, Channel, "channel"), type=choice(type, TicketType, "type"),
        component=one_line(component, "component", 80, required=False),
        category=one_line(category, "category", 60, required=False),
        severity=severity, impact=choice(impact, Impact, "impact"), priority=priority_of(severity, impact),
        tier_key=account.tier.key if account.tier else "", tier_rank=account.tier.rank if account.tier else 0,
        status=choice(status, Status, "status"), team=team, assignee=assignee, tags=clean_tags(tags),
        custom=clean_custom(custom) if custom else {}, parent=parent, timezone=account.timezone or Calendars().zone,
        opened_by_staff=opened_by_staff, created_at=began, created_by=actor, **waiting_for(status, began),
        last_customer_at=None if opened_by_staff else began, source=source, external_id=external_id,
    )  # fmt: skip
    ticket.save(force_insert=True)
    ticket.policies.set(policies_for(account, channel) if policies is None else policies)
    _note_opening(ticket, actor=actor, at=began)
    if body.strip() or html:
        _first_message(ticket, body, html, quoted, mail_id, actor=actor, at=began)
    if team is None and assignee is None and policies != []:
        route_by_itself(ticket, at=at)
    recompute([ticket], at=at)
    _tell_opening(ticket, actor=actor, at=at)
    audit("open", ticket, actor=actor, at=at, after={**snapshot(ticket), "subject": ticket.subject})
    return ticket


@transaction.atomic
def update_ticket(
    ticket: Ticket, *, actor: User | None, at: datetime, expected_version: int | None = None, **changes: Any
) -> Ticket:
    """Change subject, type, component, impact, tags and the like. Raises RuleViolated, StaleVersion."""
    unknown = set(changes) - EDITABLE
    if unknown:
        raise RuleViolated("unknown", f"Cannot be changed here: {', '.join(sorted(unknown))}.", min(unknown))
    ticket = locked(ticket, expected_version)
    values = {name: _clean(ticket, name, value) for name, value in changes.items()}
    values = {name: value for name, value in values.items() if getattr(ticket, name) != value}
    if not values:
        return ticket
    before = {name: plain(getattr(ticket, name)) for name in values}
    if "impact" in values:
        values["priority"] = priority_of(ticket.severity, values["impact"])
    store(ticket, **values)
    after = {name: plain(values[name]) for name in before}
    add_event(ticket, EventKind.FIELDS, at=at, actor=actor, data={"before": before, "after": after})
    audit("update", ticket, actor=actor, at=at, before=before, after=after)
    return ticket


@transaction.atomic
def change_status(
    ticket: Ticket,
    status: str,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
    confirmed: bool = False,
    expected_version: int | None = None,
) -> Ticket:
    """Move along the allowed transitions; everything a status brings with it is done. Raises NotAllowed.

    ``confirmed`` says that the customer agreed to close it (FMEA-6.5).
    """
    ticket = locked(ticket, expected_version)
    status = choice(status, Status, "status")
    if status == ticket.status:
        return ticket
    if status not in TRANSITIONS[ticket.status]:
        now = ticket.get_status_display().lower()
        raise NotAllowed(
            "transition", f"A ticket that is {now} cannot become {Status(status).label.lower()}.", "status"
        )
    settings = settings_row()
    before = snapshot(ticket)
    event = {"from": ticket.status, "to": status, "reason": reason}
    values = _of_status(ticket, status, settings, at, confirmed=confirmed)
    store(ticket, status=status, **values, **waiting_for(status, at))
    add_event(ticket, EventKind.STATUS, at=at, actor=actor, data=event)
    recompute([ticket], at=at, settings=settings)
    if status in DONE or event["from"] in DONE:
        _tell_timeline(ticket, actor=actor, at=at)
    audit("status", ticket, actor=actor, at=at, before=before, after=snapshot(ticket) | {"reason": reason})
    return ticket


def resolve(ticket: Ticket, **given: Any) -> Ticket:
    """``change_status`` to resolved."""
    return change_status(ticket, Status.RESOLVED, **given)


def close(ticket: Ticket, **given: Any) -> Ticket:
    """``change_status`` to closed; one that is active is resolved on the way. ``confirmed`` as there."""
    if ticket.status in ACTIVE:
        version = given.pop("expected_version", None)
        confirmed = given.pop("confirmed", False)
        ticket = resolve(ticket, expected_version=version, **given)
        given["confirmed"] = confirmed
    return change_status(ticket, Status.CLOSED, **given)


def reopen(ticket: Ticket, **given: Any) -> Ticket:
    """``change_status`` of one that is done back to open. Within the workspace's window the same clock goes on."""
    if ticket.status not in DONE:
        raise NotAllowed("not_done", "Only a ticket that is done can be opened again.", "status")
    return change_status(ticket, Status.OPEN, **given)


def cancel(ticket: Ticket, **given: Any) -> Ticket:
    """``change_status`` to cancelled: spam, or opened by mistake. No promise was met or missed."""
    return change_status(ticket, Status.CANCELLED, **given)


def close_quiet(*, at: datetime, most: int = 500) -> int:
    """Close what was resolved so many days ago that nobody objects any more; how many."""
    days = settings_row().close_after_days
    if not days:
        return 0
    due = Ticket.objects.filter(status=Status.RESOLVED, resolved_at__lte=at - timedelta(days=days))
    tickets = list(due.order_by("resolved_at")[:most])
    for ticket in tickets:
        close(ticket, actor=None, at=at, reason=f"Nobody objected for {days} days")
    return len(tickets)


def snapshot(ticket: Ticket) -> dict[str, Any]:
    """The changing facts of a ticket as plain values, for the audit log."""
    names = ("status", "priority", "severity_id", "impact", "level", "assignee_id", "team_id", "next_due_at")
    return {name: plain(getattr(ticket, name)) for name in names}


def priority_of(severity: Severity | None, impact: int) -> int:
    """Severity rank plus impact, lower first; without a severity it ranks last (AMB-35)."""
    return (severity.rank if severity else LOWEST_RANK) + int(impact)


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags in lower case, each once. Raises RuleViolated for one that is too long, or for too many."""
    found = list(dict.fromkeys(" ".join(str(tag).lower().split()) for tag in tags))
    found = [tag for tag in found if tag]
    if len(found) > MOST_TAGS or any(len(tag) > 40 for tag in found):
        raise RuleViolated("tags", f"At most {MOST_TAGS} tags of up to 40 characters.", "tags")
    return found


def clean_addresses(addresses: Sequence[str]) -> list[str]:
    """Mail addresses in small letters, each once. Raises RuleViolated for one that is none, or for too many."""
    found = list(dict.fromkeys(str(address).strip().lower() for address in addresses))
    for address in found:
        try:
            validate_email(address)
        except ValidationError as error:
            raise RuleViolated("email", f"{address[:80]!r} is no mail address.", "cc") from error
    if len(found) > MOST_COPIED:
        raise RuleViolated("too_many", f"At most {MOST_COPIED} people are copied.", "cc")
    return found


def _next_number() -> int:
    """The next ticket number. Two at once wait for each other, so that none is left out or given twice."""
    settings = settings_row()
    SupportSettings.objects.filter(pk=settings.pk).update(last_number=F("last_number") + 1)
    return int(SupportSettings.objects.values_list("last_number", flat=True).get(pk=settings.pk))


def _check_opening(account: Account, status: str, requester: Contact | None, began: datetime, at: datetime) -> None:
    if began > at:
        raise RuleViolated("future", "A ticket is opened now or was opened before.", "created_at")
    if choice(status, Status, "status") in DONE:
        raise NotAllowed("status", "A new ticket is not done yet; resolve it afterwards.", "status")
    if requester is not None and requester.account_id != account.pk:
        raise RuleViolated("requester", "This person belongs to another account.", "requester")


def _note_opening(ticket: Ticket, *, actor: User | None, at: datetime) -> None:
    """The first entry of its log, which its clocks start from."""
    severity = ticket.severity.key if ticket.severity else ""
    data = {
        "status": ticket.status, "severity": severity, "channel": ticket.channel, "priority": ticket.priority,
    }  # fmt: skip
    add_event(ticket, EventKind.CREATED, at=at, actor=actor, data=data)


def _first_message(
    ticket: Ticket, body: str, html: str, quoted: str, mail_id: str, *, actor: User | None, at: datetime
) -> None:
    by_customer = not ticket.opened_by_staff
    Message.objects.create(
        ticket=ticket,
        from_customer=by_customer,
        author=None if by_customer else actor,
        contact=ticket.requester if by_customer else None,
        channel=ticket.channel,
        body=written(body or "(no text)"),
        html=html,
        quoted=quoted,
        delivery=Delivery.NONE,
        mail_id=mail_id,
        created_at=at,
    )


def waiting_for(status: str, at: datetime) -> dict[str, Any]:
    """Since when the customer is asked, as a ticket's row says it, in a status entered at ``at``."""
    return {"waiting_since": at if status == Status.WAITING_CUSTOMER else None, "reminded_at": None}


def _of_status(
    ticket: Ticket, status: str, settings: SupportSettings, at: datetime, *, confirmed: bool
) -> dict[str, Any]:
    """What a ticket's row shows of the status it enters."""
    if status == Status.RESOLVED:
        return AT_HAND | {"resolved_at": at, "solved_at_first_contact": _first_contact(ticket)}
    if status == Status.CLOSED:
        return {"closed_at": at, "confirmed_by_customer": confirmed}
    if status == Status.CANCELLED:
        return AT_HAND | {"resolved_at": None, "closed_at": None, "solved_at_first_contact": None}
    if ticket.status not in DONE:
        return {}
    again: dict[str, Any] = {
        "resolved_at": None, "closed_at": None, "confirmed_by_customer": False, "solved_at_first_contact": None,
        "merged_into": None, "csat_asked_at": None,
    }  # fmt: skip
    if ticket.status != Status.CANCELLED:
        again["reopened_count"] = ticket.reopened_count + 1
        # Whoever is asked again answers about this resolution.
        again["cycle"] = ticket.cycle + 1
    return again


def _first_contact(ticket: Ticket) -> bool:
    """Solved by the first line, never passed on, never escalated, never reopened (BIS-1.5)."""
    return ticket.level == Level.FIRST and not ticket.reopened_count and not ticket.escalations.exists()


def _tell_opening(ticket: Ticket, *, actor: User | None, at: datetime) -> None:
    log_activity(
        ticket.account, kind=ActivityKind.TICKET, title=f"Ticket opened: {ticket}"[:200], actor=actor,
        at=ticket.created_at, data={"ticket": str(ticket.pk), "number": ticket.number},
    )  # fmt: skip
    mark_changed([ticket.account_id], at=at)


def _tell_timeline(ticket: Ticket, *, actor: User | None, at: datetime) -> None:
    log_activity(
        ticket.account, kind=ActivityKind.TICKET, actor=actor, at=at,
        title=f"Ticket {ticket.get_status_display().lower()}: {ticket}"[:200],
        data={"ticket": str(ticket.pk), "number": ticket.number, "status": ticket.status},
    )  # fmt: skip
    mark_changed([ticket.account_id], at=at)


def _clean(ticket: Ticket, name: str, value: Any) -> Any:
    """``value`` as the ticket keeps it. Raises RuleViolated."""
    if name == "subject":
        return one_line(value, name, 300)
    if name in {"component", "category", "engineering_reference"}:
        limit = {"component": 80, "category": 60}.get(name, 120)
        return one_line(value or "", name, limit, required=False)
    if name == "type":
        return choice(value, TicketType, name)
    if name == "impact":
        return choice(value, Impact, name)
    if name == "tags":
        return clean_tags(value)
    if name == "cc":
        return clean_addresses(value)
    if name == "custom":
        return clean_custom(value, kept=ticket.custom)
    if name == "requester" and value is not None and value.account_id != ticket.account_id:
        raise RuleViolated("requester", "This person belongs to another account.", name)
    if name == "parent" and value is not None and ticket.pk in {value.pk, value.parent_id}:
        raise RuleViolated("parent", "A ticket cannot stand below itself.", name)
    return value
