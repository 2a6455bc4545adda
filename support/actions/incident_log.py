"""An incident's row and its timeline, changed together; what its accounts' own timelines hear of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.audit import plain, record
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account
from support.actions.clocks import recompute_incidents
from support.actions.log import settings_row
from support.choices import EntryKind, IncidentStatus
from support.models import Incident, IncidentEntry, SupportSettings

if TYPE_CHECKING:
    from accounts.models import User


class IncidentClosed(RuleViolated):
    """Nothing changes about an incident that is closed, but opening it again."""


def next_number() -> int:
    """The next incident's number. Two at once wait for each other."""
    settings = settings_row()
    SupportSettings.objects.filter(pk=settings.pk).update(last_incident=F("last_incident") + 1)
    return int(SupportSettings.objects.values_list("last_incident", flat=True).get(pk=settings.pk))


def locked_incident(incident: Incident, expected_version: int | None = None) -> Incident:
    """The row as it is now, locked until the transaction ends. Raises StaleVersion."""
    rows = Incident.objects.select_for_update(of=("self",)).select_related("severity", "commander", "calendar")
    row = rows.get(pk=incident.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    return row


def worked_incident(incident: Incident, expected_version: int | None = None) -> Incident:
    """``locked_incident`` that is not closed. Raises IncidentClosed."""
    row = locked_incident(incident, expected_version)
    if row.status == IncidentStatus.CLOSED:
        raise IncidentClosed("closed", "This incident is closed. Open it again first.", "status")
    return row


def store_incident(incident: Incident, **values: Any) -> None:
    """Write ``values`` and count the change."""
    for name, value in values.items():
        setattr(incident, name, value)
    incident.version += 1
    incident.save(update_fields=[*values, "version"])


def add_entry(
    incident: Incident,
    kind: EntryKind,
    body: str = "",
    *,
    actor: User | None,
    at: datetime,
    happened_at: datetime | None = None,
    data: dict[str, Any] | None = None,
) -> IncidentEntry:
    """Append to the timeline. One query."""
    return IncidentEntry.objects.create(
        incident=incident, kind=kind, body=body, actor=actor, at=happened_at or at, noted_at=at, data=plain(data or {})
    )


def follow_clocks(incident: Incident, *, at: datetime) -> None:
    """Bring its promises to what the timeline says now."""
    recompute_incidents([incident], at=at)


def audit_incident(
    action: str,
    incident: Incident,
    *,
    actor: User | None,
    at: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """One entry of the audit log; call it last."""
    record(f"incident.{action}", incident, actor=actor, at=at, before=before, after=after)


def tell_accounts(
    incident: Incident,
    accounts: Iterable[Account],
    title: str,
    *,
    actor: User | None,
    at: datetime,
    body: str = "",
    verb: str = "",
) -> None:
    """Write it into the timelines of ``accounts`` and have them scored again. A query an account."""
    found = list(accounts)
    for account in found:
        log_activity(
            account, kind=ActivityKind.TICKET, title=f"{title}: {incident}"[:200], body=body, actor=actor, at=at,
            data={"incident": str(incident.pk), "number": incident.number, "what": verb},
        )  # fmt: skip
    mark_changed([account.pk for account in found], at=at)


def present_accounts(incident: Incident) -> list[Account]:
    """The accounts it affects now, by name. One query."""
    rows = incident.affected.present().select_related("account__tier", "account__owner").order_by("account__name")
    return [row.account for row in rows]


def snapshot_incident(incident: Incident) -> dict[str, Any]:
    """The changing facts of an incident as plain values, for the audit log."""
    names = """title component severity_id impact stage status commander_id update_minutes calendar_id
        review_required resolved_at closed_at""".split()
    return {name: plain(getattr(incident, name)) for name in names}
