"""Reads of one ticket's page: conversation, history, what it belongs to, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Case, CharField, Exists, F, Func, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, JSONObject, NullIf
from django.utils import timezone

from accounts.models import User
from support.choices import TRANSITIONS, EventKind, Level, LinkKind, Status, Verdict
from support.models import (
    Attachment,
    Escalation,
    IssueGuide,
    Ladder,
    Macro,
    Message,
    SlaClock,
    Team,
    Ticket,
    TicketEvent,
    TicketField,
    TicketLink,
    TimeEntry,
)
from support.queries.calendars import calendar_of
from support.queries.explain import clocks_of
from support.queries.incident_said import letters_said
from support.queries.listing import is_late, time_left
from ui.formats import moment

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_MESSAGES = 500
MOST_EVENTS = 200


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

    ``is_workable`` says whether its row lets ``user`` work it, ``said`` what customers were told of its incident.
    """
    related = ("account__owner", "account__tier", "account__health", "severity", "requester", "assignee", "team")
    rows = Ticket.objects.visible_to(user).select_related(*related, "merged_into", "incident", "snoozed_by")
    workable = Exists(Ticket.objects.workable_by(user).filter(pk=OuterRef("pk")))
    return rows.annotate(is_workable=workable, said=letters_said("incident"), **_besides()).filter(pk=pk).first()


def _besides() -> dict[str, Any]:
    """What the page shows from other tables, as columns: the issue guide, labels of own fields, rules of ladders."""
    tagged = Func(
        F("key"), OuterRef("tags"), template="(%(expressions)s))", arg_joiner=" = ANY(", output_field=BooleanField()
    )
    named = Q(key=OuterRef("category")) | Q(tagged)
    parts = {name: name for name in ("name", "causes", "fixes", "prevention")}
    guide = IssueGuide.objects.filter(named).values(shown=JSONObject(**parts))
    labels = TicketField.objects.filter(retired_at=None).values(shown=JSONObject(key="key", label="label"))
    rules = Ladder.objects.filter(definition__has_key="auto_rules").values("definition__auto_rules")
    return {"guide": Subquery(guide[:1]), "labels": ArraySubquery(labels), "auto_rules": ArraySubquery(rules)}


def conversation(user: User, ticket: Ticket) -> list[Message]:
    """What was said, oldest first, each with its ``files`` (id, name, size); customers never get a note. One query."""
    rows = Message.objects.visible_to(user).filter(ticket=ticket).select_related("author", "contact")
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
    events = ticket.events.select_related("actor").order_by("-at", "-pk")[:MOST_EVENTS]
    return [(event, _in_words(event, people)) for event in events]


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
    """(how, ticket) of what it is linked to, merged with or split from, so far as ``user`` sees it. One query."""
    forth, back = TicketLink.objects.filter(ticket=ticket.pk), TicketLink.objects.filter(other=ticket.pk)
    ours = [key for key in (ticket.merged_into_id, ticket.parent_id) if key]
    # Each by its index; conditions joined by "or" would read every ticket.
    near = forth.values("other").union(
        back.values("ticket"),
        *(Ticket.objects.order_by().filter(found).values("pk") for found in (
            Q(merged_into=ticket.pk), Q(parent=ticket.pk), Q(pk__in=ours),
        )),
    )  # fmt: skip
    rows = Ticket.objects.visible_to(user).filter(pk__in=near).annotate(
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
    return list(ticket.escalations.select_related("owner", "raised_by").order_by("-raised_at"))


def time_entries(ticket: Ticket) -> list[TimeEntry]:
    """Work put into it, newest first. One query."""
    return list(ticket.time_entries.select_related("user")[:50])


def next_statuses(ticket: Ticket) -> list[tuple[str, str]]:
    """(value, label) of the statuses it may move to, in the order of their life."""
    allowed = TRANSITIONS[ticket.status]
    return [(value, label) for value, label in Status.choices if value in allowed]


def next_levels(ticket: Ticket) -> list[tuple[int, str]]:
    """(value, label) of the lines it may be passed to: any below, one step up."""
    return [(value, label) for value, label in Level.choices if value != ticket.level and value <= ticket.level + 1]


class Choices(NamedTuple):
    """What an agent may choose from, (key, name) each, and the names of all people, former ones too, by key."""

    people: list[tuple[str, str]]
    teams: list[tuple[str, str]]
    macros: list[tuple[str, str]]
    everyone: dict[str, str]


def choices() -> Choices:
    """Who works tickets, the teams and the answers kept ready. One query."""
    named = Coalesce(NullIf("name", Value("")), "email", output_field=CharField())
    key = Cast("pk", CharField())
    # Kind, key, name, and the place among the others; people who left come after those who are here.
    people = User.objects.staff().values_list(
        Value("person"), key, named, Case(When(is_active=True, then=0), default=1)
    )
    teams = Team.objects.filter(retired_at=None).values_list(Value("team"), "key", "name", "level")
    ready = macros().values_list(Value("macro"), key, "name", "position")
    found: dict[str, list[tuple[str, str]]] = {"person": [], "team": [], "macro": [], "left": []}
    rows = people.order_by().union(teams.order_by(), ready.order_by(), all=True)
    for kind, key_, name, place in sorted(rows, key=lambda row: (row[3], row[2].casefold())):
        found["left" if kind == "person" and place else kind].append((key_, name))
    return Choices(found["person"], found["team"], found["macro"], dict(found["person"] + found["left"]))


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
