"""Playbooks, the CTAs they answer and the tasks in them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.models import Account, AuditEntry
from accounts.models.stand_ins import worked_by
from playbooks.choices import CtaKind, CtaStatus, DayUnit, Outcome, Priority
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from accounts.models import User


class Playbook(TenantModel):
    """A recipe: tasks with relative dates, copied into a CTA when it is opened.

    ``trigger_keys`` name the triggers that start it. CTAs keep the tasks they began with when it changes.
    """

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    objective = models.CharField(max_length=300, blank=True)
    entry = models.CharField(max_length=200, blank=True, help_text="When to start it, in words")
    trigger_keys = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    pack = models.CharField(max_length=20, blank=True, help_text="Pack that brought it; empty: the tenant's own")
    pack_key = models.CharField(max_length=80, blank=True, help_text="Its key inside the pack")
    version = models.CharField(max_length=20, blank=True)
    data = models.JSONField(default=dict, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["pack", "pack_key"], condition=~Q(pack=""), name="playbook_pack_key_once")
        ]

    def __str__(self) -> str:
        return self.name


class PlaybookTask(TenantModel):
    """One step of a playbook, due ``offset_days`` after the CTA was opened."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    offset_days = models.PositiveSmallIntegerField(default=0)
    unit = models.CharField(max_length=10, choices=DayUnit.choices, default=DayUnit.BUSINESS)
    optional = models.BooleanField(default=False)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["playbook", "position"], name="playbook_task_position_once"),
            models.CheckConstraint(condition=Q(unit__in=DayUnit.values), name="playbook_task_unit_known"),
        ]

    def __str__(self) -> str:
        return self.title


class CtaQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> CtaQuerySet:
        """CTAs of accounts ``user`` may see. Customers see none: a CTA is internal."""
        if getattr(user, "is_portal", False):
            return self.none()
        return self.within("account", Account.objects.visible_to(user))

    def workable_by(self, user: User) -> CtaQuerySet:
        """CTAs ``user`` may change: of accounts they may edit, those they own, and those of whom they stand in for."""
        if not user.is_authenticated or getattr(user, "is_portal", False):
            return self.none()
        mine = Q(owner__in=worked_by(user)) | Q(account__in=Account.objects.editable_by(user))
        return self.visible_to(user).filter(mine)

    def open(self) -> CtaQuerySet:
        """To be worked now: neither snoozed nor closed."""
        return self.filter(status=CtaStatus.OPEN)

    def unclosed(self) -> CtaQuerySet:
        return self.exclude(status=CtaStatus.CLOSED)

    def waking_on(self, day: date) -> CtaQuerySet:
        return self.filter(status=CtaStatus.SNOOZED, snoozed_until_on__lte=day)

    def touched(self) -> CtaQuerySet:
        """Of accounts where a person opened, changed or worked a CTA or a task of one, by the audit log."""
        log = AuditEntry.objects.filter(account_id=OuterRef("account"), object_type__in=["cta", "task"])
        return self.filter(Exists(log.exclude(actor=None)))


class Cta(TenantModel):
    """A call to action on an account: why, until when, whose, with the tasks that answer it.

    While one with a ``duplicate_key`` is not closed, no second one is opened for the account.
    """

    account = models.ForeignKey("accounts.Account", on_delete=models.CASCADE, related_name="ctas")
    title = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    kind = models.CharField(max_length=12, choices=CtaKind.choices)
    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.MEDIUM)
    status = models.CharField(max_length=8, choices=CtaStatus.choices, default=CtaStatus.OPEN)
    owner = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="owned_ctas"
    )
    due_on = models.DateField()
    trigger_key = models.CharField(max_length=80, blank=True)
    duplicate_key = models.CharField(max_length=200, blank=True)
    # What made it fire, as it was: {"metric": ..., "value": ..., "threshold": ..., "observed_at": ...}
    evidence = models.JSONField(default=dict, blank=True)
    playbook = models.ForeignKey(Playbook, null=True, blank=True, on_delete=models.PROTECT, related_name="ctas")
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: a rule"
    )
    assigned_at = models.DateTimeField()
    snoozed_until_on = models.DateField(null=True, blank=True)
    snooze_reason = models.CharField(max_length=200, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True, help_text="When it last came back from a snooze")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    close_note = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = CtaQuerySet.as_manager()

    class Meta:
        verbose_name = "CTA"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "duplicate_key"],
                condition=~Q(status=CtaStatus.CLOSED) & ~Q(duplicate_key=""),
                name="cta_one_open_per_duplicate_key",
            ),
            models.CheckConstraint(
                condition=Q(status=CtaStatus.CLOSED, closed_at__isnull=False) & ~Q(outcome="")
                | ~Q(status=CtaStatus.CLOSED) & Q(closed_at=None, outcome=""),
                name="cta_closed_at_iff_closed",
            ),
            models.CheckConstraint(
                condition=Q(status=CtaStatus.SNOOZED, snoozed_until_on__isnull=False) & ~Q(snooze_reason="")
                | ~Q(status=CtaStatus.SNOOZED) & Q(snoozed_until_on=None, snooze_reason=""),
                name="cta_snoozed_iff_until_and_reason",
            ),
            models.CheckConstraint(condition=Q(status__in=CtaStatus.values), name="cta_status_known"),
            models.CheckConstraint(condition=Q(kind__in=CtaKind.values), name="cta_kind_known"),
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="cta_priority_known"),
        ]
        indexes = [
            # The list, by due day; and each person's own.
            models.Index(fields=["due_on", "id"], condition=~Q(status=CtaStatus.CLOSED), name="cta_list_by_due"),
            models.Index(fields=["owner", "due_on"], condition=~Q(status=CtaStatus.CLOSED), name="cta_by_owner"),
            models.Index(fields=["account", "-opened_at"], name="cta_by_account"),
            models.Index(fields=["-opened_at", "id"], name="cta_newest"),
            # What is to be announced.
            models.Index(fields=["-assigned_at"], name="cta_by_assignment"),
            models.Index(fields=["-woken_at"], condition=Q(woken_at__isnull=False), name="cta_woken"),
            models.Index(fields=["snoozed_until_on"], condition=Q(status=CtaStatus.SNOOZED), name="cta_waking"),
            # Search by any part of the title.
            GinIndex(fields=["title"], opclasses=["extensions.gin_trgm_ops"], name="cta_title_trigrams"),
        ]

    def __str__(self) -> str:
        return self.title


class TaskQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> TaskQuerySet:
        return self.within("cta", Cta.objects.visible_to(user))

    def workable_by(self, user: User) -> TaskQuerySet:
        return self.filter(cta__in=Cta.objects.workable_by(user))


class Task(TenantModel):
    """One thing to do for a CTA, copied from its playbook or added by hand."""

    cta = models.ForeignKey(Cta, on_delete=models.CASCADE, related_name="tasks")
    position = models.PositiveSmallIntegerField()
    step = models.CharField(max_length=120, blank=True)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    due_on = models.DateField()
    optional = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    completed_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(default=1)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["cta", "position"], name="task_position_once"),
            models.CheckConstraint(
                condition=Q(completed_at__isnull=False) | Q(completed_by=None), name="task_completed_by_iff_completed"
            ),
        ]
        indexes = [models.Index(fields=["due_on"], condition=Q(completed_at=None), name="task_open_by_due")]

    def __str__(self) -> str:
        return self.title
