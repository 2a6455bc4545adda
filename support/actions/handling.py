"""Who works a ticket, how bad it is, and what it belongs to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated
from support.actions.clocks import recompute
from support.actions.log import AT_HAND, add_event, audit, choice, locked, one_line, store
from support.actions.routing import route_by_itself
from support.actions.telling import tell_assigned
from support.actions.tickets import NotAllowed, change_status, open_ticket, priority_of, snapshot
from support.choices import DONE, EventKind, Level, LinkKind, Status
from support.models import Message, Ticket, TicketEvent, TicketLink, TicketRating, TimeEntry

if TYPE_CHECKING:
    from accounts.models import Severity, User
    from support.models import Team

MOST_MINUTES = 24 * 60


@transaction.atomic
def change_severity(
    ticket: Ticket,
    severity: Severity | None,
    *,
    actor: User | None,
    at: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Ticket:
    """Set how bad it is. Promises still open follow it, counted from the start; those judged stay (AMB-15)."""
    ticket = locked(ticket, expected_version)
    if ticket.severity_id == (severity.pk if severity else None):
        return ticket
    before = snapshot(ticket)
    event = {
        "severity": severity.key if severity else "",
        "from": ticket.severity.key if ticket.severity else "",
        "reason": reason,
        "due_before": ticket.next_due_at,
    }
    store(ticket, severity=severity, priority=priority_of(severity, ticket.impact))
    add_event(ticket, EventKind.SEVERITY, at=at, actor=actor, data=event)
    recompute([ticket], at=at)
    mark_changed([ticket.account_id], at=at)
    audit("severity", ticket, actor=actor, at=at, before=before, after=snapshot(ticket) | {"reason": reason})
    return ticket


@transaction.atomic
def assign(
    ticket: Ticket,
    assignee: User | None,
    *,
    actor: User | None,
    at: datetime,
    team: Team | None = None,
    expected_version: int | None = None,
    tell: bool = True,
) -> Ticket:
    """Give it to a colleague (None: to nobody), who is told, and to ``team`` if one is named. Raises RuleViolated."""
    ticket = locked(ticket, expected_version)
    if assignee is not None and not _may_work(assignee, ticket):
        raise RuleViolated("assignee", "That person cannot work this ticket.", "assignee")
    values: dict[str, Any] = {"assignee": assignee, **({"team": team} if team else {})}
    if all(getattr(ticket, name) == value for name, value in values.items()):
        return ticket
    before = snapshot(ticket)
    event = {"from": ticket.assignee_id, "to": assignee.pk if assignee else None, "team": team.key if team else None}
    # Whoever gets it has not set it aside.
    store(ticket, **values, **(AT_HAND if ticket.snoozed_at and assignee != ticket.assignee else {}))
    add_event(ticket, EventKind.ASSIGNED, at=at, actor=actor, data=event)
    if tell:
        tell_assigned(ticket, before["assignee_id"], actor=actor, at=at)
    audit("assign", ticket, actor=actor, at=at, before=before, after=snapshot(ticket))
    return ticket


@transaction.atomic
def change_level(
    ticket: Ticket, level: int, *, reason: str, actor: User | None, at: datetime, expected_version: int | None = None
) -> Ticket:
    """Pass it to another line of support, one step up at most, with the reason (FMEA-5.10–5.12, FMEA-6.7).

    The next line takes it from its own queue: it is nobody's until then, or until routing finds somebody.
    """
    ticket = locked(ticket, expected_version)
    level = choice(level, Level, "level")
    if ticket.status in DONE:
        raise NotAllowed("done", "A ticket that is done is passed to nobody.", "level")
    if level == ticket.level:
        return ticket
    if level > ticket.level + 1:
        raise RuleViolated("level", "Pass it to the next level; none is left out.", "level")
    reason = one_line(reason, "reason", 300)
    before = snapshot(ticket)
    event = {"from": ticket.level, "to": level, "reason": reason}
    store(ticket, level=level, assignee=None, team=None)
    add_event(ticket, EventKind.LEVEL, at=at, actor=actor, data=event)
    route_by_itself(ticket, at=at)
    audit("level", ticket, actor=actor, at=at, before=before, after=snapshot(ticket) | {"reason": reason})
    return ticket


@transaction.atomic
def merge(ticket: Ticket, into: Ticket, *, actor: User | None, at: datetime) -> Ticket:
    """Make ``ticket`` part of ``into``, of the same account. Returns ``into`` with the whole conversation.

    Its own clocks end without a verdict; those of ``into`` go on.
    """
    first, second = sorted([ticket.pk, into.pk])
    rows = {pk: locked(Ticket(pk=pk)) for pk in dict.fromkeys([first, second])}
    if len(rows) == 1:
        raise RuleViolated("merge", "A ticket cannot be merged into itself.", "into")
    ticket, into = rows[ticket.pk], rows[into.pk]
    if ticket.account_id != into.account_id:
        raise RuleViolated("merge", "Only tickets of one account can be merged.", "into")
    if ticket.status in DONE or into.status in DONE:
        raise NotAllowed("merge", "Merge tickets that are still open.", "into")
    change_status(ticket, Status.CANCELLED, actor=actor, at=at, reason=f"Merged into #{into.number}")
    Ticket.objects.filter(pk=ticket.pk).update(merged_into=into)
    moved = Message.objects.filter(ticket=ticket).update(ticket=into)
    data = {"ticket": str(ticket.pk), "number": ticket.number, "messages": moved}
    add_event(into, EventKind.MERGED, at=at, actor=actor, data=data)
    store(into, tags=list(dict.fromkeys([*into.tags, *ticket.tags]))[:20], cc=sorted({*into.cc, *ticket.cc}))
    audit("merge", into, actor=actor, at=at, after=data)
    return into


@transaction.atomic
def split(ticket: Ticket, message: Message, *, subject: str, actor: User | None, at: datetime) -> Ticket:
    """Open a ticket of its own for ``message`` and what follows it. Returns the new one.

    Its clocks began when that message was written, so that splitting never gives more time; an answer given
    since then counts for it too.
    """
    ticket = locked(ticket)
    conversation = list(ticket.messages.order_by("created_at", "pk"))
    rest = conversation[conversation.index(message) :] if message in conversation else []
    if not rest or len(rest) == len(conversation):
        raise RuleViolated("split", "Choose a message after the first one.", "message")
    new = open_ticket(
        ticket.account, subject=subject, channel=ticket.channel, severity=ticket.severity, impact=ticket.impact,
        type=ticket.type, component=ticket.component, category=ticket.category, requester=ticket.requester,
        team=ticket.team, tags=ticket.tags, opened_by_staff=not message.from_customer and ticket.opened_by_staff,
        policies=list(ticket.policies.all()), actor=actor, at=at, created_at=message.created_at,
    )  # fmt: skip
    ids = [each.pk for each in rest]
    Message.objects.filter(pk__in=ids).update(ticket=new)
    _answers_along(ticket, new, {str(pk) for pk in ids})
    for one, other in ((ticket, new), (new, ticket)):
        add_event(one, EventKind.SPLIT, at=at, actor=actor, data={"ticket": str(other.pk), "number": other.number})
    TicketLink.objects.create(ticket=new, other=ticket, kind=LinkKind.RELATED, created_at=at)
    new = locked(new)
    recompute([new], at=at)
    audit("split", ticket, actor=actor, at=at, after={"ticket": str(new.pk), "number": new.number})
    return new


@transaction.atomic
def link(ticket: Ticket, other: Ticket, *, kind: str = LinkKind.RELATED, actor: User | None, at: datetime) -> bool:
    """Note that two tickets belong together; False where that was noted already."""
    if ticket.pk == other.pk:
        raise RuleViolated("link", "A ticket cannot be linked to itself.", "other")
    ticket = locked(ticket)
    _row, made = TicketLink.objects.get_or_create(
        ticket=ticket, other=other, kind=choice(kind, LinkKind, "kind"), defaults={"created_at": at}
    )
    if made:
        data = {"ticket": str(other.pk), "number": other.number, "kind": kind}
        add_event(ticket, EventKind.LINKED, at=at, actor=actor, data=data)
        audit("link", ticket, actor=actor, at=at, after=data)
    return made


@transaction.atomic
def rate(ticket: Ticket, score: int, *, comment: str = "", at: datetime, actor: User | None = None) -> TicketRating:
    """Keep the customer's answer about this resolution, 1 to 5; a second one replaces it. Returns it."""
    ticket = locked(ticket)
    if not isinstance(score, int) or not 1 <= score <= 5:
        raise RuleViolated("score", "Give 1 to 5.", "score")
    if ticket.status not in {Status.RESOLVED, Status.CLOSED}:
        raise NotAllowed("not_done", "A ticket is rated when it is done.", "score")
    comment = comment.replace("\x00", "")[:4000]
    rating, _made = TicketRating.objects.update_or_create(
        ticket=ticket, cycle=ticket.cycle, defaults={"score": score, "comment": comment, "at": at}
    )
    store(ticket, csat_score=score, csat_comment=comment, csat_at=at)
    add_event(ticket, EventKind.RATED, at=at, actor=actor, data={"score": score, "cycle": ticket.cycle})
    log_activity(
        ticket.account, kind=ActivityKind.TICKET, title=f"Rated {score} of 5: {ticket}"[:200], body=comment,
        actor=actor, at=at, data={"ticket": str(ticket.pk), "rating": score},
    )  # fmt: skip
    mark_changed([ticket.account_id], at=at)
    audit("rate", ticket, actor=actor, at=at, after={"score": score, "cycle": ticket.cycle})
    return rating


