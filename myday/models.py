"""What a person put aside from their day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User

KINDS = ("task", "account", "notice")


class SetAsideQuerySet(TenantQuerySet):
    def of(self, user: User) -> SetAsideQuerySet:
        """One person's; nobody sees another's."""
        return self.filter(user=user)

    def on(self, day: date) -> SetAsideQuerySet:
        """Those that hide something on ``day``."""
        return self.filter(until_on__gt=day)


class SetAside(TenantModel):
    """Something that a person does not want to see in their day before ``until_on``; the thing itself is unchanged.

    CTAs and next steps are not put aside here: they have a snooze and a day of their own that everybody sees.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in KINDS])
    object_id = models.UUIDField()
    until_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True, help_text="Empty: it was looked at")
    at = models.DateTimeField()

    objects = SetAsideQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "things set aside"
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "object_id"], name="set_aside_once"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="set_aside_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} until {self.until_on}"


class CalendarFeed(TenantModel):
    """The secret address of one person's calendar. Only a digest of the secret is kept."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    since_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Calendar of {self.user}"
