"""Changes of service levels, calendars and days off tried on the tickets that are open. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from accounts.models import WorkCalendar
from support.actions import settings_shown
from support.actions.holidays import checked_holidays
from support.actions.policies import checked_content, content_of
from support.models import HolidayList, SlaPolicy, SlaPolicyVersion
from support.queries.preview import Preview, preview
from support.queries.promises import Desk


def preview_policy(policy: SlaPolicy, changes: Mapping[str, Any], *, at: datetime) -> Preview:
    """What would become of open deadlines if ``policy`` promised ``changes``. Raises RuleViolated."""
    content = content_of(policy.versions.all()[0])
    checked = checked_content(content | {name: value for name, value in changes.items() if name in content})
    desk = Desk()
    desk.put_version(SlaPolicyVersion(policy=policy, number=0, created_at=at, **checked))
    return preview(desk, settings_shown(), at=at)


def preview_calendar(row: WorkCalendar, values: Mapping[str, Any], *, at: datetime) -> Preview:
    """What would become of open deadlines if ``row`` had ``definition`` and ``minutes_per_day`` of ``values``."""
    changed, desk = copy(row), Desk()
    for name in ("definition", "minutes_per_day"):
        setattr(changed, name, values.get(name, getattr(row, name)))
    desk.put_calendar(changed)
    return preview(desk, settings_shown(), at=at)


def preview_holidays(row: HolidayList | None, values: Mapping[str, Any], *, at: datetime) -> Preview:
    """What would become of open deadlines if ``row``, or a new list, were as ``values`` say. Raises RuleViolated."""
    tried = HolidayList(**checked_holidays(**{name: value for name, value in values.items() if name != "calendars"}))
    tried.__dict__["tried_calendars"] = [calendar.pk for calendar in values["calendars"]]
    others = HolidayList.objects.exclude(pk=row.pk if row else None).prefetch_related("calendars")
    desk = Desk()
    desk.calendars.put_holidays([*others, tried])
    return preview(desk, settings_shown(), at=at)
