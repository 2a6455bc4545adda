"""The desk's own settings: mail, clocks, routing. Each change is one audit entry."""

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
