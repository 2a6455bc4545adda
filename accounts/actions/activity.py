"""Writing an account's timeline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import audit
from accounts.actions.changes import mark_changed
from accounts.audit import Change, record_many
from accounts.choices import ActivityKind, Visibility
from accounts.errors import RuleViolated
from accounts.models import Account, Activity

if TYPE_CHECKING:
    from accounts.models import User

# What a person logs by hand; the other kinds are written by the product.
LOGGED_BY_HAND = frozenset({ActivityKind.NOTE, ActivityKind.CALL, ActivityKind.MEETING, ActivityKind.EMAIL})
# Kinds that count as having been in touch with the customer.
TOUCHES = frozenset({ActivityKind.CALL, ActivityKind.MEETING, ActivityKind.EMAIL})


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
) -> Activity:
    """Add one entry to the timeline, happened at ``at``. Returns it. One query.

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
) -> Activity:
    """Log a note, call, meeting or e-mail of ``actor``. Returns the entry; audited, and the account scored again.

    Raises RuleViolated for a kind only the product writes, and for a moment after ``at``.
    """
    if kind not in LOGGED_BY_HAND:
        raise RuleViolated("activity.kind", "Log a note, a call, a meeting or an e-mail.", "kind")
    happened_at = happened_at or at
    if happened_at > at:
        raise RuleViolated("activity.future", "The timeline holds what has happened; this lies ahead.", "at")
    entry = log_activity(
        account, kind=kind, title=title, actor=actor, at=happened_at, body=body, visibility=visibility, data=data
    )
    if kind in TOUCHES:
        mark_changed([account.pk], at=at)
    after = {"kind": kind, "title": entry.title, "visibility": visibility}
    record_many([Change("activity.logged", entry, after=after, account=account)], actor=actor, at=at)
    return entry
