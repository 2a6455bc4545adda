"""Events that triggers wait for, where each trigger stands on each account, and what fired."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from health.choices import Firing
from health.models.scores import OfAccountQuerySet
from tenants.guard import TenantModel


class HealthEvent(TenantModel):
    """Something that happened on an account that a trigger may wait for: a threat to leave, a QBR, a blocker."""

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="health_events")
    key = models.CharField(max_length=80)
    at = models.DateTimeField()
    data = models.JSONField(default=dict, blank=True)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    recorded_at = models.DateTimeField()

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key", "at"], name="health_event_once")]
        # The last happening of a few keys over all accounts.
        indexes = [models.Index(fields=["key", "at"], name="health_event_by_key")]

    def __str__(self) -> str:
        return self.key


class TriggerState(TenantModel):
    """Where a trigger stands on an account. A row exists once its condition has held there.

    ``holding_since`` is empty while the condition does not hold. ``is_active`` from the firing until the
    release: no second firing meanwhile. ``handled_at``: events up to then have had their firing.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="trigger_states")
    trigger = models.ForeignKey("health.Trigger", on_delete=models.CASCADE, related_name="states")
    holding_since = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=False)
    fired_at = models.DateTimeField(null=True)
    handled_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    snooze_reason = models.CharField(max_length=500, blank=True)
    snoozed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "trigger"], name="trigger_state_once"),
            models.CheckConstraint(
                condition=Q(snoozed_until=None) | ~Q(snooze_reason=""), name="trigger_snooze_has_reason"
            ),
        ]
        indexes = [models.Index(fields=["trigger"], condition=Q(is_active=True), name="trigger_state_active")]

    def __str__(self) -> str:
        return "active" if self.is_active else "quiet"


class TriggerRun(TenantModel):
    """One evaluation of every trigger: how many accounts it looked at, what fired and what was held back, and why.

    ``counts``: trigger key to reason to number (health.judging). Rows of runs in which nothing fired are dropped
    after a while.
    """

    at = models.DateTimeField()
    accounts = models.PositiveIntegerField(help_text="Accounts looked at")
    is_full = models.BooleanField(help_text="Every account, as once a day")
    triggers = models.PositiveSmallIntegerField(help_text="Triggers that were on")
    fired = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0, help_text="Firings that were held back, for whatever reason")
    counts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["-at"], name="trigger_run_newest")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class TriggerFiring(models.Model):
    """A trigger that fired on an account, with the facts that made it; a sweep turns it into a CTA once.

    ``due_at`` is set when it fired in quiet hours: not handled before.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="trigger_firings")
    version = models.ForeignKey("health.TriggerVersion", on_delete=models.PROTECT, related_name="firings")
    fired_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    run = models.ForeignKey(TriggerRun, null=True, on_delete=models.SET_NULL, related_name="firings")
    evidence = models.JSONField()
    handled_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=Firing.choices, blank=True)
    cta_id = models.UUIDField(null=True)

    objects = OfAccountQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["id"], condition=Q(handled_at=None), name="trigger_firing_waiting"),
            models.Index(fields=["account", "-fired_at"], name="trigger_firing_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.version} on {self.fired_at:%Y-%m-%d}"
