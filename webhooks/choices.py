"""The states of an endpoint and of a delivery."""

from __future__ import annotations

from django.db.models import TextChoices


class EndpointState(TextChoices):
    """Whether an endpoint is sent events, and who stopped it."""

    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    DISABLED = "disabled", "Switched off"


class DeliveryState(TextChoices):
    """How far a delivery is; worked out from its row by ``queries.STATES``."""

    WAITING = "waiting", "Waiting"
    RETRYING = "retrying", "Trying again"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"
