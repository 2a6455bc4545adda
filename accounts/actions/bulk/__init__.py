"""Sets of rows brought up to what another system says, known by its ids. Each row is answered by itself.

``dry_run`` settles every row and writes nothing. At most 5,000 rows a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from accounts.actions.bulk.accounts import UpsertAccounts
from accounts.actions.bulk.activities import RecordActivities
from accounts.actions.bulk.contacts import UpsertContacts
from accounts.actions.bulk.contracts import UpsertContracts
from accounts.actions.bulk.engine import MAX_ROWS
from accounts.actions.bulk.restore import Step, known_keys, restore_rows, states
from accounts.results import RowResult

if TYPE_CHECKING:
    from accounts.models import User

__all__ = [
    "MAX_ROWS", "Step", "known_keys", "record_activities", "restore_rows", "states", "upsert_accounts",
    "upsert_contacts", "upsert_contracts",
]  # fmt: skip


def upsert_accounts(
    rows: Sequence[Any], *, source: str, actor: User | None, at: datetime, dry_run: bool = False
) -> list[RowResult]:
    """Create or update accounts by ``external_id`` in ``source``; fields of ``record_fields.BULK_ACCOUNT``.

    Absent fields stay as they are, and so do own fields that a row's ``custom`` does not name; null there empties one.
    One result a row, in order; some fifteen statements per 1,000 rows.
    """
    return UpsertAccounts(source=source, actor=actor, at=at, dry_run=dry_run).run(rows)


def upsert_contacts(
    rows: Sequence[Any], *, source: str, actor: User | None, at: datetime, dry_run: bool = False
) -> list[RowResult]:
    """Create or update contacts by ``external_id`` in ``source``; ``account`` is its id or its name in ``source``."""
    return UpsertContacts(source=source, actor=actor, at=at, dry_run=dry_run).run(rows)


def upsert_contracts(
    rows: Sequence[Any], *, source: str, actor: User | None, at: datetime, dry_run: bool = False
) -> list[RowResult]:
    """Create or update contracts by ``external_id`` in ``source``; their accounts follow at once."""
    return UpsertContracts(source=source, actor=actor, at=at, dry_run=dry_run).run(rows)


def record_activities(
    rows: Sequence[Any], *, source: str, actor: User | None, at: datetime, dry_run: bool = False
) -> list[RowResult]:
    """Create or update timeline entries by ``external_id``. ``data.fact`` churn or return (with ``data.on``) counts
    for the account's status where no contract is in force.
    """
    return RecordActivities(source=source, actor=actor, at=at, dry_run=dry_run).run(rows)
