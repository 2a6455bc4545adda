"""Ways to reach support, as packs describe them, and guides to the issues they name."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from tenants.guard import TenantModel


class SupportChannel(TenantModel):
    """A way to reach support. ``address`` is the pack's example and never shown to customers (AMB-97).

    ``calendar`` empty: no hours are kept. ``tier_calendars``: {"enterprise": "24x7"}, other hours for some tiers;
    ``tier_keys`` none: for everybody.
    """

    pack = models.CharField(max_length=20)
    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    use = models.CharField(max_length=200, blank=True)
    address = models.CharField(max_length=200, blank=True)
    own_address = models.CharField(max_length=200, blank=True, help_text="The workspace's own; what customers see")
    calendar = models.ForeignKey(
        "accounts.WorkCalendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    tier_calendars = models.JSONField(default=dict, blank=True)
    tier_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_offered = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["pack", "position"]
        constraints = [models.UniqueConstraint(fields=["pack", "key"], name="support_channel_once_per_pack")]

    def __str__(self) -> str:
        return self.name


class IssueGuide(TenantModel):
    """What usually causes a kind of issue, what helps at once, and what keeps it from coming back."""

    pack = models.CharField(max_length=20)
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    causes = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    fixes = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    prevention = models.CharField(max_length=300, blank=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["pack", "position"]
        constraints = [models.UniqueConstraint(fields=["pack", "key"], name="issue_guide_once_per_pack")]

    def __str__(self) -> str:
        return self.name
