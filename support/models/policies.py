"""Service levels: what is promised to whom, in versions that never change, and the holidays they observe."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from support.choices import PolicyScope
from tenants.guard import TenantModel, TenantQuerySet


class HolidayList(TenantModel):
    """Days off: those of a country from the ``holidays`` library, and the workspace's own.

    ``days`` are YYYY-MM-DD or, each year again, MM-DD; ``removed`` are days of the country that are worked.
    """

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    country = models.CharField(max_length=2, blank=True)
    subdivision = models.CharField(max_length=10, blank=True)
    days = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    removed = ArrayField(models.CharField(max_length=10), default=list, blank=True)
    calendars = models.ManyToManyField("accounts.WorkCalendar", related_name="holiday_lists", blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SlaPolicyQuerySet(TenantQuerySet):
    def in_force(self) -> SlaPolicyQuerySet:
        return self.filter(retired_at=None, is_enabled=True)


class SlaPolicy(TenantModel):
    """A service level of a pack or the workspace's own. Its promises stand in its newest version.

    ``tier_keys`` are tiers' keys in the workspace; none: accounts of any tier. ``channels`` limit it to tickets
    of these where its scope is ``channel``. ``level`` is the escalation level it is about, if it is about one.
    """

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    scope = models.CharField(max_length=14, choices=PolicyScope.choices, default=PolicyScope.TICKET)
    tier_keys = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    channels = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    level = models.CharField(max_length=40, blank=True)
    features = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    includes = models.CharField(max_length=80, blank=True, help_text="Key of a policy whose features it adds to")
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that brought it; empty: the workspace's own")
    pack_key = models.CharField(max_length=80, blank=True)
    is_enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="The workspace's own: lower is asked first")
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = SlaPolicyQuerySet.as_manager()

    class Meta:
        ordering = ["pack", "position", "name"]
        verbose_name = "SLA policy"
        verbose_name_plural = "SLA policies"
        constraints = [
            models.UniqueConstraint(
                fields=["pack", "pack_key"], condition=~Q(pack=""), name="sla_policy_pack_key_once"
            ),
            models.CheckConstraint(condition=Q(scope__in=PolicyScope.values), name="sla_policy_scope_known"),
        ]

    def __str__(self) -> str:
        return self.name


class SlaPolicyVersion(TenantModel):
    """The promises of a policy as they were from one moment on; never changed (migration ``support/0002``).

    ``rules``: [{"severity": "S1" or "*", "response": {"value", "unit", "op", "printed"?}, "first_action",
    "resolution", "update_every"}]. Units that begin with ``business_`` count in the calendar, others elapse.
    """

    policy = models.ForeignKey(SlaPolicy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveSmallIntegerField()
    calendar = models.ForeignKey("accounts.WorkCalendar", on_delete=models.PROTECT, related_name="+")
    # {"enterprise": "24x7"}: another calendar for some tiers, by keys.
    tier_calendars = models.JSONField(default=dict, blank=True)
    rules = models.JSONField()
    escalate_at_pct = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Escalate by itself at this share of the time (FLEET-10.4); empty: never"
    )
    # The workspace's settings hold where these are null.
    warn_at = ArrayField(models.CharField(max_length=8), null=True, blank=True, help_text="80% used, 60m left")
    pause_on = ArrayField(
        models.CharField(max_length=20), null=True, blank=True, help_text="Statuses in which the resolution clock waits"
    )
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["policy", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="sla_policy_version_once"),
            models.CheckConstraint(
                condition=Q(escalate_at_pct=None) | Q(escalate_at_pct__range=(1, 100)), name="sla_policy_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy} v{self.number}"
