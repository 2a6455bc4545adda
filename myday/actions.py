"""Putting things aside from one's day, and taking the last change back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction

from accounts.actions import assign_owner, restore_next_step
from accounts.actions.locking import locked
from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Activity
from engagement.actions import mark_read, mark_unread
from engagement.queries import notice_title
from myday.models import SetAside
from playbooks.actions import reassign_cta, reopen_task, undo_bulk
from playbooks.models import Cta, Task

if TYPE_CHECKING:
    from accounts.models import Account, User


__all__ = ["hand_account_over", "look_at", "mark_read", "notice_title", "set_aside", "take_back"]


@transaction.atomic
def set_aside(
    user: User, kind: str, object_id: UUID, *, until_on: date, reason: str, today: date, at: datetime
) -> SetAside:
    """Hide one thing from ``user``'s day until ``until_on``, a day after ``today``. A reason is required; audited."""
    reason = " ".join(reason.split())
    if until_on <= today:
        raise RuleViolated("future", "Choose a day after today.", "until_on")
    if not reason or len(reason) > 200:
        raise RuleViolated("required", "Give a reason of at most 200 characters.", "reason")
    return _put(user, kind, object_id, until_on=until_on, reason=reason, today=today, at=at)


@transaction.atomic
def look_at(user: User, account_id: UUID, *, today: date, at: datetime) -> SetAside:
    """Note that ``user`` looked at an account's change: it is not shown again today. Audited."""
    return _put(user, "account", account_id, until_on=today + timedelta(days=1), reason="", today=today, at=at)


def _put(user: User, kind: str, object_id: UUID, *, until_on: date, reason: str, today: date, at: datetime) -> SetAside:
    mine = SetAside.objects.of(user)
    mine.filter(until_on__lte=today).delete()  # what has run out would only grow
    values = {"until_on": until_on, "reason": reason, "at": at}
    row, _created = SetAside.objects.update_or_create(user=user, kind=kind, object_id=object_id, defaults=values)
    after = {"kind": kind, "object": str(object_id), "until": str(until_on), "reason": reason}
    record("day.set_aside", row, actor=user, at=at, after=after)
    return row


@transaction.atomic
def hand_account_over(
    account: Account, owner: User | None, *, with_ctas: bool, actor: User, at: datetime, reason: str = ""
) -> int:
    """Give ``account`` to ``owner``; ``with_ctas`` also what its owner before has there unclosed. How many of those.

    RuleViolated where the account, or one of the CTAs, cannot be theirs: nothing is changed then.
    """
    before = locked(account, expected_version=None).owner_id
    assign_owner(account, owner, actor=actor, at=at, reason=reason)
    if not with_ctas or owner is None or before is None or before == owner.pk:
        return 0
    ctas = Cta.objects.unclosed().filter(account=account.pk, owner=before).order_by("id")
    return len([reassign_cta(cta, owner, actor=actor, at=at, reason=reason) for cta in ctas])


@transaction.atomic
def take_back(entry: Mapping[str, Any], *, user: User, at: datetime) -> bool:
    """Undo one change of ``user``'s day, as the session kept it; False where somebody changed the thing since."""
    return _BACK[entry["kind"]](entry["data"], user, at)


def _cta_back(data: Any, user: User, at: datetime) -> bool:
    return bool(undo_bulk([data], actor=user, at=at).changed)


def _task_back(data: Any, user: User, at: datetime) -> bool:
    task = Task.objects.workable_by(user).filter(pk=data["task"], version=data["version"]).first()
    if task is not None:
        reopen_task(task, actor=user, at=at)
    return task is not None


def _step_back(data: Any, user: User, at: datetime) -> bool:
    entry = Activity.objects.visible_to(user).with_step().filter(pk=data["entry"]).first()
    if entry is not None:
        restore_next_step(entry, data["before"], actor=user, at=at)
    return entry is not None


def _notice_back(data: Any, user: User, at: datetime) -> bool:
    return bool(mark_unread(user, notice=data["notice"]))


def _aside_back(data: Any, user: User, at: datetime) -> bool:
    row = SetAside.objects.of(user).filter(pk=data["aside"]).first()
    if row is not None:
        before = {"kind": row.kind, "object": str(row.object_id), "until": str(row.until_on)}
        record("day.brought_back", row, actor=user, at=at, before=before)
        row.delete()
    return row is not None


_BACK: dict[str, Callable[[Any, User, datetime], bool]] = {
    "cta": _cta_back,
    "task": _task_back,
    "step": _step_back,
    "notice": _notice_back,
    "aside": _aside_back,
}
