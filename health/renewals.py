"""Two signals for each renewal: when they are taken, what the system's says, how the two compare. Pure.

A checkpoint is a number of days before the last day of a term. On it the system's signal is fixed from what is known
that day, and the person who works the account makes a call without seeing it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from health.choices import Rag, RenewalCall, RenewalOutcome, RenewalSignal

DEFAULT_CHECKPOINTS = (180, 90, 30)
MOST_CHECKPOINTS, LONGEST = 6, 730
# From this many days before the renewal on nobody may wait and see any more.
DECIDE_DAYS = 90
# How long a call may take. After that the system's signal is shown without one.
CALL_DAYS = 7
# Of fewer renewals nothing can be said about who was right.
LEAST = 10
MOST_RISKS = 3

_SIDES = {
    RenewalSignal.RENEW.value: RenewalOutcome.RENEWED,
    RenewalSignal.AT_RISK.value: RenewalOutcome.LOST,
    RenewalCall.WILL_RENEW.value: RenewalOutcome.RENEWED,
    RenewalCall.AT_RISK.value: RenewalOutcome.LOST,
    RenewalCall.WILL_CHURN.value: RenewalOutcome.LOST,
}


class Signal(NamedTuple):
    """What the system says (RenewalSignal) and why, in short sentences."""

    signal: str
    reasons: list[str]


def checkpoint_at(days_left: int, checkpoints: Iterable[int]) -> int | None:
    """The checkpoint that a renewal ``days_left`` days ahead has passed last; None before the first and when over."""
    passed = [days for days in checkpoints if 0 <= days_left <= days]
    return min(passed, default=None)


def checkpoints_of(own: Sequence[int], packs: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """The checkpoints in use, the earliest first: the workspace's own, else those of its packs, else 180, 90, 30."""
    days = set(own) or {day for pack in packs for day in pack}
    return tuple(sorted(days or DEFAULT_CHECKPOINTS, reverse=True))


def signal_of(rag: str, shown: str, band: str, scored_on: date | None, risks: Sequence[str]) -> Signal:
    """At risk in an orange or red band and with an open risk; no signal where there is neither score nor risk.

    ``rag`` is the computed band's: a band that a person set would make the two signals one.
    """
    reasons = []
    if scored_on is not None and rag != Rag.NONE:
        reasons.append(f"Scored {shown}, {band}, on {scored_on.day} {scored_on:%b %Y}.")
    else:
        reasons.append("Not enough data for a score.")
    reasons += [f"Open risk: {title}." for title in risks[:MOST_RISKS]]
    if len(risks) > MOST_RISKS:
        reasons.append(f"And {len(risks) - MOST_RISKS} more open risks.")
    if risks or rag in {Rag.ORANGE, Rag.RED}:
        return Signal(RenewalSignal.AT_RISK, reasons)
    return Signal(RenewalSignal.UNKNOWN if rag == Rag.NONE else RenewalSignal.RENEW, reasons)


def may_monitor(days_left: int) -> bool:
    """Whether a call may still be Monitor."""
    return days_left > DECIDE_DAYS


def outcome_of(ends_on: date, ended_on: date | None, renewed: Collection[int], lost: Collection[int]) -> str:
    """What became of a term that was to end on ``ends_on``; empty while nobody can say.

    ``ended_on`` is its last day as the contract says now: later or open, the term was prolonged. ``renewed`` and
    ``lost`` are the account's days (ordinals) by ``health.backtest.outcomes``.
    """
    if ended_on is None or ended_on > ends_on:
        return RenewalOutcome.RENEWED.value
    day = ended_on.toordinal() + 1
    if day in lost:
        return RenewalOutcome.LOST.value
    return RenewalOutcome.RENEWED.value if day in renewed else ""


def verdict_of(number: int, system: int, call: int) -> str:
    """Who was right more often over ``number`` renewals, in words."""
    if number < LEAST:
        return "Too few to say"
    if system == call:
        return "As often right"
    return "The system" if system > call else "The call"


def was_right(told: str, outcome: str) -> bool | None:
    """Whether a signal or a call foresaw the outcome; None where it said nothing: Monitor, no signal, no call."""
    return _SIDES[told] == outcome if told in _SIDES else None
