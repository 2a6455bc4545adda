"""ARR, seats and contracts in force on two days, with what made the difference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import Sum
from django.utils import timezone

from accounts.choices import ContractStatus
from accounts.history import Record
from accounts.models import Account, Contract
from health.book.between.record import Noted
from ui import formats

CHANGED = ("contract.updated", "contract.churned")
# What an edited contract is shown by, in the words of the page.
SHOWN = {"arr": "ARR", "end_on": "Last day", "start_on": "First day", "status": "Status", "auto_renew": "Auto-renewal"}


class Position(NamedTuple):
    """What was in force on a day. ``seats`` is None when no contract names any."""

    arr: Decimal
    seats: int | None
    contracts: int


@dataclass(frozen=True, slots=True)
class Money:
    """Both days in one currency, and the contracts that began, ended or were changed between them."""

    currency: str
    before: Position
    after: Position
    moves: list[Noted]

    @property
    def change(self) -> Decimal:
        """ARR gained or lost."""
        return self.after.arr - self.before.arr


def money_between(account: Account, record: Record, since: date, until: date) -> Money:
    """The money of both days. One query.

    Edits made since are undone by the audit log, so a price changed in the contract counts from the day it was
    changed; a contract counts from its own first day, whenever somebody entered it.
    """
    contracts = list(Contract.objects.filter(account=account).annotate(seats=Sum("lines__seats")).order_by("start_on"))
    before, after = (_position(contracts, record, day, account) for day in (since, until))
    moves = [*_terms(contracts, since, until), *_edits(record, until, account.currency)]
    return Money(account.currency, before, after, sorted(moves))


def _position(contracts: list[Any], record: Record, day: date, account: Account) -> Position:
    running = [state for contract in contracts if (state := _state(contract, record, day, account))]
    seats = [count for _arr, count in running if count is not None]
    return Position(sum((arr for arr, _seats in running), Decimal(0)), sum(seats) if seats else None, len(running))


def _state(contract: Any, record: Record, day: date, account: Account) -> tuple[Decimal, int | None] | None:
    """(ARR, seats) of a contract on ``day``; None when it was not in force."""
    held = {
        name: record.value(contract.pk, name, day, getattr(contract, name))
        for name in ("start_on", "end_on", "status", "arr")
    }
    starts, ends = _day(held["start_on"]), _day(held["end_on"])
    if held["status"] == ContractStatus.DRAFT or starts is None or starts > day or (ends is not None and ends < day):
        return None
    # A reported churn ends what has no last day of its own (decision 0007).
    if account.churned_on is not None and account.churned_on < day:
        return None
    lines = record.value(contract.pk, "lines", day, None)
    seats = contract.seats if lines is None else sum(line.get("seats") or 0 for line in lines) or None
    return Decimal(held["arr"]), seats


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _terms(contracts: list[Any], since: date, until: date) -> list[Noted]:
    """Contracts that began or ended in the period."""
    found = []
    for contract in contracts:
        if contract.status == ContractStatus.DRAFT:
            continue
        worth = f"{formats.money(contract.arr, contract.currency)} ARR"
        if since < contract.start_on <= until:
            found.append(Noted(contract.start_on, f"Contract {contract} began", worth))
        if contract.end_on is not None and since <= contract.end_on < until:
            how = "was not renewed" if contract.status == ContractStatus.CHURNED else "ended"
            found.append(Noted(contract.end_on, f"Contract {contract} {how}", worth))
    return found


def _edits(record: Record, until: date, currency: str) -> list[Noted]:
    found = []
    for entry in record.of(*CHANGED, until=until):
        told = [
            f"{label} {_told(name, entry['before'][name], currency)} → {_told(name, entry['after'][name], currency)}"
            for name, label in SHOWN.items()
            if name in (entry["before"] or {}) and name in (entry["after"] or {})
        ]
        day = timezone.localtime(entry["at"]).date()
        what = f"Contract {entry['object_label']} was changed"
        found.append(Noted(day, what, "; ".join(told) or "Lines or terms", entry["actor_label"]))
    return found


def _told(name: str, value: Any, currency: str) -> str:
    if name == "arr":
        return formats.money(Decimal(value), currency)
    if name.endswith("_on"):
        return formats.day(_day(value))
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value or "none")
