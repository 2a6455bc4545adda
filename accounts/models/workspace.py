"""Facts about the tenant itself: its settings, tiers, stages, team roles and calendars."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q

from tenants.guard import TenantModel


class Workspace(TenantModel):
    """The tenant's settings: exactly one row, made when the tenant is."""

    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    csm_reads_all_accounts = models.BooleanField(
        default=True, help_text="CSMs may read accounts outside their own book"
    )
    accent = models.CharField(max_length=7, blank=True, help_text="#RRGGBB; empty: the product's own")
    logo = models.FileField(upload_to="brand", blank=True)
    look = models.PositiveIntegerField(default=1, help_text="Counts changes of accent and logo; in their addresses")
    only = models.BooleanField(default=True, editable=False, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(only=True), name="workspace_only_one"),
            models.CheckConstraint(
                condition=Q(accent="") | Q(accent__regex=r"^#[0-9A-F]{6}$"), name="workspace_accent_is_a_colour"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def day_of(self, at: datetime) -> date:
        """The calendar day of ``at`` where the workspace is."""
        return at.astimezone(ZoneInfo(self.timezone)).date()


class Tier(TenantModel):
    """A tier or segment accounts are sold in, from a pack or the tenant's own. Higher rank is more."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    rank = models.SmallIntegerField()
    success_model = models.CharField(max_length=200, blank=True)
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that brought it; empty: the tenant's own")
    # {"csm": {"min": 0, "max": 3}, "tam": {"min": 5, "max": 7}}: accounts per person (FMEA-2.6–2.8, MNA-1.2).
    capacity = models.JSONField(default=dict, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-rank", "name"]

    def __str__(self) -> str:
        return self.name


class LifecycleStage(TenantModel):
    """A stage of the customer's life, in the order of ``position``."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    position = models.SmallIntegerField()
    pack = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name


class TeamRole(TenantModel):
    """A role on an account's team, the vendor's or the customer's side, with its capacity."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    side = models.CharField(max_length=10, choices=[("vendor", "Vendor"), ("customer", "Customer")])
    maps_to = models.CharField(max_length=40, blank=True, help_text="The product's own role it stands for")
    pack = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["side", "name"]

    def __str__(self) -> str:
        return self.name


class WorkCalendar(TenantModel):
    """Working time in the shape of the calendar call (INTERFACES §4); ``timezone`` empty: the workspace's."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, blank=True)
    definition = models.JSONField()
    minutes_per_day = models.PositiveSmallIntegerField(default=480)
    pack = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Severity(TenantModel):
    """How bad a ticket is; rank 1 is worst."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    rank = models.PositiveSmallIntegerField()
    pack = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["rank"]
        verbose_name_plural = "severities"

    def __str__(self) -> str:
        return self.name
