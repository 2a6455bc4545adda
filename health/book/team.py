"""The team: each owner's book, CTAs, response and touches side by side, and what waits for an owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from accounts.choices import ActivityKind
from accounts.models import Activity
from health.book.choices import ScopeChoices
from health.book.keeping import kept
from health.book.scope import Scope
from health.book.sums import NOTHING, Load, Sums, sums
from playbooks.response import Workload, workloads

TOUCHES = (ActivityKind.CALL, ActivityKind.MEETING, ActivityKind.EMAIL)
TOUCH_DAYS = 30
IDLE = Workload()


@dataclass(frozen=True, slots=True)
class Member:
    """One owner's line: their book, its CTAs and the touches of the last 30 days. Nobody's line has no owner."""

    owner_id: Any
    name: str
    load: Load
    work: Workload
    touches: int
    touched: int


@dataclass(frozen=True, slots=True)
class Team:
    """All lines, nobody's first; the sums over all of them."""

    members: list[Member]
    now: Sums

    @property
    def nobody(self) -> Member | None:
        return next((member for member in self.members if member.owner_id is None), None)


def team(user: Any, scope: Scope, currency: str, choices: ScopeChoices, *, at: datetime) -> Team:
    """The team of the scope's accounts as of today. Five queries at most, whatever the number of people."""
    now, _before = kept("sums", user, scope, lambda: sums(user, scope, currency))
    accounts = scope.customers(user).order_by().values("pk")
    work = workloads(user, accounts, today=scope.today, at=at)
    since = at - timedelta(days=TOUCH_DAYS)
    touches = {
        row["account__owner"]: row
        for row in Activity.objects.filter(account__in=accounts, kind__in=TOUCHES, at__gt=since, at__lte=at)
        .order_by()
        .values("account__owner")
        .annotate(n=Count("pk"), accounts=Count("account", distinct=True))
    }
    members = [
        Member(
            owner_id=owner,
            name=choices.owner(owner),
            load=now.loads.get(owner, Load(owner, NOTHING, NOTHING, NOTHING.arr, 0, None)),
            work=work.get(owner, IDLE),
            touches=touches.get(owner, {}).get("n", 0),
            touched=touches.get(owner, {}).get("accounts", 0),
        )
        for owner in {*now.loads, *work}
    ]
    return Team(sorted(members, key=lambda one: (one.owner_id is not None, -one.load.book.arr, one.name)), now)
