"""Who stands in for whom while a colleague is away."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class StandInQuerySet(TenantQuerySet):
    def on(self, day: date) -> StandInQuerySet:
        """Those that last on ``day``; both ends belong to a period."""
        return self.filter(from_on__lte=day, until_on__gte=day)

    def by(self, user: User) -> StandInQuerySet:
        """Those in which ``user`` does the work of another."""
        return self.filter(colleague=user)

    def overlapping(self, from_on: date, until_on: date) -> StandInQuerySet:
        """Those that share a day with the period."""
        return self.filter(from_on__lte=until_on, until_on__gte=from_on)


def worked_by(user: User) -> list[UUID]:
    """Keys of those whose work is ``user``'s today: their own first, then those they stand in for. For a condition.

    Plain keys: PostgreSQL looks each up by its index, which "theirs, or of somebody away" inside a query kept it from.
    """
    return [user.pk, *user.covers]


class StandIn(TenantModel):
    """While it lasts, ``colleague`` works what is ``absent``'s: sees it in their own day, and may change it.

    Days are the workspace's, both included. Periods of one absent person never share a day (``set_stand_in``).
    """

    absent = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="absences")
    colleague = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="stands_in")
    from_on = models.DateField()
    until_on = models.DateField()
    set_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField()

    objects = StandInQuerySet.as_manager()

    class Meta:
        ordering = ["from_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(until_on__gte=F("from_on")), name="stand_in_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(absent=F("colleague")), name="stand_in_is_somebody_else"),
        ]
        indexes = [models.Index(fields=["colleague", "until_on"], name="stand_in_by_colleague")]

    def __str__(self) -> str:
        return f"{self.colleague} for {self.absent}"
