"""Upserting timeline entries by the id another system has for them; churn facts among them move their account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from accounts import audit
from accounts.actions.activity import agreement
from accounts.actions.bulk.engine import Upsert, save_all
from accounts.actions.bulk.scope import Scope
from accounts.actions.changes import mark_changed
from accounts.actions.refresh import CHURN, RETURN, refresh_from_contracts
from accounts.errors import RuleViolated
from accounts.models import Activity
from accounts.record_fields import ACTIVITY, BULK_ACTIVITY

COLUMNS = [*ACTIVITY, "next_step_owner", "next_step_done_at"]


class RecordActivities(Upsert[Activity]):
    kind = "activity"
    fields: ClassVar = BULK_ACTIVITY
    required: ClassVar = ("kind", "title", "account")

    def load(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Five queries at most, whatever the number of rows."""
        ids = {row["external_id"] for row in rows if "external_id" in row}
        present = Activity.objects.filter(source=self.source, external_id__in=ids).select_related("account")
        self.known = {entry.external_id: entry for entry in present}
        self.references.load(rows)
        accounts = [entry.account for entry in present] + list(self.references.accounts.values())
        self._scope = Scope(self.actor, accounts)

    def build(self, external_id: str, values: dict[str, Any]) -> Activity:
        values = {**values, "at": values.get("at") or self.at}
        late = self.at if values["at"] < self.at else None
        return Activity(
            source=self.source, external_id=external_id, actor=self.actor, recorded_at=late, **_plain(values)
        )

    def difference(self, row: Activity, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if values.get("at", "") is None:
            del values["at"]
        values |= _plain(values)
        return super().difference(row, values)

    def may_change(self, row: Activity, values: Mapping[str, Any]) -> None:
        self._scope.require(row.account_id)
        if "account" in values and values["account"].pk != row.account_id:
            raise RuleViolated("activity.account_differs", "The entry belongs to another account.", "account")

    def check(self, row: Activity, *, before: Mapping[str, Any] | None) -> None:
        self._scope.require(row.account_id)
        if row.at > self.at:
            raise RuleViolated("activity.future", "The timeline holds what has happened; this lies ahead.", "at")
        for name, value in agreement(row.next_step, row.next_step_on, row.next_step_at).items():
            setattr(row, name, value)
        if not row.next_step:
            row.next_step_done_at = None
        elif row.next_step_owner_id is None:
            row.next_step_owner_id = row.account.owner_id

    def write(self) -> None:
        # The entries are the record; repeating each in the audit log would double it.
        self.changes = []
        save_all(self.created, created=True)
        save_all(list(self.updated.values()), created=False, update_fields=COLUMNS)
        touched = [*self.created, *self.updated.values()]
        mark_changed([row.account_id for row in touched], at=self.at)
        facts = {row.account_id for row in touched if row.data.get("fact") in {CHURN, RETURN}}
        if facts:
            refresh_from_contracts(facts, at=self.at, actor=self.actor)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "data": audit.plain(values["data"])} if "data" in values else values
