"""Reads of tickets for the queue, its CSV, an account's panel and the side bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, F, Q
from django.utils import timezone

from accounts.keys import is_key
from accounts.models import Account, Contact, Severity, User
from support.choices import DONE, WAITING, Channel, Level, Status, TicketType
from support.models import SlaClock, Team, TeamSeat, Ticket
from support.models.clocks import many_past_due
from support.models.tickets import TicketQuerySet, in_queue
from support.queries.calendars import calendar_of
from support.sla.promises import elapsed
from ui import keyset

if TYPE_CHECKING:
    from django.db.models import Field

PAGE_SIZE = 50
EXPORT_LIMIT = 20_000
# Beyond this a history's length is no longer counted: nobody reads the difference, and every row would be.
MOST_COUNTED = 10_000
# The tabs: what each is called.
VIEWS = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "team": "My teams",
    "active": "All active",
    "overdue": "Overdue",
    "waiting": "Waiting",
    "aside": "Set aside",
    "resolved": "Resolved",
    "all": "All",
}
# Sort key in the address: (path, descending).
SORTS = {
    "due": ("next_due_at", False),
    "-due": ("next_due_at", True),
    "priority": ("priority", False),
    "-priority": ("priority", True),
    "number": ("number", False),
    "-number": ("number", True),
    "account": ("account__name", False),
    "-account": ("account__name", True),
    "resolved": ("resolved_at", False),
    "-resolved": ("resolved_at", True),
}
DEFAULT_SORTS = {"resolved": "-resolved", "all": "-number"}
COLUMNS = (
    "pk", "number", "subject", "status", "priority", "impact", "level", "channel", "type", "component", "tags",
    "created_at", "resolved_at", "next_due_at", "next_due_clock", "breached_at", "csat_score", "reopened_count",
    "timezone", "account", "account__name", "severity__key", "severity__name", "severity__rank", "team__name",
    "assignee__name", "assignee__email", "requester__name", "requester__email",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TicketFilters:
    """What the queue is narrowed to, as it stands in the address; unknown words count as empty."""

    view: str = "active"
    status: str = ""
    severity: str = ""
    priority: str = ""
    level: str = ""
    team: str = ""
    assignee: str = ""
    account: str = ""
    type: str = ""
    channel: str = ""
    tag: str = ""
    q: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> TicketFilters:
        """The filters of a query string."""
        given = {field.name: query.get(field.name, "").replace("\x00", "").strip()[:100] for field in fields(cls)}
        assignee = given["assignee"]
        return cls(
            view=given["view"] if given["view"] in VIEWS else "active",
            status=_known(given["status"], Status.values),
            severity=given["severity"],
            priority=_known(given["priority"], PRIORITIES),
            level=_known(given["level"], [str(level) for level in Level.values]),
            team=given["team"],
            assignee=assignee if assignee in {"me", "none"} or is_key(assignee) else "",
            account=given["account"] if is_key(given["account"]) else "",
            type=_known(given["type"], TicketType.values),
            channel=_known(given["channel"], Channel.values),
            tag=given["tag"].lower(),
            q=given["q"],
        )

    def parameters(self) -> dict[str, str]:
        """Only what differs from the queue's beginning, for addresses."""
        beginning = {field.name: field.default for field in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != beginning[name]}

    def tickets(self, user: User, at: datetime) -> TicketQuerySet:
        """Matching tickets that ``user`` may see. No query yet."""
        rows = self._of_view(Ticket.objects.visible_to(user), user, at)
        wanted = {
            "status": self.status, "severity__key": self.severity, "priority": self.priority, "level": self.level,
            "team__key": self.team, "account": self.account, "type": self.type, "channel": self.channel,
        }  # fmt: skip
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.assignee:
            rows = rows.filter(assignee={"me": user.pk, "none": None}.get(self.assignee, self.assignee))
        if self.tag:
            rows = rows.filter(tags__contains=[self.tag])
        return rows.filter(_matching(self.q)) if self.q else rows

    def _of_view(self, rows: TicketQuerySet, user: User, at: datetime) -> TicketQuerySet:
        # A status in the filters says more than the tab: who asks for closed tickets means closed ones.
        if self.status in DONE and self.view not in {"resolved", "all"}:
            return rows
        narrowed = {
            "mine": lambda: rows.at_hand(at).filter(assignee=user.pk),
            "unassigned": lambda: rows.at_hand(at).unassigned(),
            "team": lambda: rows.at_hand(at).filter(team__in=_teams_of(user)),
            "active": lambda: rows.at_hand(at),
            "aside": lambda: rows.aside(at),
            "overdue": lambda: rows.overdue(at),
            "waiting": lambda: rows.filter(status__in=sorted(WAITING)),
            "resolved": rows.done,
        }
        return narrowed[self.view]() if self.view in narrowed else rows


