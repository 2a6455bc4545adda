"""What operators do to workspaces, each with its entry in the audit log of ``platform``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from accounts.audit import record
from tenants import actions
from tenants.actions import TenantRefused
from tenants.blueprint import public_schema
from tenants.models import Tenant, TenantStatus
from tenants.quotas import Limits, limits_of, set_limits

if TYPE_CHECKING:
    from accounts.models import User


def create_tenant(
    slug: str,
    *,
    name: str,
    pack: str,
    owner_email: str,
    owner_name: str,
    owner_password: str,
    timezone: str,
    actor: User,
    at: datetime,
) -> Tenant:
    """Create a workspace that can be used at once; about a second. Raises TenantRefused."""
    tenant = actions.create_tenant(
        slug,
        name=name,
        pack=pack,
        owner_email=owner_email,
        owner_name=owner_name,
        owner_password=owner_password,
        timezone=timezone,
        at=at,
    )
    record("tenant.created", tenant, actor=actor, at=at, after={"slug": slug, "pack": pack, "owner": owner_email})
    return tenant


@transaction.atomic
def suspend_tenant(tenant: Tenant, *, reason: str, actor: User, at: datetime) -> Tenant:
    """Stop serving a workspace. Raises TenantRefused."""
    before = tenant.status
    tenant = actions.suspend_tenant(tenant, reason=reason)
    after = {"status": tenant.status, "reason": tenant.status_reason}
    record("tenant.suspended", tenant, actor=actor, at=at, before={"status": before}, after=after)
    return tenant


@transaction.atomic
def resume_tenant(tenant: Tenant, *, actor: User, at: datetime) -> Tenant:
    """Serve a workspace again. Raises TenantRefused."""
    before = tenant.status
    tenant = actions.resume_tenant(tenant)
    record("tenant.resumed", tenant, actor=actor, at=at, before={"status": before}, after={"status": tenant.status})
    return tenant


@transaction.atomic
def change_limits(tenant: Tenant, *, actor: User, at: datetime, **limits: int | None) -> Limits:
    """Change a workspace's limits; None goes back to the default."""
    before = limits_of(tenant.schema_name)
    after = set_limits(tenant, **limits)
    if after != before:
        record("tenant.limits_changed", tenant, actor=actor, at=at, before=before._asdict(), after=after._asdict())
    return after


@transaction.atomic
def begin_offboarding(tenant: Tenant, *, confirmation: str, actor: User, at: datetime) -> Tenant:
    """Close a workspace and queue its export and removal. Raises TenantRefused unless its sub-domain was typed."""
    from console.tasks import offboard

    if confirmation.strip() != tenant.slug:
        raise TenantRefused("confirmation", f"Type {tenant.slug} to confirm.")
    if tenant.status not in {TenantStatus.READY, TenantStatus.MAINTENANCE, TenantStatus.SUSPENDED} or (
        tenant.slug == actions.PLATFORM
    ):
        raise TenantRefused("confirmation", "This workspace cannot be off-boarded.")
    with public_schema():
        Tenant.objects.filter(pk=tenant.pk).update(status=TenantStatus.OFFBOARDING)
    record(
        "tenant.closed",
        tenant,
        actor=actor,
        at=at,
        before={"status": tenant.status},
        after={"status": TenantStatus.OFFBOARDING},
    )
    offboard.delay_on_commit(tenant.pk)
    tenant.status = TenantStatus.OFFBOARDING
    return tenant
