"""What the tests of a workspace's own service levels and calendars share."""

from __future__ import annotations

from typing import Any

from accounts.models import WorkCalendar
from support import actions
from support.models import SlaPolicy
from tests.support.world import at, clock

DAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = {"timezone": "Europe/Berlin", "weekly": {day: [["09:00", "17:00"]] for day in DAYS}}
FRIDAY = at("2026-11-27 16:55")


def promise(value: float, unit: str = "business_hours", op: str = "<=") -> dict[str, Any]:
    return {"value": value, "unit": unit, "op": op}


def own_calendar() -> WorkCalendar:
    """Nine to five in Berlin, of the workspace's own."""
    return WorkCalendar.objects.create(key="office", name="Office", definition=OFFICE, timezone="Europe/Berlin")


def gold_level(lead: Any, office: WorkCalendar) -> SlaPolicy:
    """Two business hours to the answer, sixteen to the solution."""
    rules = [{"severity": "*", "response": promise(2), "resolution": promise(16)}]
    return actions.create_policy(key="gold", name="Gold", calendar=office, rules=rules, actor=lead, at=at("2026-01-01"))


def due(of: Any, kind: str = "first_response") -> Any:
    return clock(of, kind).due_at
