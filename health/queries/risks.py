"""The risk list: accounts on which something stands that should not, ranked openly (AMB-161)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import Case, Count, QuerySet, Value, When, Window

from accounts.models import Account
from health.choices import Rag
from health.models import TriggerState, TriggerVersion
from health.wording import in_words

if TYPE_CHECKING:
    from accounts.models import User

# A score's row carries its evidence, which would be most of what is read.
SHOWN = (
    "fired_at", "account__name", "account__renewal_on", "account__owner__name", "account__owner__email",
    "account__health__current_rag", "account__health__band_since_on", "account__health__change_30d",
    "trigger__key", "trigger__name",
)  # fmt: skip
# Points of the ranking, each shown as a reason. It is a list to work by, not a probability.
_COLOUR = {Rag.RED: 40, Rag.ORANGE: 25, Rag.YELLOW: 10}
_FALL_POINTS, _TRIGGER, _RENEWAL_NEAR = 15, 10, 20
_FALL = 10
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


def at_risk(user: User, *, on: date) -> QuerySet[Any]:
    """(account, rank, how many there are) of the accounts ``user`` sees on which a trigger stands.

    The most pressing first. A slice is one query; a count of its own would weigh every account again.
    """
    health = "account__health__"
    near = (on, on + timedelta(days=NEAR_DAYS))
    colour = Case(
        *(When(**{f"{health}current_rag": rag}, then=Value(points)) for rag, points in _COLOUR.items()), default=0
    )
    fall = Case(When(**{f"{health}change_30d__lte": -_FALL}, then=Value(_FALL_POINTS)), default=0)
    renewal = Case(When(account__renewal_on__range=near, then=Value(_RENEWAL_NEAR)), default=0)
    rows = _standing(user).values("account").annotate(rank=Count("pk") * _TRIGGER + colour + fall + renewal)
    rows = rows.annotate(total=Window(Count("*")))
    return rows.order_by("-rank", "account__name", "account").values_list("account", "rank", "total")


def risks_of(user: User, ranks: Mapping[UUID, int], *, on: date) -> list[Risk]:
    """What is to be said of each of these accounts, in their order. Two queries.

    A trigger is (key, name, condition in words, fired at).
    """
    states = _standing(user).filter(account__in=list(ranks))
    states = states.select_related("account__owner", "account__health", "trigger")
    by_account: dict[UUID, list[TriggerState]] = {}
    for state in states.only(*SHOWN).order_by("-fired_at"):
        by_account.setdefault(state.account_id, []).append(state)
    words = _conditions({state.trigger_id for found in by_account.values() for state in found})
    return [_risk(by_account[key], words, rank, on) for key, rank in ranks.items() if key in by_account]


def _standing(user: User) -> QuerySet[TriggerState]:
    rows = TriggerState.objects.visible_to(user).filter(is_active=True, fired_at__isnull=False)
    rows = rows.filter(account__archived_at=None).exclude(trigger__group__in=_CHANCES)
    return rows.exclude(trigger__group="health", account__health__current_rag=Rag.GREEN)


def _conditions(triggers: set[Any]) -> dict[Any, str]:
    versions = TriggerVersion.objects.filter(trigger__in=triggers).order_by("trigger_id", "-number")
    return {
        version.trigger_id: in_words(version.definition["condition"]) for version in versions.distinct("trigger_id")
    }


def _risk(states: list[TriggerState], words: Mapping[Any, str], rank: int, on: date) -> Risk:
    account = states[0].account
    named = tuple(
        (state.trigger.key, state.trigger.name, words[state.trigger_id], state.fired_at)
        for state in states
        if state.fired_at is not None
    )
    return Risk(account, named, rank, tuple(_reasons(account, on)))


def _reasons(account: Account, on: date) -> Iterator[str]:
    """A sentence for colour, trend and renewal date, each where it gave points."""
    health = getattr(account, "health", None)
    if health is not None and health.current_rag in _COLOUR:
        yield f"{health.current_rag.capitalize()} since {health.band_since_on:%d %b %Y}"
    if health is not None and health.change_30d is not None and health.change_30d <= -_FALL:
        yield f"{abs(health.change_30d):.1f} points lower than 30 days ago"
    if account.renewal_on is not None and 0 <= (account.renewal_on - on).days <= NEAR_DAYS:
        yield f"renewal in {(account.renewal_on - on).days} days"
