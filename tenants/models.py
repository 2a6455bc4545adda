"""The public schema: which workspaces exist, at which hosts and within which limits."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django_tenants.models import DomainMixin, TenantMixin


class TenantStatus(models.TextChoices):
    """Where a workspace stands. Only a ready one is served; every other host answers 404."""

    PROVISIONING = "provisioning", "Being set up"
    READY = "ready", "Ready"
    MAINTENANCE = "maintenance", "In maintenance"
    SUSPENDED = "suspended", "Suspended"
    OFFBOARDING = "offboarding", "Being off-boarded"
    FAILED = "failed", "Set-up failed"
    GONE = "gone", "Gone"


class TenantQuerySet(models.QuerySet):
    def ready(self) -> TenantQuerySet:
        """Served workspaces; the public row is not one."""
        return self.filter(status=TenantStatus.READY).exclude(schema_name="public")

    def workspaces(self) -> TenantQuerySet:
        """Every workspace whose schema exists or is being made."""
        return self.exclude(schema_name="public").exclude(status=TenantStatus.GONE)


class Tenant(TenantMixin):
    """One workspace. ``schema_name`` is never made from what somebody typed; ``slug`` is its sub-domain."""

    auto_create_schema = False
    auto_drop_schema = False

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    status = models.CharField(max_length=14, choices=TenantStatus.choices, default=TenantStatus.PROVISIONING)
    status_reason = models.CharField(max_length=300, blank=True)
    pack = models.CharField(max_length=20, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, default="USD")
    progress = models.JSONField(default=list, blank=True, help_text="Steps of the set-up done so far")
    created_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(schema_name="public") | Q(schema_name__regex=r"^t_[0-9a-z_]{3,40}$"),
                name="tenant_schema_name_is_ours",
            ),
            models.CheckConstraint(condition=Q(status__in=TenantStatus.values), name="tenant_status_known"),
        ]

    def __str__(self) -> str:
        return self.name


class Domain(DomainMixin):
    """A host name and the workspace it opens. A tombstone keeps a released name unusable for a time."""

    class Meta:
        ordering = ["-is_primary", "domain"]

    def __str__(self) -> str:
        return self.domain


class Quota(models.Model):
    """The limits of one workspace; none means the default of ``tenants.quotas``."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="quota", primary_key=True)
    accounts = models.PositiveIntegerField(null=True, blank=True)
    users = models.PositiveIntegerField(null=True, blank=True)
    api_calls_per_minute = models.PositiveIntegerField(null=True, blank=True)
    events_per_day = models.PositiveBigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"limits of {self.tenant}"


class Blueprint(models.Model):
    """The SQL that makes a workspace's schema, recorded for one set of migrations (``tenants.blueprint``)."""

    state = models.CharField(max_length=64, primary_key=True)
    script = models.TextField()

    def __str__(self) -> str:
        return self.state
