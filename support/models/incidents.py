"""Incidents: one thing that is broken for many accounts, from its detection to what was learnt from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from accounts.choices import Role
from accounts.models import Account
from support.choices import EntryKind, Impact, IncidentStatus, Origin
from tenants.guard import TenantModel, TenantQuerySet, TenantRow

if TYPE_CHECKING:
    from accounts.models import User


class IncidentProcess(TenantModel):
    """A pack's stages of an incident and its letters about one (one row a pack); empty where the pack is silent."""

    pack = models.CharField(max_length=20, unique=True)
    stages = models.JSONField(default=list, blank=True)
    letters = models.JSONField(default=list, blank=True)

    class Meta:
        ordering = ["pack"]
        verbose_name_plural = "incident processes"

    def __str__(self) -> str:
        return self.pack


class IncidentQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> IncidentQuerySet:
        """Incidents that affect an account ``user`` may see, and their own; customers see none.

        One that affects nobody yet is seen by everybody of the house.
        """
        if not user.is_authenticated or not user.is_active or getattr(user, "is_portal", False):
            return self.none()
        present = IncidentAccount.objects.present()
        seen = present.filter(account__in=Account.objects.visible_to(user)).values("incident")
        nobodys = ~Q(pk__in=present.values("incident"))
        return self.filter(Q(pk__in=seen) | Q(commander=user) | Q(opened_by=user) | nobodys)

    def workable_by(self, user: User) -> IncidentQuerySet:
        """Those ``user`` may work: an agent all they see, others those of accounts they may edit, and their own."""
        if not user.is_authenticated or getattr(user, "is_portal", False) or user.role == Role.READ_ONLY:
            return self.none()
        if user.role == Role.SUPPORT_AGENT:
            return self.visible_to(user)
        present = IncidentAccount.objects.present()
        mine = present.filter(account__in=Account.objects.editable_by(user)).values("incident")
        nobodys = ~Q(pk__in=present.values("incident"))
        return self.visible_to(user).filter(Q(pk__in=mine) | Q(commander=user) | Q(opened_by=user) | nobodys)

    def open(self) -> IncidentQuerySet:
        return self.filter(status=IncidentStatus.OPEN)

    def unclosed(self) -> IncidentQuerySet:
        return self.exclude(status=IncidentStatus.CLOSED)


class Incident(TenantModel):
    """Something that is broken for many accounts.

    ``stages`` and ``letters`` are those of the methodology when it was opened and stay so. The columns about
    deadlines repeat what its clocks say, for lists.
    """

    number = models.PositiveIntegerField(unique=True)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True, help_text="What is known, as customers may read it")
    component = models.CharField(max_length=80, blank=True, help_text="The affected service")
    severity = models.ForeignKey("accounts.Severity", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    impact = models.PositiveSmallIntegerField(choices=Impact.choices, default=Impact.MANY)
    priority = models.PositiveSmallIntegerField(help_text="Severity rank plus impact; lower is more urgent")
    stages = models.JSONField()
    letters = models.JSONField()
    stage = models.CharField(max_length=80, help_text="Key of the stage it stands at")
    status = models.CharField(max_length=10, choices=IncidentStatus.choices, default=IncidentStatus.OPEN)
    commander = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Who leads it"
    )
    # Customers are told anew every so many minutes of this calendar; empty: round the clock.
    update_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no update is promised")
    calendar = models.ForeignKey(
        "accounts.WorkCalendar", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    review_required = models.BooleanField(default=False, help_text="It is not closed without a review (FMEA-6.5)")
    detected_at = models.DateTimeField(help_text="When it began, so far as is known")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    first_notice_at = models.DateTimeField(null=True, blank=True, help_text="When customers were first told")
    last_update_at = models.DateTimeField(null=True, blank=True)
    next_update_at = models.DateTimeField(null=True, blank=True, help_text="Until when the next word is promised")
    next_due_at = models.DateTimeField(null=True, blank=True)
    resolution = models.TextField(blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    confirmed_by_customer = models.BooleanField(null=True, blank=True, help_text="Empty: not asked yet")
    confirmation = models.CharField(max_length=300, blank=True, help_text="Who agreed, or why nobody was waited for")
    closed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=IncidentStatus.values), name="incident_status_known"),
            models.CheckConstraint(condition=Q(impact__in=Impact.values), name="incident_impact_known"),
            models.CheckConstraint(
                condition=Q(status=IncidentStatus.OPEN, resolved_at=None, closed_at=None)
                | Q(status=IncidentStatus.RESOLVED, resolved_at__isnull=False, closed_at=None)
                | Q(status=IncidentStatus.CLOSED, resolved_at__isnull=False, closed_at__isnull=False),
                name="incident_moments_of_its_status",
            ),
            models.CheckConstraint(
                condition=Q(update_minutes=None) | Q(update_minutes__gt=0), name="incident_updates_take_time"
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_due_at", "id"], condition=~Q(status=IncidentStatus.CLOSED), name="incident_by_due"
            ),
            models.Index(fields=["-opened_at", "id"], name="incident_newest"),
            GinIndex(fields=["title"], opclasses=["extensions.gin_trgm_ops"], name="incident_title_trigrams"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.number} {self.title}"

    @property
    def code(self) -> str:
        """How people call it."""
        return f"INC-{self.number}"


