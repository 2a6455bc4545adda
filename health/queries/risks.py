"""The risk list: accounts on which something stands that should not, ranked openly (AMB-161)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from accounts.models import Account
from health.choices import Rag
from health.conditions import in_words
from health.models import TriggerState, TriggerVersion

if TYPE_CHECKING:
    from accounts.models import User

MOST = 200
# A score's row carries its evidence, which would be most of what is read.
SHOWN = (
    "fired_at", "account__name", "account__renewal_on", "account__owner__name", "account__owner__email",
    "account__health__current_rag", "account__health__band_since_on", "account__health__change_30d",
    "trigger__key", "trigger__name",
)  # fmt: skip
# Points of the ranking, each shown as a reason. It is a list to work by, not a probability.
_COLOUR = {Rag.RED: 40, Rag.ORANGE: 25, Rag.YELLOW: 10}
_FALL_OF_TEN, _TRIGGER, _RENEWAL_NEAR = 15, 10, 20
NEAR_DAYS = 90
# Triggers of these groups speak of chances.
_CHANCES = ("expansion",)


@dataclass(frozen=True, slots=True)
class Risk:
    """One account of the risk list: its triggers with time and condition, its rank and the reasons for it."""

    account: Account
    triggers: tuple[tuple[str, str, str, datetime], ...]
    rank: int
    reasons: tuple[str, ...]


def risk_list(user: User, *, on: date) -> list[Risk]:
    """The accounts ``user`` sees on which a trigger stands, the most pressing first; 200 at most. Two queries.

    A trigger is (key, name, condition in words, fired at).
    """
    states = (
        TriggerState.objects.visible_to(user)
        .filter(is_active=True, account__archived_at=None)
        .exclude(trigger__group__in=_CHANCES)
        .exclude(trigger__group="health", account__health__current_rag=Rag.GREEN)
        .select_related("account__owner", "account__health", "trigger")
        .only(*SHOWN)
        .order_by("-fired_at")[: 5 * MOST]
    )
    by_account: dict[Any, list[TriggerState]] = {}
    for state in states:
        by_account.setdefault(state.account_id, []).append(state)
    words = _conditions({state.trigger_id for found in by_account.values() for state in found})
    risks = [_risk(found, words, on) for found in by_account.values()]
    risks.sort(key=lambda risk: (-risk.rank, risk.account.name))
    return risks[:MOST]


def _conditions(triggers: set[Any]) -> dict[Any, str]:
    versions = TriggerVersion.objects.filter(trigger__in=triggers).order_by("trigger_id", "-number")
    return {
        version.trigger_id: in_words(version.definition["condition"]) for version in versions.distinct("trigger_id")
    }


def _risk(states: list[TriggerState], words: dict[Any, str], on: date) -> Risk:
    account = states[0].account
    rank, reasons = _rank(account, on)
    named = tuple(
        (state.trigger.key, state.trigger.name, words[state.trigger_id], state.fired_at)
        for state in states
        if state.fired_at is not None
    )
    return Risk(account, named, rank + _TRIGGER * len(named), tuple(reasons))


def _rank(account: Account, on: date) -> tuple[int, list[str]]:
    """Points for colour, trend and renewal date, with the sentence each stands for."""
    rank, reasons = 0, []
    health = getattr(account, "health", None)
    if health is not None and health.current_rag in _COLOUR:
        rank += _COLOUR[Rag(health.current_rag)]
        reasons.append(f"{health.current_rag.capitalize()} since {health.band_since_on:%d %b %Y}")
    if health is not None and health.change_30d is not None and health.change_30d <= -10:
        rank += _FALL_OF_TEN
        reasons.append(f"{abs(health.change_30d):.1f} points lower than 30 days ago")
    if account.renewal_on is not None and 0 <= (account.renewal_on - on).days <= NEAR_DAYS:
        rank += _RENEWAL_NEAR
        reasons.append(f"renewal in {(account.renewal_on - on).days} days")
    return rank, reasons
