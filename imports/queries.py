"""Reads about imports."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from imports.models import ImportedRow, ImportJob, RejectedRow, UndoStep
from imports.reading import Layout, rows

SHOWN = 50


def newest_jobs(limit: int = 100) -> list[ImportJob]:
    """The newest imports with who began them. One query."""
    return list(ImportJob.objects.select_related("created_by").order_by("-created_at")[:limit])


def first_rejections(job: ImportJob) -> list[RejectedRow]:
    """The first 50 rejected rows. One query."""
    return list(job.rejections.order_by("line")[:SHOWN])


def first_diffs(job: ImportJob) -> list[ImportedRow]:
    """The first 50 rows that made or changed a record, or would. One query."""
    return list(job.diffs.order_by("line")[:SHOWN])


def left_behind(job: ImportJob) -> list[UndoStep]:
    """The first 50 records that an undo left, each with the reason. One query."""
    return list(job.steps.exclude(refused="").order_by("name", "pk")[:SHOWN])


def diff_table(job: ImportJob) -> tuple[list[str], Iterator[list[Any]]]:
    """Headings and rows of the diff: a line for each field that is or would be set. One query, streamed."""
    return ["line", "outcome", "record", "field", "old", "new"], _diff_rows(job)


def _diff_rows(job: ImportJob) -> Iterator[list[Any]]:
    for row in job.diffs.order_by("line").iterator(chunk_size=2000):
        for name, old, new in row.changes or [["", None, None]]:
            yield [row.line, row.outcome, row.name, name, old, new]


def first_rows(job: ImportJob, number: int = 3) -> list[list[str]]:
    """The cells of the first rows of the file; none once the file is gone."""
    if not job.file:
        return []
    with job.file.open("rb") as file:
        raw = file.read()
    layout = Layout(job.encoding, job.delimiter, job.headers, job.rows)
    return [cells for _line, cells in islice(rows(raw, layout), number)]


def rejection_table(job: ImportJob) -> tuple[list[str], Iterator[list[Any]]]:
    """Headings and rows of the error download: line, what is wrong, and the row as it was. One query, streamed."""
    headings = ["line", "field", "rule", "message", *job.headers]
    return headings, _rows(job)


def _rows(job: ImportJob) -> Iterator[list[Any]]:
    for row in job.rejections.order_by("line").iterator(chunk_size=2000):
        texts = ["; ".join(error[name] for error in row.errors if error[name]) for name in ("field", "rule", "message")]
        yield [row.line, *texts, *row.cells]
