"""Events as they came: receipts, the stored events, and those that wait for their account.

A batch first lies in the table ``usage_inbox`` (migration 0002). That table has no key and no index, so that
storing a batch costs no more than writing it; hence it has no model, and only ``usage.actions`` touches it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tenants.guard import TenantModel, TenantQuerySet
from usage.choices import ReceiptKind


class IngestReceipt(TenantModel):
    """What became of one batch. Pending until every item received is accounted for, then ``done_at`` is set.

    received = accepted + duplicates + parked + rejected once done; a parked item moves to accepted (or
    duplicates) when its account appears.
    """

    kind = models.CharField(max_length=8, choices=ReceiptKind.choices)
    source = models.CharField(max_length=40)
    received = models.PositiveIntegerField()
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    errors = models.JSONField(default=list, blank=True, help_text="The first 100 rejected items with their reasons")
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at=None)
                | Q(received=models.F("accepted") + models.F("duplicates") + models.F("parked") + models.F("rejected")),
                name="receipt_done_when_all_accounted",
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at"], name="receipt_newest"),
            # The drain's first question, and the backlog on the page.
            models.Index(fields=["created_at"], condition=Q(done_at=None), name="receipt_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.received} {self.kind} from {self.source}"

    @property
    def state(self) -> str:
        return "pending" if self.done_at is None else "done"


class UsageEvent(models.Model):
    """One event, stored once by (at, event_key); ``event_key`` is 128 bits of source and the sender's id.

    Partitioned by month on ``at`` (migration 0002); partitions come from ``usage.partitions``. The key begins
    with ``at``, so rows and key grow at one end and a range of days is read without another index.
    """

    pk = models.CompositePrimaryKey("at", "event_key")
    at = models.DateTimeField()
    event_key = models.UUIDField()
    account_id = models.UUIDField()
    ordinal = models.IntegerField(null=True, help_text="The user's number in the account; null: no user named")
    event = models.CharField(max_length=80)
    quantity = models.IntegerField()
    mobile = models.BooleanField()
    properties = models.JSONField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "usage_event"

    def __str__(self) -> str:
        return f"{self.event} at {self.at}"


class HistoryMonth(models.Model):
    """A month older than the window whose events an import brought; kept 13 months from ``loaded_at``."""

    month = models.DateField(primary_key=True)
    loaded_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class ParkedEvent(models.Model):
    """An event whose account is not known yet. The drain takes it back when the account appears."""

    id = models.BigAutoField(primary_key=True)
    receipt_id = models.UUIDField()
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=200)
    account = models.CharField(max_length=120, help_text="The account as the sender names it")
    app_user = models.CharField(max_length=200, null=True)
    event = models.CharField(max_length=80)
    at = models.DateTimeField()
    quantity = models.IntegerField()
    properties = models.JSONField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        db_table = "usage_parkedevent"
        # Which accounts are waited for, and their rows.
        indexes = [models.Index(fields=["source", "account"], name="parked_event_by_account")]

    def __str__(self) -> str:
        return f"{self.event} of {self.source}:{self.account}"
