"""The risk list: accounts on which something stands that should not, ranked openly (AMB-161)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Case, Count, Max, QuerySet, Value, When, Window

from health.choices import Rag
from health.models import TriggerState, TriggerVersion
from health.wording import in_words

if TYPE_CHECKING:
    from accounts.models import User

OF_ACCOUNT = (
    "account", "account__name", "account__owner__name", "account__owner__email", "account__renewal_on",
    "account__health__current_rag", "account__health__band_since_on", "account__health__change_30d",
)  # fmt: skip
OF_TRIGGER = ("trigger", "trigger__key", "trigger__name", "fired_at")
# Points of the ranking, each shown as a reason. It is a list to work by, not a probability.
_COLOUR = {Rag.RED: 40, Rag.ORANGE: 25, Rag.YELLOW: 10}
_FALL_POINTS, _TRIGGER, _RENEWAL_NEAR = 15, 10, 20
_FALL = 10
NEAR_DAYS = 90
_STATE = """SELECT
    (SELECT (count(*), count(*) FILTER (WHERE is_active), max(fired_at))::text FROM health_triggerstate),
    (SELECT md5(string_agg(concat_ws('/', id, "group"), ',' ORDER BY id)) FROM health_trigger)"""
# Triggers of these groups speak of chances.
_CHANCES = ("expansion",)


class _Account(NamedTuple):
    pk: UUID
    name: str
    owner_name: str | None
    owner_email: str | None
    renewal_on: date | None
    rag: str | None
    band_since_on: date | None
    change: Decimal | None


class _Fired(NamedTuple):
    trigger: UUID
    key: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Risk:
    """One account of the risk list: its triggers with time and condition, its rank and the reasons for it."""

    account_id: UUID
    name: str
    owner: str
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
    # The same for every trigger of an account. Max keeps them out of the key by which the rows are put together.
    rank = Count("pk") * _TRIGGER + Max(colour + fall + renewal)
    rows = _standing(user).values("account").annotate(rank=rank, name=Max("account__name"), total=Window(Count("*")))
    return rows.order_by("-rank", "name", "account").values_list("account", "rank", "total")


def standing_state() -> tuple[Any, ...]:
    """A value that is another one as soon as a trigger fires, is released or comes into another group. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE)
        return cursor.fetchone()


def risks_of(user: User, ranks: Mapping[UUID, int], *, on: date) -> list[Risk]:
    """What is to be said of each of these accounts, in their order. Two queries.

    A trigger is (key, name, condition in words, fired at).
    """
    rows = _standing(user).filter(account__in=list(ranks)).order_by("-fired_at")
    found: dict[UUID, _Account] = {}
    fired: dict[UUID, list[_Fired]] = {}
    for row in rows.values_list(*OF_ACCOUNT, *OF_TRIGGER):
        account = _Account(*row[: len(OF_ACCOUNT)])
        found[account.pk] = account
        fired.setdefault(account.pk, []).append(_Fired(*row[len(OF_ACCOUNT) :]))
    words = _conditions({one.trigger for several in fired.values() for one in several})
    return [_risk(found[key], fired[key], words, rank, on) for key, rank in ranks.items() if key in found]


def _standing(user: User) -> QuerySet[TriggerState]:
    rows = TriggerState.objects.visible_to(user).filter(is_active=True, fired_at__isnull=False)
    rows = rows.filter(account__archived_at=None).exclude(trigger__group__in=_CHANCES)
    return rows.exclude(trigger__group="health", account__health__current_rag=Rag.GREEN)


def _conditions(triggers: set[Any]) -> dict[Any, str]:
    versions = TriggerVersion.objects.filter(trigger__in=triggers).order_by("trigger_id", "-number")
    return {
        version.trigger_id: in_words(version.definition["condition"]) for version in versions.distinct("trigger_id")
    }


def _risk(account: _Account, fired: list[_Fired], words: Mapping[UUID, str], rank: int, on: date) -> Risk:
    triggers = tuple((one.key, one.name, words[one.trigger], one.at) for one in fired)
    owner = account.owner_name or account.owner_email or ""
    return Risk(account.pk, account.name, owner, triggers, rank, tuple(_reasons(account, on)))


def _reasons(account: _Account, on: date) -> Iterator[str]:
    """A sentence for colour, trend and renewal date, each where it gave points."""
    if account.rag in _COLOUR and account.band_since_on is not None:
        yield f"{account.rag.capitalize()} since {account.band_since_on.day} {account.band_since_on:%b %Y}"
    if account.change is not None and account.change <= -_FALL:
        yield f"{abs(account.change):.1f} points lower than 30 days ago"
    if account.renewal_on is not None and 0 <= (account.renewal_on - on).days <= NEAR_DAYS:
        yield f"renewal in {(account.renewal_on - on).days} days"
