"""Documents are written in the background."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from documents.actions import write_document
from documents.models import Document
from tenants.tasks import TenantTask

LOST_AFTER = timedelta(minutes=3)


@shared_task(base=TenantTask, name="documents.render")
def render_document(document_id: str) -> bool:
    """Write one document."""
    return write_document(UUID(document_id))


@shared_task(base=TenantTask, name="documents.resume_lost")
def resume_lost() -> int:
    """Take up documents that showed no sign of life for three minutes: their worker or their message was lost."""
    lost = Document.objects.unfinished().filter(touched_at__lt=timezone.now() - LOST_AFTER)
    keys = list(lost.values_list("pk", flat=True))
    for key in keys:
        render_document.delay(str(key))
    return len(keys)
