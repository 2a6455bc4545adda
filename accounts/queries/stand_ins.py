"""Reads of who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Case, CharField, Expression, Value, When

from accounts.models import StandIn
from ui import formats

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import User


def lent(user: User, owner: str) -> Expression:
    """An expression: of whom ``user`` stands in for today, last day and name where ``owner`` is one of them; else None.

    ``lent_words`` reads it.
    """
    whose = [
        When(**{owner: key}, then=Value(f"{period.until_on} {period.absent}")) for key, period in user.covers.items()
    ]
    if not whose:
        return Value(None, output_field=CharField(null=True))
    return Case(*whose, default=None, output_field=CharField(null=True))


def lent_words(found: str | None, today: date) -> str:
    """``for Dana until 4 Dec`` of what ``lent`` found; empty for None."""
    if not found:
        return ""
    day, name = found.split(" ", 1)
    return f"for {name} until {formats.day(date.fromisoformat(day), today=today)}"


def covering(people: Iterable[UUID], today: date) -> list[StandIn]:
    """Who stands in for any of ``people`` on ``today``. One query."""
    return list(StandIn.objects.on(today).filter(absent__in=list(people)).select_related("absent", "colleague"))


def present_and_future(today: date) -> list[StandIn]:
    """Periods that are not over, by their beginning. One query."""
    return list(StandIn.objects.filter(until_on__gte=today).select_related("absent", "colleague", "set_by"))
