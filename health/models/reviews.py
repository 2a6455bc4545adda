"""Portfolio reviews: how often a methodology asks for one, a run of it, and what is to be done for each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from health.choices import Rag, ReviewKind
from health.models.scores import OfAccountQuerySet
from tenants.guard import TenantModel

if TYPE_CHECKING:
    from datetime import date


class ReviewPlan(TenantModel):
    """What a methodology says on reviews. ``steps`` are those of its monthly run: seq, name, week, tasks."""

    pack = models.CharField(max_length=20, unique=True)
    is_weekly = models.BooleanField(default=False)
    is_monthly = models.BooleanField(default=False)
    steps = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.pack


class HealthReview(TenantModel):
    """One week's look at what is at risk, or one month's run over the portfolio. It closes with what was learned.

    ``steps`` are the plan's with their days (``from_on``, ``until_on``) and by whom each was done.
    """

    kind = models.CharField(max_length=5, choices=ReviewKind.choices)
    first_on = models.DateField()
    last_on = models.DateField()
    steps = models.JSONField(default=list)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    trends = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-first_on", "kind"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "first_on"], name="health_review_once"),
            models.CheckConstraint(condition=Q(kind__in=ReviewKind.values), name="health_review_kind_known"),
            models.CheckConstraint(condition=Q(closed_at=None) | ~Q(trends=""), name="review_closes_with_trends"),
        ]

    def __str__(self) -> str:
        if self.kind == ReviewKind.MONTH:
            return f"Portfolio review, {self.first_on:%B %Y}"
        return f"At-risk review, week of {self.first_on:%-d %B %Y}"

    def is_late(self, today: date) -> bool:
        """Its time is over and it was not closed."""
        return self.closed_at is None and today > self.last_on


class ReviewItem(TenantModel):
    """What a review asks for on one account, with the band it began with. ``with_lead``: the VP takes part."""

    review = models.ForeignKey(HealthReview, on_delete=models.CASCADE, related_name="items")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    rag = models.CharField(max_length=10, choices=Rag.choices)
    band_name = models.CharField(max_length=120, blank=True)
    shown = models.DecimalField(max_digits=4, decimal_places=1, null=True)
    change = models.DecimalField(max_digits=9, decimal_places=6, null=True, help_text="Of the score in 30 days")
    ask = models.CharField(max_length=120)
    detail = models.CharField(max_length=500, blank=True)
    with_lead = models.BooleanField(default=False)
    note = models.CharField(max_length=500, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["review", "account"], name="review_item_once"),
            models.CheckConstraint(condition=Q(rag__in=Rag.values), name="review_item_rag_known"),
        ]

    def __str__(self) -> str:
        return self.ask
