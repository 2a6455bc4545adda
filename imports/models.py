"""A file on its way in, the rows it lost, and the columns chosen last time."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from imports.choices import ImportState, TargetKey
from tenants.guard import TenantModel


class ImportJob(TenantModel):
    """One file brought in, or checked. ``position`` and the counts change with the rows, in one transaction.

    At every moment ``created + updated + duplicates + rejected`` equals ``position``, of ``rows`` in all.
    """

    target = models.CharField(max_length=12, choices=TargetKey.choices)
    source = models.CharField(max_length=40, help_text="The system whose ids the file uses")
    file = models.FileField(upload_to="imports/")
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    encoding = models.CharField(max_length=12)
    delimiter = models.CharField(max_length=1)
    headers = models.JSONField()
    rows = models.PositiveIntegerField()
    mapping = models.JSONField(default=dict)
    date_order = models.CharField(max_length=3, default="iso")
    state = models.CharField(max_length=10, choices=ImportState.choices, default=ImportState.MAPPING)
    position = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    receipts = models.JSONField(default=list, help_text="Receipts of usage that is still to be counted")
    cancel_requested = models.BooleanField(default=False)
    message = models.CharField(max_length=300, blank=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(help_text="Last sign of life, by which a lost one is found")
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(position=F("created") + F("updated") + F("duplicates") + F("rejected")),
                name="import_rows_accounted_for",
            ),
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_known"),
        ]
        indexes = [models.Index(fields=["-created_at"], name="import_newest")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def accepted(self) -> int:
        """Rows that created or changed something."""
        return self.created + self.updated


class ImportedRow(TenantModel):
    """A row that created or changed a record, or would: each field as [name, old, new], in words."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="diffs")
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=[("created", "New"), ("updated", "Changed")])
    name = models.CharField(max_length=200)
    changes = models.JSONField()

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="imported_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}"


class UndoStep(TenantModel):
    """A record as it was before and right after the import; ``before`` null: the import made it.

    ``kind`` is account, contact or contract; ``follows`` marks the account of an imported contract.
    ``refused`` says why an undo left it.
    """

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=10)
    object_id = models.UUIDField()
    name = models.CharField(max_length=200)
    follows = models.BooleanField(default=False)
    before = models.JSONField(null=True)
    after = models.JSONField()
    undone_at = models.DateTimeField(null=True)
    refused = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["job", "kind", "object_id"], name="undo_step_once")]

    def __str__(self) -> str:
        return self.name


class RejectedRow(TenantModel):
    """A row that was not taken: its line in the file, each thing wrong with it, and its cells."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="rejections")
    line = models.PositiveIntegerField()
    errors = models.JSONField(help_text="List of {field, rule, message}")
    cells = models.JSONField()

    class Meta:
        ordering = ["line"]
        constraints = [models.UniqueConstraint(fields=["job", "line"], name="rejected_row_once")]

    def __str__(self) -> str:
        return f"line {self.line}"


class SavedMapping(TenantModel):
    """The columns chosen last for a source and target, offered with the next file."""

    source = models.CharField(max_length=40)
    target = models.CharField(max_length=12, choices=TargetKey.choices)
    mapping = models.JSONField()
    date_order = models.CharField(max_length=3, default="iso")
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "target"], name="saved_mapping_once")]

    def __str__(self) -> str:
        return f"{self.source}: {self.target}"
