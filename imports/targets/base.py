"""What every target of an import has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from accounts.actions import record_activities
from accounts.fields import FieldError
from accounts.models import User
from accounts.results import Outcome, RowResult
from imports.mapping import TargetField
from imports.models import ImportJob

Shaped = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one row: of a record also its name and its fields as (name, old, new), in words."""

    outcome: Outcome
    errors: tuple[FieldError, ...] = ()
    name: str = ""
    changes: tuple[tuple[str, Any, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Whose file it is and when it is brought in."""

    source: str
    actor: User | None
    at: datetime
    dry_run: bool


class Target:
    """What rows become. ``bags`` are the fields that take any column, such as ``custom.region``.

    ``lasting`` says why an import cannot be undone; empty where it can.
    """

    fields: ClassVar[Mapping[str, TargetField]]
    bags: ClassVar[tuple[str, ...]] = ()
    batch: ClassVar[int] = 1000
    lasting: ClassVar[str] = ""

    def all_fields(self) -> Mapping[str, TargetField]:
        """``fields``, and those that the workspace has defined itself."""
        return self.fields

    def settle(self, job: ImportJob, rows: Sequence[Shaped], context: Context) -> list[Settled]:
        """Bring in one batch in the current transaction (nothing is written in a dry run). One answer a row."""
        raise NotImplementedError

    def advance(self, job: ImportJob, context: Context) -> None:
        """Work after the last row that commits by itself and is safe to repeat."""

    def finish(self, job: ImportJob) -> bool:
        """Bring the job's counts up to date; False while ``advance`` has to be called again."""
        return True


def of_result(result: RowResult) -> Settled:
    """A bulk action's answer as a row's."""
    return Settled(result.outcome, result.errors)


def settle_activities(entries: Sequence[dict[str, Any] | Settled], context: Context) -> list[Settled]:
    """Bring in rows that are entries of timelines; those that were settled already stay, in their places."""
    good = [entry for entry in entries if isinstance(entry, dict)]
    results = iter(
        record_activities(good, source=context.source, actor=context.actor, at=context.at, dry_run=context.dry_run)
    )
    return [entry if isinstance(entry, Settled) else of_result(next(results)) for entry in entries]


def reject(field: str, rule: str, message: str) -> Settled:
    """A row that was not taken."""
    return Settled(Outcome.REJECTED, (FieldError(field, rule, message),))
