"""Files kept with an account, every version of each."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.choices import Visibility
from accounts.models.account import Account
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User

# How long a deleted file can be brought back.
KEPT_DELETED = timedelta(days=30)


class AccountFileQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> AccountFileQuerySet:
        """Files of accounts ``user`` may see; a customer's people see those shared with them and not deleted."""
        rows = self.within("account", Account.objects.visible_to(user))
        return rows.present().filter(visibility=Visibility.SHARED) if user.is_portal else rows

    def present(self) -> AccountFileQuerySet:
        """Files that were not deleted."""
        return self.filter(deleted_at=None)


class AccountFile(TenantModel):
    """A document of an account. What it holds is in its versions, the highest number is the current one.

    A deleted file keeps its versions for 30 days, so that it can be brought back; then it is done away with.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="files")
    title = models.CharField(max_length=200)
    description = models.CharField(max_length=500, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    version = models.PositiveIntegerField(default=1, help_text="Counts changes of what is said about it; the ETag")

    objects = AccountFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(title=""), name="account_file_has_title"),
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="account_file_visibility_known"),
        ]
        indexes = [models.Index(fields=["account", "-updated_at"], name="account_file_newest")]

    def __str__(self) -> str:
        return self.title

    @property
    def gone_on(self) -> date | None:
        """The day from which a deleted file cannot be brought back; None while it is not deleted."""
        return timezone.localdate(self.deleted_at + KEPT_DELETED) if self.deleted_at else None


class FileVersionQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> FileVersionQuerySet:
        return self.within("document", AccountFile.objects.visible_to(user))


class FileVersion(TenantModel):
    """One uploaded content. Type and size were checked before it was stored (``accounts.uploads``)."""

    document = models.ForeignKey(AccountFile, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    file = models.FileField(upload_to="files/%Y/%m/")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField(help_text="Bytes")
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    uploaded_at = models.DateTimeField()

    objects = FileVersionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="file_version_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"
