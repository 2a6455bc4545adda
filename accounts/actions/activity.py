"""Writing an account's timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.actions.changes import mark_changed
from accounts.audit import Change, record_many
from accounts.choices import TOUCH_KINDS, ActivityKind, Visibility
from accounts.errors import RuleViolated
from accounts.models import Account, Activity
from accounts.queries.workspace import workspace_day

if TYPE_CHECKING:
    from accounts.models import User

# What a person logs by hand; the other kinds are written by the product.
LOGGED_BY_HAND = frozenset({ActivityKind.NOTE, ActivityKind.CALL, ActivityKind.MEETING, ActivityKind.EMAIL})
TOUCHES = frozenset(TOUCH_KINDS)


def log_activity(
    account: Account,
    *,
    kind: str,
    title: str,
    actor: User | None,
    at: datetime,
    body: str = "",
    visibility: str = Visibility.INTERNAL,
    data: Mapping[str, Any] | None = None,
    source: str = "",
    external_id: str = "",
    recorded_at: datetime | None = None,
    **agreed: Any,
) -> Activity:
    """Add one entry to the timeline, happened at ``at``. Returns it. One query.

    ``recorded_at`` is when we came to know, where that was later. ``agreed`` holds attendees and the next step, as the
    entry's fields are called.

    The entry is the record itself, so it gets no audit entry of its own; ``log_touch`` is for people.
    """
    return Activity.objects.create(
        account=account,
        kind=kind,
        title=title[:200],
        body=body,
        actor=actor,
        at=at,
        visibility=visibility,
        data=audit.plain(data or {}),
        source=source,
        external_id=external_id,
        recorded_at=recorded_at,
        **agreed,
    )


@transaction.atomic
def log_touch(
    account: Account,
    *,
    kind: str,
    title: str,
    actor: User,
    at: datetime,
    happened_at: datetime | None = None,
    body: str = "",
    visibility: str = Visibility.INTERNAL,
    data: Mapping[str, Any] | None = None,
    attendees: Iterable[str] = (),
    next_step: str = "",
    next_step_on: date | None = None,
    next_step_at: datetime | None = None,
) -> Activity:
    """Log a note, call, meeting or e-mail of ``actor``. Returns the entry; audited, and the account scored again.

    A ``next_step`` is the actor's own, due on ``next_step_on`` or on the day ``next_step_at`` falls on. Raises
    RuleViolated for a kind only the product writes, a moment after ``at``, and a next step without a day ahead.
    """
    happened_at = happened_at or at
    agreed = agreement(next_step, next_step_on, next_step_at)
    check_touch(kind, happened_at, agreed["next_step_on"], at)
    entry = log_activity(
        account,
        kind=kind,
        title=title,
        actor=actor,
        at=happened_at,
        recorded_at=at if happened_at < at else None,
        body=body,
        visibility=visibility,
        data=data,
        attendees=list(attendees),
        next_step_owner=actor if agreed["next_step"] else None,
        **agreed,
    )
    if kind in TOUCHES:
        mark_changed([account.pk], at=at)
    after = {"kind": kind, "title": entry.title, "visibility": visibility}
    if agreed["next_step"]:
        after |= {"next_step": agreed["next_step"], "next_step_on": str(agreed["next_step_on"])}
    record_many([Change("activity.logged", entry, after=after, account=account)], actor=actor, at=at)
    return entry


def check_touch(kind: str, happened_at: datetime, next_step_on: date | None, at: datetime) -> None:
    """Raise RuleViolated for a kind only the product writes, a moment after ``at``, a next step in the past."""
    if kind not in LOGGED_BY_HAND:
        raise RuleViolated("activity.kind", "Log a note, a call, a meeting or an e-mail.", "kind")
    if happened_at > at:
        raise RuleViolated("activity.future", "The timeline holds what has happened; this lies ahead.", "at")
    if next_step_on and next_step_on < workspace_day(at):
        raise RuleViolated(
            "activity.next_step_past", "The next step lies ahead: choose today or later.", "next_step_on"
        )


def agreement(next_step: str, next_step_on: date | None, next_step_at: datetime | None) -> dict[str, Any]:
    """The fields of a next step as they are stored. Raises RuleViolated for half of one.

    A start without a day gives its day, in the zone that is active.
    """
    next_step = " ".join(next_step.split())[:200]
    if next_step_at is not None and next_step_on is None:
        next_step_on = timezone.localtime(next_step_at).date()
    if next_step and next_step_on is None:
        raise RuleViolated("activity.next_step_day", "Give the next step a day.", "next_step_on")
    if next_step_on and not next_step:
        raise RuleViolated("activity.next_step_text", "Say what happens on that day.", "next_step")
    return {"next_step": next_step, "next_step_on": next_step_on, "next_step_at": next_step_at}
