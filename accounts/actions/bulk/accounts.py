"""Upserting accounts by the id another system has for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count

from accounts.actions.accounts import check_parent
from accounts.actions.bulk.engine import Upsert, save_all
from accounts.actions.changes import mark_changed
from accounts.actions.ownership import check_may_own, enforce
from accounts.capacity import OWNER_ROLE, judge
from accounts.choices import AccountStatus
from accounts.errors import RuleViolated
from accounts.fields import FieldError, Unreadable
from accounts.models import Account, Contract, ExternalId, OwnField, Workspace
from accounts.own_values import FieldDefinition, cleaned
from accounts.queries.workspace import workspace_day
from accounts.quotas import account_refused, room_for_accounts
from accounts.record_fields import ACCOUNT, BULK_ACCOUNT, DERIVED

COLUMNS = [*ACCOUNT, "stage_since_on", "version", "updated_at"]


class UpsertAccounts(Upsert[Account]):
    kind = "account"
    fields: ClassVar = BULK_ACCOUNT
    required: ClassVar = ("name",)

    def load(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """About ten queries, whatever the number of rows."""
        self._own: dict[str, FieldDefinition] = {}
        if named := {key for row in rows for key in row.get("custom") or ()}:
            self._own = OwnField.objects.live().named(named).by_key()
        ids = {row["external_id"] for row in rows if "external_id" in row}
        names = ExternalId.objects.filter(source=self.source, external_id__in=ids).select_related("account__tier")
        self.known = {name.external_id: name.account for name in names}
        self.references.load(rows)
        self._share_rows()
        keys = [account.pk for account in self.known.values()]
        self._editable = set(keys)
        if self.actor is not None and keys:
            self._editable = set(
                Account.objects.editable_by(self.actor).filter(pk__in=keys).values_list("pk", flat=True)
            )
        contracts = Contract.objects.filter(account__in=keys).order_by()
        self._currencies: dict[UUID, str] = dict(contracts.values_list("account_id", "currency"))
        self._parents: dict[UUID, UUID | None] = {}
        if any(row.get("parent") for row in rows):
            self._parents = dict(Account.objects.exclude(parent=None).values_list("pk", "parent_id"))
        self._load_owners(rows)
        self._currency = Workspace.objects.values_list("currency", flat=True).first() or "USD"
        self._today = workspace_day(self.at)
        self._room = room_for_accounts()

    def _share_rows(self) -> None:
        """One instance an account, whether it is to be changed or is a parent."""
        by_key = {account.pk: account for account in self.known.values()}
        self.known = {name: by_key[account.pk] for name, account in self.known.items()}
        for name, account in self.references.accounts.items():
            self.references.accounts[name] = by_key.get(account.pk, account)

    def _load_owners(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._owned: Counter[tuple[UUID, UUID]] = Counter()
        if any(row.get("owner") or row.get("tier") for row in rows):
            counted = Account.objects.live().exclude(owner=None).exclude(tier=None).order_by()
            for owner, tier, number in counted.values_list("owner", "tier").annotate(Count("pk")):
                self._owned[owner, tier] = number

    def refine(self, row: Account | None, values: dict[str, Any]) -> list[FieldError]:
        if "custom" not in values:
            return []
        kept = row.custom if row is not None else {}
        held, errors = cleaned(values["custom"], self._own, kept)
        try:
            values["custom"] = ACCOUNT["custom"].read(held)
        except Unreadable as wrong:
            errors.append(FieldError("custom", wrong.rule, wrong.message))
        return errors

    def build(self, external_id: str, values: dict[str, Any]) -> Account:
        if len(self.created) >= self._room:
            raise account_refused()
        given = {
            name: value for name, value in values.items() if value is not None or name not in {"currency", "status"}
        }
        given.setdefault("currency", self._currency)
        return Account(created_at=self.at, updated_at=self.at, **given)

    def accept(self, external_id: str, row: Account) -> None:
        # It may be the parent of later rows of the same call.
        self.references.accounts[external_id] = row

    def may_change(self, row: Account, values: Mapping[str, Any]) -> None:
        if row.pk not in self._editable and row.pk not in self.new:
            raise RuleViolated("not_yours", "You may not change this account.", "external_id")

    def difference(self, row: Account, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        for name in ("currency", "status"):
            if values.get(name, "") is None:
                del values[name]
        return super().difference(row, values)

    def assign(self, row: Account, values: Mapping[str, Any]) -> None:
        super().assign(row, values)
        if row.pk not in self.new and row.pk not in self.updated:
            row.version += 1
        row.updated_at = self.at

    def check(self, row: Account, *, before: Mapping[str, Any] | None) -> None:
        changed = set(ACCOUNT) if before is None else set(before)
        if row.parent_id is not None and "parent" in changed:
            check_parent(row.pk, row.parent_id, self._parents)
            self._parents[row.pk] = row.parent_id
        if "stage" in changed:
            row.stage_since_on = self._today if row.stage_id is not None else None
        self._check_contracts(row, changed if before is not None else set())
        self._check_churn(row, changed)
        if row.owner is not None and changed & {"owner", "tier"}:
            self._check_owner(row, before)

    def _check_contracts(self, row: Account, changed: set[str]) -> None:
        currency = self._currencies.get(row.pk)
        if currency is None:
            return
        derived = sorted(changed & DERIVED)
        if derived:
            raise RuleViolated("account.follows_contracts", "This follows from the contracts.", derived[0])
        if row.currency != currency:
            raise RuleViolated("account.follows_contracts", f"The contracts are in {currency}.", "currency")
        if "status" in changed and row.status != AccountStatus.ACTIVE and row.arr > 0:
            raise RuleViolated("account.contracts_in_force", "Contracts are in force.", "status")

    def _check_churn(self, row: Account, changed: set[str]) -> None:
        if row.status == AccountStatus.CHURNED:
            row.churned_on = row.churned_on or self._today
        elif "status" in changed:
            row.churned_on = None
        elif row.churned_on is not None:
            raise RuleViolated("account.churned_on", "Only a churned account has a day of churn.", "churned_on")

    def _check_owner(self, row: Account, before: Mapping[str, Any] | None) -> None:
        assert row.owner is not None
        check_may_own(row.owner)
        if row.tier is None:
            return
        count = self._owned[row.owner.pk, row.tier.pk] + 1
        enforce(judge(row.tier.capacity, OWNER_ROLE, count), row.owner, row.tier, actor=self.actor, reason="")
        self._owned[row.owner.pk, row.tier.pk] = count

    def write(self) -> None:
        save_all(self.created, created=True)
        new = {account.pk for account in self.created}
        names = [
            ExternalId(account=account, source=self.source, external_id=external_id)
            for external_id, account in self.known.items()
            if account.pk in new
        ]
        save_all(names, created=True)
        save_all(list(self.updated.values()), created=False, update_fields=COLUMNS)
        mark_changed([*new, *self.updated], at=self.at)
