"""Working through a file, batch by batch.

A batch, its counts and its rejected rows commit together with the place reached: a worker killed at any moment
leaves a whole number of batches, and the next one goes on from there. Of two workers on one job, which a message
delivered twice makes, the one that finds the other at work leaves.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.audit import acting_via, record
from accounts.fields import FieldError
from accounts.results import Outcome
from engagement.actions import notify
from engagement.choices import Kind
from imports import mapping as columns
from imports.choices import ImportState
from imports.models import ImportJob, RejectedRow
from imports.reading import Layout, rows
from imports.targets import TARGETS, Context, Settled
from imports.trail import keep_diff
from imports.undoing import undo

log = logging.getLogger(__name__)
AT_A_TIME = 240.0
Row = tuple[int, list[str]]


def work(job_id: UUID, *, seconds: float = AT_A_TIME) -> bool:
    """Work on the job for about ``seconds``. True when nothing is left to do here, False to be called again.

    An error that is ours stops the job with a message; its batch is rolled back. RACE: each batch, the end and an undo
    are the work of one worker, and another one leaves the job to it.
    """
    job = ImportJob.objects.select_related("created_by").get(pk=job_id)
    until = time.monotonic() + seconds
    try:
        with acting_via(f"import: {job.file_name}"):
            if job.state == ImportState.UNDOING:
                _undone(job)
                return True
            if job.state in {ImportState.CHECKING, ImportState.RUNNING} and not _through(job, until):
                return False
            return _settled(job_id, until)
    except Exception:
        log.exception("imports: job %s stopped", job_id)
        ImportJob.objects.filter(pk=job_id).update(
            state=ImportState.FAILED,
            message="Our mistake; it has been noted. Nothing of the batch under way was kept. Start again: "
            "rows that are in already do not count twice.",
            finished_at=timezone.now(),
        )
        _tell(job, f"{job.file_name} was stopped by an error", at=timezone.now())
        return True


def _alone(job_id: UUID) -> bool:
    """Whether no other worker is at the job; until the transaction ends none will be.

    Not the lock on the job's row: a person who cancels holds that one too, and no worker has to leave for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtext(%s), hashtext(current_schema()))", [f"import:{job_id}"]
        )
        return bool(cursor.fetchone()[0])


@transaction.atomic
def _undone(job: ImportJob) -> None:
    if not _alone(job.pk):
        return
    number = undo(job)
    text = f"{job.file_name} was taken back: {number:,} record{'' if number == 1 else 's'}"
    _tell(job, text, at=timezone.now())


def _through(job: ImportJob, until: float) -> bool:
    """Take batches until the file or the time ends. True at the end of the file, or with another worker at it."""
    with job.file.open("rb") as file:
        raw = file.read()
    layout = Layout(job.encoding, job.delimiter, job.headers, job.rows)
    place, remaining = -1, iter(())
    while time.monotonic() < until:
        with transaction.atomic():
            if not _alone(job.pk):
                return True
            job = ImportJob.objects.select_for_update(of=("self",)).select_related("created_by").get(pk=job.pk)
            if job.state not in {ImportState.CHECKING, ImportState.RUNNING}:
                return True
            if job.cancel_requested:
                _end(job, ImportState.CANCELLED, at=timezone.now())
                return True
            if place != job.position:
                place, remaining = job.position, rows(raw, layout, skip=job.position)
            batch = list(islice(remaining, TARGETS[job.target].batch))
            if not batch:
                _end_of_file(job, at=timezone.now())
                return True
            _take(job, batch, at=timezone.now())
            place = job.position
    return False


def _take(job: ImportJob, batch: Sequence[Row], *, at: datetime) -> None:
    """Settle one batch and note the place reached."""
    target = TARGETS[job.target]
    fields = target.all_fields()
    context = Context(job.source, job.created_by, at, job.state == ImportState.CHECKING)
    shaped, places = [], []
    settled: list[Settled | None] = [None] * len(batch)
    for place, (_line, cells) in enumerate(batch):
        if len(cells) != len(job.headers):
            text = f"{len(cells)} cells under {len(job.headers)} headings."
            settled[place] = Settled(Outcome.REJECTED, (FieldError("", "cells", text),))
            continue
        shaped.append(columns.shape(job.mapping, fields, job.headers, cells, job.date_order))
        places.append(place)
    answers = target.settle(job, shaped, context)
    for place, answer in zip(places, answers, strict=True):
        settled[place] = answer
    _count(job, batch, [one for one in settled if one is not None], at=at)


def _count(job: ImportJob, batch: Sequence[Row], settled: Sequence[Settled], *, at: datetime) -> None:
    counts = Counter(one.outcome for one in settled)
    job.created += counts[Outcome.CREATED]
    job.updated += counts[Outcome.UPDATED]
    job.duplicates += counts[Outcome.UNCHANGED]
    job.rejected += counts[Outcome.REJECTED]
    job.position += len(batch)
    job.touched_at = at
    RejectedRow.objects.bulk_create(
        RejectedRow(job=job, line=line, errors=[error._asdict() for error in one.errors], cells=cells)
        for (line, cells), one in zip(batch, settled, strict=True)
        if one.outcome is Outcome.REJECTED
    )
    keep_diff(job, [line for line, _cells in batch], settled)
    job.save(update_fields=["created", "updated", "duplicates", "rejected", "position", "touched_at", "receipts"])


def _end_of_file(job: ImportJob, *, at: datetime) -> None:
    if job.state == ImportState.CHECKING:
        _end(job, ImportState.CHECKED, at=at)
        return
    job.state, job.touched_at = ImportState.SETTLING, at
    job.save(update_fields=["state", "touched_at"])


def _settled(job_id: UUID, until: float) -> bool:
    """Do what the target does after the last row, until it says that it is done or the time is over."""
    while True:
        job = ImportJob.objects.select_related("created_by").get(pk=job_id)
        if job.state != ImportState.SETTLING:
            return True
        now = timezone.now()
        context = Context(job.source, job.created_by, now, dry_run=False)
        TARGETS[job.target].advance(job, context)
        with transaction.atomic():
            if not _alone(job_id) or not ImportJob.objects.filter(pk=job_id, state=ImportState.SETTLING).exists():
                return True
            if TARGETS[job.target].finish(job):
                _end(job, ImportState.DONE, at=now)
                return True
        if time.monotonic() > until:
            return False
        time.sleep(0.5)


def _end(job: ImportJob, state: str, *, at: datetime) -> None:
    job.state, job.finished_at, job.touched_at = state, at, at
    job.save(update_fields=["state", "finished_at", "touched_at", "created", "duplicates", "receipts"])
    if state == ImportState.DONE:
        _tell(job, f"{job.file_name} is in: {job.created + job.updated} rows kept, {job.rejected} rejected", at=at)
        names = ("rows", "created", "updated", "duplicates", "rejected")
        record("import.done", job, actor=job.created_by, at=at, after={name: getattr(job, name) for name in names})


def _tell(job: ImportJob, title: str, *, at: datetime) -> None:
    """Tell whoever began the job."""
    people = [job.created_by] if job.created_by else []
    key = f"import:{job.pk}:{at:%Y%m%d%H%M%S}"
    notify(people, kind=Kind.IMPORT_DONE, title=title, url=f"/imports/{job.pk}/", at=at, dedupe_key=key)
