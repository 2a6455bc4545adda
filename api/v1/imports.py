"""``imports``: CSV files brought in by a program."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.fields import FieldError
from api import describe as d
from api.describe import Operation
from api.parsers import UploadParser
from api.problems import Problem, refuse
from api.reading import bad_parameter
from api.resources import Column, Resource
from api.views import Endpoint
from imports.actions import cancel_import, choose_columns, start_check, start_import, take_file
from imports.choices import DateOrder, ImportState, TargetKey
from imports.models import ImportJob
from imports.queries import rejection_table
from imports.reading import MAX_BYTES

JOBS = Resource(
    columns={
        "id": Column("pk", d.uuid()),
        "target": Column("target", d.text(enum=TargetKey.values)),
        "source": Column("source", d.text()),
        "file_name": Column("file_name", d.text()),
        "state": Column("state", d.text(enum=ImportState.values)),
        "rows": Column("rows", d.number()),
        "position": Column("position", d.number("Rows done")),
        "created": Column("created", d.number()),
        "updated": Column("updated", d.number()),
        "duplicates": Column("duplicates", d.number("Rows that changed nothing")),
        "rejected": Column("rejected", d.number()),
        "headers": Column("headers", d.listed(d.text())),
        "mapping": Column("mapping", d.free()),
        "encoding": Column("encoding", d.text()),
        "message": Column("message", d.text()),
        "created_at": Column("created_at", d.moment()),
        "finished_at": Column("finished_at", d.nullable(d.moment())),
    },
    orderings={"id": "pk", "created_at": "created_at"},
    default="-created_at",
)
JOB = JOBS.schema()
FILTERS = {"target": d.text(enum=TargetKey.values), "state": d.text(enum=ImportState.values)}
_FORM = d.shape(
    ("file", "target", "source"),
    file=d.text("CSV, at most 20 MB and 200,000 rows", contentMediaType="text/csv"),
    target=d.text(enum=TargetKey.values),
    source=d.text("The system whose ids the file uses", maxLength=40),
    mapping=d.text("JSON {field: {column, values?, scale?, through?} or {constant}}; guessed when left out"),
    date_order=d.text(enum=DateOrder.values, default=DateOrder.ISO.value),
    mode=d.text("check goes through all rows and writes nothing", enum=["import", "check"], default="import"),
)
# The parts of a form beside its file.
_OVERHEAD = 64 * 1024


class _FileParser(UploadParser):
    limit = MAX_BYTES + _OVERHEAD


class ImportList(Endpoint):
    policy = {"GET": "imports.run", "POST": "imports.run"}
    parser_classes = [_FileParser]
    describe = {
        "GET": Operation("List imports", query=JOBS.query(**FILTERS), answers={200: d.page_of(JOB)}),
        "POST": Operation(
            "Bring in a CSV file",
            "The file is read and stored before the answer; rows follow in the background. "
            "rows = created + updated + duplicates + rejected when it is done. Safe to repeat.",
            body=_FORM,
            body_type="multipart/form-data",
            answers={202: JOB},
        ),
    }

    def get(self, request: Request) -> Response:
        rows = ImportJob.objects.filter(**{name: request.GET[name] for name in FILTERS if name in request.GET})
        return JOBS.page(request, rows, list(FILTERS))

    def post(self, request: Request) -> Response:
        now, form = timezone.now(), request.data
        mode, order = form.get("mode", "import"), form.get("date_order", "")
        if mode not in {"import", "check"}:
            raise refuse([FieldError("mode", "choice", "One of import, check.")])
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
        return JOBS.one(request, ImportJob.objects.all(), 202, pk=job.pk)


class ImportDetail(Endpoint):
    policy = {"GET": "imports.run"}
    describe = {"GET": Operation("Read an import", answers={200: JOB})}

    def get(self, request: Request, job_id: UUID) -> Response:
        return JOBS.one(request, ImportJob.objects.all(), pk=job_id)


class ImportStart(Endpoint):
    policy = {"POST": "imports.run"}
    describe = {"POST": Operation("Bring in a checked file, or one once more", answers={202: JOB})}

    def post(self, request: Request, job_id: UUID) -> Response:
        start_import(get_object_or_404(ImportJob, pk=job_id), actor=self.user, at=timezone.now())
        return JOBS.one(request, ImportJob.objects.all(), 202, pk=job_id)


class ImportCancel(Endpoint):
    policy = {"POST": "imports.run"}
    describe = {"POST": Operation("Stop after the batch under way; what is in stays", answers={200: JOB})}

    def post(self, request: Request, job_id: UUID) -> Response:
        cancel_import(get_object_or_404(ImportJob, pk=job_id), actor=self.user, at=timezone.now())
        return JOBS.one(request, ImportJob.objects.all(), pk=job_id)


class ImportErrors(Endpoint):
    policy = {"GET": "imports.run"}
    describe = {
        "GET": Operation(
            "Rejected rows",
            "As CSV: line, field, rule, message and the row itself.",
            answers={200: d.text()},
            answer_type="text/csv",
        )
    }

    def get(self, request: Request, job_id: UUID) -> Response:
        job = get_object_or_404(ImportJob, pk=job_id)
        headings, rows = rejection_table(job)
        return csv_response(f"rejected-{job.target}.csv", headings, rows)


def _file(request: Request) -> UploadedFile:
    file = request.FILES.get("file")
    if file is None:
        raise refuse([FieldError("file", "required", "Send the file in the part called file.")])
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
    path("imports/<uuid:job_id>/errors.csv", ImportErrors.as_view(), name="import-errors"),
]
