"""Scores with their evidence, band crossings, overrides and the portfolio's daily sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Account
from health.choices import Rag
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class OfAccountQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> OfAccountQuerySet:
        """Rows of accounts that ``user`` may see."""
        return self.within("account", Account.objects.visible_to(user))


class Evidence(models.Model):
    """A score and everything it was made of, in arrays over the version's inputs, measures and dimensions.

    ``score`` has six decimals, cut (health.scoring.figures); it and ``band`` are empty under half coverage.
    ``values``, ``observed_at``, ``sources`` and ``states`` (f fresh, s stale, - missing, ! refused, a letter
    each) run over the version's inputs and then its red flags' metrics; ``levels`` and ``points`` over its
    measures; ``dimensions`` over its dimensions. Points are millionths.
    """

    # No constraint in the database here and below: a run names only versions and accounts it has just read, and two
    # checks a row would cost a sixth of the run. No index either, which every row would have to enter: the database
    # lets nobody delete a version but a draft, and a draft has no scores to look for.
    version = models.ForeignKey(
        "health.ScorecardVersion", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    scorecard_key = models.CharField(max_length=60)
    score = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    shown = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    band = models.CharField(max_length=60, blank=True)
    band_rank = models.SmallIntegerField(null=True, help_text="0 is the best band of the card")
    rag = models.CharField(max_length=10, choices=Rag.choices, default=Rag.NONE)
    coverage_pct = models.DecimalField(max_digits=5, decimal_places=2)
    values = ArrayField(models.TextField(null=True))
    observed_at = ArrayField(models.DateTimeField(null=True))
    sources = ArrayField(models.TextField(null=True))
    states = models.CharField(max_length=200)
    levels = ArrayField(models.SmallIntegerField(null=True))
    points = ArrayField(models.IntegerField(null=True))
    dimensions = ArrayField(models.IntegerField(null=True))
    red_flags = ArrayField(models.TextField(), default=list)
    computed_at = models.DateTimeField()
    computed_on = models.DateField(help_text="The day in the tenant's time zone")

    class Meta:
        abstract = True


class AccountHealth(Evidence):
    """Where an account stands now: one row an account, written by the recompute and nothing else.

    ``current_*`` is what lists and triggers go by: the override's band while one stands, else the computed.
    """

    account = models.OneToOneField(
        "accounts.Account", primary_key=True, on_delete=models.CASCADE, related_name="health"
    )
    band_since_on = models.DateField()
    last_band = models.CharField(max_length=60, blank=True, help_text="The last band there was data for")
    last_rank = models.SmallIntegerField(null=True)
    worsened_at = models.DateTimeField(null=True, help_text="When the band last got worse")
    previous_score = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    previous_band = models.CharField(max_length=60, blank=True)
    previous_at = models.DateTimeField(null=True)
    score_30d = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    band_30d = models.CharField(max_length=60, blank=True)
    change_30d = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    override = models.ForeignKey(
        "health.HealthOverride", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    current_band = models.CharField(max_length=60, blank=True)
    current_rag = models.CharField(max_length=10, choices=Rag.choices, default=Rag.NONE)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "account health"
        indexes = [
            # Keyset pages by score; rows of one colour for at-risk lists.
            models.Index(fields=["score", "account"], name="account_health_by_score"),
            models.Index(fields=["current_rag"], name="account_health_by_rag"),
        ]

    def __str__(self) -> str:
        return f"{self.shown} {self.current_band}"


class HealthScore(Evidence):
    """The score of an account on a day: its last of that day, kept when anything about it changed.

    A day without a row has the score of the latest row before it; the first run of a month always writes one.
    """

    pk = models.CompositePrimaryKey("account_id", "computed_on")
    account = models.ForeignKey(
        "accounts.Account", on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="health_scores"
    )

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["computed_on"], name="health_score_by_day")]

    def __str__(self) -> str:
        return f"{self.shown} on {self.computed_on}"


class BandChange(models.Model):
    """A crossing from one band into another, written with the score; a sweep takes it once."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="band_changes")
    version = models.ForeignKey("health.ScorecardVersion", on_delete=models.PROTECT, related_name="+")
    old_band = models.CharField(max_length=60)
    new_band = models.CharField(max_length=60)
    old_score = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    new_score = models.DecimalField(max_digits=9, decimal_places=6)
    is_worse = models.BooleanField()
    changed_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(old_band=F("new_band")), name="band_change_is_a_change")]
        indexes = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="band_change_waiting"),
            models.Index(fields=["account", "-changed_at"], name="band_change_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.old_band} to {self.new_band}"


class HealthOverride(TenantModel):
    """A person's judgement that stands in place of the computed band until it expires or is taken back."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="health_overrides")
    band = models.CharField(max_length=60)
    band_name = models.CharField(max_length=60)
    rag = models.CharField(max_length=10, choices=Rag.choices)
    reason = models.CharField(max_length=500)
    author = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    computed_score = models.DecimalField(
        max_digits=9, decimal_places=6, null=True, help_text="The score it was set against"
    )
    computed_band = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(ended_at=None), name="override_one_standing"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="override_expires_later"),
            models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason"),
        ]
        indexes = [models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="override_expiring")]

    def __str__(self) -> str:
        return f"{self.band_name} until {self.expires_at:%Y-%m-%d}"


class HealthRun(models.Model):
    """The full run of a day, written with its scores: a day is run in full once."""

    on = models.DateField(primary_key=True)
    started_at = models.DateTimeField()
    accounts = models.PositiveIntegerField()
    seconds = models.FloatField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.on}: {self.accounts} accounts"
