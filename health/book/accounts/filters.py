"""What narrows the accounts list down. Several values of one filter widen it, several filters narrow it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.http import QueryDict
from django.utils import timezone

from accounts.fields import Unreadable, read_number
from accounts.models import Account, ExternalId
from accounts.models.account import AccountQuerySet
from health.book.accounts.own_filters import OwnFilter, read_own_filters
from health.book.accounts.parameters import join, split
from health.book.filters import COLOURS, MINE, NOBODY, RENEWALS, STATUSES, changed, in_state, renewing
from health.book.since import changed_since_looked
from health.choices import Rag
from health.queries.segments import in_segments

NEVER = "never"
SILENCES = ("14", "30", "60", "90", NEVER)
SEATS = ("low", "high", "over")
BANDS = ("red", "orange", "watch", "green", "none")
_LONGEST_SEARCH, _MOST_VALUES = 80, 40
_MOST_MONEY = Decimal(10) ** 12
MANY = frozenset({"band", "owner", "tier", "segment", "stage"})


def _ids(values: Iterable[str], also: frozenset[str] = frozenset()) -> tuple[str, ...]:
    found = set()
    for value in values:
        try:
            found.add(value if value in also else str(UUID(value)))
        except ValueError:
            continue
    return tuple(sorted(found))


def _bands(values: Iterable[str]) -> tuple[str, ...]:
    wanted = {"red", "orange"} if "risk" in values else set()
    wanted |= set(values)
    return tuple(band for band in BANDS if band in wanted)


def _amount(text: str) -> str:
    """A whole or decimal amount as it stands in an address, empty for anything else."""
    try:
        value = read_number(text) if text else None
    except Unreadable:
        return ""
    return "" if value is None or not 0 <= value < _MOST_MONEY else f"{value.normalize():f}"


@dataclass(frozen=True, slots=True)
class ListFilters:
    """Filters of the list; empty means any. A value that means nothing is dropped, as if it were not there."""

    q: str = ""
    band: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    tier: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    renewal: str = ""
    change: str = ""
    silent: str = ""
    seats: str = ""
    arr_min: str = ""
    arr_max: str = ""
    seen: str = ""
    status: str = "live"
    own: tuple[OwnFilter, ...] = ()

    @classmethod
    def read(cls, query: QueryDict) -> ListFilters:
        """The filters of an address, or of a form that sends a name several times."""

        def many(name: str) -> list[str]:
            return [value for text in query.getlist(name)[:_MOST_VALUES] for value in split(text)][:_MOST_VALUES]

        def one(name: str, known: Iterable[str]) -> str:
            return query.get(name, "") if query.get(name) in known else ""

        segments = {value.replace("\x00", "").strip()[:60] for value in many("segment")} - {""}
        return cls(
            q=query.get("q", "").replace("\x00", "").strip()[:_LONGEST_SEARCH],
            band=_bands(many("band")),
            owner=_ids(many("owner"), frozenset({MINE, NOBODY})),
            tier=_ids(many("tier")),
            segment=tuple(sorted(segments)),
            stage=_ids(many("stage")),
            renewal=one("renewal", RENEWALS),
            change=one("change", ("down", "up")),
            silent=one("silent", SILENCES),
            seats=one("seats", SEATS),
            seen=one("seen", ("changed",)),
            arr_min=_amount(query.get("arr_min", "")),
            arr_max=_amount(query.get("arr_max", "")),
            status=one("status", STATUSES) or "live",
            own=read_own_filters(query),
        )

    def parameters(self) -> dict[str, str]:
        """As they stand in an address; what is not set is left out."""
        found: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "own":
                found |= {name: text for each in self.own for name, text in each.parameters().items()}
                continue
            text = join(value) if isinstance(value, tuple) else value
            if text and (field.name, text) != ("status", "live"):
                found[field.name] = text
        return found

    def accounts(self, user: Any, today: date) -> AccountQuerySet:
        """The accounts of ``user`` that match."""
        return Account.objects.visible_to(user).filter(self.condition(user, today))

    def condition(self, user: Any, today: date) -> Q:
        """The filters as one condition without joins that multiply rows, so that it also counts within a query."""
        parts = [
            in_state(self.status),
            self._found(),
            self._coloured(),
            self._owned(user),
            self._segmented(),
            renewing(self.renewal, today),
            changed(self.change),
            self._silent(today),
            self._seated(),
        ]
        parts += [Q(**{f"{name}__in": getattr(self, name)}) for name in ("tier", "stage") if getattr(self, name)]
        parts += [changed_since_looked(user)] if self.seen else []
        parts += [Q(arr__gte=Decimal(self.arr_min))] if self.arr_min else []
        parts += [Q(arr__lte=Decimal(self.arr_max))] if self.arr_max else []
        return Q(*parts, *(each.condition() for each in self.own))

    def _found(self) -> Q:
        if not self.q:
            return Q()
        called = ExternalId.objects.filter(external_id__iexact=self.q)
        return Q(name__icontains=self.q) | Q(pk__in=called.values("account"))

    def _coloured(self) -> Q:
        if not self.band:
            return Q()
        wanted = Q(health__current_rag__in=[colour for band in self.band for colour in COLOURS[band]])
        return wanted | Q(health=None) if Rag.NONE in self.band else wanted

    def _owned(self, user: Any) -> Q:
        wanted = Q()
        for value in self.owner:
            wanted |= Q(owner=None) if value == NOBODY else Q(owner=user.pk if value == MINE else value)
        return wanted

    def _segmented(self) -> Q:
        if not self.segment:
            return Q()
        keys = _ids(self.segment)
        names = [value for value in self.segment if value not in keys]
        return (Q(segment__in=names) if names else Q()) | (Q(pk__in=in_segments(keys)) if keys else Q())

    def _silent(self, today: date) -> Q:
        if not self.silent:
            return Q()
        never = Q(last_touch=None)
        if self.silent == NEVER:
            return never
        return never | Q(last_touch__at__lt=timezone.now() - timedelta(days=int(self.silent)))

    def _seated(self) -> Q:
        if self.seats == "low":
            return Q(seats__gt=0, assigned_users__lt=F("seats") * Decimal("0.5"))
        if self.seats == "high":
            return Q(seats__gt=0, assigned_users__gte=F("seats") * Decimal("0.9"))
        return Q(assigned_users__gt=F("seats")) if self.seats else Q()
