"""The account record that everything else hangs on, and who works it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from accounts.choices import LEADER_ROLES, PORTAL_ROLES, AccountStatus, Role
from accounts.models.stand_ins import worked_by
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models.people import User


# How many accounts may stand above one another.
MAX_DEPTH = 20


class AccountQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> AccountQuerySet:
        """Accounts ``user`` may see: the only door to account rows (DESIGN §8)."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.role in PORTAL_ROLES:
            return self.filter(portal_users=user)
        if user.role == Role.CSM and not user.workspace_settings.csm_reads_all_accounts:
            return self.in_book_of(user)
        return self

    def editable_by(self, user: User) -> AccountQuerySet:
        """Accounts ``user`` may change: leaders all; a CSM only their own book; specialists those they serve."""
        if not user.is_authenticated or not user.is_active or user.role in PORTAL_ROLES | {Role.READ_ONLY}:
            return self.none()
        if user.role in LEADER_ROLES:
            return self
        return self.in_book_of(user)

    def in_book_of(self, user: User) -> AccountQuerySet:
        """Accounts ``user`` owns or is on the team of, and those of whom they stand in for today."""
        # One list of keys, each half found by its index: an "or" would read every account.
        owned = Account.objects.filter(owner__in=worked_by(user)).values("pk")
        on_team = TeamMember.objects.filter(user=user).values("account")
        return self.filter(pk__in=owned.union(on_team, all=True))

    def live(self) -> AccountQuerySet:
        """Neither archived nor churned."""
        return self.filter(archived_at=None).exclude(status=AccountStatus.CHURNED)

    def unarchived(self) -> AccountQuerySet:
        return self.filter(archived_at=None)


class Account(TenantModel):
    """A customer. ``arr``, ``seats`` and ``renewal_on`` follow from its contracts (accounts.actions.contracts)."""

    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    status = models.CharField(max_length=10, choices=AccountStatus.choices, default=AccountStatus.ACTIVE)
    tier = models.ForeignKey("accounts.Tier", null=True, blank=True, on_delete=models.PROTECT, related_name="accounts")
    segment = models.CharField(max_length=60, blank=True)
    stage = models.ForeignKey(
        "accounts.LifecycleStage", null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )
    stage_since_on = models.DateField(null=True, blank=True, help_text="When the account came to its stage")
    owner = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="owned_accounts"
    )
    industry = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code")
    website = models.CharField(max_length=200, blank=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="Empty: the workspace's")
    currency = models.CharField(max_length=3, default="USD")
    arr = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    seats = models.PositiveIntegerField(null=True, blank=True, help_text="Licensed seats of contracts in force")
    assigned_users = models.PositiveIntegerField(
        null=True, blank=True, help_text="People given access; the base of usage shares"
    )
    renewal_on = models.DateField(null=True, blank=True)
    customer_since_on = models.DateField(null=True, blank=True)
    churned_on = models.DateField(null=True, blank=True)
    scorecard_key = models.CharField(max_length=60, blank=True, help_text="Empty: the tenant's default scorecard")
    custom = models.JSONField(default=dict, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = AccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="account_status_known"),
            models.CheckConstraint(condition=Q(arr__gte=0), name="account_arr_not_negative"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="account_not_its_own_parent"),
        ]
        indexes = [
            # Keyset pages of the accounts list: each sort column with the key that breaks ties.
            models.Index(fields=["name", "id"], name="account_by_name"),
            models.Index(fields=["-arr", "id"], name="account_by_arr"),
            models.Index(fields=["renewal_on", "id"], name="account_by_renewal"),
            models.Index(fields=["owner", "status"], name="account_by_owner"),
            # Search by any part of the name.
            GinIndex(fields=["name"], opclasses=["extensions.gin_trgm_ops"], name="account_name_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name


class ExternalId(TenantModel):
    """The name another system has for an account. Unique per source, so that usage finds its account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="external_ids")
    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="external_id_once")]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"


class TeamMember(TenantModel):
    """A user's part on an account's team, beside the owner."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="team")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="teams")
    role = models.ForeignKey("accounts.TeamRole", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "user", "role"], name="team_member_once")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class ChangedAccount(models.Model):
    """An account whose facts changed since its score: written with the fact, taken by the recompute."""

    account_id = models.UUIDField(primary_key=True)
    changed_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()
