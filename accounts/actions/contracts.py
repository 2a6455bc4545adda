"""Verbs on contracts. Each brings its account's ARR, seats, renewal and status up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from accounts.actions.activity import log_activity
from accounts.actions.changes import mark_changed
from accounts.actions.locking import differences, locked
from accounts.actions.own_fields import within_limits
from accounts.actions.refresh import CHURN, RETURN, refresh_from_contracts
from accounts.audit import record
from accounts.choices import ActivityKind, ContractStatus
from accounts.errors import RuleViolated
from accounts.models import Account, Activity, Contract, ContractLine
from accounts.own_values import cleaned
from accounts.record_fields import CONTRACT
from ui import formats

if TYPE_CHECKING:
    from accounts.models import User

Line = Mapping[str, Any]
DEFAULT_PRODUCT = "Subscription"
_OF_LINES = frozenset({"lines", "product", "seats"})


@transaction.atomic
def create_contract(
    account: Account,
    *,
    actor: User | None,
    at: datetime,
    start_on: date,
    lines: Sequence[Line] = (),
    source: str = "",
    external_id: str = "",
    **fields: Any,
) -> Contract:
    """Add a contract with its ``lines`` ({product, seats, arr}) and return it; the account follows.

    Without lines ``arr`` is the contract's own. ``currency`` defaults to the account's. Raises RuleViolated
    naming the field: an end before the start, another currency than the account's other contracts, an
    external id in use.
    """
    contract = Contract(account=account, start_on=start_on, source=source, external_id=external_id)
    fields = {"currency": account.currency, **_own(fields)}
    for name, value in fields.items():
        setattr(contract, name, value)
    if lines:
        contract.arr = total(lines)
    check_contract(contract, others_currency=_others_currency(contract))
    _save(contract, created=True)
    _replace_lines(contract, lines)
    _follow(contract, actor=actor, at=at)
    _tell(contract, f"Contract {contract} was added", actor=actor, at=at)
    record("contract.created", contract, actor=actor, at=at, after=_summary(contract, lines))
    return contract


@transaction.atomic
def update_contract(
    contract: Contract,
    *,
    actor: User | None,
    at: datetime,
    expected_version: int | None = None,
    lines: Sequence[Line] | None = None,
    **changes: Any,
) -> Contract:
    """Change a contract and return it; ``lines`` replace all lines, ``custom`` the keys that it names (None: gone).

    Unchanged when nothing differs.

    Raises StaleVersion and RuleViolated (``arr`` of a contract with lines follows from them).
    """
    contract = locked(contract, expected_version=expected_version)
    changes = _own(changes)
    if "custom" in changes:
        changes["custom"] = within_limits(cleaned(changes["custom"], {}, contract.custom)[0])
    old_lines = list(contract.lines.order_by("pk").values("product", "seats", "arr"))
    if lines is not None:
        changes["arr"] = total(lines)
    elif old_lines and changes.get("arr", contract.arr) != contract.arr:
        raise RuleViolated("contract.arr_follows_lines", "The ARR is the sum of the lines; change them.", "arr")
    before, after = differences(contract, changes)
    relined = lines is not None and [_plain_line(line) for line in lines] != [_plain_line(line) for line in old_lines]
    if not after and not relined:
        return contract
    for name in after:
        setattr(contract, name, changes[name])
    check_contract(contract, others_currency=_others_currency(contract) if "currency" in after else None)
    contract.version += 1
    _save(contract, created=False)
    if relined and lines is not None:
        _replace_lines(contract, lines)
        before["lines"], after["lines"] = old_lines, [dict(line) for line in lines]
    _follow(contract, actor=actor, at=at)
    _tell(contract, f"Contract {contract} was changed", actor=actor, at=at)
    record("contract.updated", contract, actor=actor, at=at, before=before, after=after)
    return contract


@transaction.atomic
def delete_contract(contract: Contract, *, actor: User | None, at: datetime) -> None:
    """Remove a contract entered by mistake; the account follows."""
    record("contract.deleted", contract, actor=actor, at=at, before=_summary(contract, []))
    account_id = contract.account_id
    contract.delete()
    refresh_from_contracts([account_id], at=at, actor=actor)
    mark_changed([account_id], at=at)


@transaction.atomic
def record_churn(
    account: Account, *, on: date, actor: User | None, at: datetime, reason: str = "", comment: str = ""
) -> Activity:
    """Note that ``account`` left on ``on`` and end its contracts in force as churned. Returns the timeline entry.

    The account follows: churned from that day. Raises RuleViolated for a day before a contract began.
    """
    for contract in Contract.objects.select_for_update().filter(account=account).in_force_on(on):
        before, after = differences(contract, {"status": ContractStatus.CHURNED, "end_on": on})
        contract.status, contract.end_on = ContractStatus.CHURNED, on
        contract.version += 1
        _save(contract, created=False)
        record("contract.churned", contract, actor=actor, at=at, before=before, after=after)
    data = {"fact": CHURN, "on": on, "reason": reason}
    entry = _fact(account, f"Churned: {reason or 'no reason given'}", data, comment, actor=actor, at=at)
    refresh_from_contracts([account.pk], at=at, actor=actor)
    return entry


@transaction.atomic
def record_return(account: Account, *, on: date, actor: User | None, at: datetime, comment: str = "") -> Activity:
    """Note that a churned account came back on ``on``. Returns the timeline entry; the account follows."""
    entry = _fact(account, "Came back", {"fact": RETURN, "on": on}, comment, actor=actor, at=at)
    refresh_from_contracts([account.pk], at=at, actor=actor)
    return entry


def total(lines: Sequence[Line]) -> Decimal:
    """The yearly revenue of lines."""
    return sum((Decimal(line["arr"]) for line in lines), Decimal(0))


def check_contract(contract: Contract, *, others_currency: str | None) -> None:
    """Raise RuleViolated for what the row alone, or the currency of its neighbours, forbids. No query."""
    if contract.end_on is not None and contract.end_on < contract.start_on:
        raise RuleViolated("contract.ends_before_start", "A contract cannot end before it begins.", "end_on")
    if contract.status == ContractStatus.CHURNED and contract.end_on is None:
        raise RuleViolated("contract.churned_without_end", "A churned contract needs its last day.", "end_on")
    if contract.arr < 0:
        raise RuleViolated("negative", "The amount cannot be negative.", "arr")
    if others_currency not in {None, contract.currency}:
        text = f"The account's other contracts are in {others_currency}; one account has one currency."
        raise RuleViolated("contract.currency_differs", text, "currency")


def _own(fields: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(fields.keys() - (CONTRACT.keys() - _OF_LINES))
    if unknown:
        raise RuleViolated("unknown_field", "There is no such field.", unknown[0])
    return {name: value for name, value in fields.items() if not (name == "currency" and value is None)}


def _others_currency(contract: Contract) -> str | None:
    """What the account's other contracts are in. RACE: its lock keeps two at once from bringing a currency each."""
    Account.objects.select_for_update(no_key=True).values_list("pk").get(pk=contract.account_id)
    others = Contract.objects.filter(account=contract.account_id).exclude(pk=contract.pk)
    return others.values_list("currency", flat=True).first()


