"""Imports in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from imports.actions import forget_files
from imports.choices import WORKING
from imports.models import ImportJob
from imports.running import work
from tenants.tasks import TenantTask

LOST_AFTER = timedelta(minutes=2)


@shared_task(bind=True, base=TenantTask, name="imports.run")
def run_import(self: Any, job_id: str) -> None:
    """Work on one job; a long one takes several turns, so that others get theirs."""
    if not work(UUID(job_id)):
        run_import.delay(job_id)


@shared_task(base=TenantTask, name="imports.resume_lost")
def resume_lost() -> int:
    """Take up jobs that showed no sign of life for two minutes: their worker or their message was lost.

    Files of imports that ended a month ago go at the same time.
    """
    now = timezone.now()
    lost = ImportJob.objects.filter(state__in=WORKING, touched_at__lt=now - LOST_AFTER).values_list("pk", flat=True)
    for job_id in lost:
        run_import.delay(str(job_id))
    forget_files(at=now)
    return len(lost)
