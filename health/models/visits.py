"""When each person last looked at each account."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

from tenants.guard import TenantModel, TenantQuerySet

# Looks closer together than this are one visit: what was news at its beginning stays news until its end.
SAME_VISIT = timedelta(minutes=30)


class AccountVisit(TenantModel):
    """One row a person and account. ``seen_at`` is the latest look, ``before_at`` the last one of the visit before."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    before_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "account"], name="account_visit_once")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.account_id}"

    def since(self, at: datetime) -> datetime | None:
        """What counts as news at ``at`` came after this; None on the first visit."""
        return self.seen_at if at - self.seen_at > SAME_VISIT else self.before_at
