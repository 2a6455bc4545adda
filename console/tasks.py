"""Long work of the console, in the workspace ``platform``."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.audit import record
from console.exports import path_of
from tenants.models import Tenant, TenantStatus
from tenants.offboarding import offboard_tenant
from tenants.tasks import TenantTask


@shared_task(base=TenantTask, name="console.offboard")
def offboard(tenant_id: int) -> None:
    """Export the workspace into the operators' own files and remove it. Safe to run again after a crash."""
    tenant = Tenant.objects.get(pk=tenant_id)
    if tenant.status != TenantStatus.OFFBOARDING:
        return
    at = timezone.now()
    target = path_of(tenant)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = offboard_tenant(tenant, export_to=target, at=at)
    after = {"rows": done.rows, "files": done.files, "bytes": done.size}
    record("tenant.removed", tenant, actor=None, at=at, after=after)
