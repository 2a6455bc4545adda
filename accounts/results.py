"""What became of each row of a bulk call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from accounts.fields import FieldError


class Outcome(StrEnum):
    """A row was created, updated, unchanged (nothing differed) or rejected (see its errors)."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class RowResult:
    """The answer for the row at ``index``: its outcome, the row's key, and why it was rejected.

    ``before`` and ``after`` hold the fields that differ; of a created row ``after`` alone, all that was given.
    """

    index: int
    outcome: Outcome
    id: UUID | None = None
    errors: tuple[FieldError, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def rejected(index: int, *errors: FieldError) -> RowResult:
    """A row that was not taken."""
    return RowResult(index, Outcome.REJECTED, None, errors)
