"""``imports``: CSV files brought in by a program."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.fields import FieldError
from api.parsers import UploadParser
from api.problems import Problem, bad_parameter
from api.serializers import QuerySerializer, RowSerializer, invalid
from api.views import Endpoint
from imports.actions import cancel_import, choose_columns, start_check, start_import, start_undo, take_file
from imports.choices import DateOrder, ImportState, TargetKey
from imports.models import ImportJob
from imports.queries import diff_table, rejection_table
from imports.reading import MAX_BYTES


class ImportSerializer(RowSerializer):
    headers = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ImportJob
        fields = """id target source file_name state rows position created updated duplicates rejected headers mapping
            encoding message created_at finished_at undone_at""".split()


class ImportQuery(QuerySerializer):
    target = serializers.ChoiceField(TargetKey.choices)
    state = serializers.ChoiceField(ImportState.choices)


class UploadSerializer(serializers.Serializer):
    """The parts of the form; read by the actions, which know the files' rules."""

    file = serializers.FileField(help_text="CSV, at most 20 MB and 200,000 rows")
    target = serializers.ChoiceField(TargetKey.choices)
    source = serializers.CharField(max_length=40, help_text="The system whose ids the file uses")
    mapping = serializers.CharField(
        required=False,
        help_text="JSON {field: {column, values?, scale?, through?} or {constant}}; guessed when left out",
    )
    date_order = serializers.ChoiceField(DateOrder.choices, default=DateOrder.ISO.value)
    mode = serializers.ChoiceField(
        ["import", "check"], default="import", help_text="check goes through all rows and writes nothing"
    )


# The parts of a form beside its file.
_OVERHEAD = 64 * 1024


class _FileParser(UploadParser):
    limit = MAX_BYTES + _OVERHEAD


class ImportList(Endpoint):
    policy = {"GET": "imports.run", "POST": "imports.run"}
    serializer_class = ImportSerializer
    query_class = ImportQuery
    parser_classes = [_FileParser]
    ordering_fields = {"id": "pk", "created_at": "created_at"}
    ordering = "-created_at"

    @extend_schema(summary="List imports")
    def get(self, request: Request) -> Response:
        return self.page(ImportJob.objects.filter(**self.query))

    @extend_schema(
        summary="Bring in a CSV file",
        description="The file is read and stored before the answer; rows follow in the background. "
        "rows = created + updated + duplicates + rejected when it is done. Safe to repeat.",
        request=UploadSerializer,
        responses={202: ImportSerializer},
    )
    def post(self, request: Request) -> Response:
        now, form = timezone.now(), request.data
        mode, order = form.get("mode", "import"), form.get("date_order", "")
        if mode not in {"import", "check"}:
            raise invalid(FieldError("mode", "choice", "One of import, check."))
        file = _file(request)
        rules = _mapping(form["mapping"]) if form.get("mapping") else None
        with transaction.atomic():
            job = take_file(
                file.read(),
                name=file.name or "",
                target=form.get("target", ""),
                source=form.get("source", ""),
                actor=self.user,
                at=now,
            )
            try:
                choose_columns(job, rules or job.mapping, date_order=order or job.date_order, actor=self.user, at=now)
                (start_import if mode == "import" else start_check)(job, actor=self.user, at=now)
            except RuleViolated:
                job.file.delete(save=False)
                raise
        return self.one(ImportJob.objects.all(), 202, pk=job.pk)


class ImportDetail(Endpoint):
    policy = {"GET": "imports.run"}
    serializer_class = ImportSerializer

    @extend_schema(summary="Read an import")
    def get(self, request: Request, job_id: UUID) -> Response:
        return self.one(ImportJob.objects.all(), pk=job_id)


class ImportStart(Endpoint):
    policy = {"POST": "imports.run"}
    serializer_class = ImportSerializer

    @extend_schema(summary="Bring in a checked file, or one once more", responses={202: ImportSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        start_import(get_object_or_404(ImportJob, pk=job_id), actor=self.user, at=timezone.now())
        return self.one(ImportJob.objects.all(), 202, pk=job_id)


class ImportCancel(Endpoint):
    policy = {"POST": "imports.run"}
    serializer_class = ImportSerializer

    @extend_schema(summary="Stop after the batch under way; what is in stays")
    def post(self, request: Request, job_id: UUID) -> Response:
        cancel_import(get_object_or_404(ImportJob, pk=job_id), actor=self.user, at=timezone.now())
        return self.one(ImportJob.objects.all(), pk=job_id)


class ImportUndo(Endpoint):
    policy = {"POST": "imports.run"}
    serializer_class = ImportSerializer

    @extend_schema(
        summary="Take back what was brought in",
        description="Accounts, contacts and contracts: every record gets what it had before, and what the import made "
        "is removed. Records somebody changed since, and new ones that something hangs on, stay. In the background.",
        responses={202: ImportSerializer},
    )
    def post(self, request: Request, job_id: UUID) -> Response:
        start_undo(get_object_or_404(ImportJob, pk=job_id), actor=self.user, at=timezone.now())
        return self.one(ImportJob.objects.all(), 202, pk=job_id)


class ImportChanges(Endpoint):
    policy = {"GET": "imports.run"}

    @extend_schema(
        summary="What each row set, or would set",
        description="As CSV: line, outcome, record, field, old and new. After a check, what the import would do.",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponse:
        job = get_object_or_404(ImportJob, pk=job_id)
        headings, rows = diff_table(job)
        return csv_response(f"changes-{job.target}.csv", headings, rows)


class ImportErrors(Endpoint):
    policy = {"GET": "imports.run"}

    @extend_schema(
        summary="Rejected rows",
        description="As CSV: line, field, rule, message and the row itself.",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, job_id: UUID) -> HttpResponse:
        job = get_object_or_404(ImportJob, pk=job_id)
        headings, rows = rejection_table(job)
        return csv_response(f"rejected-{job.target}.csv", headings, rows)


def _file(request: Request) -> UploadedFile:
    file = request.FILES.get("file")
    if file is None:
        raise invalid(FieldError("file", "required", "Send the file in the part called file."))
    if (file.size or 0) > MAX_BYTES:
        raise Problem("too-large", "At most 20 MB a file.")
    return file


def _mapping(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_parameter("mapping", "this is not valid JSON.") from error


urlpatterns = [
    path("imports/", ImportList.as_view(), name="import-list"),
    path("imports/<uuid:job_id>/", ImportDetail.as_view(), name="import-detail"),
    path("imports/<uuid:job_id>/start/", ImportStart.as_view(), name="import-start"),
    path("imports/<uuid:job_id>/cancel/", ImportCancel.as_view(), name="import-cancel"),
    path("imports/<uuid:job_id>/undo/", ImportUndo.as_view(), name="import-undo"),
    path("imports/<uuid:job_id>/changes.csv", ImportChanges.as_view(), name="import-changes"),
    path("imports/<uuid:job_id>/errors.csv", ImportErrors.as_view(), name="import-errors"),
]
