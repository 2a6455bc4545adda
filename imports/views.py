"""Pages of imports."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from accounts.csv_out import csv_response
from accounts.errors import RuleViolated
from accounts.policy import requires
from imports.actions import (
    cancel_import,
    choose_columns,
    start_check,
    start_import,
    start_undo,
    take_file,
    why_not_undo,
)
from imports.choices import UNDOABLE, WORKING, ImportState
from imports.forms import ColumnsForm, FileForm
from imports.models import ImportJob
from imports.queries import (
    diff_table,
    first_diffs,
    first_rejections,
    first_rows,
    left_behind,
    newest_jobs,
    rejection_table,
)
from imports.targets import TARGETS

TONES = {ImportState.DONE: "good", ImportState.FAILED: "risk", ImportState.CANCELLED: "", ImportState.CHECKED: "info"}


@requires(GET="imports.run")
def job_list(request: HttpRequest) -> HttpResponse:
    """The newest hundred imports. One query beside the shell's."""
    return render(request, "imports/list.html", {"jobs": newest_jobs()})


@requires(GET="imports.run", POST="imports.run")
def job_new(request: HttpRequest) -> HttpResponse:
    """A file is chosen; then its columns."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = take_file(
                file.read(),
                name=file.name,
                target=form.cleaned_data["target"],
                source=form.cleaned_data["source"],
                actor=request.user,
                at=timezone.now(),
            )
        except RuleViolated as broken:
            form.add_error(broken.field if broken.field in form.fields else None, str(broken))
        else:
            return redirect("imports:job-mapping", job.pk)
    return render(request, "imports/new.html", {"form": form}, status=422 if form.errors else 200)


@requires(GET="imports.run", POST="imports.run")
def job_mapping(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Which column becomes which field; saving starts the check."""
    job = get_object_or_404(ImportJob, pk=job_id)
    form = ColumnsForm(request.POST or None, job=job)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        try:
            choose_columns(job, form.rules(), date_order=form.cleaned_data["date_order"], actor=request.user, at=now)
            start_check(job, actor=request.user, at=now)
        except RuleViolated as broken:
            form.add_error(f"field-{broken.field}" if f"field-{broken.field}" in form.fields else None, str(broken))
        else:
            return redirect("imports:job-detail", job.pk)
    context = {"job": job, "form": form, "guessed": bool(job.mapping), "sample": first_rows(job)}
    return render(request, "imports/mapping.html", context, status=422 if form.errors else 200)


@requires(GET="imports.run")
def job_detail(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What became of the rows, and what can be done next."""
    job = get_object_or_404(ImportJob.objects.select_related("created_by"), pk=job_id)
    return render(request, "imports/detail.html", _context(job))


@requires(GET="imports.run")
def job_progress(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The part of the page that changes while a worker is at it."""
    job = get_object_or_404(ImportJob.objects.select_related("created_by"), pk=job_id)
    return render(request, "imports/_progress.html", _context(job))


@requires(POST="imports.run")
def job_start(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Bring the rows in."""
    return _act(request, job_id, "start")


@requires(POST="imports.run")
def job_cancel(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Stop after the batch under way."""
    return _act(request, job_id, "cancel")


@requires(POST="imports.run")
def job_undo(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Take back what was brought in."""
    return _act(request, job_id, "undo")


@requires(GET="imports.run")
def job_changes(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """What every row set or would set, field by field, as CSV."""
    job = get_object_or_404(ImportJob, pk=job_id)
    headings, rows = diff_table(job)
    return csv_response(f"changes-{job.target}-{job.created_at:%Y-%m-%d}.csv", headings, rows)


@requires(GET="imports.run")
def job_errors(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The rejected rows as CSV, to be corrected and brought in again."""
    job = get_object_or_404(ImportJob, pk=job_id)
    headings, rows = rejection_table(job)
    return csv_response(f"rejected-{job.target}-{job.created_at:%Y-%m-%d}.csv", headings, rows)


def _act(request: HttpRequest, job_id: UUID, verb: str) -> HttpResponse:
    job = get_object_or_404(ImportJob, pk=job_id)
    act = {"start": start_import, "cancel": cancel_import, "undo": start_undo}[verb]
    try:
        act(job, actor=request.user, at=timezone.now())
    except RuleViolated as broken:
        messages.error(request, str(broken))
    return redirect("imports:job-detail", job.pk)


def _context(job: ImportJob) -> dict[str, object]:
    working = job.state in WORKING
    brought_in = job.state in UNDOABLE and job.created + job.updated > 0
    lasting = why_not_undo(job) if brought_in else ""
    return {
        "job": job,
        "working": working,
        "tone": TONES.get(ImportState(job.state), "info"),
        "rejections": [] if working else first_rejections(job),
        "diffs": [] if working else first_diffs(job),
        "left": left_behind(job) if job.state == ImportState.UNDONE else [],
        "lasting": lasting if TARGETS[job.target].lasting else "",
        "can_undo": brought_in and not lasting,
        "can_start": job.state
        in {ImportState.CHECKED, ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED, ImportState.UNDONE},
        "can_cancel": job.state
        in {ImportState.MAPPING, ImportState.CHECKING, ImportState.CHECKED, ImportState.RUNNING},
        "is_check": job.state in {ImportState.CHECKING, ImportState.CHECKED},
    }
