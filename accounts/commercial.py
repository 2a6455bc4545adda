"""What an account's contracts and churn facts say about it on a day. Pure.

ARR and seats are sums over the contracts in force, the renewal is the earliest end among them. A contract that
names its last day is kept until then, whatever was reported. One without a last day is over with the churn that was
reported after it began, if that was the last word: no return and no other contract came later (decision 0007). An
account whose contracts are all over is churned when the last of them was churned or a churn was reported, and not
taken back since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.choices import AccountStatus, ContractStatus


@dataclass(frozen=True, slots=True)
class Term:
    """One contract, as far as the arithmetic needs it. ``end_on`` is its last day; None is open-ended."""

    status: str
    start_on: date
    end_on: date | None
    arr: Decimal
    seats: int | None

    def in_force_on(self, day: date) -> bool:
        begun = self.status != ContractStatus.DRAFT and self.start_on <= day
        return begun and (self.end_on is None or self.end_on >= day)


@dataclass(frozen=True, slots=True)
class ChurnFact:
    """A reported churn, or the return after one."""

    on: date
    returned: bool


@dataclass(frozen=True, slots=True)
class State:
    """What follows. ``status`` None leaves the account's as it is."""

    arr: Decimal
    seats: int | None
    renewal_on: date | None
    status: str | None
    churned_on: date | None


def state_of(terms: Sequence[Term], facts: Iterable[ChurnFact], day: date) -> State:
    """The commercial state of an account with ``terms`` (all its contracts) on ``day``."""
    known = sorted((fact for fact in facts if fact.on <= day), key=lambda fact: (fact.on, fact.returned))
    running = [term for term in terms if term.in_force_on(day)]
    if _given_up(running, known):
        running = []
    arr = sum((term.arr for term in running), Decimal(0))
    seats = [term.seats for term in running if term.seats is not None]
    ends = [term.end_on for term in running if term.end_on is not None]
    if running:
        return State(arr, sum(seats) if seats else None, min(ends, default=None), AccountStatus.ACTIVE, None)
    if any(term.start_on > day and term.status != ContractStatus.DRAFT for term in terms):
        return State(arr, None, None, None, None)
    status, churned_on = _without_contract(terms, known, day)
    return State(arr, None, None, status, churned_on)


def _given_up(running: Sequence[Term], known: Sequence[ChurnFact]) -> bool:
    """Whether the last word on the account is a churn, and all that runs is open-ended and began by then."""
    if not known or known[-1].returned:
        return False
    return all(term.end_on is None and term.start_on <= known[-1].on for term in running)


def _without_contract(terms: Sequence[Term], known: Sequence[ChurnFact], day: date) -> tuple[str | None, date | None]:
    """(status, day of churn) where no contract is in force: the later of the last contract's end and the last fact.

    A contract without a last day that is over all the same was given up: the fact decides.
    """
    signed = [term for term in terms if term.status != ContractStatus.DRAFT]
    last_term = max(signed, key=lambda term: term.end_on or day, default=None)
    lost_on = last_term.end_on if last_term is not None and last_term.status == ContractStatus.CHURNED else None
    if known and (lost_on is None or known[-1].on >= lost_on):
        returned, on = known[-1].returned, known[-1].on
        return (AccountStatus.ACTIVE, None) if returned else (AccountStatus.CHURNED, on)
    return (AccountStatus.CHURNED, lost_on) if lost_on else (None, None)
