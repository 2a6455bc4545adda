"""The audit log: one entry a change, appended with the change, each sealed with the hash of the one before.

The database refuses to alter an entry (migration ``accounts/0002``). Whoever gets around that is found by
``verify_chain``: an edited, deleted or inserted entry no longer fits its neighbours. Removing the newest
entries cannot be seen from the rest alone; keep ``head()`` elsewhere to notice that too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from accounts.chain import chain_hash
from accounts.models import Account, AuditEntry
from tenants.copying import copy_in

if TYPE_CHECKING:
    from accounts.models import User

START = "0" * 64
# From so many entries on, streaming them costs less than a statement with all their values.
MANY = 100
_via: ContextVar[str] = ContextVar("audit_via", default="")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be recorded: the action, its object, and the values before and after (changed ones only)."""

    action: str
    target: Model
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    account: Model | UUID | None = None


@dataclass(frozen=True, slots=True)
class ChainState:
    """The result of a verification: how many entries were read, and the first that does not fit, if any."""

    entries: int
    broken_at: int | None

    @property
    def intact(self) -> bool:
        return self.broken_at is None


@contextmanager
def acting_via(via: str) -> Iterator[None]:
    """Inside, entries say that the change came through ``via``, such as "import" or an API token's name."""
    token = _via.set(via[:40])
    try:
        yield
    finally:
        _via.reset(token)


def record(
    action: str,
    target: Model,
    *,
    actor: User | None,
    at: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    via: str = "",
    account: Model | UUID | None = None,
) -> AuditEntry:
    """Append one entry to the log in the current transaction. Returns it. Three queries.

    ``actor`` None is the system. ``account`` defaults to the target's own. Writers of one tenant wait for
    each other from here to the end of their transactions, so call it last.
    """
    change = Change(action, target, before, after, account)
    return record_many([change], actor=actor, at=at, via=via)[0]


@transaction.atomic
def record_many(changes: Iterable[Change], *, actor: User | None, at: datetime, via: str = "") -> list[AuditEntry]:
    """Append one entry per change, in order. Three queries, from 100 on four, whatever their number."""
    changes = list(changes)
    if not changes:
        return []
    previous = _lock_chain()
    entries = []
    for change in changes:
        entry = _entry(change, actor=actor, at=at, via=via)
        entry.prev_hash = previous
        entry.hash = previous = entry_hash(entry)
        entries.append(entry)
    if len(entries) < MANY:
        return AuditEntry.objects.bulk_create(entries)
    _number(entries)
    copy_in(entries)
    return entries


def verify_chain() -> ChainState:
    """Recompute every hash of the log, oldest first. One query, streamed; about 50,000 entries a second."""
    previous, count = START, 0
    for entry in AuditEntry.objects.order_by("pk").iterator(chunk_size=2000):
        count += 1
        if entry.prev_hash != previous or entry.hash != entry_hash(entry):
            return ChainState(count, entry.pk)
        previous = entry.hash
    return ChainState(count, None)


def head() -> str:
    """The newest entry's hash; 64 zeros for an empty log."""
    return AuditEntry.objects.order_by("-pk").values_list("hash", flat=True).first() or START


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over the entry's content and the hash before it, as canonical JSON."""
    return chain_hash(sealed_content(entry))


def sealed_content(entry: AuditEntry) -> list[Any]:
    """What an entry's hash covers, in order: the hash before it, then the entry."""
    return [
        entry.prev_hash,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        str(entry.actor_id or ""),
        entry.actor_label,
        entry.via,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.object_label,
        str(entry.account_id or ""),
        entry.before,
        entry.after,
    ]


def plain(value: Any) -> Any:
    """``value`` as JSON that survives the database unchanged: rows become their key, numbers with a point text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(item) for item in value)
    if isinstance(value, Model):
        return str(value.pk)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _entry(change: Change, *, actor: User | None, at: datetime, via: str) -> AuditEntry:
    target = change.target
    return AuditEntry(
        at=at,
        actor=actor,
        actor_label=actor.email if actor is not None else "system",
        via=(via or _via.get() or ("system" if actor is None else "page"))[:40],
        action=change.action,
        object_type=target._meta.model_name or "",
        object_id=str(target.pk),
        object_label=str(target)[:254].replace("\x00", ""),
        account_id=_account_id(change),
        before=None if change.before is None else plain(change.before),
        after=None if change.after is None else plain(change.after),
    )


def _account_id(change: Change) -> UUID | None:
    account = change.account
    if account is None:
        account = change.target.pk if isinstance(change.target, Account) else getattr(change.target, "account_id", None)
    return account.pk if isinstance(account, Model) else account


def _number(entries: list[AuditEntry]) -> None:
    """Give entries the next keys, in order. The chain is locked, so nobody takes one in between."""
    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, len(entries)]
        )
        keys = sorted(key for (key,) in cursor.fetchall())
    for entry, key in zip(entries, keys, strict=True):
        entry.pk = key


def _lock_chain() -> str:
    """Wait for other writers of this tenant's log, then return its last hash."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('audit'), hashtext(current_schema()))")
    return head()
