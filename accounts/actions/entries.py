"""Correcting, deleting and pinning entries of a timeline. What was there before stays in the audit log.

The moment of the act is ``when`` here: ``at`` is a field of the entry.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.actions.activity import LOGGED_BY_HAND, TOUCHES, agreement, check_touch
from accounts.actions.changes import mark_changed
from accounts.actions.locking import differences
from accounts.audit import record
from accounts.errors import RuleViolated
from accounts.models import Account, Activity, AuditEntry, User

WORDS = ("kind", "title", "body", "at", "visibility", "attendees")
STEP = ("next_step", "next_step_on", "next_step_at")
MOST_PINNED = 5
ANY: Any = object()


@transaction.atomic
def update_entry(entry: Activity, *, actor: User, when: datetime, seen_at: Any = ANY, **changes: Any) -> Activity:
    """Change what a logged call, meeting, mail or note says; returns it, as it was when nothing differs.

    ``changes`` are fields of ``WORDS`` and ``STEP``; a step that is done stays. ``seen_at`` is the ``edited_at`` that
    the writer saw (None: it had never been edited): RuleViolated when somebody was faster, for an entry that the
    product wrote, and for what ``log_touch`` refuses. Audited with the words before; the account is scored again.
    """
    unknown = sorted(changes.keys() - {*WORDS, *STEP})
    if unknown:
        raise RuleViolated("unknown_field", "There is no such field.", unknown[0])
    entry = _locked(entry)
    if seen_at is not ANY and entry.edited_at != seen_at:
        raise RuleViolated("activity.stale", "Somebody changed this entry since. Look at theirs first.")
    changes = {name: value for name, value in changes.items() if name not in STEP} | _agreed(entry, changes)
    before, after = differences(entry, changes)
    if not after:
        return entry
    moved = after.get("next_step_on")
    check_touch(changes.get("kind", entry.kind), changes.get("at", entry.at), moved, when)  # type: ignore[arg-type]
    for name in after:
        setattr(entry, name, changes[name])
    if after.keys() & set(STEP):
        entry.next_step_owner = (entry.next_step_owner or actor) if entry.next_step else None
    entry.edited_at = when
    entry.save()
    if {before.get("kind", entry.kind), entry.kind} & TOUCHES:
        mark_changed([entry.account_id], at=when)
    record("activity.edited", entry, actor=actor, at=when, before=before, after=after, account=entry.account_id)
    return entry


@transaction.atomic
def delete_entry(entry: Activity, *, actor: User, when: datetime) -> AuditEntry:
    """Delete a logged entry. Returns the audit entry, which keeps all of it: ``restore_entry`` brings it back.

    Raises RuleViolated for an entry that the product wrote: it stands as long as what it tells of.
    """
    entry = _locked(entry)
    before = {field.attname: getattr(entry, field.attname) for field in Activity._meta.concrete_fields}
    kept = record("activity.deleted", entry, actor=actor, at=when, before=before, account=entry.account_id)
    entry.delete()
    if before["kind"] in TOUCHES:
        mark_changed([before["account_id"]], at=when)
    return kept


@transaction.atomic
def restore_entry(entry_id: UUID, *, actor: User, when: datetime) -> Activity:
    """Bring a deleted entry back exactly as it was, with its key. Returns it; one that is there is left alone.

    Its pin is gone where others took the places meanwhile.
    Raises RuleViolated when nothing was deleted under that key, or an import has brought its like again.
    """
    present = Activity.objects.filter(pk=entry_id).first()
    if present is not None:
        return present
    kept = _deleted(entry_id)
    if kept is None or kept.before is None:
        raise RuleViolated("activity.unknown", "There is no such entry to bring back.")
    entry = Activity(**{field.attname: _read(field, kept.before) for field in Activity._meta.concrete_fields})
    people = set(User.objects.filter(pk__in=[entry.actor_id, entry.next_step_owner_id]).values_list("pk", flat=True))
    entry.actor_id = entry.actor_id if entry.actor_id in people else None
    entry.next_step_owner_id = entry.next_step_owner_id if entry.next_step_owner_id in people else None
    if entry.pinned_at is not None and not _has_room(entry.account_id):
        entry.pinned_at = None
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as clash:
        raise RuleViolated("activity.taken", "An import has brought this entry again.") from clash
    if entry.kind in TOUCHES:
        mark_changed([entry.account_id], at=when)
    record("activity.restored", entry, actor=actor, at=when, account=entry.account_id)
    return entry


def account_of_entry(entry_id: UUID) -> UUID | None:
    """The account of an entry, there or deleted; None where there never was one. One query or two."""
    present: UUID | None = Activity.objects.filter(pk=entry_id).values_list("account_id", flat=True).first()
    kept = _deleted(entry_id) if present is None else None
    return kept.account_id if kept else present


@transaction.atomic
def pin_entry(entry: Activity, *, actor: User, when: datetime) -> Activity:
    """Keep any entry above the others; a pinned one stays as it is. Raises RuleViolated for a sixth of an account."""
    has_room = _has_room(entry.account_id)
    entry = Activity.objects.get(pk=entry.pk)
    if entry.pinned_at is not None:
        return entry
    if not has_room:
        raise RuleViolated("activity.pinned", f"At most {MOST_PINNED} entries are pinned. Take another down first.")
    return _pinned(entry, when, "activity.pinned", actor=actor, when=when)


@transaction.atomic
def unpin_entry(entry: Activity, *, actor: User, when: datetime) -> Activity:
    """Let the entry stand among the others again."""
    entry = Activity.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    return entry if entry.pinned_at is None else _pinned(entry, None, "activity.unpinned", actor=actor, when=when)


def _pinned(entry: Activity, pinned_at: datetime | None, action: str, *, actor: User, when: datetime) -> Activity:
    entry.pinned_at = pinned_at
    entry.save(update_fields=["pinned_at"])
    record(action, entry, actor=actor, at=when, account=entry.account_id)
    return entry


def _has_room(account_id: UUID) -> bool:
    """Whether one more entry of the account may be pinned; the account is locked until the commit."""
    # RACE: two at once would both take the last place.
    Account.objects.select_for_update(of=("self",)).get(pk=account_id)
    return Activity.objects.filter(account=account_id).pinned().count() < MOST_PINNED


def _locked(entry: Activity) -> Activity:
    row = Activity.objects.select_for_update(of=("self",)).get(pk=entry.pk)
    if row.kind not in LOGGED_BY_HAND:
        raise RuleViolated("activity.written", "The product wrote this entry; it cannot be changed.")
    return row


def _deleted(entry_id: UUID) -> AuditEntry | None:
    """What the audit log kept of the entry when it was last deleted. One query."""
    rows = AuditEntry.objects.filter(object_type="activity", object_id=str(entry_id), action="activity.deleted")
    return rows.order_by("-pk").first()


def _agreed(entry: Activity, changes: dict[str, Any]) -> dict[str, Any]:
    """The fields of the next step after ``changes``; none where it is done or left alone. Its hour keeps to its day."""
    touched = changes.keys() & set(STEP)
    if not touched or entry.next_step_done_at is not None:
        return {}
    if changes.get("next_step") == "":
        return agreement("", None, None)
    given = {name: changes.get(name, getattr(entry, name)) for name in STEP}
    if touched & {"next_step_on", "next_step_at"} == {"next_step_on"} and changes["next_step_on"] != entry.next_step_on:
        given["next_step_at"] = None
    if "next_step_at" in touched and "next_step_on" not in touched:
        given["next_step_on"] = None
    return agreement(**given)


def _read(field: Any, kept: dict[str, Any]) -> Any:
    value = kept.get(field.attname)
    return (field.target_field if field.is_relation else field).to_python(value)
