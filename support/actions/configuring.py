"""The desk's own settings: mail, clocks, routing, incidents. Each change is one audit entry."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from support.actions.log import choice, settings_row
from support.choices import Routing
from support.models import SupportSettings

if TYPE_CHECKING:
    from accounts.models import User

WARNING = re.compile(r"(?:[1-9][0-9]?%|[1-9][0-9]{0,4}m)", re.ASCII)
MOST_WARNINGS = 8
# Between two words to customers about an incident: a month.
MOST_MINUTES = 60 * 24 * 30
# Severities as bad as the fourth, or worse, have a length of time of their own.
RANKS = 4
MOST_REVIEW_DAYS = 90


def configure_mail(values: dict[str, Any], *, actor: User, at: datetime) -> bool:
    """Change the desk's mail settings; False where nothing changed."""
    return _configure(values, "support.mail_settings", actor=actor, at=at)


def configure_clocks(values: dict[str, Any], *, actor: User, at: datetime) -> bool:
    """Change when clocks wait, go on, warn and end; False where nothing changed. Raises RuleViolated.

    Open deadlines follow in the background.
    """
    if "warn_at" in values:
        values = {**values, "warn_at": clean_warnings(values["warn_at"])}
    return _configure(values, "support.clock_settings", actor=actor, at=at)


def set_routing(mode: str, *, actor: User, at: datetime) -> bool:
    """How far new tickets are given on by themselves; False where it was so already. Raises RuleViolated."""
    return _configure({"routing": choice(mode, Routing, "routing")}, "support.routing", actor=actor, at=at)


def configure_incidents(minutes: Sequence[int], review_within_days: int, *, actor: User, at: datetime) -> bool:
    """Set how often customers are told by default, by the severity's rank, and until when a review is written.

    In minutes and business days; False where nothing changed. Raises RuleViolated.
    """
    if len(minutes) != RANKS or not all(1 <= each <= MOST_MINUTES for each in minutes):
        message = f"Give {RANKS} lengths of time, each of 1 to {MOST_MINUTES:,} minutes."
        raise RuleViolated("range", message, "incident_update_minutes")
    if not 1 <= review_within_days <= MOST_REVIEW_DAYS:
        raise RuleViolated("range", f"Give 1 to {MOST_REVIEW_DAYS} business days.", "review_within_days")
    values = {"incident_update_minutes": list(minutes), "review_within_days": review_within_days}
    return _configure(values, "support.incident_settings", actor=actor, at=at)


def clean_warnings(values: Sequence[str]) -> list[str]:
    """Thresholds such as "80%" of the time used or "60m" of it left, each once. Raises RuleViolated."""
    found = list(dict.fromkeys(str(value).replace(" ", "").lower() for value in values if str(value).strip()))
    for value in found:
        if not WARNING.fullmatch(value):
            raise RuleViolated("warn_at", f"{value[:20]!r}: use 80% of the time used, or 60m that are left.", "warn_at")
    if len(found) > MOST_WARNINGS:
        raise RuleViolated("warn_at", f"At most {MOST_WARNINGS} warnings.", "warn_at")
    return found


@transaction.atomic
def _configure(values: dict[str, Any], action: str, *, actor: User, at: datetime) -> bool:
    row = SupportSettings.objects.select_for_update().get(pk=settings_row().pk)
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if not changed:
        return False
    before = {name: getattr(row, name) for name in changed}
    for name, value in changed.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*changed, "version"])
    record(action, row, actor=actor, at=at, before=before, after=changed)
    return True
