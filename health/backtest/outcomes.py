"""What became of customers, from their contracts: lost on a day, renewed on a day, or still running.

A term that ends is renewed when another begins from 60 days before to 30 days after its last day, and lost
when nothing runs on. Until those 30 days are over nobody can say, except where the contract is marked churned.
An account without any contract was lost on the day entered on it. Days are ordinals (date.toordinal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

GRACE_DAYS = 30
EARLY_DAYS = 60
FOREVER = 10**7


class Term(NamedTuple):
    """One contract: first and last day (None: open), its yearly amount, whether it is marked churned."""

    start: int
    end: int | None
    arr: float
    churned: bool


class Account(NamedTuple):
    """One account's terms, the first day it was a customer and the day entered as that of its leaving."""

    terms: Sequence[Term]
    since: int | None
    left: int | None


class Loss(NamedTuple):
    """A customer lost: place in the list of accounts, the first day without them, the yearly amount lost."""

    account: int
    on: int
    arr: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """``alive`` [account, day] says who was a customer; losses and renewals with their days, oldest first."""

    alive: npt.NDArray[np.bool_]
    losses: list[Loss]
    renewals: list[tuple[int, int]]


def outcomes_of(accounts: Sequence[Account], days: Sequence[int], *, today: int) -> Outcomes:
    """What is known on ``today`` of each account, and on which of ``days`` it was a customer."""
    moments = np.array(days, dtype=np.int64)
    alive = np.zeros((len(accounts), len(days)), dtype=bool)
    losses: list[Loss] = []
    renewals: list[tuple[int, int]] = []
    for place, account in enumerate(accounts):
        lost = _losses(account, today)
        losses += [Loss(place, on, arr) for on, arr in lost]
        renewals += [(place, on) for on in _renewals(account.terms, today)]
        for first, last in _stretches(account, [on for on, _ in lost]):
            alive[place, np.searchsorted(moments, first) : np.searchsorted(moments, last)] = True
    return Outcomes(alive, sorted(losses, key=lambda loss: loss.on), sorted(renewals, key=lambda renewal: renewal[1]))


def _losses(account: Account, today: int) -> list[tuple[int, float]]:
    found: dict[int, float] = {}
    for term in account.terms:
        if term.end is None or term.end >= today:
            continue
        judged = term.churned or term.end + GRACE_DAYS < today
        if judged and not _runs_on(account.terms, term.end):
            # Terms that end together are one loss of their sum.
            found[term.end + 1] = found.get(term.end + 1, 0.0) + term.arr
    left = account.left
    if left is not None and left <= today and not any(abs(on - left) <= EARLY_DAYS for on in found):
        running = sum(t.arr for t in account.terms if t.start < left and (t.end is None or t.end >= left))
        found[left] = running
    return sorted(found.items())


def _runs_on(terms: Sequence[Term], end: int) -> bool:
    return any(term.start <= end + GRACE_DAYS and (term.end is None or term.end > end) for term in terms)


def _renewals(terms: Sequence[Term], today: int) -> list[int]:
    """Days on which a term had ended and its follower had been signed."""
    found = set()
    for term in terms:
        if term.end is None or term.end >= today:
            continue
        for other in terms:
            follows = term.end - EARLY_DAYS <= other.start <= term.end + GRACE_DAYS and other.start > term.start
            if follows and (other.end is None or other.end > term.end):
                found.add(term.end + 1)
    return sorted(found)


def _stretches(account: Account, lost: Sequence[int]) -> list[tuple[int, int]]:
    """Days as a customer: from the beginning to the first loss, from each return to the next loss."""
    starts = sorted(term.start for term in account.terms)
    begin = account.since if account.since is not None else (starts[0] if starts else 0)
    stretches = []
    for on in lost:
        if begin < on:
            stretches.append((begin, on))
        returned = [start for start in starts if start >= on]
        if not returned:
            return stretches
        begin = returned[0]
    return [*stretches, (begin, FOREVER)]
