"""What support an account is entitled to, and how it may be reached now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import Account, Tier, WorkCalendar
from businesstime import NoWorkingTime
from support.models import IssueGuide, SlaPolicy, SupportChannel, SupportLevel
from support.queries.calendars import Calendars


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel as one account has it at one moment. ``hours`` empty: none are kept."""

    channel: SupportChannel
    hours: str
    is_open: bool
    opens_at: datetime | None

    @property
    def instead(self) -> str:
        """What to do while it is closed."""
        return "" if self.is_open else "Open a request instead."


@dataclass(frozen=True, slots=True)
class Entitled:
    """What a service level gives besides its times; ``from_plan`` names the lower one it was taken over from."""

    feature: str
    from_plan: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A channel with the names of the tiers it is for (empty: every one) and of their own calendars."""

    channel: SupportChannel
    tiers: list[str]
    hours: list[tuple[str, str]]


def channels_listed() -> list[Listed]:
    """Every channel as its list shows it. Three queries."""
    tiers = dict(Tier.objects.values_list("key", "name"))
    calendars = dict(WorkCalendar.objects.values_list("key", "name"))
    return [
        Listed(
            row,
            [tiers.get(key, key) for key in row.tier_keys],
            [(tiers.get(tier, tier), calendars.get(key, key)) for tier, key in row.tier_calendars.items()],
        )
        for row in channels_shown()
    ]


def channels_shown() -> QuerySet[SupportChannel]:
    """Every channel of the packs that are installed. One query."""
    return SupportChannel.objects.filter(retired_at=None).select_related("calendar")


def reach_of(account: Account, *, at: datetime) -> list[Reach]:
    """The channels that ``account`` may use, with its tier's hours, open or closed at ``at``. Five queries.

    Those of its tier's pack; without a tier of a pack, those that are for everybody.
    """
    tier = account.tier
    rows = [row for row in channels_shown() if row.is_offered and _is_for(row, tier)]
    calendars = Calendars(year=at.year)
    return [_reach(row, tier.key if tier else "", account.timezone, calendars, at) for row in rows]


def entitlements(account: Account) -> list[Entitled]:
    """The features of the service levels for ``account``'s tier, with those of the plans below them. One query."""
    policies = {(policy.pack, policy.pack_key or policy.key): policy for policy in SlaPolicy.objects.in_force()}
    tier = account.tier.key if account.tier else ""
    found: dict[str, Entitled] = {}
    for policy in policies.values():
        if tier and tier in policy.tier_keys:
            _collect(policy, policies, found)
    return list(found.values())


def levels_shown() -> list[tuple[SupportLevel, str]]:
    """Lines of support that have a queue, each with when it is there (AMB-57). One query."""
    words = {"24x7": "day and night", "business-hours": "Monday–Friday 09:00–17:00", "on-call": "on call"}
    rows = SupportLevel.objects.exclude(rank=None).order_by("pack", "rank")
    return [(row, words.get(row.coverage, row.coverage)) for row in rows]


def guides() -> list[IssueGuide]:
    """The issue guides, in order. One query."""
    return list(IssueGuide.objects.all())


def _is_for(row: SupportChannel, tier: Any) -> bool:
    if tier is not None and tier.pack and tier.pack != row.pack:
        return False
    return not row.tier_keys or (tier is not None and tier.key in row.tier_keys)


def _reach(row: SupportChannel, tier: str, zone: str, calendars: Calendars, at: datetime) -> Reach:
    calendar_row = calendars.by_key.get(row.tier_calendars.get(tier, "")) or row.calendar
    if calendar_row is None:
        return Reach(row, "", True, None)
    calendar = calendars.calendar(calendar_row, zone)
    if calendar.is_open(at):
        return Reach(row, calendar_row.name, True, None)
    try:
        return Reach(row, calendar_row.name, False, calendar.next_open(at))
    except NoWorkingTime:
        return Reach(row, calendar_row.name, False, None)


def _collect(policy: SlaPolicy, policies: dict[Any, SlaPolicy], found: dict[str, Entitled], taken: str = "") -> None:
    for feature in policy.features:
        found.setdefault(feature, Entitled(feature, taken))
    below = policies.get((policy.pack, policy.includes)) if policy.includes else None
    if below is not None and below.pk != policy.pk:
        _collect(below, policies, found, below.name)
