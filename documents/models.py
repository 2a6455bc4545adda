"""A document with the data it was made from."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from documents.choices import UNFINISHED, DocumentKind, DocumentState
from tenants.guard import TenantModel, TenantQuerySet


class DocumentQuerySet(TenantQuerySet):
    def of_kind(self, kind: str) -> DocumentQuerySet:
        return self.filter(kind=kind)

    def unfinished(self) -> DocumentQuerySet:
        return self.filter(state__in=UNFINISHED)


class Document(TenantModel):
    """One document. ``data`` never changes once it is ordered; the file follows from it and from ``template``.

    ``data_digest`` is the SHA-256 of the data and stands in the audit log and on the document itself; the same
    data give the same file.
    """

    kind = models.CharField(max_length=20, choices=DocumentKind.choices)
    title = models.CharField(max_length=200)
    template = models.CharField(max_length=100)
    parameters = models.JSONField(default=dict, help_text="What was asked for: the address's filters and days")
    data = models.JSONField()
    data_digest = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=DocumentState.choices, default=DocumentState.WAITING)
    progress_pct = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    message = models.CharField(max_length=300, blank=True)
    file = models.FileField(upload_to="documents/", blank=True)
    file_digest = models.CharField(max_length=64, blank=True)
    file_bytes = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="Last sign of life, by which a lost one is found")
    finished_at = models.DateTimeField(null=True)

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="document_kind_known"),
            models.CheckConstraint(condition=Q(state__in=DocumentState.values), name="document_state_known"),
            models.CheckConstraint(
                condition=~Q(state=DocumentState.DONE) | ~Q(file="") & ~Q(file_digest=""), name="document_done_has_file"
            ),
        ]
        indexes = [models.Index(fields=["kind", "-created_at"], name="document_newest")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_unfinished(self) -> bool:
        return self.state in UNFINISHED
