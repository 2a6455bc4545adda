"""What the reader asked the accounts list or the portfolio for. The address holds all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from accounts.choices import AccountStatus
from accounts.models import Account
from accounts.models.account import AccountQuerySet
from health.choices import Rag
from health.queries.segments import in_segments

MINE, NOBODY = "me", "none"
# The words of the address for the colours of bands; "risk" is what the portfolio calls at risk.
COLOURS: dict[str, tuple[str, ...]] = {
    "risk": (Rag.RED, Rag.ORANGE),
    "red": (Rag.RED,),
    "orange": (Rag.ORANGE,),
    "watch": (Rag.YELLOW,),
    "green": (Rag.GREEN,),
    "none": (Rag.NONE,),
}
AT_RISK = COLOURS["risk"]
RENEWALS = ("30", "60", "90", "180", "overdue")
STATUSES = ("live", AccountStatus.PROSPECT.value, AccountStatus.ACTIVE.value, AccountStatus.CHURNED.value, "archived")
_LONGEST_SEARCH = 80


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def in_state(status: str) -> Q:
    """Accounts in a state of ``STATUSES``."""
    if status == "archived":
        return Q(archived_at__isnull=False)
    if status == "live":
        return Q(archived_at=None) & ~Q(status=AccountStatus.CHURNED)
    return Q(archived_at=None, status=status)


def renewing(within: str, today: date) -> Q:
    """Accounts that renew as one of ``RENEWALS`` says; all for an empty one."""
    if within == "overdue":
        return Q(renewal_on__lt=today)
    return Q(renewal_on__range=(today, today + timedelta(days=int(within)))) if within else Q()


def changed(direction: str) -> Q:
    """Accounts whose score went ``down`` or ``up`` within 30 days; all for an empty one."""
    sides = {"down": Q(health__change_30d__lt=0), "up": Q(health__change_30d__gt=0)}
    return sides[direction] if direction else Q()


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """Filters of the list; empty means any. A value that means nothing is dropped, as if it were not there."""

    q: str = ""
    band: str = ""
    owner: str = ""
    tier: str = ""
    segment: str = ""
    stage: str = ""
    renewal: str = ""
    change: str = ""
    status: str = "live"

    @classmethod
    def read(cls, query: Mapping[str, str]) -> AccountFilters:
        """The filters of an address."""
        owner = query.get("owner", "")
        return cls(
            q=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
            band=query.get("band", "") if query.get("band") in COLOURS else "",
            owner=owner if owner in {MINE, NOBODY} else _uuid(owner),
            tier=_uuid(query.get("tier", "")),
            segment=query.get("segment", "").replace("\x00", "")[:60],
            stage=_uuid(query.get("stage", "")),
            renewal=query.get("renewal", "") if query.get("renewal") in RENEWALS else "",
            change=query.get("change", "") if query.get("change") in {"down", "up"} else "",
            status=query.get("status", "live") if query.get("status") in STATUSES else "live",
        )

    def parameters(self) -> dict[str, str]:
        """As they stand in an address; what is not set is left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value and (name, value) != ("status", "live")}

    def accounts(self, user: Any, today: date) -> AccountQuerySet:
        """The accounts of ``user`` that match."""
        asked = (in_state(self.status), self._people(user), renewing(self.renewal, today), changed(self.change))
        rows = Account.objects.visible_to(user).filter(*asked)
        if self.q:
            rows = rows.filter(Q(name__icontains=self.q) | Q(external_ids__external_id__iexact=self.q)).distinct()
        if self.band:
            colours = Q(health__current_rag__in=COLOURS[self.band])
            rows = rows.filter(colours | Q(health=None) if self.band == "none" else colours)
        # A segment by rule is named by its key, one that was typed in by its name.
        if _uuid(self.segment):
            rows = rows.filter(pk__in=in_segments([self.segment]))
        elif self.segment:
            rows = rows.filter(segment=self.segment)
        for name in ("tier", "stage"):
            if getattr(self, name):
                rows = rows.filter(**{name: getattr(self, name)})
        return rows

    def _people(self, user: Any) -> Q:
        if self.owner == MINE:
            return Q(owner=user)
        if self.owner == NOBODY:
            return Q(owner=None)
        return Q(owner=self.owner) if self.owner else Q()
