"""Telling administrators that a limit of the workspace fills up: at 70, 85 and 95 percent, each once."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from accounts.choices import ADMIN_ROLES
from accounts.models import User
from accounts.quotas import Use, uses
from engagement.actions import notify
from engagement.choices import Kind
from engagement.models import QuotaWarning

# A use that sways around a step warns once: the step is over only when so many percent below it.
CALM_PCT = 5


@transaction.atomic
def warn_of_quotas(*, at: datetime) -> int:
    """Tell owners and administrators of each step that was reached since the last look; how many notices were new.

    A step that was left behind (by five percent) warns again when it is reached again. What counts a day or a
    minute warns at most once a UTC day and step. Three queries while nothing fills up.
    """
    known = {row.key: row for row in QuotaWarning.objects.select_for_update(of=("self",))}
    told = 0
    for use in uses(at):
        row = known.get(use.key)
        before = row.step if row and not _began_anew(use, row, at) else 0
        if use.step > before:
            told += _tell(use, at)
        elif use.step == before or use.used_pct > before - CALM_PCT:
            continue
        QuotaWarning.objects.update_or_create(key=use.key, defaults={"step": use.step, "since_at": at})
    return told


def _began_anew(use: Use, row: QuotaWarning, at: datetime) -> bool:
    """Whether what counts a day or a minute was warned of on an earlier UTC day."""
    return use.is_per_time and row.since_at.astimezone(UTC).date() < at.astimezone(UTC).date()


def _tell(use: Use, at: datetime) -> int:
    moment = at.astimezone(UTC)
    since = f"{moment:%Y-%m-%d}" if use.is_per_time else f"{moment:%Y-%m-%dT%H:%M:%S}"
    return notify(
        User.objects.active().filter(role__in=ADMIN_ROLES),
        kind=Kind.SYSTEM,
        title=f"{use.label}: {use.used_pct} % of the limit used",
        body=f"{use.used:,} of {use.limit:,}. {use.detail} What is above the limit is refused.",
        url="/settings/quotas/",
        at=at,
        dedupe_key=f"quota:{use.key}:{use.step}:{since}",
    )
