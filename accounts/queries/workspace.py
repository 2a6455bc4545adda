"""The day it is where the workspace is."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from accounts.models import Workspace


def workspace_day(at: datetime, zone: str = "") -> date:
    """The calendar day of ``at`` in the workspace's zone; UTC before it is set up. One query without ``zone``."""
    zone = zone or Workspace.objects.values_list("timezone", flat=True).first() or "UTC"
    return at.astimezone(ZoneInfo(zone)).date()
