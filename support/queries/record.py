"""Reads of one ticket's page: conversation, history, what it belongs to, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import JSONObject
from django.utils import timezone

from accounts.models import User
from support.choices import TRANSITIONS, EventKind, Level, LinkKind, Status, Verdict
from support.models import (
    Attachment,
    Escalation,
    Macro,
    Message,
    SlaClock,
    Ticket,
    TicketEvent,
    TicketLink,
)
from support.queries.calendars import calendar_of
from support.queries.explain import clocks_of
from support.queries.listing import is_late, time_left
from ui.formats import moment

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from support.models.tickets import TicketQuerySet

MOST_MESSAGES = 500
MOST_EVENTS = 200
# What is shown of each: a person alone has twenty columns, and rows are made of all that is read.
RELATED = (
    "account__name", "account__health__shown", "account__health__rag", "account__health__band",
    "requester__name", "requester__email",
)  # fmt: skip
SPOKEN = (
    "ticket", "is_internal", "from_customer", "is_automatic", "body", "quoted", "delivery", "delivery_error",
    "created_at", "author__name", "author__email", "contact__name", "contact__email",
)  # fmt: skip
NAMED = ("number", "subject", "status", "merged_into", "parent")
RAISED = (
    "ticket", "level_name", "reason", "status", "raised_at", "owner__name", "owner__email", "raised_by__name",
    "raised_by__email",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One promise as the page shows it. ``left`` are seconds of its calendar, negative when late; None: not running."""

    clock: SlaClock
    left: int | None
    late: bool

    @property
    def tone(self) -> str:
        return {Verdict.MET: "good", Verdict.MISSED: "risk", Verdict.PAUSED: "neutral"}.get(
            Verdict(self.clock.verdict), "risk" if self.late else "info"
        )


def ticket_record(user: User, pk: UUID) -> Ticket | None:
    """One ticket with its account, people and team, or None where ``user`` may not see it. One query.

    ``is_workable`` says whether its row lets ``user`` work it.
    """
    related = ("account__owner", "account__tier", "severity", "requester", "assignee", "team")
    return _open_to(user).select_related(*related).filter(pk=pk).first()


def ticket_shown(user: User, pk: UUID) -> Ticket | None:
    """The same for its page: of the account its name and health, of the requester the names. One query.

    What else the page shows comes from ``beside``: every further join doubles what PostgreSQL has to think about.
    """
    rows = _open_to(user).select_related("account__health", "requester")
    return rows.only(*(field.name for field in Ticket._meta.concrete_fields), *RELATED).filter(pk=pk).first()


def _open_to(user: User) -> TicketQuerySet:
    workable = Exists(Ticket.objects.workable_by(user).filter(pk=OuterRef("pk")))
    return Ticket.objects.visible_to(user).annotate(is_workable=workable)


def conversation(user: User, ticket: Ticket) -> list[Message]:
    """What was said, oldest first, each with its ``files`` (id, name, size); customers never get a note. One query."""
    rows = Message.objects.visible_to(user).filter(ticket=ticket).select_related("author", "contact").only(*SPOKEN)
    attached = Attachment.objects.filter(message=OuterRef("pk"))
    of_message = attached.values(shown=JSONObject(id="pk", name="name", size="size"))
    return list(rows.annotate(files=ArraySubquery(of_message)).order_by("created_at", "pk")[:MOST_MESSAGES])


def attachment(user: User, pk: UUID) -> Attachment | None:
    """A file of a message ``user`` may read, else None. One query."""
    return Attachment.objects.visible_to(user).filter(pk=pk).first()


def clock_lines(ticket: Ticket, at: datetime) -> list[ClockLine]:
    """Its promises, those that still run first. One query."""
    lines = [line_of(clock, at, ticket.timezone) for clock in clocks_of(ticket)]
    return sorted(lines, key=lambda line: (line.clock.stopped_at is not None, line.clock.due_at is None))


def line_of(clock: SlaClock, at: datetime, zone: str = "") -> ClockLine:
    """How the promise stands at ``at``; in ``zone`` where its calendar names none. No query with its calendar there."""
    if clock.stopped_at is not None or clock.due_at is None:
        return ClockLine(clock, None, clock.verdict == Verdict.MISSED)
    definition = clock.calendar.definition if clock.calendar else None
    zone = zone or (calendar_of(definition).rules.zone.key if definition else "UTC")
    left = time_left(definition, zone, clock.due_at, at)
    return ClockLine(clock, left, is_late(left, clock.due_at, at, strict=clock.strict))


def history(ticket: Ticket, people: Mapping[str, str]) -> list[tuple[TicketEvent, str]]:
    """Everything that happened, newest first, each in words; ``people`` are names by key. One query."""
    events = ticket.events.select_related("actor").only("ticket", "kind", "at", "data", "actor__name", "actor__email")
    return [(event, _in_words(event, people)) for event in events.order_by("-at", "-pk")[:MOST_EVENTS]]