@transaction.atomic
def log_time(ticket: Ticket, minutes: int, *, note: str = "", actor: User, at: datetime) -> TimeEntry:
    """Note work put into it. Returns the entry."""
    ticket = locked(ticket)
    if not isinstance(minutes, int) or not 0 < minutes <= MOST_MINUTES:
        raise RuleViolated("minutes", f"Give 1 to {MOST_MINUTES} minutes.", "minutes")
    entry = TimeEntry.objects.create(ticket=ticket, user=actor, minutes=minutes, note=note[:200], at=at)
    store(ticket, minutes_spent=ticket.minutes_spent + minutes)
    add_event(ticket, EventKind.TIME, at=at, actor=actor, data={"minutes": minutes})
    audit("time", ticket, actor=actor, at=at, after={"minutes": minutes})
    return entry


def _may_work(user: User, ticket: Ticket) -> bool:
    """Whether ``user`` is one of the house, active, and sees the ticket."""
    return user.is_active and not user.is_portal and Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()


def _answers_along(ticket: Ticket, new: Ticket, messages: set[str]) -> None:
    """Answers that move with their messages count for the new ticket too. One query to read, one to write."""
    kinds = [EventKind.AGENT_REPLY, EventKind.CUSTOMER_REPLY, EventKind.REPLY_FAILED]
    moved = [
        TicketEvent(ticket=new, kind=event.kind, at=event.at, actor_id=event.actor_id, data=event.data)
        for event in TicketEvent.objects.filter(ticket=ticket, kind__in=kinds)
        if event.data.get("message") in messages
    ]
    TicketEvent.objects.bulk_create(moved)
    first = min((e.at for e in moved if e.kind == EventKind.AGENT_REPLY and not e.data.get("automatic")), default=None)
    if first and not new.opened_by_staff:
        Ticket.objects.filter(pk=new.pk).update(first_responded_at=first, last_agent_at=first)
