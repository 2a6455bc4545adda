"""A made-up portfolio of forty accounts that lives through seven recorded days, for tests of its figures."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from accounts.choices import Role
from accounts.models import Account, Contract, Tier
from health.actions.standing import keep_standings, sum_day
from health.book.figures import COLOURS
from health.book.retention import quarter_name
from health.book.sums import months_due, quarters_due
from health.models import AccountHealth, ScorecardVersion, Segment, SegmentMember
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.world import NOON

TODAY = NOON.date()
DAYS = [TODAY - timedelta(days=days) for days in (200, 120, 60, 31, 30, 9)]


def parts_of(figure, scope):
    """The parts of a figure that can be asked for."""
    return {
        "colour": COLOURS,
        "month": [
            *(f"{month:%Y-%m}" for month in months_due(scope.on)),
            *(quarter_name(quarter) for quarter in quarters_due(scope.on)),
        ],
        "cohort": [f"2025-{month:02}-01.{age}" for month in (1, 4, 7) for age in (0, 1, 3)],
    }.get(figure.parts, [""])


def scored_as(account, version, rng, on):
    """A score as a run would leave it, without its evidence."""
    colour = rng.choice(COLOURS)
    score = None if colour == "none" else Decimal(rng.randrange(0, 100_000_000)) / 1_000_000
    AccountHealth.objects.update_or_create(
        account=account,
        defaults={
            "version": version, "scorecard_key": version.scorecard.key, "score": score, "band": colour, "rag": colour,
            "shown": score and round(score, 1), "coverage_pct": rng.choice([40, 55, 100]), "values": [],
            "observed_at": [], "sources": [], "states": rng.choice(["ff", "fs", "--"]), "levels": [], "points": [],
            "dimensions": [], "computed_at": NOON, "computed_on": on, "band_since_on": on, "current_band": colour,
            "current_rag": colour,
        },
    )  # fmt: skip


def book():
    """Forty accounts that live through seven days: owners, tiers, segments, money, bands and customers change."""
    rng = random.Random(7)
    world.card()
    world.card("fmea-health" if "fmea-health" in world.CARDS else sorted(world.CARDS)[0])
    versions = list(ScorecardVersion.objects.select_related("scorecard"))
    tiers = [Tier.objects.create(key=f"t{n}", name=f"T{n}", rank=n, capacity={"csm": {"max": 5}} if n else {})
             for n in range(3)]  # fmt: skip
    owners = [UserFactory(role=Role.CSM) for _ in range(3)]
    accounts = []
    for number in range(40):
        account = AccountFactory(
            name=f"A{number:02}", owner=rng.choice([None, *owners]), tier=rng.choice([None, *tiers]),
            segment=rng.choice(["", "SMB", "Enterprise"]), currency=rng.choice(["USD", "USD", "USD", "EUR"]),
            arr=rng.randrange(0, 9_000), customer_since_on=rng.choice([None, *DAYS]),
            renewal_on=rng.choice([None, TODAY + timedelta(days=rng.randrange(-200, 300))]),
        )  # fmt: skip
        for start in range(rng.randrange(0, 4)):
            begin = date(2025, 1, 10) + timedelta(days=rng.randrange(0, 300) + 200 * start)
            end = rng.choice([None, begin + timedelta(days=rng.randrange(30, 500))])
            Contract.objects.create(account=account, start_on=begin, end_on=end, arr=rng.randrange(1, 5_000))
        accounts.append(account)
    for day in [*DAYS, TODAY]:
        for account in accounts:
            chance = rng.random()
            if chance < 0.5:
                scored_as(account, rng.choice(versions), rng, day)
            elif chance < 0.6:
                Account.objects.filter(pk=account.pk).update(owner=rng.choice([None, *owners]), segment="SMB")
            elif chance < 0.65:
                Account.objects.filter(pk=account.pk).update(status="churned", churned_on=day)
            elif chance < 0.67:
                Account.objects.filter(pk=account.pk).update(archived_at=NOON)
        keep_standings(day)
        sum_day(day)
    return {"owners": owners, "tiers": tiers, "versions": versions, "segments": _segments(rng, accounts)}


def _segments(rng, accounts):
    """Two segments by rule: one as old as the days, one of today whose stays know nothing of the past."""
    found = []
    for name, made_on in (("Old", DAYS[0]), ("New", TODAY)):
        made_at = NOON.replace(year=made_on.year, month=made_on.month, day=made_on.day)
        segment = Segment.objects.create(name=name, rule={}, created_at=made_at, updated_at=made_at)
        for account in rng.sample(accounts, 26):
            came = made_at + timedelta(days=rng.choice([0, 0, (TODAY - made_on).days // 2]))
            left = came + timedelta(days=rng.randrange(0, 150))
            left = left if rng.random() < 0.5 and left <= NOON else None
            SegmentMember.objects.create(segment=segment, account=account, entered_at=came, left_at=left)
        found.append(segment)
    return found