def _in_words(event: TicketEvent, people: Mapping[str, str]) -> str:
    data = event.data
    reason = f": {data['reason']}" if data.get("reason") else ""
    match event.kind:
        case EventKind.STATUS:
            return f"{Status(data['from']).label} → {Status(data['to']).label}{reason}"
        case EventKind.ASSIGNED:
            return f"to {people.get(str(data.get('to')), 'nobody')}"
        case EventKind.LEVEL:
            return f"{Level(data['from']).label} → {Level(data['to']).label}{reason}"
        case EventKind.SEVERITY:
            return f"to {data.get('severity') or 'none'}{reason}"
        case EventKind.ESCALATED:
            return f"to {data.get('level', '')}{reason}"
        case EventKind.FIELDS:
            return ", ".join(name.replace("_", " ") for name in data.get("after", {}))
        case EventKind.MERGED | EventKind.SPLIT | EventKind.LINKED:
            return f"with #{data.get('number', '')}"
        case EventKind.INCIDENT:
            return f"{'linked to' if data.get('linked') else 'unlinked from'} INC-{data.get('number', '')}"
        case EventKind.RATED:
            return f"{data.get('score')} of 5"
        case EventKind.TIME:
            return f"{data.get('minutes')} minutes"
        case EventKind.SNOOZED:
            until = data.get("until")
            return (
                f"until {moment(timezone.localtime(datetime.fromisoformat(until)))}"
                if until
                else "until the customer writes"
            )
        case EventKind.NOTE:
            return f"for {', '.join(data['told'])}" if data.get("told") else ""
        case EventKind.UNDONE:
            return str(data.get("label", ""))
        case EventKind.REPLY_FAILED:
            return str(data.get("error", ""))
    return ""


def related(user: User, ticket: Ticket) -> list[tuple[str, Ticket]]:
    """(how, ticket) of what it is linked to, merged with or split from, so far as ``user`` sees it. One query.

    The tickets have number, subject and status.
    """
    forth, back = TicketLink.objects.filter(ticket=ticket.pk), TicketLink.objects.filter(other=ticket.pk)
    ours = [key for key in (ticket.merged_into_id, ticket.parent_id) if key]
    # Each by its index; conditions joined by "or" would read every ticket.
    near = forth.values("other").union(
        back.values("ticket"),
        *(Ticket.objects.order_by().filter(found).values("pk") for found in (
            Q(merged_into=ticket.pk), Q(parent=ticket.pk), Q(pk__in=ours),
        )),
    )  # fmt: skip
    rows = Ticket.objects.visible_to(user).filter(pk__in=near).only(*NAMED).annotate(
        linked=forth.filter(other=OuterRef("pk")).values("kind")[:1],
        linked_back=back.filter(ticket=OuterRef("pk")).values("kind")[:1],
    )  # fmt: skip
    return [(_how(other, ticket), other) for other in rows[:50]]


def _how(other: Any, ticket: Ticket) -> str:
    if other.merged_into_id == ticket.pk:
        return "Merged into this"
    if other.pk == ticket.merged_into_id:
        return "Merged into"
    if other.linked:
        return LinkKind(other.linked).label
    if other.linked_back:
        label = LinkKind(other.linked_back).label
        return label if other.linked_back == LinkKind.RELATED else f"{label} (the other way)"
    return "Part of" if other.pk == ticket.parent_id else "Has part"


def escalations_of(ticket: Ticket) -> list[Escalation]:
    """Its escalations, newest first. One query."""
    rows = ticket.escalations.select_related("owner", "raised_by").only(*RAISED)
    return list(rows.order_by("-raised_at"))


def next_statuses(ticket: Ticket) -> list[tuple[str, str]]:
    """(value, label) of the statuses it may move to, in the order of their life."""
    allowed = TRANSITIONS[ticket.status]
    return [(value, label) for value, label in Status.choices if value in allowed]


def next_levels(ticket: Ticket) -> list[tuple[int, str]]:
    """(value, label) of the lines it may be passed to: any below, one step up."""
    return [(value, label) for value, label in Level.choices if value != ticket.level and value <= ticket.level + 1]


def macros() -> QuerySet[Macro]:
    """Macros in use, by place and name."""
    return Macro.objects.filter(retired_at=None)


def filled(macro: Macro, ticket: Ticket, user: User) -> str:
    """The text of ``macro`` with the ticket's own words in it. No query where the ticket came from ticket_record."""
    customer = str(ticket.requester.name or ticket.requester.email) if ticket.requester else ticket.account.name
    words = {
        "{ticket.number}": str(ticket.number),
        "{ticket.subject}": ticket.subject,
        "{customer}": customer,
        "{first_name}": customer.split(maxsplit=1)[0] if customer else "",
        "{account}": ticket.account.name,
        "{agent}": str(user),
    }
    text = macro.body
    for name, value in words.items():
        text = text.replace(name, value)
    return text


def components() -> list[str]:
    """Components tickets name already, for suggestions. One query."""
    rows = Ticket.objects.exclude(component="").order_by("component").values_list("component", flat=True)
    return list(rows.distinct()[:100])
