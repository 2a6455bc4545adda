"""Upserting contracts by the id another system has for them, flat (one product) or with lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from accounts.actions.bulk.engine import Upsert, save_all
from accounts.actions.bulk.scope import Scope
from accounts.actions.changes import mark_changed
from accounts.actions.contracts import DEFAULT_PRODUCT, check_contract, total
from accounts.actions.refresh import refresh_from_contracts
from accounts.errors import RuleViolated
from accounts.fields import FieldError, Unreadable
from accounts.models import Account, Contract, ContractLine
from accounts.own_values import cleaned
from accounts.record_fields import BULK_CONTRACT, CONTRACT

COLUMNS = [*(CONTRACT.keys() - {"lines", "seats", "product"}), "account", "version", "updated_at"]
Line = dict[str, Any]


class UpsertContracts(Upsert[Contract]):
    kind = "contract"
    fields: ClassVar = BULK_CONTRACT
    required: ClassVar = ("start_on", "account")

    def load(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Eight queries at most, whatever the number of rows."""
        ids = {row["external_id"] for row in rows if "external_id" in row}
        present = Contract.objects.filter(source=self.source, external_id__in=ids).select_related("account")
        self.known = {contract.external_id: contract for contract in present}
        self.references.load(rows)
        accounts = [contract.account for contract in present] + list(self.references.accounts.values())
        self._scope = Scope(self.actor, accounts)
        keys = {account.pk for account in accounts}
        others = Contract.objects.filter(account__in=keys).order_by()
        self._currencies: dict[UUID, dict[UUID, str]] = defaultdict(dict)
        for pk, account, currency in others.values_list("pk", "account_id", "currency"):
            self._currencies[account][pk] = currency
        self._lines: dict[UUID, list[Line]] = defaultdict(list)
        lines = ContractLine.objects.filter(contract__in=[contract.pk for contract in present]).order_by("pk")
        for contract, product, seats, arr in lines.values_list("contract_id", "product", "seats", "arr"):
            self._lines[contract].append({"product": product, "seats": seats, "arr": arr})
        self._relined: set[UUID] = set()

    def refine(self, row: Contract | None, values: dict[str, Any]) -> list[FieldError]:
        if "custom" not in values:
            return []
        values["custom"], _none = cleaned(values["custom"], {}, row.custom if row is not None else {})
        try:
            CONTRACT["custom"].read(values["custom"])
        except Unreadable as wrong:
            return [FieldError("custom", wrong.rule, wrong.message)]
        return []

    def build(self, external_id: str, values: dict[str, Any]) -> Contract:
        lines = _lines_of(values, [])
        given = {name: value for name, value in values.items() if name != "lines"}
        given.setdefault("currency", None)
        given["currency"] = given["currency"] or values["account"].currency
        contract = Contract(
            source=self.source, external_id=external_id, created_at=self.at, updated_at=self.at, **given
        )
        if lines is not None:
            contract.arr = total(lines)
            self._lines[contract.pk] = lines
            self._relined.add(contract.pk)
        return contract

    def may_change(self, row: Contract, values: Mapping[str, Any]) -> None:
        self._scope.require(row.account_id)
        if "account" in values and values["account"].pk != row.account_id:
            raise RuleViolated("contract.account_differs", "The contract belongs to another account.", "account")

    def difference(self, row: Contract, values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if values.get("currency", "") is None:
            del values["currency"]
        old = self._lines.get(row.pk, [])
        lines = _lines_of(values, old)
        values.pop("lines", None)
        if lines is not None:
            values["arr"] = total(lines)
        before, after = super().difference(row, values)
        if lines is not None and lines != old:
            before["lines"], after["lines"] = old, lines
        return before, after

    def assign(self, row: Contract, values: Mapping[str, Any]) -> None:
        super().assign(row, values)
        if row.pk not in self.new and row.pk not in self.updated:
            row.version += 1
        row.updated_at = self.at

    def _update(self, index: int, row: Contract, values: dict[str, Any]) -> Any:
        result = super()._update(index, row, values)
        change = self.changes[-1] if self.changes else None
        if result.outcome == "updated" and change is not None and change.after and "lines" in change.after:
            self._lines[row.pk] = change.after["lines"]
            self._relined.add(row.pk)
        return result

    def check(self, row: Contract, *, before: Mapping[str, Any] | None) -> None:
        self._scope.require(row.account_id)
        others = {currency for pk, currency in self._currencies[row.account_id].items() if pk != row.pk}
        check_contract(row, others_currency=next(iter(others), None))
        self._currencies[row.account_id][row.pk] = row.currency

    def write(self) -> None:
        save_all(self.created, created=True)
        save_all(list(self.updated.values()), created=False, update_fields=COLUMNS)
        # A rejected row was built too, lines and all; only those that are written count.
        new = {contract.pk for contract in self.created}
        relined = sorted(self._relined & (new | self.updated.keys()))
        ContractLine.objects.filter(contract__in=relined).delete()
        lines = [ContractLine(contract_id=pk, **line) for pk in relined for line in self._lines[pk]]
        save_all(lines, created=True)
        touched = [*self.created, *self.updated.values()]
        keys = {row.account_id for row in touched}
        for currency in {row.currency for row in touched}:
            mine = {row.account_id for row in touched if row.currency == currency}
            Account.objects.filter(pk__in=mine).exclude(currency=currency).update(currency=currency)
        mark_changed(keys, at=self.at)
        refresh_from_contracts(keys, at=self.at, actor=self.actor)


def _lines_of(values: dict[str, Any], old: list[Line]) -> list[Line] | None:
    """The lines that a row means, taking ``product`` and ``seats`` out of ``values``; None leaves them as they are.

    A flat row (product, seats, arr) is a contract of one line.
    """
    flat: Line = {name: values.pop(name) for name in ("product", "seats") if name in values}
    flat = {name: value for name, value in flat.items() if value not in {None, ""}}
    if values.get("lines"):
        return [
            {"product": line["product"], "seats": line.get("seats"), "arr": line["arr"]} for line in values["lines"]
        ]
    if not flat and not (old and "arr" in values):
        return None
    if len(old) > 1:
        raise RuleViolated("contract.lines", "This contract has several lines; send them as lines.", "lines")
    current = old[0] if old else {"product": DEFAULT_PRODUCT, "seats": None, "arr": Decimal(0)}
    arr = values.get("arr")
    return [{**current, **flat, "arr": current["arr"] if arr is None else arr}]