def canonical(query: Mapping[str, str]) -> str:
    """What a query string means to the queue, its parts in order, for views that are kept."""
    filters = TicketFilters.read(query)
    sort = query.get("sort", "")
    kept = filters.parameters() | ({"sort": sort} if sort in SORTS and sort != default_sort(filters) else {})
    return urlencode(sorted(kept.items()))


PRIORITIES = [str(number) for number in range(2, 8)]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of rows (``left_seconds`` and ``is_late`` added), how many match in all, and how many each tab holds.

    With ``more``, more than ``total`` match.
    """

    page: keyset.Page
    total: int
    more: bool
    sort: str
    counts: dict[str, int]


def ticket_list(user: User, filters: TicketFilters, sort: str, cursor: str, at: datetime) -> Listing:
    """One page of tickets, most urgent first: five queries at most, whatever the number of rows."""
    sort = sort if sort in SORTS else default_sort(filters)
    path, descending = SORTS[sort]
    rows = filters.tickets(user, at)
    page = keyset.page(rows.values(*COLUMNS), keyset.Order(path, descending), _field(path), cursor, PAGE_SIZE)
    add_time_left(page.rows, at)
    counts, more = view_counts(user, filters, at), False
    if not (page.next or page.previous):
        total = len(page.rows)
    elif filters.view in counts and not filters.status:
        total = counts[filters.view]
    else:
        found = rows.order_by()[: MOST_COUNTED + 1].count()
        total, more = min(found, MOST_COUNTED), found > MOST_COUNTED
    return Listing(page, total, more, sort, counts)


def all_rows(user: User, filters: TicketFilters, sort: str, at: datetime) -> list[dict[str, Any]]:
    """Matching rows in order for the CSV, at most EXPORT_LIMIT: one query."""
    path, descending = SORTS.get(sort, SORTS[default_sort(filters)])
    order = keyset.Order(path, descending)
    return list(filters.tickets(user, at).values(*COLUMNS).order_by(*order.expressions(backwards=False))[:EXPORT_LIMIT])


def default_sort(filters: TicketFilters) -> str:
    """How the queue is sorted until its reader says otherwise: most urgent first, histories newest first."""
    return DEFAULT_SORTS.get(filters.view, "due")


def view_counts(user: User, filters: TicketFilters, at: datetime) -> dict[str, int]:
    """How many active tickets each tab holds, the other filters kept. One query over the open ones."""
    rows = replace(filters, view="all", status="").tickets(user, at).active()
    here = in_queue(at)
    return rows.order_by().aggregate(
        mine=Count("pk", filter=here & Q(assignee=user.pk)),
        unassigned=Count("pk", filter=here & Q(assignee=None)),
        team=Count("pk", filter=here & Q(team__in=_teams_of(user))),
        active=Count("pk", filter=here),
        aside=Count("pk", filter=~here),
        overdue=Count("pk", filter=many_past_due(at)),
        waiting=Count("pk", filter=Q(status__in=sorted(WAITING))),
    )


def neighbours(user: User, filters: TicketFilters, sort: str, ticket: Ticket, at: datetime) -> tuple[Any, Any]:
    """Keys of the tickets before and after ``ticket`` in the queue of these filters; None at its ends. One query."""
    path, descending = SORTS.get(sort, SORTS[default_sort(filters)])
    value = ticket.account.name if path == "account__name" else getattr(ticket, path)
    order = keyset.Order(path, descending)
    return keyset.neighbours(filters.tickets(user, at), order, _field(path), value, ticket.pk)


def add_time_left(rows: list[dict[str, Any]], at: datetime) -> None:
    """``left_seconds`` of each row: time of its promise until the deadline, negative once it has passed.

    Counted in the calendar the promise is kept in, so that a night is no time, and nothing due at closing
    ``is_late`` before the next opening. One query for all of them.
    """
    waiting = {row["pk"]: row for row in rows if row["next_due_at"]}
    clocks = SlaClock.objects.running().filter(ticket__in=waiting, due_at__isnull=False).values_list(
        "ticket", "kind", "due_at", "calendar__definition", "strict"
    )  # fmt: skip
    found = {tuple(clock[:3]): clock[3:] for clock in clocks} if waiting else {}
    for row in rows:
        row["left_seconds"], row["is_late"] = None, False
        if row["pk"] in waiting:
            due = row["next_due_at"]
            definition, strict = found.get((row["pk"], row["next_due_clock"], due), (None, False))
            left = row["left_seconds"] = time_left(definition, row["timezone"], due, at)
            row["is_late"] = is_late(left, due, at, strict=strict)


def time_left(definition: Mapping[str, Any] | None, zone: str, due: datetime, at: datetime) -> int:
    """Seconds of the calendar from ``at`` to ``due``; of plain time without one. Negative once it has passed."""
    calendar = calendar_of(definition) if definition else elapsed(zone)
    first, last = sorted((at, due))
    seconds = int(calendar.between(first, last).total_seconds())
    return -seconds if due < at else seconds


def is_late(left: int, due: datetime, at: datetime, *, strict: bool) -> bool:
    """Whether an answer at ``at`` is too late: by time used, and at the very moment only for "less than" (AMB-10)."""
    return left < 0 or (strict and due <= at)


def tickets_of_account(user: User, account_id: UUID, at: datetime, limit: int = 20) -> list[Ticket]:
    """An account's tickets, the active ones first, then the newest. One query."""
    rows = Ticket.objects.visible_to(user).filter(account=account_id).select_related("severity", "assignee")
    rows = rows.with_lateness(at)
    return list(rows.order_by(F("resolved_at").desc(nulls_first=True), "-created_at")[:limit])