def _plain_line(line: Line) -> tuple[str, int | None, Decimal]:
    return line["product"], line.get("seats"), Decimal(line["arr"])


def _replace_lines(contract: Contract, lines: Sequence[Line]) -> None:
    contract.lines.all().delete()
    rows = [
        ContractLine(contract=contract, product=product, seats=seats, arr=arr)
        for product, seats, arr in map(_plain_line, lines)
    ]
    ContractLine.objects.bulk_create(rows)


def _save(contract: Contract, *, created: bool) -> None:
    try:
        with transaction.atomic():
            contract.save(force_insert=created)
    except IntegrityError as error:
        if "external_id" not in str(error):
            raise
        text = "Another contract has this external id."
        raise RuleViolated("contract.external_id_taken", text, "external_id") from error


def _follow(contract: Contract, *, actor: User | None, at: datetime) -> None:
    Account.objects.filter(pk=contract.account_id).exclude(currency=contract.currency).update(
        currency=contract.currency
    )
    refresh_from_contracts([contract.account_id], at=at, actor=actor)
    mark_changed([contract.account_id], at=at)


def _tell(contract: Contract, title: str, *, actor: User | None, at: datetime) -> None:
    """The timeline entry of a change, with what the contract says now. One query."""
    ends = f"until {formats.day(contract.end_on)}" if contract.end_on else "open-ended"
    body = f"{formats.money(contract.arr, contract.currency)} a year, {ends}"
    data = {"contract": contract.pk}
    log_activity(contract.account, kind=ActivityKind.CONTRACT, title=title, body=body, actor=actor, at=at, data=data)


def _summary(contract: Contract, lines: Sequence[Line]) -> dict[str, Any]:
    names = ("number", "status", "start_on", "end_on", "currency", "arr", "auto_renew", "notice_days")
    return {**{name: getattr(contract, name) for name in names}, "lines": [dict(line) for line in lines]}


def _fact(
    account: Account, title: str, data: dict[str, Any], comment: str, *, actor: User | None, at: datetime
) -> Activity:
    entry = log_activity(account, kind=ActivityKind.CONTRACT, title=title, body=comment, actor=actor, at=at, data=data)
    record(f"account.{data['fact']}", account, actor=actor, at=at, after=data)
    return entry
