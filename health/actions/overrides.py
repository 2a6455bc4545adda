"""A person's judgement in place of the computed band: with a reason, an author and an end."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.actions import log_activity, mark_changed
from accounts.audit import record
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated
from accounts.models import Account
from health.actions.recompute import lock_health
from health.cards import compiled
from health.models import AccountHealth, HealthOverride

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = timedelta(days=180)


@transaction.atomic
def set_override(
    account: Account, *, band: str, reason: str, expires_at: datetime, actor: User | None, at: datetime
) -> HealthOverride:
    """Let ``band`` stand for the account until ``expires_at``; an override that stood before is ended.

    The computed score goes on being computed and shown. Raises RuleViolated for an unknown band, a missing
    reason, an end in the past or more than 180 days ahead, and for an account that was never scored.
    """
    lock_health()
    health = AccountHealth.objects.select_related("version").filter(account=account).first()
    if health is None:
        raise RuleViolated("scored", f"{account.name} has not been scored yet", "account")
    chosen = next((item for item in compiled(health.version).card.bands if item.key == band), None)
    if chosen is None:
        raise RuleViolated("choice", f"{band} is no band of this account's scorecard", "band")
    if not reason.strip():
        raise RuleViolated("required", "an override needs a reason", "reason")
    if not at < expires_at <= at + LONGEST:
        raise RuleViolated("range", f"an override ends within {LONGEST.days} days from now", "expires_at")
    _end_standing(account, actor=actor, at=at)
    override = HealthOverride.objects.create(
        account=account,
        band=chosen.key,
        band_name=chosen.name,
        rag=chosen.rag,
        reason=reason.strip()[:500],
        author=actor,
        computed_score=health.score,
        computed_band=health.band,
        created_at=at,
        expires_at=expires_at,
    )
    AccountHealth.objects.filter(account=account).update(
        override=override, current_band=chosen.key, current_rag=chosen.rag
    )
    _note(account, override, "health.override", f"Health set to {chosen.name} by hand", actor=actor, at=at)
    return override


@transaction.atomic
def clear_override(account: Account, *, actor: User | None, at: datetime) -> HealthOverride | None:
    """End the standing override, so that the computed band counts again; None if there is none."""
    lock_health()
    override = _end_standing(account, actor=actor, at=at)
    if override is None:
        return None
    health = AccountHealth.objects.get(account=account)
    AccountHealth.objects.filter(account=account).update(
        override=None, current_band=health.band, current_rag=health.rag
    )
    _note(account, override, "health.override-end", "Health is computed again", actor=actor, at=at)
    return override


def expire_overrides(*, at: datetime) -> list[HealthOverride]:
    """End every override whose time is up; each in its own transaction. The overrides that ended."""
    due = HealthOverride.objects.filter(ended_at=None, expires_at__lte=at).select_related("account")
    ended = [clear_override(override.account, actor=None, at=at) for override in due]
    return [override for override in ended if override is not None]


def _end_standing(account: Account, *, actor: User | None, at: datetime) -> HealthOverride | None:
    standing = HealthOverride.objects.select_for_update().filter(account=account, ended_at=None).first()
    if standing is not None:
        standing.ended_at, standing.ended_by = at, actor
        standing.save(update_fields=["ended_at", "ended_by"])
    return standing


def _note(
    account: Account, override: HealthOverride, action: str, title: str, *, actor: User | None, at: datetime
) -> None:
    """Timeline and audit, and a mark so that triggers that go by the band look at it with the next sweep."""
    facts = {
        "band": override.band,
        "reason": override.reason,
        "expires_at": override.expires_at.isoformat(),
        "computed_band": override.computed_band,
    }
    log_activity(account, kind=ActivityKind.HEALTH, title=title, body=override.reason, actor=actor, at=at)
    # RACE: marks before the audit chain's lock, as every other action does, else two could wait for each other.
    mark_changed([account.pk], at=at)
    record(action, override, actor=actor, at=at, after=facts, account=account)
