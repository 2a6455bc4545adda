"""What is measured and what is done about it: definitions as data, in versions that never change once used."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from health.choices import VersionState
from tenants.guard import TenantModel


class Scorecard(TenantModel):
    """A way to score accounts. An account uses the one it names, else its segment's, else the default (AMB-21)."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    is_default = models.BooleanField(default=False)
    segments = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that brought it; empty: the tenant's own")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="scorecard_one_default")
        ]

    def __str__(self) -> str:
        return self.name


class ScorecardVersion(TenantModel):
    """One version of a scorecard. Once active it is never altered or deleted (a trigger refuses it)."""

    scorecard = models.ForeignKey(Scorecard, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=VersionState.choices, default=VersionState.DRAFT)
    definition = models.JSONField()
    note = models.CharField(max_length=200, blank=True, help_text="Why this version was made")
    origin = models.CharField(max_length=40, blank=True, help_text="Pack and its version, or empty")
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    scheduled_on = models.DateField(null=True, blank=True, help_text="Day on which the draft goes live by itself")
    scheduled_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["scorecard", "number"], name="scorecard_version_once"),
            models.UniqueConstraint(
                fields=["scorecard"], condition=Q(state=VersionState.ACTIVE), name="scorecard_one_active_version"
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT, activated_at=None)
                | ~Q(state=VersionState.DRAFT) & Q(activated_at__isnull=False),
                name="scorecard_version_activated_iff_not_draft",
            ),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT) | Q(scheduled_on=None),
                name="scorecard_version_scheduled_is_draft",
            ),
            # Two drafts of one card cannot be due at once: nobody could say which one scores.
            models.UniqueConstraint(
                fields=["scorecard"], condition=Q(scheduled_on__isnull=False), name="scorecard_one_scheduled_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scorecard} version {self.number}"


class Trigger(TenantModel):
    """A condition on an account's facts that opens a CTA when it comes to hold.

    ``draft`` is a definition that is being worked on: nothing fires by it before it becomes a version. ``shipped``
    is the newest that its pack brought, to which a workspace's own version can be reset.
    """

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    group = models.CharField(max_length=60, blank=True)
    pack = models.CharField(max_length=20, blank=True)
    is_enabled = models.BooleanField(default=True)
    draft = models.JSONField(null=True, blank=True)
    draft_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    draft_at = models.DateTimeField(null=True, blank=True)
    shipped = models.JSONField(null=True, blank=True)
    shipped_origin = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["group", "name"]

    def __str__(self) -> str:
        return self.name


class TriggerVersion(TenantModel):
    """One version of a trigger's definition; the highest number counts. Rows are only ever added."""

    trigger = models.ForeignKey(Trigger, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    definition = models.JSONField()
    origin = models.CharField(max_length=40, blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["trigger", "number"], name="trigger_version_once")]

    def __str__(self) -> str:
        return f"{self.trigger} version {self.number}"


class Kpi(TenantModel):
    """A figure with or without a target. Readings are metrics of the same key."""

    key = models.SlugField(max_length=80)
    name = models.CharField(max_length=160)
    category = models.CharField(max_length=60, blank=True)
    op = models.CharField(max_length=2, null=True, blank=True)
    target = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    unit = models.CharField(max_length=40)
    frequency = models.CharField(max_length=20, blank=True)
    owner_role = models.CharField(max_length=40, blank=True)
    pack = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["category", "name"]
        constraints = [
            models.UniqueConstraint(fields=["pack", "key"], name="kpi_once_per_pack"),
            models.CheckConstraint(
                condition=Q(op=None, target=None) | Q(op__in=["<", "<=", ">", ">="], target__isnull=False),
                name="kpi_op_with_target",
            ),
        ]

    def __str__(self) -> str:
        return self.name
