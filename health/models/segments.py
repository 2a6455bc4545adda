"""Segments: named sets of accounts by a rule, who is in them, and who was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from accounts.models import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class Segment(TenantModel):
    """A rule over accounts (``health.segments.rules``) whose members are kept by ``health.actions.segments``."""

    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True)
    rule = models.JSONField()
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    evaluated_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="segment_name_once")]

    def __str__(self) -> str:
        return self.name


class SegmentMemberQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> SegmentMemberQuerySet:
        """Memberships of accounts that ``user`` may see."""
        return self.within("account", Account.objects.visible_to(user))

    def current(self) -> SegmentMemberQuerySet:
        """Those that last."""
        return self.filter(left_at=None)


class SegmentMember(models.Model):
    """One stay of an account in a segment, from the run that found it in to the one that found it out."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="members")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="segment_stays")
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True)

    objects = SegmentMemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["segment", "account"], condition=Q(left_at=None), name="segment_member_once"
            ),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=F("entered_at")), name="segment_left_after_entered"
            ),
        ]
        indexes = [
            models.Index(fields=["segment", "-entered_at"], name="segment_entries"),
            models.Index(fields=["segment", "-left_at"], condition=Q(left_at__isnull=False), name="segment_exits"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} since {self.entered_at:%Y-%m-%d}"
