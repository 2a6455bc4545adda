"""Verbs on imports: take a file, choose its columns, check it, run it, cancel it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import transaction

from accounts.audit import record
from accounts.errors import RuleViolated
from imports import mapping as columns
from imports.choices import UNDOABLE, WORKING, DateOrder, ImportState, TargetKey
from imports.models import ImportJob, SavedMapping
from imports.reading import BadFile, examine
from imports.targets import TARGETS

if TYPE_CHECKING:
    from accounts.models import User

SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}", re.ASCII)
FILES_KEPT = timedelta(days=30)
FRESH = {"position": 0, "created": 0, "updated": 0, "duplicates": 0, "rejected": 0, "message": "", "receipts": []}


@transaction.atomic
def take_file(raw: bytes, *, name: str, target: str, source: str, actor: User | None, at: datetime) -> ImportJob:
    """Store a file with its columns guessed: from a preset, the mapping saved for the source, or its headings.

    Returns the job, which waits for its columns to be confirmed. Raises RuleViolated naming the field: an
    unknown target, a source that is no name, a file that cannot be read (the message names the line).
    """
    if target not in TargetKey.values:
        raise RuleViolated("import.target", f"One of {', '.join(TargetKey.values)}.", "target")
    source = source.strip().lower()
    if not SOURCE.fullmatch(source):
        text = "A source is 1 to 40 of a-z, 0-9, dot, dash and underscore."
        raise RuleViolated("import.source", text, "source")
    try:
        layout = examine(raw)
    except BadFile as bad:
        raise RuleViolated(f"import.{bad.rule}", bad.message, "file") from bad
    guessed, order = _guess(target, source, layout.headers)
    job = ImportJob(
        target=target,
        source=source,
        file_name=re.sub(r"[^\w.()-]+", " ", name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1])[-200:].strip() or "file.csv",
        digest=hashlib.sha256(raw).hexdigest(),
        encoding=layout.encoding,
        delimiter=layout.delimiter,
        headers=layout.headers,
        rows=layout.rows,
        mapping=guessed,
        date_order=order,
        created_by=actor,
        created_at=at,
        touched_at=at,
    )
    # SECURITY: the stored name is ours; the one that was sent is only shown.
    job.file.save(f"{job.pk}.csv", ContentFile(raw), save=False)
    job.save(force_insert=True)
    after = {"target": target, "source": source, "file": job.file_name, "rows": job.rows, "sha256": job.digest}
    record("import.file_taken", job, actor=actor, at=at, after=after)
    return job


@transaction.atomic
def choose_columns(
    job: ImportJob, rules: Any, *, date_order: str = DateOrder.ISO, actor: User | None, at: datetime
) -> ImportJob:
    """Set which column becomes which field and remember it for the source. Returns the job, to be checked.

    Raises RuleViolated when the mapping cannot be used or a required field has no column.
    """
    job = _idle(job)
    target = TARGETS[job.target]
    fields = target.all_fields()
    wrong = columns.unusable(rules, fields, target.bags, job.headers)
    if wrong:
        raise RuleViolated("import.mapping", wrong, "mapping")
    lacking = columns.missing(rules, fields)
    if lacking:
        labels = ", ".join(fields[name].label for name in lacking)
        raise RuleViolated("import.column_missing", f"Choose a column for: {labels}.", lacking[0])
    if date_order not in DateOrder.values:
        raise RuleViolated("import.date_order", f"One of {', '.join(DateOrder.values)}.", "date_order")
    job.mapping, job.date_order = rules, date_order
    job.state = ImportState.MAPPING
    job.save(update_fields=["mapping", "date_order", "state"])
    SavedMapping.objects.update_or_create(
        source=job.source, target=job.target, defaults={"mapping": rules, "date_order": date_order, "saved_at": at}
    )
    return job


def start_check(job: ImportJob, *, actor: User | None, at: datetime) -> ImportJob:
    """Go through all rows without writing anything. Returns the job, being checked by a worker."""
    return _start(job, ImportState.CHECKING, at=at)


def start_import(job: ImportJob, *, actor: User | None, at: datetime) -> ImportJob:
    """Bring the rows in. Returns the job, being run by a worker. Safe to repeat: what is there is not changed."""
    job = _start(job, ImportState.RUNNING, at=at)
    record("import.started", job, actor=actor, at=at)
    return job


@transaction.atomic
def cancel_import(job: ImportJob, *, actor: User | None, at: datetime) -> ImportJob:
    """Stop after the batch under way; what was brought in stays. Returns the job."""
    job = ImportJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if job.state in {ImportState.SETTLING, ImportState.UNDOING} or job.state not in {
        ImportState.MAPPING,
        ImportState.CHECKED,
        *WORKING,
    }:
        raise RuleViolated("import.over", "There is nothing to cancel any more.")
    if job.state in WORKING:
        job.cancel_requested = True
    else:
        job.state, job.finished_at = ImportState.CANCELLED, at
    job.save(update_fields=["cancel_requested", "state", "finished_at"])
    record("import.cancelled", job, actor=actor, at=at)
    return job


@transaction.atomic
def start_undo(job: ImportJob, *, actor: User | None, at: datetime) -> ImportJob:
    """Give back what the import changed and remove what it made. Returns the job, being undone by a worker.

    Raises RuleViolated for what cannot be undone, with the reason, and for an import that left nothing.
    """
    from imports.tasks import run_import  # tasks stands above actions; only sending needs it.

    job = _idle(job)
    if reason := why_not_undo(job):
        raise RuleViolated("import.lasting", reason)
    job.state, job.undone_by, job.touched_at, job.message = ImportState.UNDOING, actor, at, ""
    job.save(update_fields=["state", "undone_by", "touched_at", "message"])
    record("import.undo_started", job, actor=actor, at=at)
    run_import.delay_on_commit(str(job.pk))
    return job


def why_not_undo(job: ImportJob) -> str:
    """Why the import cannot be undone; empty when it can. One query at most."""
    if TARGETS[job.target].lasting:
        return TARGETS[job.target].lasting
    if job.state not in UNDOABLE or not job.steps.filter(undone_at=None, follows=False).exists():
        return "This import left nothing that can be undone."
    return ""


def forget_files(*, at: datetime) -> int:
    """Delete files of imports that ended 30 days ago; what became of their rows stays. Returns how many."""
    old = ImportJob.objects.exclude(file="").exclude(state__in=WORKING).filter(touched_at__lt=at - FILES_KEPT)
    jobs = list(old)
    for job in jobs:
        job.file.delete(save=False)
        ImportJob.objects.filter(pk=job.pk).update(file="")
    return len(jobs)


@transaction.atomic
def _start(job: ImportJob, state: str, *, at: datetime) -> ImportJob:
    from imports.tasks import run_import  # tasks stands above actions; only sending needs it.

    job = _idle(job)
    target = TARGETS[job.target]
    if columns.missing(job.mapping, target.all_fields()):
        raise RuleViolated("import.column_missing", "Choose the columns first.", "mapping")
    if not job.file:
        raise RuleViolated("import.file_gone", "The file was kept for 30 days and is gone; send it again.")
    job.rejections.all().delete()
    job.diffs.all().delete()
    job.steps.exclude(undone_at=None).delete()
    for name, value in FRESH.items():
        setattr(job, name, value)
    job.state, job.started_at, job.touched_at, job.finished_at = state, at, at, None
    job.cancel_requested = False
    job.save()
    run_import.delay_on_commit(str(job.pk))
    return job


def _idle(job: ImportJob) -> ImportJob:
    job = ImportJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if job.state in WORKING:
        raise RuleViolated("import.under_way", "This import is under way.")
    return job


def _guess(target: str, source: str, headers: list[str]) -> tuple[columns.Rules, str]:
    saved = SavedMapping.objects.filter(source=source, target=target).first()
    fields = TARGETS[target].all_fields()
    if saved is not None and not columns.unusable(saved.mapping, fields, TARGETS[target].bags, headers):
        return saved.mapping, saved.date_order
    return columns.guess(target, fields, headers), DateOrder.ISO.value
