"""Setting who stands in for whom, and ending it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from accounts.audit import record
from accounts.choices import LEADER_ROLES
from accounts.errors import RuleViolated
from accounts.models import StandIn, User
from accounts.policy import may
from accounts.queries.workspace import workspace_day
from ui import formats

if TYPE_CHECKING:
    from typing import Any

LONGEST = timedelta(days=365)


@transaction.atomic
def set_stand_in(absent: User, colleague: User, *, from_on: date, until_on: date, actor: User, at: datetime) -> StandIn:
    """Let ``colleague`` work what is ``absent``'s from ``from_on`` to ``until_on``, both included. Returns the period.

    Raises RuleViolated naming the field and rule: somebody else's absence without being a leader, a colleague who does
    not change accounts, is the absent person or is away themselves, days in the wrong order, past or over a year, and
    a period that shares a day with another of the same person.
    """
    if not may_set(absent, actor):
        raise RuleViolated("stand_in.not_yours", "Only leaders say who stands in for somebody else.", "absent")
    _check_days(from_on, until_on, workspace_day(at))
    _check_people(absent, colleague)
    # RACE: two periods of the same people at once would not see each other; the second waits here.
    both = sorted([absent.pk, colleague.pk])
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=both).order_by("pk"))
    _check_overlap(absent, colleague, from_on, until_on)
    period = StandIn.objects.create(
        absent=absent, colleague=colleague, from_on=from_on, until_on=until_on, set_by=actor, set_at=at
    )
    record("stand_in.set", period, actor=actor, at=at, after=_plain(period))
    return period


@transaction.atomic
def end_stand_in(period: StandIn, *, actor: User, at: datetime) -> None:
    """Take a period away; one that lasts ends at once. Nothing happens where somebody ended it before.

    Raises RuleViolated where it is not the actor's to end.
    """
    if not may_set(period.absent, actor):
        raise RuleViolated("stand_in.not_yours", "Only leaders end what somebody else set up.", "absent")
    if StandIn.objects.select_for_update(of=("self",)).filter(pk=period.pk).first() is None:
        return
    record("stand_in.ended", period, actor=actor, at=at, before=_plain(period))
    period.delete()


def may_set(absent: User, actor: User) -> bool:
    """Whether ``actor`` may say who stands in for ``absent``: for oneself, or as a leader."""
    return absent.pk == actor.pk or actor.role in LEADER_ROLES


def _check_days(from_on: date, until_on: date, today: date) -> None:
    if until_on < from_on:
        raise RuleViolated("stand_in.order", "The last day is before the first.", "until_on")
    if until_on < today:
        raise RuleViolated("stand_in.past", "The last day is over already.", "until_on")
    if until_on - from_on >= LONGEST:
        raise RuleViolated("stand_in.too_long", "At most a year. Hand the accounts over instead.", "until_on")


def _check_people(absent: User, colleague: User) -> None:
    if not may(absent, "accounts.edit"):
        raise RuleViolated("stand_in.absent", f"{absent} works no accounts.", "absent")
    if colleague.pk == absent.pk:
        raise RuleViolated("stand_in.oneself", "Choose somebody else.", "colleague")
    if not may(colleague, "accounts.edit"):
        raise RuleViolated("stand_in.colleague", f"{colleague} does not change accounts.", "colleague")


def _check_overlap(absent: User, colleague: User, from_on: date, until_on: date) -> None:
    near = StandIn.objects.overlapping(from_on, until_on).select_related("absent", "colleague")
    for other in near.filter(Q(absent__in=[absent, colleague]) | Q(colleague=absent)):
        if other.absent_id == absent.pk:
            words = f"{other.colleague} stands in for {absent} from {_span(other)}."
            raise RuleViolated("stand_in.overlap", f"{words} Periods must not share a day.", "from_on")
        if other.absent_id == colleague.pk:
            raise RuleViolated("stand_in.away", f"{colleague} is away from {_span(other)}.", "colleague")
        # Nobody stands in for somebody who stands in: what was lent is not lent on.
        words = f"{absent} stands in for {other.absent} from {_span(other)}."
        raise RuleViolated("stand_in.chain", f"{words} Let somebody else do that first.", "absent")


def _span(period: StandIn) -> str:
    return f"{formats.day(period.from_on)} to {formats.day(period.until_on)}"


def _plain(period: StandIn) -> dict[str, Any]:
    return {
        "absent": period.absent.email,
        "colleague": period.colleague.email,
        "from": period.from_on,
        "until": period.until_on,
    }
