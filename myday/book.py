"""The book of business beside the day: money, health by colour, capacity against each tier's limit, renewals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Count, F, Max, Q, Sum

from accounts.capacity import OWNER_ROLE
from accounts.models import Account
from health.book.cells import tone
from health.choices import Rag
from ui.atoms import shape

if TYPE_CHECKING:
    from accounts.models import User

RENEWAL_DAYS = 90
MOST_RENEWALS = 6
# The words of the accounts list's address for a colour, worst first.
COLOURS = ((Rag.RED, "red", "Red"), (Rag.ORANGE, "orange", "Orange"), (Rag.YELLOW, "watch", "Yellow"),
           (Rag.GREEN, "green", "Green"), (Rag.NONE, "none", "No data"))  # fmt: skip

RAG_WORDS = {rag.value: label for rag, _word, label in COLOURS}


class Colour(NamedTuple):
    """How many accounts stand in a colour; ``band`` is its word in the address of the accounts list."""

    label: str
    band: str
    tone: str
    mark: str
    accounts: int


class Load(NamedTuple):
    """How many accounts of a tier are owned, against the most its methodology allows (None: no limit)."""

    tier: str
    accounts: int
    limit: int | None

    @property
    def over(self) -> bool:
        return self.limit is not None and self.accounts > self.limit


@dataclass(frozen=True, slots=True)
class Book:
    """One owner's live accounts. Money is in ``currency``; accounts in another are counted in ``foreign``."""

    accounts: int
    arr: Decimal
    at_risk: Decimal
    currency: str
    foreign: int
    largest: Decimal
    colours: list[Colour]
    loads: list[Load]
    renewing: int
    renewing_arr: Decimal
    renewals: list[dict[str, Any]]


def book_of(user: User, today: date) -> Book:
    """The accounts ``user`` owns, added up. Two queries, whatever their number."""
    owned = Account.objects.live().filter(owner=user)
    currency = user.workspace_settings.currency
    soon = Q(renewal_on__range=(today, today + timedelta(days=RENEWAL_DAYS)))
    ours = Q(currency=currency)
    grouped = owned.order_by().values(
        rag=F("health__current_rag"), tier_name=F("tier__name"), capacity=F("tier__capacity")
    )
    rows = list(
        grouped.annotate(
            n=Count("pk"), money=Sum("arr", filter=ours, default=Decimal(0)), largest=Max("arr"),
            foreign=Count("pk", filter=~ours), soon=Count("pk", filter=soon),
            soon_money=Sum("arr", filter=soon & ours, default=Decimal(0)),
        )
    )  # fmt: skip
    renewals = (
        owned.filter(soon)
        .order_by("renewal_on", "pk")
        .values(
            "pk",
            "name",
            "arr",
            "currency",
            "renewal_on",
            "health__shown",
            "health__current_rag",
            "health__current_band",
        )
    )
    return Book(
        accounts=sum(row["n"] for row in rows),
        arr=_money(rows, "money"),
        at_risk=_money([row for row in rows if row["rag"] in {Rag.RED, Rag.ORANGE}], "money"),
        currency=currency,
        foreign=sum(row["foreign"] for row in rows),
        largest=max((row["largest"] for row in rows), default=Decimal(0)),
        colours=_colours(rows),
        loads=_loads(rows),
        renewing=sum(row["soon"] for row in rows),
        renewing_arr=_money(rows, "soon_money"),
        renewals=[{**row, "tone": tone(row["health__current_rag"])} for row in renewals[:MOST_RENEWALS]],
    )


def _money(rows: list[dict[str, Any]], name: str) -> Decimal:
    return sum((row[name] for row in rows), Decimal(0))


def _colours(rows: list[dict[str, Any]]) -> list[Colour]:
    counts = dict.fromkeys(Rag.values, 0)
    for row in rows:
        counts[row["rag"] or Rag.NONE] += row["n"]
    return [
        Colour(label, band, tone(rag), shape(tone(rag)), counts[rag]) for rag, band, label in COLOURS if counts[rag]
    ]


def _loads(rows: list[dict[str, Any]]) -> list[Load]:
    """Tiers by name; accounts without one come last, under no limit."""
    counts: dict[str, int] = {}
    limits: dict[str, int | None] = {}
    for row in rows:
        tier = row["tier_name"] or "No tier"
        counts[tier] = counts.get(tier, 0) + row["n"]
        limits[tier] = ((row["capacity"] or {}).get(OWNER_ROLE) or {}).get("max")
    return [
        Load(tier, counts[tier], limits[tier]) for tier in sorted(counts, key=lambda name: (name == "No tier", name))
    ]
