"""Reads of who stands in for whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import CharField, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf
from django.utils import timezone

from accounts.models import StandIn
from ui import formats

if TYPE_CHECKING:
    from uuid import UUID

    from accounts.models import User


def lent(user: User, owner: str) -> Subquery:
    """An expression: of whom ``user`` stands in for today, name and last day where ``owner`` is one of them; else None.

    ``lent_words`` reads it. It costs no query of its own.
    """
    today = user.workspace_settings.day_of(timezone.now())
    name = Coalesce(NullIf("absent__name", Value("")), "absent__email", output_field=CharField())
    words = Concat(Cast("until_on", CharField()), Value(" "), name, output_field=CharField())
    return Subquery(StandIn.objects.by(user).on(today).filter(absent=OuterRef(owner)).values(words=words)[:1])


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