class IncidentAccountQuerySet(TenantQuerySet):
    def present(self) -> IncidentAccountQuerySet:
        """Still counted as affected."""
        return self.filter(removed_at=None)

    def visible_to(self, user: User) -> IncidentAccountQuerySet:
        return self.within("account", Account.objects.visible_to(user))


class IncidentAccount(TenantModel):
    """An account an incident affects, from when to when it was counted among them, and how it came in."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="affected")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="incidents")
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.HAND)
    added_at = models.DateTimeField()
    added_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    objects = IncidentAccountQuerySet.as_manager()

    class Meta:
        ordering = ["added_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "account"], condition=Q(removed_at=None), name="incident_account_once"
            ),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="incident_account_origin_known"),
        ]
        indexes = [models.Index(fields=["account", "added_at"], name="incident_of_account")]


class IncidentEntry(TenantRow):
    """A line of an incident's timeline: only ever added. It happened at ``at`` and was written at ``noted_at``."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="entries")
    kind = models.CharField(max_length=10, choices=EntryKind.choices)
    at = models.DateTimeField()
    noted_at = models.DateTimeField()
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="incident_entry_kind_known")]
        indexes = [models.Index(fields=["incident", "at", "id"], name="incident_timeline")]


class IncidentLetter(TenantModel):
    """A letter to the customers of affected accounts, as it was written; who got it are its deliveries."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="sent")
    key = models.CharField(max_length=80)
    name = models.CharField(max_length=120)
    subject = models.CharField(max_length=200)
    opening = models.TextField(blank=True)
    values = models.JSONField(help_text="[[part, text], …] in the methodology's order")
    sent_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()

    class Meta:
        ordering = ["-sent_at"]
        indexes = [models.Index(fields=["incident", "-sent_at"], name="incident_letters")]

    def __str__(self) -> str:
        return self.name


class IncidentDelivery(TenantModel):
    """Who was told by a letter: one person of one account, by mail or in the ticket they had opened."""

    letter = models.ForeignKey(IncidentLetter, on_delete=models.CASCADE, related_name="deliveries")
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    contact = models.ForeignKey("accounts.Contact", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ticket = models.ForeignKey("support.Ticket", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=160)
    email = models.EmailField(blank=True)
    body = models.TextField(help_text="What this person read")
    dedupe_key = models.CharField(max_length=200, blank=True, help_text="Of its mail in the outbox")

    class Meta:
        ordering = ["account", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "account", "email"], condition=~Q(email=""), name="incident_delivery_once"
            ),
        ]


class IncidentReview(TenantModel):
    """What was learnt: written by parts, then published. Blameless by its form: no part asks who."""

    incident = models.OneToOneField(Incident, on_delete=models.CASCADE, related_name="review")
    parts = models.JSONField(default=dict, blank=True, help_text="{part: text}")
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)


class IncidentAction(TenantModel):
    """A measure of a review. It is worked as a CTA of the account it is for, which says whether it is done."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="actions")
    title = models.CharField(max_length=200)
    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    cta = models.OneToOneField("playbooks.Cta", null=True, on_delete=models.SET_NULL, related_name="incident_action")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["due_on", "created_at"]

    def __str__(self) -> str:
        return self.title
