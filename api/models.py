"""Answers kept so that a repeated POST gets the first one again."""

from __future__ import annotations

from django.db import models

from tenants.guard import TenantModel


class IdempotencyKey(TenantModel):
    """A key a caller sent with a POST, what it was sent with, and the answer once there is one."""

    caller = models.CharField(max_length=60, help_text="The token or user it belongs to")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    leased_until = models.DateTimeField(help_text="Until then the first call counts as under way")
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer; null while under way")
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.key
