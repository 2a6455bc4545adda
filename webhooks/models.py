"""Endpoints, the events they are told of, and every attempt at a delivery."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.encryption import decrypt, encrypt
from tenants.guard import TenantModel, TenantQuerySet
from webhooks.choices import EndpointState

PURPOSE = "webhook secret"


class EndpointQuerySet(TenantQuerySet):
    def active(self) -> EndpointQuerySet:
        return self.filter(state=EndpointState.ACTIVE)


class Endpoint(TenantModel):
    """An address of another system that is told of events.

    ``position`` is the last entry of the audit log it has been told of, or did not want to hear of. Secrets are
    kept sealed; ``previous_sealed`` signs as well until ``previous_until``.
    """

    url = models.CharField(max_length=500, help_text="https address that takes the events")
    description = models.CharField(max_length=120, blank=True)
    event_types = ArrayField(models.CharField(max_length=40), help_text="Types of events it is told of")
    state = models.CharField(max_length=10, choices=EndpointState.choices, default=EndpointState.ACTIVE)
    state_reason = models.CharField(max_length=200, blank=True, help_text="Why it was switched off")
    state_since_at = models.DateTimeField(help_text="Since when it is in this state")
    position = models.PositiveBigIntegerField()
    sealed = models.CharField(max_length=300)
    previous_sealed = models.CharField(max_length=300, blank=True)
    previous_until = models.DateTimeField(null=True, blank=True, help_text="Until then the secret before signs too")
    failures = models.PositiveIntegerField(default=0, help_text="Failed attempts since the last that succeeded")
    failing_since = models.DateTimeField(null=True, blank=True, help_text="The first of them")
    warned_at = models.DateTimeField(null=True, blank=True)
    rests_until = models.DateTimeField(null=True, blank=True, help_text="Nothing is sent to it before")
    last_success_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=EndpointState.values), name="webhook_state_known"),
            models.CheckConstraint(
                condition=Q(previous_sealed="", previous_until=None)
                | ~Q(previous_sealed="") & Q(previous_until__isnull=False),
                name="webhook_previous_secret_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    def seal(self, secret: str) -> None:
        """Take ``secret`` for signing from now on."""
        self.sealed = encrypt(secret, purpose=PURPOSE)

    def secrets(self, at: datetime) -> list[str]:
        """Those that sign at ``at``, the current one first."""
        sealed = [self.sealed]
        if self.previous_until is not None and at < self.previous_until:
            sealed.append(self.previous_sealed)
        return [decrypt(text, purpose=PURPOSE) for text in sealed]


class Event(TenantModel):
    """One thing that happened, in the words sent to every endpoint; its key is the ``webhook-id``.

    ``entry`` is the audit entry that told of it; empty for a test, which repeats an earlier one.
    """

    type = models.CharField(max_length=40)
    entry = models.PositiveBigIntegerField(null=True)
    account_id = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()
    body = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "type"], name="webhook_event_once")]
        indexes = [models.Index(fields=["created_at"], name="webhook_event_age")]

    def __str__(self) -> str:
        return self.type


class DeliveryQuerySet(TenantQuerySet):
    def pending(self) -> DeliveryQuerySet:
        """Neither delivered nor given up."""
        return self.filter(delivered_at=None, failed_at=None)

    def due(self, at: datetime) -> DeliveryQuerySet:
        """Pending, its moment come, and with no running worker. Only a test goes to an endpoint that is off."""
        open_door = Q(endpoint__state=EndpointState.ACTIVE) & (
            Q(endpoint__rests_until=None) | Q(endpoint__rests_until__lte=at)
        )
        free = Q(lease_until=None) | Q(lease_until__lte=at)
        return self.pending().filter(free, open_door | Q(is_test=True), not_before__lte=at)


class Delivery(TenantModel):
    """One event for one endpoint, delivered at least once. ``attempts`` counts before the work, as of the outbox."""

    # Found by webhook_delivery_once and webhook_log, which begin with them.
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    # Its log may be long: it goes by parts after the endpoint (``retention.forget_deleted``), not in the request.
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.DO_NOTHING, db_constraint=False, related_name="deliveries", db_index=False
    )
    is_test = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0, help_text="In this round")
    lease_until = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True, help_text="Given up")
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="What the receiver answered last")
    last_error = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(failed_at=None), name="webhook_delivered_or_failed_not_both"
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "not_before"], condition=Q(delivered_at=None, failed_at=None), name="webhook_due"
            ),
            models.Index(fields=["endpoint", "-created_at", "-id"], name="webhook_log"),
            # What is on its way at this moment: a handful of rows among many that wait.
            models.Index(fields=["lease_until"], condition=Q(lease_until__isnull=False), name="webhook_leased"),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.endpoint}"


class Attempt(TenantModel):
    """One request, as it was sent and answered."""

    # Found by webhook_attempts, which begins with it.
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="tries", db_index=False)
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    url = models.CharField(max_length=500)
    request_headers = models.JSONField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=300, blank=True)
    error_detail = models.CharField(max_length=300, blank=True, db_default="", help_text="As the machine says it")
    response_headers = models.JSONField(default=dict, blank=True)
    response_body = models.TextField(blank=True, help_text="Its first 4,096 bytes")

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["delivery", "at"], name="webhook_attempts")]

    def __str__(self) -> str:
        return f"{self.status or self.error}"
