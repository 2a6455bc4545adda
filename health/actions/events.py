"""Events that triggers wait for, recorded by a person or an integration; and snoozing a trigger."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions import log_activity, mark_changed
from accounts.audit import record
from accounts.choices import ActivityKind
from accounts.errors import RuleViolated
from accounts.models import Account
from health.models import HealthEvent, Trigger, TriggerState
from health.validation import EVENT_KEY
from ui import wording

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def record_event(
    account: Account,
    key: str,
    at: datetime,
    data: dict[str, Any] | None = None,
    *,
    actor: User | None = None,
    now: datetime | None = None,
) -> HealthEvent:
    """Record that ``key`` happened on ``account`` at ``at``; triggers see it with the next sweep.

    ``now`` is when it became known, ``at`` unless given. The same event at the same moment is recorded once.
    Raises RuleViolated for a key that is no lower-case word or a moment in the future.
    """
    known_at = now or at
    if not EVENT_KEY.fullmatch(key):
        raise RuleViolated("format", "an event is named in lower case, as in competitor_mentioned", "event")
    if at > known_at:
        raise RuleViolated("future", "an event cannot be recorded before it happens", "at")
    event, created = HealthEvent.objects.get_or_create(
        account=account, key=key, at=at, defaults={"data": data or {}, "actor": actor, "recorded_at": known_at}
    )
    if created:
        title = wording.titled(key)
        note = str((data or {}).get("note", ""))
        log_activity(account, kind=ActivityKind.HEALTH, title=title, body=note, actor=actor, at=at)
        mark_changed([account.pk], at=known_at)
        record("health.event", event, actor=actor, at=known_at, after={"key": key, **event.data}, account=account)
    return event


@transaction.atomic
def snooze_trigger(
    account: Account, trigger: Trigger, *, until: datetime, reason: str, actor: User | None, at: datetime
) -> TriggerState:
    """Keep ``trigger`` quiet on ``account`` until a moment. It fires then if its condition still holds.

    Raises RuleViolated without a reason or for a moment that is not ahead.
    """
    if not reason.strip():
        raise RuleViolated("required", "a snooze needs a reason", "reason")
    if until <= at:
        raise RuleViolated("range", "a snooze ends in the future", "until")
    state, _ = TriggerState.objects.select_for_update().get_or_create(account=account, trigger=trigger)
    state.snoozed_until, state.snooze_reason, state.snoozed_by = until, reason.strip()[:500], actor
    state.save(update_fields=["snoozed_until", "snooze_reason", "snoozed_by"])
    after = {"trigger": trigger.key, "until": until.isoformat(), "reason": state.snooze_reason}
    record("trigger.snooze", state, actor=actor, at=at, after=after, account=account)
    return state
