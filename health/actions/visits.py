"""Remembering who looked at which account. A person's own reading: no audit entry, nothing on the timeline."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import Case, F, Value, When

from health.models import AccountVisit
from health.models.visits import SAME_VISIT

if TYPE_CHECKING:
    from accounts.models import Account, User


def note_visit(account: Account, *, user: User, at: datetime) -> None:
    """Remember that ``user`` looked at ``account``. Two queries at most."""
    rows = AccountVisit.objects.filter(user=user, account=account)
    new_visit = When(seen_at__lt=at - SAME_VISIT, then=F("seen_at"))
    if not rows.update(before_at=Case(new_visit, default=F("before_at")), seen_at=at):
        given = [AccountVisit(user=user, account=account, seen_at=at)]
        AccountVisit.objects.bulk_create(given, ignore_conflicts=True)


def mark_seen(account: Account, *, user: User, at: datetime) -> None:
    """Take everything up to ``at`` as seen. Two queries at most."""
    rows = AccountVisit.objects.filter(user=user, account=account)
    if not rows.update(before_at=Value(at), seen_at=at):
        given = [AccountVisit(user=user, account=account, seen_at=at, before_at=at)]
        AccountVisit.objects.bulk_create(given, ignore_conflicts=True)
