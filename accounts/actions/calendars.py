"""The workspace's own calendars. Those of a methodology are set through it (packs)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import WorkCalendar
from accounts.queries.calendars import calendar_changes
from businesstime import InvalidCalendar, read_calendar
from businesstime.findings import night_overlaps

if TYPE_CHECKING:
    from accounts.models import User

KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,59}", re.ASCII)
CHANGEABLE = ("name", "definition", "minutes_per_day")


@transaction.atomic
def create_calendar(
    *, key: str, name: str, definition: dict[str, Any], minutes_per_day: int = 480, actor: User, at: datetime
) -> WorkCalendar:
    """Add a calendar. Raises RuleViolated for a key in use or a definition that is no calendar."""
    if not KEY.fullmatch(key):
        raise RuleViolated("calendar.key", "A key is a–z, 0–9 and hyphens, at most 60.", "key")
    if WorkCalendar.objects.filter(key=key).exists():
        raise RuleViolated("calendar.key_taken", "There is a calendar with this key.", "key")
    zone = _checked(definition)
    calendar = WorkCalendar(key=key, name=name, definition=definition, timezone=zone, minutes_per_day=minutes_per_day)
    try:
        with transaction.atomic():
            calendar.save(force_insert=True)
    except IntegrityError:
        # Somebody else made one of this key at the same time.
        if not WorkCalendar.objects.filter(key=key).exists():
            raise
        raise RuleViolated("calendar.key_taken", "There is a calendar with this key.", "key") from None
    record("calendar.create", calendar, actor=actor, at=at, after={"key": key, "name": name, "definition": definition})
    return calendar


@transaction.atomic
def update_calendar(calendar: WorkCalendar, *, actor: User, at: datetime, **changes: Any) -> WorkCalendar:
    """Change the name, the definition or the minutes of a day of a calendar of one's own."""
    calendar = _own(calendar)
    before = {name: getattr(calendar, name) for name in changes if name in CHANGEABLE}
    after = {name: changes[name] for name in before}
    if before == after:
        return calendar
    if "definition" in after:
        calendar.timezone = _checked(after["definition"])
    for name, value in after.items():
        setattr(calendar, name, value)
    calendar.save()
    record("calendar.update", calendar, actor=actor, at=at, before=before, after=after)
    return calendar


def bring_back_calendar(calendar: WorkCalendar, entry_id: int, *, actor: User, at: datetime) -> WorkCalendar:
    """Give ``calendar`` again what it had before the change that the audit entry notes. Raises RuleViolated."""
    entry = calendar_changes(calendar).filter(pk=entry_id).first()
    if entry is None:
        raise RuleViolated("calendar.change", "There is no such change of this calendar.", "entry")
    before = {name: value for name, value in (entry.before or {}).items() if name in CHANGEABLE}
    return update_calendar(calendar, actor=actor, at=at, **before)


@transaction.atomic
def delete_calendar(calendar: WorkCalendar, *, actor: User, at: datetime) -> None:
    """Remove a calendar of one's own. Raises RuleViolated while something counts in it."""
    calendar = _own(calendar)
    record("calendar.delete", calendar, actor=actor, at=at, before={"key": calendar.key, "name": calendar.name})
    try:
        calendar.delete()
    except ProtectedError as error:
        raise RuleViolated("calendar.in_use", "A service level or a team counts in this calendar.") from error


def _own(calendar: WorkCalendar) -> WorkCalendar:
    calendar = WorkCalendar.objects.select_for_update().get(pk=calendar.pk)
    if calendar.pack:
        raise RuleViolated("calendar.of_methodology", "This calendar belongs to a methodology; set its values there.")
    return calendar


def _checked(definition: dict[str, Any]) -> str:
    """The zone the definition names, empty for the workspace's. Raises RuleViolated naming the first mistake."""
    try:
        problems = night_overlaps(read_calendar(definition, default_timezone="UTC").rules)
        if problems:
            raise InvalidCalendar(problems)
    except InvalidCalendar as error:
        first = error.problems[0]
        field = "/".join(part for part in ("definition", first.field) if part)
        raise RuleViolated(f"calendar.{first.rule}", first.detail, field) from error
    return str(definition.get("timezone") or "")
