"""Who works here: users, their invitations and API tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property

from accounts.choices import FAILED_OUTCOMES, PORTAL_ROLES, STAFF_ROLES, Role, SignInOutcome
from accounts.models.stand_ins import StandIn
from accounts.models.workspace import Workspace
from tenants.guard import TenantModel, TenantQuerySet


class UserQuerySet(TenantQuerySet):
    def active(self) -> UserQuerySet:
        return self.filter(is_active=True)

    def staff(self) -> UserQuerySet:
        """The vendor's own people, deactivated ones included."""
        return self.filter(role__in=STAFF_ROLES)

    def portal(self) -> UserQuerySet:
        return self.filter(role__in=PORTAL_ROLES)

    def visible_to(self, user: User) -> UserQuerySet:
        """Colleagues for everybody of the house; portal users for whoever sees one of their accounts.

        A portal user sees themselves and nobody else here.
        """
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.role in PORTAL_ROLES:
            return self.filter(pk=user.pk)
        Account = self.model._meta.get_field("portal_accounts").related_model
        of_accounts = User.portal_accounts.through.objects.filter(account__in=Account.objects.visible_to(user))
        return self.filter(Q(role__in=STAFF_ROLES) | Q(pk__in=of_accounts.values("user")))

    def with_tries(self) -> UserQuerySet:
        """With the last try to sign in (``tried``, ``tried_at``) and the last that failed (``failed``, ``failed_at``,
        ``failed_times`` since the last success); None where there was none in 90 days.
        """
        tries = SignInTry.objects.filter(user=OuterRef("pk")).order_by("-last_at", "-pk")
        failed = tries.filter(outcome__in=FAILED_OUTCOMES)
        return self.annotate(
            tried=Subquery(tries.values("outcome")[:1]),
            tried_at=Subquery(tries.values("last_at")[:1]),
            failed=Subquery(failed.values("outcome")[:1]),
            failed_at=Subquery(failed.values("last_at")[:1]),
            failed_times=Subquery(failed.values("times")[:1]),
        )


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    use_in_migrations = False

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, email: str) -> User:
        return self.get(email=email.lower())


class User(AbstractBaseUser, TenantModel):
    """One person in one workspace. A person in two workspaces has two rows, in two schemas."""

    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.READ_ONLY)
    timezone = models.CharField(max_length=64, blank=True, help_text="Empty: the workspace's")
    theme = models.CharField(
        max_length=5, default="auto", choices=[("auto", "As the system"), ("light", "Light"), ("dark", "Dark")]
    )
    is_active = models.BooleanField(default=True)
    portal_accounts = models.ManyToManyField("accounts.Account", related_name="portal_users", blank=True)
    deactivated_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(
                condition=Q(is_active=True, deactivated_at=None) | Q(is_active=False, deactivated_at__isnull=False),
                name="user_deactivated_iff_inactive",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_portal(self) -> bool:
        return self.role in PORTAL_ROLES

    @cached_property
    def workspace_settings(self) -> Workspace:
        """The workspace's one settings row, read once an instance."""
        return Workspace.objects.get()

    @cached_property
    def covers(self) -> dict[UUID, StandIn]:
        """Periods of today in which they do the work of another, by that person's key. Read once an instance."""
        periods = StandIn.objects.by(self).on(self.workspace_settings.day_of(timezone.now())).select_related("absent")
        return {period.absent_id: period for period in periods}

    @property
    def sight(self) -> tuple[Any, ...]:
        """All that decides which rows they see and whose work is theirs today, to be compared and hashed.

        ``visible_to``, ``in_book_of`` and ``worked_by`` read nothing else of a person (tests/accounts/test_sight.py):
        two who are equal in it get the same statements.
        """
        covered = tuple((key, period.until_on, str(period.absent)) for key, period in self.covers.items())
        reads_all = self.workspace_settings.csm_reads_all_accounts
        return (self.pk, self.role, self.is_active, reads_all, covered)


class SignInTry(TenantModel):
    """Tries of one user that ended alike: how many since the last success, the first and the last of them.

    A row an outcome and no more, so that guessing at a password fills no table; no network address is kept.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_tries")
    outcome = models.CharField(max_length=20, choices=SignInOutcome.choices)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "outcome"], name="sign_in_try_once_per_outcome"),
            models.CheckConstraint(condition=Q(outcome__in=SignInOutcome.values), name="sign_in_try_outcome_known"),
        ]
        verbose_name_plural = "sign-in tries"

    def __str__(self) -> str:
        return f"{self.user_id}: {self.outcome}"


class Invitation(TenantModel):
    """An invitation to join, usable once by its address. Only a digest of the link's secret is kept."""

    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    portal_accounts = models.ManyToManyField("accounts.Account", related_name="+", blank=True)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at=None, revoked_at=None),
                name="invitation_one_open_per_email",
            ),
        ]

    def __str__(self) -> str:
        return self.email


class ApiToken(TenantModel):
    """A token that acts for its user within its scopes. Only a digest is kept; the token is shown once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, help_text="First characters, to recognise it in a list")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=10))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
