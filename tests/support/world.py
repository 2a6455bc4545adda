"""A workspace with a methodology, and moments at which clocks are known to go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Severity, Tier, WorkCalendar
from packs.actions import install_pack
from support import actions
from support.models import SlaPolicy, Ticket
from tests.factories import AccountFactory, UserFactory

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
ZONE = "Europe/Berlin"


def at(text: str, zone: str = ZONE) -> datetime:
    """A wall clock somewhere."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def install(pack: str) -> None:
    """The methodology, installed long ago."""
    install_pack(pack, actor=None, at=BEGAN)


def customer(tier: str = "", *, pack: str = "", zone: str = ZONE, **fields: Any):
    """An account of a tier, by the pack's own key for it."""
    found = Tier.objects.filter(data__key=tier, pack=pack).first() if tier else None
    return AccountFactory(tier=found, timezone=zone, **fields)


def agent(role: str = "support_agent"):
    """Somebody who works tickets."""
    return UserFactory(role=role)


def ticket(account, created: datetime, *, severity: str = "", channel: str = "email", **fields: Any) -> Ticket:
    """A customer's ticket, opened at ``created``."""
    found = Severity.objects.get(key=severity) if severity else None
    return actions.open_ticket(
        account, subject="It does not work", body="Please help.", channel=channel, severity=found,
        actor=fields.pop("actor", None), at=fields.pop("at", created), created_at=created, **fields,
    )  # fmt: skip


def clock(of, kind: str, cycle: int = 1):
    """One clock of a ticket or an escalation, as it is stored."""
    return of.clocks.get(kind=kind, cycle=cycle)


def own_level(calendar: str = "bh-9-17", **hours: float) -> SlaPolicy:
    """A service level of the workspace's own: business hours to the ``response`` and the ``resolution``."""
    rule: dict[str, Any] = {"severity": "*"}
    rule |= {name: {"value": value, "unit": "business_hours", "op": "<="} for name, value in hours.items()}
    row = WorkCalendar.objects.get(key=calendar)
    return actions.create_policy(key="own", name="Own", calendar=row, rules=[rule], actor=agent("owner"), at=BEGAN)
