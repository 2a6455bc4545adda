"""The ticket's row and its log, changed together."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from accounts.audit import plain, record
from accounts.errors import RuleViolated, StaleVersion
from support.choices import EventKind
from support.models import SupportSettings, Ticket, TicketEvent

if TYPE_CHECKING:
    from accounts.models import User


# What a ticket's row says when nobody set it aside.
AT_HAND: dict[str, Any] = {"snoozed_at": None, "snoozed_until": None, "snoozed_by": None}


def settings_row() -> SupportSettings:
    """The workspace's settings of the desk, made when first asked for."""
    found = SupportSettings.objects.first()
    if found is None:
        found, _made = SupportSettings.objects.get_or_create(only=True, defaults={"warn_at": ["80%"]})
    return found


def settings_shown() -> SupportSettings:
    """The settings as they are or would be made, for a page that only reads. One query."""
    return SupportSettings.objects.first() or SupportSettings(warn_at=["80%"])


def locked(ticket: Ticket, expected_version: int | None = None) -> Ticket:
    """The row as it is now, locked until the transaction ends. Raises StaleVersion on another version."""
    rows = Ticket.objects.select_for_update(of=("self",)).select_related(
        "account__tier", "account__owner", "severity", "assignee", "requester", "team"
    )
    row = rows.get(pk=ticket.pk)
    if expected_version is not None and row.version != expected_version:
        raise StaleVersion(expected=expected_version, actual=row.version)
    return row


def store(ticket: Ticket, **values: Any) -> None:
    """Write ``values`` to the ticket and count the change."""
    for name, value in values.items():
        setattr(ticket, name, value)
    ticket.version += 1
    ticket.save(update_fields=[*values, "version"])


def add_event(
    ticket: Ticket, kind: EventKind, *, at: datetime, actor: User | None, data: dict[str, Any] | None = None
) -> TicketEvent:
    """Append to the log. Returns the event. One query."""
    return TicketEvent.objects.create(ticket=ticket, kind=kind, at=at, actor=actor, data=plain(data or {}))


def audit(
    action: str,
    ticket: Ticket,
    *,
    actor: User | None,
    at: datetime,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """One entry of the audit log about the ticket."""
    record(f"ticket.{action}", ticket, actor=actor, at=at, before=before, after=after, account=ticket.account_id)


def one_line(value: str, field: str, limit: int, *, required: bool = True) -> str:
    """``value`` on one line. Raises RuleViolated where it is empty or too long."""
    value = " ".join(str(value).replace("\x00", "").split())
    if required and not value:
        raise RuleViolated("required", f"Give a {field.replace('_', ' ')}.", field)
    if len(value) > limit:
        raise RuleViolated("too_long", f"At most {limit} characters.", field)
    return value


def written(value: str, field: str = "body", limit: int = 100_000) -> str:
    """``value`` as somebody wrote it. Raises RuleViolated where nothing is there, or too much."""
    value = str(value).replace("\x00", "").strip()
    if not value:
        raise RuleViolated("required", "Write something.", field)
    if len(value) > limit:
        raise RuleViolated("too_long", f"At most {limit:,} characters.", field)
    return value


def choice(value: Any, choices: Any, field: str) -> Any:
    """``value`` if it is one of ``choices``. Raises RuleViolated."""
    if value not in choices.values:
        raise RuleViolated("unknown", f"Use one of {', '.join(map(str, choices.values))}.", field)
    return choices(value)
