"""Reads of escalations for their list and their page, and the steps that may be taken next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, Window

from support.choices import EscalationStatus, Status
from support.models import Escalation, Ladder, Ticket
from support.models.clocks import past_due
from support.queries.levels import Step, step_of
from support.queries.record import ClockLine, line_of
from ui import keyset

if TYPE_CHECKING:
    from accounts.models import User
    from support.models.escalations import EscalationQuerySet

PAGE_SIZE = 50
# Statuses in which a ticket waits for us.
OURS = (Status.NEW, Status.OPEN, Status.WAITING_VENDOR)
VIEWS = {"open": "Open", "mine": "Mine", "waiting": "Not acknowledged", "overdue": "Overdue", "ended": "Ended"}
COLUMNS = (
    "pk", "reason", "level", "level_name", "rank", "status", "outcome", "is_automatic", "raised_at", "resolved_at",
    "next_due_at", "account", "account__name", "ticket", "ticket__number", "owner__name", "owner__email",
    "raised_by__name", "raised_by__email", "minutes_spent",
)  # fmt: skip
# Support lines a step may stand for: it takes the ticket along.
LINES = {"l1": 1, "l2": 2, "l3": 3, "engineering": 4, "tier-1": 1, "tier-2": 2, "tier-3": 3, "tier-4": 4}


@dataclass(frozen=True, slots=True)
class Offer:
    """A step that may be escalated to: of which ladder and path."""

    ladder: Ladder
    path: str
    path_name: str
    step: Step

    @property
    def key(self) -> str:
        return f"{self.ladder.pack}|{self.path}|{self.step.key}"


@dataclass(frozen=True, slots=True)
class Unescalated:
    """Tickets that are open longer than a methodology lets them be without an escalation (FLEET-9.1)."""

    hours: int
    count: int
    tickets: list[Ticket]


def unescalated(user: User, at: datetime, *, most: int = 5) -> Unescalated | None:
    """Active tickets ``user`` sees that are too old and were never escalated, oldest first; None without a rule.

    Those that wait for the customer are left out. Two queries.
    """
    rules = Ladder.objects.filter(definition__has_key="auto_rules").values_list("definition__auto_rules", flat=True)
    hours = escalates_after(rules)
    if hours is None:
        return None
    old = Q(created_at__lte=at - timedelta(hours=hours), escalations=None, status__in=OURS)
    rows = Ticket.objects.visible_to(user).filter(old).select_related("account").order_by("created_at", "pk")
    found = list(rows.annotate(total=Window(Count("pk")))[:most])
    return Unescalated(hours, found[0].total if found else 0, found)


def overdue_hours(
    ticket: Ticket, escalations: Sequence[Escalation], rules: Iterable[Sequence[Mapping[str, Any]]], at: datetime
) -> int | None:
    """The hours after which ``ticket`` had to be escalated by ``rules``, where it was not; else None. No query."""
    hours = escalates_after(rules)
    if hours is None or escalations or ticket.status not in OURS:
        return None
    return hours if ticket.created_at <= at - timedelta(hours=hours) else None


def escalates_after(rules: Iterable[Sequence[Mapping[str, Any]]]) -> int | None:
    """The fewest hours after which a ladder wants what is not escalated to be; None where none says so."""
    wanted = [rule["when"] for ladder in rules for rule in ladder]
    return min((when["age_hours"] for when in wanted if when.get("unescalated") and "age_hours" in when), default=None)


def escalation_list(user: User, view: str, account: str, cursor: str, at: datetime) -> keyset.Page:
    """One page of escalations: the open ones by next deadline, ended ones newest first. Two queries at most."""
    rows = _of_view(Escalation.objects.visible_to(user), view, user, at)
    if account:
        rows = rows.filter(account=account)
    path, descending = ("resolved_at", True) if view == "ended" else ("next_due_at", False)
    field: Any = Escalation._meta.get_field(path)
    late = ExpressionWrapper(past_due(at, "escalation"), BooleanField())
    return keyset.page(rows.values(*COLUMNS, is_late=late), keyset.Order(path, descending), field, cursor, PAGE_SIZE)


def view_counts(user: User, at: datetime) -> dict[str, int]:
    """How many open escalations each tab holds. One query."""
    waiting = Q(status=EscalationStatus.OPEN)
    return (
        Escalation.objects.visible_to(user)
        .open()
        .order_by()
        .aggregate(
            open=Count("pk"),
            mine=Count("pk", filter=Q(owner=user.pk)),
            waiting=Count("pk", filter=waiting),
            overdue=Count("pk", filter=past_due(at, "escalation")),
        )
    )


def waiting_escalations(user: User) -> EscalationQuerySet:
    """Open escalations ``user`` owns: counted in the side bar."""
    return Escalation.objects.visible_to(user).open().filter(owner=user)


def escalation_record(user: User, pk: UUID) -> Escalation | None:
    """One escalation with its account, ladder and people, or None where ``user`` may not see it. One query."""
    related = ("account__tier", "account__owner", "ladder", "ticket", "owner", "raised_by", "raised_from")
    return Escalation.objects.visible_to(user).select_related(*related).filter(pk=pk).first()


def trail(escalation: Escalation) -> list[Escalation]:
    """The steps it came by, the first one first, itself last. A query a step; ladders have four."""
    found = [escalation]
    while found[0].raised_from_id and len(found) < 10:
        earlier = Escalation.objects.select_related("owner", "raised_by").get(pk=found[0].raised_from_id)
        found.insert(0, earlier)
    return found


def message_parts(escalation: Escalation) -> list[tuple[str, str]]:
    """The message in the order of the ladder's template, which a stored object does not keep."""
    fields = escalation.ladder.definition.get("template", {}).get("fields", [])
    return [(field, escalation.message.get(field, "")) for field in fields]


