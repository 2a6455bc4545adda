"""Doing, moving and handing over what was agreed as the next step of a call, a meeting, a mail or a note."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.audit import plain, record
from accounts.errors import RuleViolated
from accounts.models import Account, Activity
from accounts.queries.workspace import workspace_day

if TYPE_CHECKING:
    from accounts.models import User

STATE = ("next_step_on", "next_step_at", "next_step_owner_id", "next_step_done_at")


@transaction.atomic
def complete_next_step(entry: Activity, *, actor: User, at: datetime) -> Activity:
    """Note that the next step is done; a done one stays as it is. Audited."""
    entry = _locked(entry)
    if entry.next_step_done_at is None:
        _store(entry, "next_step.done", {"next_step_done_at": at}, actor=actor, at=at)
    return entry


@transaction.atomic
def reopen_next_step(entry: Activity, *, actor: User, at: datetime) -> Activity:
    """Take the doing back; an open one stays as it is. Audited."""
    entry = _locked(entry)
    if entry.next_step_done_at is not None:
        _store(entry, "next_step.reopened", {"next_step_done_at": None}, actor=actor, at=at)
    return entry


@transaction.atomic
def put_off_next_step(entry: Activity, *, until_on: date, reason: str, actor: User, at: datetime) -> Activity:
    """Move the next step to ``until_on``, a day ahead, keeping its hour. A reason is required; audited."""
    entry = _open(entry)
    reason = " ".join(reason.split())
    if until_on <= workspace_day(at):
        raise RuleViolated("future", "Choose a day after today.", "until_on")
    if not reason or len(reason) > 200:
        raise RuleViolated("required", "Give a reason of at most 200 characters.", "reason")
    begins = entry.next_step_at
    if begins is not None:
        begins += timedelta(days=(until_on - (entry.next_step_on or until_on)).days)
    changes = {"next_step_on": until_on, "next_step_at": begins}
    _store(entry, "next_step.put_off", changes, actor=actor, at=at, reason=reason)
    return entry


@transaction.atomic
def hand_over_next_step(entry: Activity, owner: User, *, actor: User, at: datetime, reason: str = "") -> Activity:
    """Give the next step to another active colleague who sees the account. Audited."""
    entry = _open(entry)
    if not owner.is_active or owner.is_portal or not Account.objects.visible_to(owner).filter(pk=entry.account_id):
        raise RuleViolated("owner", "That person cannot work this account.", "owner")
    if entry.next_step_owner_id != owner.pk:
        _store(entry, "next_step.handed_over", {"next_step_owner": owner}, actor=actor, at=at, reason=reason)
    return entry


@transaction.atomic
def restore_next_step(entry: Activity, before: dict[str, Any], *, actor: User, at: datetime) -> Activity:
    """Bring the next step back to ``before`` (``step_state``), for undo. Audited."""
    entry = _locked(entry)
    values = {
        "next_step_on": date.fromisoformat(before["next_step_on"]),
        "next_step_at": _moment(before["next_step_at"]),
        "next_step_owner_id": before["next_step_owner_id"],
        "next_step_done_at": _moment(before["next_step_done_at"]),
    }
    _store(entry, "next_step.restored", values, actor=actor, at=at)
    return entry


def step_state(entry: Activity) -> dict[str, Any]:
    """What changes about a next step, as plain values."""
    return {name: plain(getattr(entry, name)) for name in STATE}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _locked(entry: Activity) -> Activity:
    row = Activity.objects.select_for_update(of=("self",)).select_related("account").get(pk=entry.pk)
    if not row.next_step:
        raise RuleViolated("activity.no_next_step", "This entry agreed on no next step.", "next_step")
    return row


def _open(entry: Activity) -> Activity:
    row = _locked(entry)
    if row.next_step_done_at is not None:
        raise RuleViolated("activity.next_step_done", "The next step is done already.", "next_step")
    return row


def _store(
    entry: Activity, action: str, changes: dict[str, Any], *, actor: User, at: datetime, reason: str = ""
) -> None:
    before = step_state(entry)
    for name, value in changes.items():
        setattr(entry, name, value)
    entry.save(update_fields=[name.removesuffix("_id") for name in changes])
    after = step_state(entry) | ({"reason": reason} if reason else {})
    record(action, entry, actor=actor, at=at, before=before, after=after, account=entry.account)
