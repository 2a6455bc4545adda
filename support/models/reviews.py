"""When a customer's service is looked at together: how often a methodology asks for it, and what was agreed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User

UNITS = ("days", "weeks", "months")


class ReviewCadence(TenantModel):
    """How often a methodology reviews its customers. ``tier_keys`` none: of every tier but ``except_tier_keys``."""

    pack = models.CharField(max_length=20)
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    every = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=6, choices=[(unit, unit) for unit in UNITS])
    tier_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    except_tier_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    stage_key = models.CharField(max_length=60, blank=True, help_text="Only accounts at this stage; empty: at any")

    class Meta:
        ordering = ["pack", "key"]
        constraints = [
            models.UniqueConstraint(fields=["pack", "key"], name="review_cadence_once_per_pack"),
            models.CheckConstraint(condition=Q(unit__in=UNITS, every__gte=1), name="review_cadence_comes_round"),
        ]

    def __str__(self) -> str:
        return self.name


class AccountReviewQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> AccountReviewQuerySet:
        """Those of accounts ``user`` may see; customers see none."""
        if getattr(user, "is_portal", False):
            return self.none()
        return self.within("account", Account.objects.visible_to(user))


class AccountReview(TenantModel):
    """When an account's service was reviewed last, and the day that was agreed for the next (empty: its cadence's)."""

    account = models.OneToOneField("accounts.Account", on_delete=models.CASCADE, related_name="service_review")
    next_on = models.DateField(null=True, blank=True)
    held_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = AccountReviewQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Service review of {self.account}"
