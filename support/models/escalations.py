"""Escalations: each step up a ladder is a record with its own promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from accounts.models import Account
from support.choices import OPEN_ESCALATIONS, EscalationOutcome, EscalationStatus
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User

OPEN_STATUSES = sorted(OPEN_ESCALATIONS)


class Ladder(TenantModel):
    """A pack's levels and paths of escalation, its decision tree and its template (one row a pack).

    ``definition`` has the shape of a pack's "escalation" section, and ``names`` the names of its steps.
    """

    pack = models.CharField(max_length=20, unique=True, help_text="Pack that brought it; own: the workspace's own")
    definition = models.JSONField()
    names = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["pack"]

    def __str__(self) -> str:
        return self.pack


class EscalationQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> EscalationQuerySet:
        """Escalations of accounts ``user`` may see; customers see none."""
        if getattr(user, "is_portal", False):
            return self.none()
        return self.within("account", Account.objects.visible_to(user))

    def workable_by(self, user: User) -> EscalationQuerySet:
        """Those ``user`` may work: of accounts they may edit, and those they own or raised."""
        if not user.is_authenticated or getattr(user, "is_portal", False):
            return self.none()
        mine = Q(account__in=Account.objects.editable_by(user)) | Q(owner=user) | Q(raised_by=user)
        return self.visible_to(user).filter(mine)

    def open(self) -> EscalationQuerySet:
        return self.filter(status__in=OPEN_STATUSES)


class Escalation(TenantModel):
    """One step of a ladder: at which level, whose, why, and how it ended.

    Moving up ends it with the outcome ``passed_on`` and makes the next, which names it in ``raised_from``.
    ``message`` holds the fields of the ladder's template (FLEET-9.11).
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="escalations")
    ticket = models.ForeignKey(
        "support.Ticket", null=True, blank=True, on_delete=models.CASCADE, related_name="escalations"
    )
    ladder = models.ForeignKey(Ladder, on_delete=models.PROTECT, related_name="escalations")
    path = models.CharField(max_length=40)
    level = models.CharField(max_length=40, help_text="Key of the step")
    level_name = models.CharField(max_length=120)
    rank = models.PositiveSmallIntegerField(help_text="Place on its path, from 1")
    reason = models.CharField(max_length=300)
    # Which of the level's printed triggers it was, if it was one.
    trigger = models.CharField(max_length=200, blank=True)
    is_automatic = models.BooleanField(default=False, help_text="Raised by the product: a promise was threatened")
    message = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=14, choices=EscalationStatus.choices, default=EscalationStatus.OPEN)
    owner = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    raised_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    raised_from = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="passed_on_to"
    )
    raised_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    first_action_at = models.DateTimeField(null=True, blank=True)
    last_update_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=EscalationOutcome.choices, blank=True)
    outcome_note = models.TextField(blank=True)
    satisfaction = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5, of its handling")
    minutes_spent = models.PositiveIntegerField(default=0)
    next_due_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = EscalationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=EscalationStatus.values), name="escalation_status_known"),
            models.CheckConstraint(
                condition=Q(status__in=OPEN_STATUSES, resolved_at=None, outcome="")
                | ~Q(status__in=OPEN_STATUSES) & Q(resolved_at__isnull=False) & ~Q(outcome=""),
                name="escalation_outcome_iff_ended",
            ),
            models.CheckConstraint(
                condition=Q(satisfaction=None) | Q(satisfaction__range=(1, 5)), name="escalation_rated_one_to_five"
            ),
            # Two sweeps, or a sweep and a person, raise one.
            models.UniqueConstraint(
                fields=["ticket", "ladder", "path"],
                condition=Q(status__in=OPEN_STATUSES, ticket__isnull=False),
                name="escalation_one_open_per_path",
            ),
        ]
        indexes = [
            models.Index(fields=["next_due_at", "id"], condition=Q(status__in=OPEN_STATUSES), name="escalation_queue"),
            models.Index(fields=["account", "-raised_at"], name="escalation_by_account"),
            models.Index(fields=["-raised_at", "id"], name="escalation_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.level_name}: {self.reason}"


class EscalationUpdate(TenantModel):
    """A note about an escalation: acknowledged, first action, an update to the customer, handed over."""

    escalation = models.ForeignKey(Escalation, on_delete=models.CASCADE, related_name="updates")
    kind = models.CharField(
        max_length=12,
        choices=[
            ("acknowledge", "Acknowledged"), ("action", "First action"), ("update", "Update"), ("owner", "Handed over"),
            ("time", "Time logged"), ("note", "Note"),
        ],
    )  # fmt: skip
    body = models.TextField(blank=True)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "id"]
