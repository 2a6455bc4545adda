"""The portfolio as it was: each account's standing from day to day, and the sums of a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from accounts.models import Account
from health.choices import Rag
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User

# The end of a standing that lasts: a day that compares, where an empty one would not.
LASTING = date.max


class StandingQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> StandingQuerySet:
        """Standings of accounts that ``user`` may see today."""
        return self.within("account", Account.objects.visible_to(user))

    def on(self, day: date) -> StandingQuerySet:
        """The standing of each account that was a customer on ``day``: at most one an account."""
        return self.filter(from_on__lte=day, until_on__gt=day)


class Standing(models.Model):
    """How an account stood in the portfolio from ``from_on`` until the day before ``until_on``.

    Owner, tier, segment, money, renewal and health together, as the run of the day found them; a new row begins
    when any of them changes. The rows of an account never overlap; while it is no customer it has none.
    """

    pk = models.CompositePrimaryKey("account_id", "from_on")
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, db_constraint=False, related_name="standings"
    )
    from_on = models.DateField()
    until_on = models.DateField(default=LASTING)
    owner_id = models.UUIDField(null=True)
    tier_id = models.UUIDField(null=True)
    segment = models.CharField(max_length=60, blank=True)
    scorecard_key = models.CharField(max_length=60, blank=True)
    currency = models.CharField(max_length=3)
    arr = models.DecimalField(max_digits=18, decimal_places=2)
    renewal_on = models.DateField(null=True)
    band = models.CharField(max_length=60, blank=True)
    rag = models.CharField(max_length=10, choices=Rag.choices)
    score = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    coverage_pct = models.DecimalField(max_digits=5, decimal_places=2, null=True)
    is_stale = models.BooleanField(help_text="Some input was older than the scorecard allows")

    objects = StandingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until_on__gt=F("from_on")), name="standing_ends_after_it_begins")
        ]
        # Those of a day lately: few have ended since, so the end finds them.
        indexes = [models.Index(fields=["until_on", "from_on"], name="standing_by_day")]

    def __str__(self) -> str:
        return f"{self.rag} from {self.from_on}"


class DigestWeek(models.Model):
    """The week's digests, written with them: a week's are sent once."""

    week = models.CharField(max_length=8, primary_key=True, help_text="ISO week, such as 2026-W48")
    sent_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.week


class FigureTarget(TenantModel):
    """What a figure of the whole portfolio is meant to be, in its own unit. The figure says which side is the good one.

    What it was before is in the audit log.
    """

    figure = models.CharField(max_length=20, unique=True)
    value = models.DecimalField(max_digits=18, decimal_places=2)

    class Meta:
        ordering = ["figure"]

    def __str__(self) -> str:
        return f"{self.figure}: {self.value}"


# One step down the index a month: a maximum by month would read every row of the time.
_MONTH_ENDS = """
SELECT (SELECT max(p.day) FROM health_portfolioday p
    WHERE p.day >= m.first::date AND p.day < (m.first + interval '1 month')::date AND p.day <= %s)
FROM generate_series(%s::date, %s::date, interval '1 month') AS m (first)"""


def month_ends(first: date, until_on: date) -> RawSQL:
    """The last day with sums in each month from the one that begins on ``first``, up to ``until_on``, for a condition.

    Empty (None) for a month without any.
    """
    return RawSQL(_MONTH_ENDS, [until_on, first, until_on], output_field=models.DateField())  # noqa: S611  nobody's text


class PortfolioDay(models.Model):
    """How many accounts and how much ARR stood in a band on a day: the standings of the day, added up.

    By owner, tier, segment and scorecard; ``total`` sums scores.
    """

    day = models.DateField()
    owner_id = models.UUIDField(null=True)
    tier_id = models.UUIDField(null=True)
    segment = models.CharField(max_length=60, blank=True, db_default="")
    scorecard_key = models.CharField(max_length=60, blank=True, db_default="")
    currency = models.CharField(max_length=3)
    band = models.CharField(max_length=60, blank=True)
    rag = models.CharField(max_length=10, choices=Rag.choices)
    accounts = models.PositiveIntegerField()
    scored = models.PositiveIntegerField()
    arr = models.DecimalField(max_digits=18, decimal_places=2)
    total = models.DecimalField(max_digits=18, decimal_places=6)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["day", "owner_id", "tier_id", "segment", "scorecard_key", "currency", "band", "rag"],
                nulls_distinct=False,
                name="portfolio_day_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.band}"
