"""Fields of the workspace's own on accounts; the values stand in ``Account.custom``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.choices import FieldKind
from accounts.own_values import LONGEST_KEY, LONGEST_LABEL, FieldDefinition
from tenants.guard import TenantModel, TenantQuerySet

if TYPE_CHECKING:
    from collections.abc import Iterable


class OwnFieldQuerySet(TenantQuerySet):
    def live(self) -> OwnFieldQuerySet:
        """Those that are not archived."""
        return self.filter(archived_at=None)

    def by_key(self) -> dict[str, FieldDefinition]:
        """Every field by its key, in order. One query."""
        return {field.key: field.definition for field in self}

    def named(self, keys: Iterable[str]) -> OwnFieldQuerySet:
        """Those with one of ``keys``."""
        return self.filter(key__in=list(keys))


class OwnField(TenantModel):
    """One field. ``key`` is its name in ``Account.custom`` and never changes; ``kind`` only while all values fit."""

    key = models.CharField(max_length=LONGEST_KEY)
    label = models.CharField(max_length=LONGEST_LABEL)
    kind = models.CharField(max_length=10, choices=FieldKind.choices)
    options = models.JSONField(default=list, blank=True, help_text="Of a choice, in order")
    help_text = models.CharField(max_length=200, blank=True)
    position = models.PositiveIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1, help_text="Counts changes; the ETag")

    objects = OwnFieldQuerySet.as_manager()

    class Meta:
        ordering = ["position", "created_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="own_field_key_once"),
            models.UniqueConstraint(Lower("label"), condition=Q(archived_at=None), name="own_field_label_once"),
            models.CheckConstraint(condition=Q(kind__in=FieldKind.values), name="own_field_kind_known"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def definition(self) -> FieldDefinition:
        """What everything but its own page needs of it."""
        return FieldDefinition(
            self.key, self.label, self.kind, tuple(self.options), self.help_text, self.archived_at is not None
        )
