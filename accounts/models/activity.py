"""What happened on an account, and who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CharField, Exists, OuterRef, Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from accounts.choices import TOUCH_KINDS, ActivityKind, Visibility
from accounts.models.account import Account
from accounts.models.files import AccountFile
from accounts.models.stand_ins import worked_by
from tenants.guard import TenantModel, TenantQuerySet, TenantRow

if TYPE_CHECKING:
    from accounts.models.people import User


class ActivityQuerySet(TenantQuerySet):
    def visible_to(self, user: User) -> ActivityQuerySet:
        """Entries of accounts ``user`` may see; a customer's people see those shared with them.

        What was told of a file they see only while they see the file.
        """
        rows = self.within("account", Account.objects.visible_to(user))
        if not user.is_portal:
            return rows
        files = AccountFile.objects.visible_to(user).annotate(key=Cast("pk", CharField()))
        seen = Exists(files.filter(key=KeyTextTransform("file", OuterRef("data"))))
        return rows.filter(Q(data__file__isnull=True) | seen, visibility=Visibility.SHARED)

    def with_step(self) -> ActivityQuerySet:
        """Entries that agreed on a next step, done or not."""
        return self.exclude(next_step="")

    def with_open_step(self) -> ActivityQuerySet:
        """Entries whose next step is still to be done."""
        return self.filter(next_step_on__isnull=False, next_step_done_at=None)

    def with_step_open_at(self, end: datetime) -> ActivityQuerySet:
        """Entries whose next step was still to be done just before ``end``."""
        return self.filter(Q(next_step_done_at=None) | Q(next_step_done_at__gte=end), next_step_on__isnull=False)

    def up_to(self, end: datetime, *, as_known: bool) -> ActivityQuerySet:
        """Entries of what happened before ``end``; ``as_known``: that had reached us before it, too."""
        rows = self.filter(at__lt=end)
        return rows.filter(Q(recorded_at=None) | Q(recorded_at__lt=end)) if as_known else rows

    def pinned(self) -> ActivityQuerySet:
        """Entries kept above the others."""
        return self.filter(pinned_at__isnull=False)

    def step_workable_by(self, user: User) -> ActivityQuerySet:
        """Next steps ``user`` may do or move: of accounts they may edit, theirs, and of whom they stand in for."""
        if not user.is_authenticated or user.is_portal:
            return self.none()
        mine = Q(next_step_owner__in=worked_by(user)) | Q(account__in=Account.objects.editable_by(user))
        return self.visible_to(user).with_step().filter(mine)


class Activity(TenantModel):
    """One entry of an account's timeline. ``source`` and ``external_id`` make repeated imports harmless.

    ``next_step`` is what was agreed to happen then, with its day; ``next_step_at`` is when it begins, where it is a
    meeting or a call. An entry has one or none.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="activities")
    kind = models.CharField(max_length=12, choices=ActivityKind.choices)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(null=True, blank=True, help_text="When it reached us; empty: as it happened")
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.INTERNAL)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=120, blank=True)
    data = models.JSONField(default=dict, blank=True)
    attendees = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    next_step = models.CharField(max_length=200, blank=True)
    next_step_on = models.DateField(null=True, blank=True)
    next_step_at = models.DateTimeField(null=True, blank=True, help_text="When it begins, if it is a meeting")
    next_step_owner = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    next_step_done_at = models.DateTimeField(null=True, blank=True)
    edited_at = models.DateTimeField(null=True, blank=True, help_text="When its words were last changed")
    pinned_at = models.DateTimeField(null=True, blank=True, help_text="Set: it stands above the others")

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "activities"
        constraints = [
            models.UniqueConstraint(
                fields=["source", "external_id"], condition=~Q(external_id=""), name="activity_external_id_once"
            ),
            models.CheckConstraint(
                condition=~Q(next_step="") & Q(next_step_on__isnull=False)
                | Q(next_step="", next_step_on=None, next_step_at=None, next_step_done_at=None),
                name="activity_next_step_has_a_day",
            ),
        ]
        indexes = [
            # The timeline of one account, newest first.
            models.Index(fields=["account", "-at", "-id"], name="activity_timeline"),
            # What a person has promised, soonest first.
            models.Index(
                fields=["next_step_owner", "next_step_on"],
                condition=Q(next_step_on__isnull=False, next_step_done_at=None),
                name="activity_open_steps",
            ),
            # When somebody last spoke to each account: the accounts list sorts and filters by it.
            models.Index(fields=["account", "-at"], condition=Q(kind__in=TOUCH_KINDS), name="activity_touches"),
            # The touches of a month, whoever's account: the page of the team.
            models.Index(fields=["at", "account"], condition=Q(kind__in=TOUCH_KINDS), name="activity_touched_at"),
        ]

    def __str__(self) -> str:
        return self.title


class LastTouch(TenantRow):
    """When somebody last called, met or mailed an account: the accounts list sorts and filters by it.

    A trigger keeps it with every statement that writes entries, whoever sends it (migration 0020); no code writes it.
    An account without a touch has none.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="last_touch")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "last touches"
        indexes = [models.Index(fields=["at", "account"], name="last_touch_by_time")]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d}"


class AuditEntry(models.Model):
    """One change, appended in the transaction of the change and never altered (a trigger refuses it).

    ``hash`` covers the entry and ``prev_hash``, so that an edit, a deletion or an insertion shows.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    actor = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor_label = models.CharField(max_length=254, help_text="Kept as it was, should the user be renamed")
    via = models.CharField(max_length=40, help_text="page, api token, import, command or task")
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=254, blank=True)
    account_id = models.UUIDField(null=True, blank=True)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["object_type", "object_id"], name="audit_by_object"),
            models.Index(fields=["account_id", "-at"], name="audit_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_label}"


class ChainCheck(TenantModel):
    """One reading of the audit chain: ``read`` of ``entries``, up to the entry ``position``, or broken at one."""

    started_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    entries = models.PositiveBigIntegerField()
    read = models.PositiveBigIntegerField(default=0)
    position = models.PositiveBigIntegerField(default=0)
    last_hash = models.CharField(max_length=64)
    broken_at = models.PositiveBigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["-started_at"], name="chain_check_newest")]

    def __str__(self) -> str:
        return f"{self.read} of {self.entries}"

    def is_under_way(self, at: datetime) -> bool:
        """Neither ended nor lost with its worker."""
        return self.finished_at is None and (at - self.touched_at).total_seconds() < 300
