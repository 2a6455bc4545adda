"""What holds for all triggers of a workspace, and dry runs of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from health.choices import DRY_RUN_WORKING, DryRunState
from tenants.guard import TenantModel

MOST_DAYS = 90


class TriggerPolicy(TenantModel):
    """Quiet hours and caps of the workspace; one row at most. Without it nothing is held back."""

    quiet_from = models.TimeField(null=True, blank=True, help_text="In the workspace's time zone")
    quiet_until = models.TimeField(null=True, blank=True, help_text="The next morning if earlier than from")
    quiet_weekends = models.BooleanField(default=False)
    account_max = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Firings an account may have")
    account_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="In so many days")
    version = models.PositiveIntegerField(default=1)
    is_only = models.BooleanField(default=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_only"], name="trigger_policy_once"),
            models.CheckConstraint(condition=Q(is_only=True), name="trigger_policy_is_only"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until")),
                name="trigger_policy_quiet_hours",
            ),
            models.CheckConstraint(
                condition=Q(account_max=None, account_days=None) | Q(account_max__gte=1, account_days__gte=1),
                name="trigger_policy_cap_pair",
            ),
        ]

    def __str__(self) -> str:
        return "Quiet hours and caps"


class DryRun(TenantModel):
    """Every trigger over the whole tenant and the days ahead, with one of them as its draft says.

    ``day`` of ``days`` are done; ``result`` and ``rows`` are filled once, at the end, and never change.
    """

    trigger = models.ForeignKey("health.Trigger", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    # As it stood when it was asked for: a draft may change afterwards.
    definition = models.JSONField(null=True, blank=True)
    days = models.PositiveSmallIntegerField(default=MOST_DAYS)
    day = models.PositiveSmallIntegerField(default=0)
    start_at = models.DateTimeField(help_text="The first virtual moment")
    state = models.CharField(max_length=9, choices=DryRunState.choices, default=DryRunState.QUEUED)
    message = models.CharField(max_length=300, blank=True)
    result = models.JSONField(null=True, blank=True)
    rows = models.JSONField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="Last sign of life, by which a lost one is found")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=MOST_DAYS), name="dry_run_days"),
            models.CheckConstraint(condition=Q(day__lte=F("days")), name="dry_run_day_within_days"),
            models.CheckConstraint(condition=Q(state__in=DryRunState.values), name="dry_run_state_known"),
            models.CheckConstraint(
                condition=~Q(state=DryRunState.DONE) | Q(result__isnull=False, rows__isnull=False),
                name="dry_run_done_has_result",
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="dry_run_newest")]

    def __str__(self) -> str:
        return f"Dry run over {self.days} days"

    @property
    def is_working(self) -> bool:
        return self.state in DRY_RUN_WORKING
