"""The steps every bulk upsert takes: read all rows, load what they name, settle each in memory, write once.

A row that breaks a rule is rejected by itself; the others are kept. The number of statements does not depend
on the number of rows (up to ``BATCH`` a statement). Two calls for one source wait for each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model

from accounts.actions.bulk.references import References
from accounts.actions.locking import differences, lock_source
from accounts.audit import Change, record_many
from accounts.errors import RuleViolated
from accounts.fields import Field, FieldError, Reading, read_row
from accounts.results import Outcome, RowResult, rejected
from tenants.copying import copy_in

if TYPE_CHECKING:
    from accounts.models import User

Row = TypeVar("Row", bound=Model)
BATCH = 1000
MAX_ROWS = 5000


class Upsert(Generic[Row]):
    """One bulk call. Subclasses say how rows are found, checked and written."""

    kind: ClassVar[str]
    fields: ClassVar[Mapping[str, Field]]
    required: ClassVar[tuple[str, ...]]

    def __init__(self, *, source: str, actor: User | None, at: datetime, dry_run: bool = False) -> None:
        self.source = source
        self.actor = actor
        self.at = at
        self.dry_run = dry_run
        self.known: dict[str, Row] = {}
        self.created: list[Row] = []
        self.new: set[UUID] = set()
        self.updated: dict[UUID, Row] = {}
        self.changes: list[Change] = []
        self.references = References(source=source, actor=actor)

    @transaction.atomic
    def run(self, rows: Sequence[Any]) -> list[RowResult]:
        """Settle every row and write what changed. Returns one result a row, in order.

        Raises RuleViolated for more than 5,000 rows or a source without a name.
        """
        if len(rows) > MAX_ROWS:
            raise RuleViolated("too_many", f"At most {MAX_ROWS} rows a call.")
        if not self.source.strip() or len(self.source) > 40:
            raise RuleViolated("source", "A source has a name of up to 40 characters.", "source")
        if not self.dry_run:
            lock_source(self.kind, self.source)
        readings = [read_row(self.fields, row, partial=True) for row in rows]
        self.load([reading.values for reading in readings])
        results = [self._settle(index, reading) for index, reading in enumerate(readings)]
        if not self.dry_run and (self.created or self.updated):
            self.write()
            record_many(self.changes, actor=self.actor, at=self.at)
        return results

    def _settle(self, index: int, reading: Reading) -> RowResult:
        errors = list(reading.errors)
        values = reading.values
        if "external_id" not in values and not any(error.field == "external_id" for error in errors):
            errors.append(FieldError("external_id", "required", "This is required."))
        errors += self.references.resolve(values)
        existing = self.known.get(values.get("external_id", ""))
        errors += self.refine(existing, values)
        if existing is None:
            absent = {error.field for error in errors}
            errors += [
                FieldError(name, "required", "This is required.")
                for name in self.required
                if name not in values and name not in absent
            ]
        if errors:
            return rejected(index, *errors)
        try:
            return self._create(index, values) if existing is None else self._update(index, existing, values)
        except RuleViolated as broken:
            return rejected(index, FieldError(broken.field, broken.rule, str(broken)))

    def _create(self, index: int, values: dict[str, Any]) -> RowResult:
        external_id = values.pop("external_id")
        row = self.build(external_id, values)
        self.check(row, before=None)
        self.known[external_id] = row
        self.created.append(row)
        self.new.add(row.pk)
        self.accept(external_id, row)
        self.changes.append(Change(f"{self.kind}.created", row, after={**values, "external_id": external_id}))
        return RowResult(index, Outcome.CREATED, row.pk, after=values)

    def _update(self, index: int, row: Row, values: dict[str, Any]) -> RowResult:
        values.pop("external_id")
        self.may_change(row, values)
        before, after = self.difference(row, values)
        if not after:
            return RowResult(index, Outcome.UNCHANGED, row.pk)
        old = {name: getattr(row, name) for name in values if name in after}
        try:
            self.assign(row, {name: value for name, value in values.items() if name in after})
            self.check(row, before=before)
        except RuleViolated:
            for name, value in old.items():
                setattr(row, name, value)
            raise
        if row.pk not in self.updated and row.pk not in self.new:
            self.updated[row.pk] = row
        self.changes.append(Change(f"{self.kind}.updated", row, before, after))
        return RowResult(index, Outcome.UPDATED, row.pk, before=before, after=after)

    # What a subclass says.

    def load(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Load, in a fixed number of queries, all that the rows name; fill ``known`` by external id."""
        raise NotImplementedError

    def refine(self, row: Row | None, values: dict[str, Any]) -> list[FieldError]:
        """Bring ``values`` for ``row`` (None: it is new) into the shape they are stored in; what is wrong with them."""
        return []

    def build(self, external_id: str, values: dict[str, Any]) -> Row:
        """A new, unsaved row."""
        raise NotImplementedError

    def accept(self, external_id: str, row: Row) -> None:
        """A new row has passed its checks: later rows may refer to it."""

    def write(self) -> None:
        """Write ``created`` and ``updated``."""
        raise NotImplementedError

    def check(self, row: Row, *, before: Mapping[str, Any] | None) -> None:
        """Raise RuleViolated when the row, as it would be, breaks a rule. ``before`` None: it is new."""

    def may_change(self, row: Row, values: Mapping[str, Any]) -> None:
        """Raise RuleViolated unless the actor may change this row and it belongs where ``values`` say."""

    def difference(self, row: Row, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """(before, after) of the fields that would change."""
        return differences(row, values)

    def assign(self, row: Row, values: Mapping[str, Any]) -> None:
        """Put values on the row."""
        for name, value in values.items():
            setattr(row, name, value)


def save_all(rows: Sequence[Any], *, created: bool, update_fields: Sequence[str] = ()) -> None:
    """Insert new rows (one statement), or overwrite ``update_fields`` of present ones by key (one per 1,000)."""
    if not rows:
        return
    model = type(rows[0])
    if created:
        copy_in(rows)
        return
    model._default_manager.bulk_create(
        sorted(rows, key=lambda row: row.pk),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=list(update_fields),
    )
