"""What happened on an account, and who changed what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.choices import ActivityKind, Visibility
from accounts.models.account import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class ActivityQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> ActivityQuerySet:
        rows = self.filter(account__in=Account.objects.visible_to(user))
        return rows.filter(visibility=Visibility.SHARED) if user.is_portal else rows


class Activity(TenantModel):
    """One entry of an account's timeline. ``source`` and ``external_id`` make repeated imports harmless."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=12, choices=ActivityKind.choices)
    at = models.DateTimeField()
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    data = models.JSONField(default=dict, blank=True)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="activity_external_id_once"
            )
        ]
        # The timeline of one account, newest first.
        indexes = [models.Index(fields=["account", "-at", "-id"], name="activity_timeline")]

    def __str__(self) -> str:
        return self.title


class AuditEntry(models.Model):
    """One change, appended in the transaction of the change and never altered (a trigger refuses it).

    ``hash`` covers the entry and ``prev_hash``, so that an edit, a deletion or an insertion shows.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_label = models.CharField(max_length=254, help_text="Kept as it was, should the user be renamed")
    via = models.CharField(max_length=40, help_text="page, api token, import, command or task")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=254, blank=True)
    account_id = models.UUIDField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["account_id", "-at"], name="audit_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"
