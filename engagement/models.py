"""What people are told: notices in the app, mail on its way out, and each person's wishes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from engagement.choices import Kind
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class NotificationQuerySet(TenantQuerySet):
    def of(self, user: User) -> NotificationQuerySet:
        """The notices of one person; nobody reads another's."""
        return self.filter(user=user)

    def unread(self) -> NotificationQuerySet:
        return self.filter(read_at=None)


class Notification(TenantModel):
    """A notice in the app. ``dedupe_key`` makes a repeated fact tell a person once."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True, help_text="Path inside the workspace")
    account = models.ForeignKey("accounts.Account", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    dedupe_key = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "dedupe_key"], name="notification_once"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="notification_kind_known"),
        ]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="notification_inbox"),
            # The number in the side bar, read with every page.
            models.Index(fields=["user"], condition=Q(read_at=None), name="notification_unread"),
        ]

    def __str__(self) -> str:
        return self.title


class NotificationPreference(TenantModel):
    """One person's wish for one kind; without a row ``choices.default_channels`` holds."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="notification_preferences")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    in_app = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notification_preference_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class QuietHours(TenantModel):
    """When one person wants no mail, in their own zone; ``ends`` before ``begins`` is the next morning."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="quiet_hours")
    begins = models.TimeField()
    ends = models.TimeField()
    urgent_passes = models.BooleanField(default=True, help_text="Urgent kinds are sent all the same")

    class Meta:
        verbose_name_plural = "quiet hours"
        constraints = [models.CheckConstraint(condition=~Q(begins=models.F("ends")), name="quiet_hours_not_all_day")]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}–{self.ends:%H:%M}"

    def plain(self) -> dict[str, object]:
        """What the audit log says of them."""
        return {"begins": self.begins, "ends": self.ends, "urgent_passes": self.urgent_passes}


class QuotaWarning(TenantModel):
    """The step (percent) of a limit that administrators were told of last."""

    key = models.CharField(max_length=20, unique=True)
    step = models.PositiveSmallIntegerField()
    since_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key}: {self.step} %"


class OutboxQuerySet(TenantQuerySet):
    def pending(self) -> OutboxQuerySet:
        """Neither sent, given up nor taken into another message."""
        return self.filter(sent_at=None, dead_at=None, bundled_in=None)

    def due(self, at: datetime) -> OutboxQuerySet:
        """Pending, not waiting for a retry and not leased to a running worker."""
        return self.pending().filter(Q(lease_until=None) | Q(lease_until__lte=at), not_before__lte=at)

    def dead(self) -> OutboxQuerySet:
        return self.exclude(dead_at=None)


class OutboxMessage(TenantModel):
    """A mail to be delivered at least once, written in the transaction of the fact it tells of.

    ``attempts`` counts before the work, so that a message which kills its worker runs out of attempts too.
    Its ``Message-ID`` follows from the key and never changes: a repeated delivery shows as one mail.
    """

    user = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    to = models.EmailField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    url = models.CharField(max_length=300, blank=True)
    # A letter to somebody outside: its own words instead of a notice's frame.
    is_letter = models.BooleanField(default=False)
    sender = models.CharField(max_length=320, blank=True, help_text="Empty: the installation's")
    reply_to = models.CharField(max_length=254, blank=True)
    headers = models.JSONField(default=dict, blank=True)
    files = models.JSONField(default=list, blank=True, help_text="[name, type, path in the storage]")
    dedupe_key = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    dead_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    bundled_in = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="bundled")

    objects = OutboxQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["to", "dedupe_key"], name="outbox_message_once"),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(dead_at=None), name="outbox_message_sent_or_dead_not_both"
            ),
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                condition=Q(sent_at=None, dead_at=None, bundled_in=None),
                name="outbox_message_due",
            ),
            models.Index(fields=["-created_at", "-id"], name="outbox_message_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.title} to {self.to}"

    @property
    def state(self) -> str:
        """``sent``, ``dead``, ``bundled``, ``retrying`` or ``waiting``."""
        if self.sent_at:
            return "sent"
        if self.dead_at:
            return "dead"
        if self.bundled_in_id:
            return "bundled"
        return "retrying" if self.attempts else "waiting"