def examples(offered: Iterable[Offer]) -> list[list[tuple[str, str]]]:
    """A good message as each methodology on offer prints one (FLEET-9.12): its parts with what stands there."""
    ladders = {offer.ladder.pk: offer.ladder for offer in offered}
    templates = [ladder.definition.get("template", {}) for ladder in ladders.values()]
    return [list(zip(each["fields"], each["example"], strict=False)) for each in templates if each.get("example")]


def clock_lines(escalation: Escalation, at: datetime) -> list[ClockLine]:
    """Its promises, in order. One query."""
    clocks = escalation.clocks.select_related("policy_version__policy", "calendar").order_by("started_at", "kind")
    return [line_of(clock, at) for clock in clocks]


def offers(ladders: list[Ladder], ticket: Ticket | None, *, executive: bool) -> list[Offer]:
    """The steps an account's or a ticket's case may be escalated to (FLEET-9.3, FMEA-6.7–6.9). No query."""
    found = []
    for ladder in ladders:
        for path in ladder.definition.get("paths", []):
            if path.get("when") and not executive:
                continue
            for key in _offered(ladder, path, ticket):
                step = step_of(ladder, key, path["key"])
                found.append(Offer(ladder, path["key"], path.get("name") or path["key"], step))
    return found


def _offered(ladder: Ladder, path: Mapping[str, Any], ticket: Ticket | None) -> list[str]:
    steps = list(path["steps"])
    first = step_of(ladder, steps[0], path["key"])
    if first.role == "csm":
        # Whoever raises it stands on the first step already.
        return [key for key in first.leads_to if key in steps]
    lines = [key for key in steps if key in LINES]
    if lines and ticket is not None:
        return [key for key in lines if LINES[key] == ticket.level + 1]
    return steps if ladder.definition.get("levels") else steps[:1]


def reasons(ladders: list[Ladder]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The printed triggers by level, for a choice: (level's name, [(``pack|level|trigger``, trigger)])."""
    found = []
    for ladder in ladders:
        for level in ladder.definition.get("levels", []):
            triggers = [(f"{ladder.pack}|{level['key']}|{text}", text) for text in level.get("triggers", [])]
            if triggers:
                found.append((level["name"], triggers))
    return found


def next_steps(escalation: Escalation) -> list[Step]:
    """The steps it may be passed on to."""
    current = step_of(escalation.ladder, escalation.level, escalation.path)
    return [step_of(escalation.ladder, key, escalation.path) for key in current.leads_to]


def _of_view(rows: EscalationQuerySet, view: str, user: User, at: datetime) -> EscalationQuerySet:
    if view == "ended":
        return rows.filter(resolved_at__isnull=False)
    rows = rows.open()
    if view == "mine":
        return rows.filter(owner=user.pk)
    if view == "waiting":
        return rows.filter(status=EscalationStatus.OPEN)
    return rows.filter(past_due(at, "escalation")) if view == "overdue" else rows