def waiting_tickets(user: User) -> TicketQuerySet:
    """Tickets in the queue of ``user``: counted in the side bar."""
    return Ticket.objects.visible_to(user).at_hand(timezone.now()).filter(assignee=user)


def assignees() -> list[tuple[str, str]]:
    """(key, name) of those who work tickets. One query."""
    return [(str(user.pk), str(user)) for user in User.objects.active().staff().order_by("name", "email")]


def teams() -> list[tuple[str, str]]:
    """(key, name) of the teams. One query."""
    return [(team.key, str(team)) for team in Team.objects.filter(retired_at=None)]


def severities() -> list[tuple[str, str]]:
    """(key, name) of the severities, worst first. One query."""
    return [(row.key, f"{row.key} {row.name}") for row in Severity.objects.all()]


def _teams_of(user: User) -> Any:
    return TeamSeat.objects.filter(user=user).values("team")


def _matching(words: str) -> Q:
    number = words.removeprefix("#")
    if number.isdecimal() and len(number) < 18:
        return Q(number=int(number)) | Q(subject__icontains=words)
    # Looked for once among accounts and contacts, and not again for each of their tickets.
    accounts = Account.objects.filter(name__icontains=words)
    requesters = Contact.objects.filter(email__icontains=words)
    return Q(subject__icontains=words) | Q(account__in=accounts) | Q(requester__in=requesters)


def _field(path: str) -> Field[Any, Any]:
    if path == "account__name":
        account: Any = Ticket._meta.get_field("account").related_model
        return account._meta.get_field("name")
    return Ticket._meta.get_field(path)  # type: ignore[return-value]


def _known(value: str, known: Any) -> str:
    return value if value in known else ""
