"""The tickets, promises and escalations behind a number of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Q, QuerySet

from support.choices import TICKET_CLOCKS, Channel, EscalationOutcome, Verdict
from support.models import Escalation, Ticket
from support.queries.reports import desk, escalations, promises
from support.queries.reports.period import Period

if TYPE_CHECKING:
    from accounts.models import User

PAGE_SIZE = 50
PROMISES = {"met": Verdict.MET, "missed": Verdict.MISSED, "judged": None}
# What was counted, and the moment that puts a ticket into a month.
TICKETS = {
    "opened": "created_at", "resolved": "resolved_at", "answered": "first_responded_at", "first_contact": "resolved_at",
    "rated": "csat_at", "escalated": "created_at", "how_to": "created_at", "backlog": "created_at",
}  # fmt: skip
WHATS = (*PROMISES, *TICKETS, "escalations")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which number: what was counted, and what narrows it. Taken from an address, so nothing in it is trusted."""

    what: str
    by: str = ""
    key: str = ""
    clock: str = ""
    channels: tuple[str, ...] = ()
    account: UUID | None = None
    age: int | None = None
    level: str = ""
    outcome: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Asked:
        """What means nothing is dropped, as if it were not there."""
        what, by, clock = query.get("what", ""), query.get("by", ""), query.get("clock", "")
        age = query.get("age", "")
        return cls(
            what=what if what in WHATS else "opened",
            by=by if by in promises.DIMENSIONS else "",
            key=query.get("key", "").replace("\x00", "")[:120],
            clock=clock if clock in TICKET_CLOCKS else "",
            channels=tuple(name for name in query.get("channel", "").split(",") if name in Channel.values),
            account=account_of(query),
            age=int(age) if age.isascii() and age.isdigit() and int(age) < len(desk.AGES) else None,
            level=query.get("level", "").replace("\x00", "")[:40],
            outcome=query.get("outcome", "") if query.get("outcome", "") in {*EscalationOutcome.values, "open"} else "",
        )


def account_of(query: Mapping[str, str]) -> UUID | None:
    """The account of an address; None where there is none, or no key."""
    try:
        return UUID(query.get("account", ""))
    except ValueError:
        return None


def rows_behind(user: User, period: Period, asked: Asked, *, at: datetime) -> QuerySet[Any]:
    """Promises, escalations or tickets, newest first; one query, and one more to count them."""
    if asked.what in PROMISES:
        return _promises(user, period, asked)
    if asked.what == "escalations":
        return _escalations(user, period, asked)
    return _tickets(user, period, asked, at)


def _promises(user: User, period: Period, asked: Asked) -> QuerySet[Any]:
    rows = promises.judged(user, period)
    verdict = PROMISES[asked.what]
    if verdict:
        rows = rows.filter(verdict=verdict)
    if asked.clock:
        rows = rows.filter(kind=asked.clock)
    rows = promises.narrowed(rows, asked.by, asked.key, prefix="ticket__", moment="judged_at")
    return rows.select_related("ticket__account", "ticket__severity", "ticket__assignee").order_by("-judged_at", "pk")


def _escalations(user: User, period: Period, asked: Asked) -> QuerySet[Escalation]:
    rows = escalations.raised_in(user, period)
    if asked.level:
        rows = rows.filter(level=asked.level)
    if asked.outcome:
        rows = rows.filter(outcome="" if asked.outcome == "open" else asked.outcome)
    return rows.select_related("account", "ticket", "owner", "ladder").order_by("-raised_at", "pk")


def _tickets(user: User, period: Period, asked: Asked, at: datetime) -> QuerySet[Ticket]:
    rows = _counted(user, period, asked, at)
    if asked.channels:
        rows = rows.filter(channel__in=asked.channels)
    rows = desk.of_account(rows, asked.account)
    rows = promises.narrowed(rows, asked.by, asked.key, moment=TICKETS[asked.what])
    return rows.select_related("account", "severity", "assignee").order_by("-created_at", "pk")


def _counted(user: User, period: Period, asked: Asked, at: datetime) -> QuerySet[Ticket]:
    if asked.what == "backlog":
        _words, lower, upper = desk.AGES[asked.age] if asked.age is not None else ("", 0, None)
        return Ticket.objects.visible_to(user).active().filter(desk.aged(at, lower, upper))
    if asked.what == "rated":
        rated = desk.rated_in(user, period).values("ticket")
        return desk.counted(user).filter(Q(pk__in=rated))
    if asked.what == "first_contact":
        return desk.resolved_in(user, period).filter(solved_at_first_contact=True)
    if asked.what == "how_to":
        return desk.how_to(user, period, None)
    found = {
        "opened": desk.opened_in, "resolved": desk.resolved_in, "answered": desk.answered_in,
        "escalated": desk.escalated_in,
    }  # fmt: skip
    return found[asked.what](user, period)
