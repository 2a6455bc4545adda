"""When an account's service is reviewed next (BIS-2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from accounts.models import Account
from support.models import AccountReview, ReviewCadence

# Days that a unit has at most.
LONGEST = {"days": 1, "weeks": 7, "months": 31}


@dataclass(frozen=True, slots=True)
class NextReview:
    """The next review: its day, None where nothing names one, whether that was agreed, and how often one is due."""

    on: date | None
    is_agreed: bool
    is_late: bool
    name: str
    every: str
    held_on: date | None
    version: int


def next_review(account: Account, *, today: date) -> NextReview:
    """The day agreed with ``account``, else its cadence's next one from ``today`` on. Two queries.

    ``account`` comes with its tier and its stage.
    """
    kept = AccountReview.objects.filter(account=account).first()
    cadence = cadence_of(account, ReviewCadence.objects.all())
    agreed = kept.next_on if kept else None
    held = kept.held_on if kept else None
    return NextReview(
        on=agreed or (_due(cadence, account, held, today) if cadence else None),
        is_agreed=agreed is not None,
        is_late=agreed is not None and agreed < today,
        name=cadence.name if cadence else "",
        every=_words(cadence) if cadence else "",
        held_on=held,
        version=kept.version if kept else 0,
    )


def cadence_of(account: Account, cadences: Iterable[ReviewCadence]) -> ReviewCadence | None:
    """The cadence that comes round soonest of those that are for ``account``; None without one. No query.

    One that names the account's tier goes before those for everybody.
    """
    mine = [each for each in cadences if _is_for(each, account)]
    return min(mine, key=lambda each: (not each.tier_keys, _days(each), each.pack, each.key), default=None)


def _is_for(cadence: ReviewCadence, account: Account) -> bool:
    tier, stage = account.tier, account.stage
    if tier is not None and tier.pack and tier.pack != cadence.pack:
        return False
    if cadence.stage_key and (stage is None or stage.key != cadence.stage_key):
        return False
    key = tier.key if tier else ""
    return key in cadence.tier_keys if cadence.tier_keys else key not in cadence.except_tier_keys


def _due(cadence: ReviewCadence, account: Account, held: date | None, today: date) -> date:
    """The first of its days after the last review, or since the customer came, that is not over."""
    start = held or account.customer_since_on or account.created_at.date()
    number = max(1, (today - start).days // (cadence.every * LONGEST[cadence.unit]))
    while _at(cadence, start, number) < today:
        number += 1
    return _at(cadence, start, number)


def _at(cadence: ReviewCadence, start: date, number: int) -> date:
    """Counted from the start, so that the 31st stays the 31st where a month has one."""
    count = number * cadence.every
    if cadence.unit == "months":
        return start + relativedelta(months=count)
    return start + relativedelta(days=count * (7 if cadence.unit == "weeks" else 1))


def _days(cadence: ReviewCadence) -> int:
    return cadence.every * LONGEST[cadence.unit]


def _words(cadence: ReviewCadence) -> str:
    unit = cadence.unit.removesuffix("s")
    return f"every {unit}" if cadence.every == 1 else f"every {cadence.every} {unit}s"
