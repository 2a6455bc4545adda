"""The one warning at the head of an account's page: what is worst, in a sentence, with what else there is. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

FELL, SILENT_DAYS, SOON_DAYS, NOW_DAYS = Decimal(5), 45, 120, 30


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known: ``change`` of the score in 30 days, ``why`` in words, days to the renewal and since a touch.

    ``people`` are findings such as "Executive sponsor left."; ``risks`` counts open CTAs for a risk.
    """

    change: Decimal | None = None
    why: str = ""
    is_red: bool = False
    band: str = ""
    renewal_days: int | None = None
    silent_days: int | None = None
    people: Sequence[str] = ()
    risks: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """``title`` is the sentence, ``text`` what else is wrong (empty: nothing)."""

    title: str
    text: str


def warning(facts: Facts) -> Alert | None:
    """The worst thing first, joined with the renewal when it is near; None when nothing is wrong.

    In this order: a pillar left or one thread, a fall of five points, the worst band, silence of 45 days, an open
    risk. Without any of them a renewal within 30 days, or one overdue, warns by itself.
    """
    found = _found(facts)
    renewal = _renewal(facts.renewal_days, SOON_DAYS if found else NOW_DAYS)
    if not found and not renewal:
        return None
    if not found:
        return Alert(f"{_capital(renewal)}.", "Nothing else is wrong.")
    title = f"{found[0]} and {renewal}" if renewal else found[0]
    fell = facts.change is not None and facts.change <= -FELL
    rest = [f"{_capital(text)}." for text in [*found[1:], facts.why if fell else ""] if text]
    return Alert(f"{_capital(title)}.", " ".join(rest))


def _found(facts: Facts) -> list[str]:
    found = [text.rstrip(".") for text in facts.people]
    if facts.change is not None and facts.change <= -FELL:
        found.append(f"the score fell {abs(facts.change):.0f} points in 30 days")
    elif facts.is_red:
        found.append(f"the account is {facts.band or 'red'}")
    if facts.silent_days is not None and facts.silent_days >= SILENT_DAYS:
        found.append(f"nobody was in touch for {facts.silent_days} days")
    if facts.risks:
        found.append("a CTA for a risk is open" if facts.risks == 1 else f"{facts.risks} CTAs for risks are open")
    return found


def _renewal(days: int | None, within: int) -> str:
    if days is None or days > within:
        return ""
    if days < 0:
        return f"the renewal is {-days} day{'s' if days < -1 else ''} overdue"
    return "the renewal is today" if days == 0 else f"the renewal is in {days} day{'s' if days > 1 else ''}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
