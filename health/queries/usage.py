"""Who is scored by which scorecard, and why."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Max, Q
from django.utils import timezone

from accounts.metrics import METRICS
from accounts.queries.workspace import workspace_day
from health.choices import VersionState
from health.models import Scorecard
from health.queries.inputs import LIVE_ON
from ui import wording
from usage.catalogue import DERIVED, DESK
from usage.models import MetricDefinition


class Usage(NamedTuple):
    """How many accounts a card scores today: because they name it, by their segment, by default."""

    named: int
    by_segment: int
    by_default: int

    @property
    def total(self) -> int:
        return sum(self)


class Segment(NamedTuple):
    """A segment with its accounts and the card that scores it (None: the default)."""

    name: str
    accounts: int
    card: str | None

    @property
    def label(self) -> str:
        plural = "" if self.accounts == 1 else "s"
        card = f", scored by {self.card}" if self.card else ""
        return f"{self.name} ({self.accounts} account{plural}{card})"


def _everybody() -> Counter[tuple[str, str]]:
    """How many accounts that are customers today name each card and are of each segment. One query."""
    statement = f"SELECT scorecard_key, segment, count(*) FROM accounts_account a WHERE {LIVE_ON} GROUP BY 1, 2"
    with connection.cursor() as cursor:
        cursor.execute(statement, {"on": workspace_day(timezone.now())})
        return Counter({(card, segment): count for card, segment, count in cursor.fetchall()})


def _usages(cards: list[Scorecard]) -> dict[str, Usage]:
    """By card key, for cards with a running version; the others score nobody. Two queries."""
    live = {card.key for card in cards if getattr(card, "active", None) is not None}
    by_segment = {name: card.key for card in cards if card.key in live for name in card.segments}
    default = next((card.key for card in cards if card.is_default and card.key in live), None)
    counts: Counter[tuple[str | None, int]] = Counter()
    for (named, segment), accounts in _everybody().items():
        if named in live:
            counts[named, 0] += accounts
        elif segment in by_segment:
            counts[by_segment[segment], 1] += accounts
        else:
            counts[default, 2] += accounts
    return {card.key: Usage(*(counts[card.key, why] for why in range(3))) for card in cards}


def _cards() -> list[Scorecard]:
    return list(
        Scorecard.objects.annotate(
            active=Max("versions__number", filter=Q(versions__state=VersionState.ACTIVE)),
            drafts=Count("versions", filter=Q(versions__state=VersionState.DRAFT)),
            scheduled_on=Max("versions__scheduled_on"),
        ).order_by("-is_default", "name")
    )


def scored_by() -> list[Scorecard]:
    """Every card with ``active``, ``drafts``, ``scheduled_on`` and its ``usage``. Three queries."""
    cards = _cards()
    usages = _usages(cards)
    for card in cards:
        card.usage = usages[card.key]
    return cards


def usage_of(card: Scorecard) -> Usage:
    """How many accounts ``card`` scores today. Three queries."""
    return _usages(_cards())[card.key]


def segments_in_use() -> list[Segment]:
    """Every segment of a live account with its card, the largest first. Three queries."""
    cards = {name: card.name for card in Scorecard.objects.all() for name in card.segments}
    counts: Counter[str] = Counter()
    for (_named, segment), accounts in _everybody().items():
        counts[segment] += accounts
    del counts[""]
    return [Segment(name, n, cards.get(name)) for name, n in sorted(counts.items(), key=lambda row: (-row[1], row[0]))]


def metric_names() -> dict[str, str]:
    """Key to name of every figure a scorecard may read; two of the same name say their keys. One query."""
    computed = {key: wording.titled(key) for key in (*METRICS, *DERIVED, *DESK)}
    found = {**computed, **dict(MetricDefinition.objects.values_list("key", "name"))}
    often = Counter(name.lower() for name in found.values())
    named = {key: name if often[name.lower()] == 1 else f"{name} ({key})" for key, name in found.items()}
    return dict(sorted(named.items(), key=lambda pair: pair[1].lower()))
