"""Metrics that somebody states: what each may be, every value ever given, and the latest of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.models import Account
from tenants.guard import TenantModel, TenantQuerySet
from usage.choices import Aggregation, MetricKind

if TYPE_CHECKING:
    from accounts.models import User


class MetricDefinition(TenantModel):
    """What a metric means and which values it takes; a value outside is refused (AMB-123)."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=300, blank=True)
    unit = models.CharField(max_length=30, blank=True)
    kind = models.CharField(max_length=6, choices=MetricKind.choices, default=MetricKind.NUMBER)
    # [{"key": "on_track", "name": "On track"}, …] for a choice, in the order shown.
    options: Any = models.JSONField(default=list, blank=True)
    lowest = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    highest = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    aggregation = models.CharField(max_length=6, choices=Aggregation.choices, default=Aggregation.LATEST)
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that asks for it; empty: the tenant's own")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MetricKind.values), name="metric_kind_known"),
            models.CheckConstraint(
                condition=Q(lowest=None) | Q(highest=None) | Q(lowest__lte=models.F("highest")),
                name="metric_bounds_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def option_keys(self) -> list[str]:
        return [option["key"] for option in self.options]


class MetricValueQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> MetricValueQuerySet:
        return self.within("account", Account.objects.visible_to(user))

    def current(self) -> MetricValueQuerySet:
        """Without the values that a later one for the same day replaced."""
        return self.filter(superseded_at=None)


class MetricValue(TenantModel):
    """A value of a metric for an account and day. Replaced values stay, with the moment they were replaced."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="metric_values")
    metric = models.CharField(max_length=60)
    on = models.DateField()
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True, blank=True)
    choice = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=40)
    recorded_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    recorded_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)

    objects = MetricValueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "metric", "on"], condition=Q(superseded_at=None), name="metric_value_one_current"
            ),
            models.CheckConstraint(
                condition=Q(number__isnull=False, choice="") | (Q(number=None) & ~Q(choice="")),
                name="metric_value_number_or_choice",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "metric", "-on", "-recorded_at"], name="metric_value_history"),
            # Sums of a daily figure over a window, for all accounts.
            models.Index(
                fields=["metric", "on"], include=["account", "number"], condition=Q(superseded_at=None),
                name="metric_value_window",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.metric} = {self.shown} on {self.on}"

    @property
    def shown(self) -> str:
        """The value as text: the option's key, or the number without trailing zeros."""
        return self.choice or f"{self.number.normalize():f}"


class MetricLatest(models.Model):
    """The newest current value of each metric of each account, so that all are read in one scan."""

    pk = models.CompositePrimaryKey("account_id", "metric")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    metric = models.CharField(max_length=60)
    on = models.DateField()
    number = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    choice = models.CharField(max_length=60, blank=True)
    source = models.CharField(max_length=40)
    recorded_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "usage_metriclatest"

    def __str__(self) -> str:
        return f"{self.metric} on {self.on}"


class ParkedObservation(models.Model):
    """A metric value whose account is not known yet."""

    id = models.BigAutoField(primary_key=True)
    receipt_id = models.UUIDField()
    source = models.CharField(max_length=40)
    account = models.CharField(max_length=120)
    metric = models.CharField(max_length=60)
    on = models.DateField()
    value = models.CharField(max_length=60)
    recorded_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["source", "account"], name="parked_metric_by_account")]

    def __str__(self) -> str:
        return f"{self.metric} of {self.source}:{self.account}"
