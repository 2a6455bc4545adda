"""Checklists the desk works through: reviews of a month, habits that prevent escalations, improvement cycles."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from tenants.guard import TenantModel, TenantQuerySet


class ChecklistTemplate(TenantModel):
    """A checklist as a pack prints it. ``is_monthly``: one opens by itself for every month that is over."""

    pack = models.CharField(max_length=20)
    key = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    steps = ArrayField(models.CharField(max_length=200))
    is_monthly = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pack", "name"]
        constraints = [models.UniqueConstraint(fields=["pack", "key"], name="checklist_template_once_per_pack")]

    def __str__(self) -> str:
        return self.name


class ChecklistQuerySet(TenantQuerySet):
    def open(self) -> ChecklistQuerySet:
        return self.filter(closed_at=None)


class Checklist(TenantModel):
    """A checklist that was started, for a month where it is about one. ``notes`` say what came of it."""

    template = models.ForeignKey(ChecklistTemplate, on_delete=models.PROTECT, related_name="checklists")
    month = models.DateField(null=True, blank=True, help_text="Its first day; empty: about no month")
    notes = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="Empty: by itself"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = ChecklistQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "month"], condition=Q(month__isnull=False), name="checklist_once_a_month"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template.name} {self.month:%B %Y}" if self.month else self.template.name


class ChecklistItem(TenantModel):
    """One step of a checklist: whose it is, and when it was done."""

    checklist = models.ForeignKey(Checklist, on_delete=models.CASCADE, related_name="items")
    text = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField()
    owner = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["checklist", "position"], name="checklist_item_once")]

    def __str__(self) -> str:
        return self.text
