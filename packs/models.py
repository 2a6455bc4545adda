"""Installed packs: their items as they came, and the tenant's own values beside them."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from psycopg.types.json import Json

from tenants.guard import TenantModel, TenantQuerySet


class OrderedJSONField(models.JSONField):
    """JSON as it was written: PostgreSQL's ``json`` keeps the order of names, which ``jsonb`` does not.

    Options of a choice and the parts of an item are shown in the order of the methodology.
    """

    def db_type(self, connection: Any) -> str:
        return "json"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        # Sent as ``jsonb`` the order would be gone before it arrives.
        return value if value is None or hasattr(value, "as_sql") else Json(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value  # psycopg has read ``json`` already; Django only keeps it from reading ``jsonb``


class PackInstall(TenantModel):
    """A methodology pack at work in this workspace."""

    key = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, help_text="SHA-256 of the pack's content; equal: nothing to do")
    silent_on = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    identity: Any = OrderedJSONField(help_text="The pack's own description of itself")
    installed_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["installed_at", "key"]

    def __str__(self) -> str:
        return self.name


class PackItemQuerySet(TenantQuerySet):
    def current(self) -> PackItemQuerySet:
        """Without items that a later version dropped."""
        return self.filter(retired_at=None)


class PackItem(TenantModel):
    """One part of a pack, as the pack gives it. ``edits`` hold what the tenant says instead."""

    install = models.ForeignKey(PackInstall, on_delete=models.CASCADE, related_name="items")
    section = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField()
    data: Any = OrderedJSONField()
    origin = models.CharField(max_length=200, blank=True)
    version = models.CharField(max_length=20)
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = PackItemQuerySet.as_manager()

    class Meta:
        ordering = ["section", "position"]
        constraints = [models.UniqueConstraint(fields=["install", "section", "key"], name="pack_item_once")]

    def __str__(self) -> str:
        return f"{self.section}: {self.key}"


class TenantEdit(TenantModel):
    """The tenant's value for one field of an item. It survives upgrades; deleting it brings the pack's back."""

    item = models.ForeignKey(PackItem, on_delete=models.CASCADE, related_name="edits")
    path = models.CharField(max_length=120, help_text="Names joined by dots, such as accounts_per_csm.max")
    value: Any = models.JSONField(null=True)
    edited_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    edited_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "path"], name="tenant_edit_once")]

    def __str__(self) -> str:
        return self.path
