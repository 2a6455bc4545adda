"""Taking an import back in one transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.actions.bulk import Step, restore_rows
from accounts.audit import record
from imports.choices import ImportState
from imports.models import ImportJob, UndoStep

KIND_OF = {"accounts": "account", "contacts": "contact", "contracts": "contract"}


@transaction.atomic
def undo(job: ImportJob) -> int:
    """Restore what the import changed, remove what it made, and mark the job undone. Returns how many records.

    Records that somebody changed since, and made ones that something hangs on, stay; their steps say why. They can
    be tried again once that is gone. Audited record by record and as a whole.
    """
    job = ImportJob.objects.select_for_update(of=("self",)).select_related("undone_by").get(pk=job.pk)
    if job.state != ImportState.UNDOING:
        return 0
    now = timezone.now()
    steps = list(open_steps(job).filter(follows=False))
    followers = list(open_steps(job).filter(follows=True))
    refused = restore_rows(
        KIND_OF[job.target],
        [_step(step) for step in steps],
        source=job.source,
        followers=[_step(step) for step in followers],
        actor=job.undone_by,
        at=now,
    )
    for step in steps:
        step.refused = refused.get(step.object_id, "")[:300]
        step.undone_at = None if step.refused else now
    UndoStep.objects.bulk_update(steps, ["refused", "undone_at"], batch_size=1000)
    if not refused:
        open_steps(job).update(undone_at=now)
    job.state, job.undone_at, job.touched_at = ImportState.UNDONE, now, now
    job.save(update_fields=["state", "undone_at", "touched_at"])
    after = {"restored": len(steps) - len(refused), "refused": len(refused)}
    record("import.undone", job, actor=job.undone_by, at=now, after=after)
    return len(steps) - len(refused)


def open_steps(job: ImportJob) -> QuerySet[UndoStep]:
    """Records of the import that were not given back yet."""
    return job.steps.filter(undone_at=None)


def _step(step: UndoStep) -> Step:
    return Step(UUID(str(step.object_id)), step.before, step.after)
