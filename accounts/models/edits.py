"""Edits of many accounts at once, with what each account had before, so that they can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models.account import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


class BulkEditQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> BulkEditQuerySet:
        """Edits of an account that ``user`` may see, newest first. A customer's people see none: they are internal."""
        if not user.is_authenticated or not user.is_active or user.is_portal:
            return self.none()
        rows = BulkEditRow.objects.filter(account__in=Account.objects.visible_to(user), edit=OuterRef("pk"))
        return self.filter(Exists(rows)).order_by("-at", "-pk")


class BulkEdit(TenantModel):
    """One field of several accounts set to one value. ``value`` is as the column stores it; null: emptied.

    ``field`` is a column, or ``custom.`` and the key of an own field; the values of that are JSON.
    """

    actor = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    field = models.CharField(max_length=80)
    value = models.TextField(null=True)
    label = models.CharField(max_length=200, help_text="The value in words, as it was called then")
    accounts = models.PositiveIntegerField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = BulkEditQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(accounts__gt=0), name="bulk_edit_touched_something")]
        indexes = [models.Index(fields=["-at", "-id"], name="bulk_edit_newest")]

    def __str__(self) -> str:
        return f"{self.field}: {self.label}"


class BulkEditRow(models.Model):
    """What one account had before, its version then (``base``) and right after; ``restored_at``: by an undo.

    ``version`` moves on when an edit on top of this one is undone: the account is as this one left it again.
    """

    edit = models.ForeignKey(BulkEdit, on_delete=models.CASCADE, related_name="rows")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    before = models.TextField(null=True)
    base = models.PositiveIntegerField()
    version = models.PositiveIntegerField()
    restored_at = models.DateTimeField(null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edit", "account"], name="bulk_edit_row_once")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.before}"
