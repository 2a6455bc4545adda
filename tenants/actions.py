"""Verbs on workspaces: create, suspend, resume, remove."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import uuid_utils.compat as uuid_utils
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils.module_loading import import_string
from django_tenants.utils import tenant_context

from tenants import blueprint
from tenants.blueprint import public_schema
from tenants.models import Domain, Tenant, TenantStatus
from tenants.slugs import problem_with

PLATFORM = "platform"


class TenantRefused(ValueError):
    """A workspace cannot be made or changed that way. ``field`` names the input, the text the rule."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def host_of(slug: str) -> str:
    """The host at which a workspace opens."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def reserve_tenant(
    slug: str, *, name: str, pack: str, at: datetime, timezone: str = "UTC", currency: str = "USD"
) -> Tenant:
    """Take ``slug`` and its host for a workspace still to be built. Raises TenantRefused when it is not free."""
    slug = slug.strip().lower()
    if slug != PLATFORM and (problem := problem_with(slug)):
        raise TenantRefused("slug", problem)
    with public_schema():
        try:
            with transaction.atomic():
                tenant = Tenant.objects.create(
                    schema_name=f"t_{uuid_utils.uuid7().hex}",
                    slug=slug,
                    name=name,
                    pack=pack,
                    timezone=timezone,
                    currency=currency,
                    created_at=at,
                )
                Domain.objects.create(domain=host_of(slug), tenant=tenant, is_primary=True)
        except IntegrityError as error:
            raise TenantRefused("slug", "This sub-domain is taken.") from error
    return tenant


def build_tenant(
    tenant: Tenant, *, owner_email: str, owner_password: str, owner_name: str = "", at: datetime
) -> Tenant:
    """Make the schema of a reserved workspace, set it up and open it. On failure nothing of the schema stays."""
    with public_schema():
        blueprint.build_schema(tenant.schema_name)
        _note(tenant, "Database ready")
        try:
            with tenant_context(tenant), transaction.atomic():
                for path in settings.TENANT_SETUP:
                    import_string(path)(
                        tenant, owner_email=owner_email, owner_password=owner_password, owner_name=owner_name, at=at
                    )
        except BaseException:
            connection.set_schema_to_public()
            blueprint.drop_schema(tenant.schema_name)
            Tenant.objects.filter(pk=tenant.pk).update(status=TenantStatus.FAILED)
            raise
        tenant.status, tenant.ready_at = TenantStatus.READY, at
        _note(tenant, "Open")
    return tenant


def create_tenant(
    slug: str,
    *,
    name: str,
    pack: str,
    owner_email: str,
    owner_password: str,
    at: datetime,
    owner_name: str = "",
    timezone: str = "UTC",
    currency: str = "USD",
) -> Tenant:
    """Create a workspace that can be used at once, in about a second. Leaves nothing behind when it fails."""
    tenant = reserve_tenant(slug, name=name, pack=pack, at=at, timezone=timezone, currency=currency)
    try:
        return build_tenant(
            tenant, owner_email=owner_email, owner_password=owner_password, owner_name=owner_name, at=at
        )
    except BaseException:
        with public_schema():
            tenant.delete()
        raise


def _note(tenant: Tenant, step: str) -> None:
    tenant.progress = [*tenant.progress, step]
    tenant.save(update_fields=["progress", "status", "ready_at"])


def suspend_tenant(tenant: Tenant, *, reason: str) -> Tenant:
    """Stop serving a ready workspace; its data stays."""
    return _move(tenant, {TenantStatus.READY, TenantStatus.MAINTENANCE}, TenantStatus.SUSPENDED, reason)


def resume_tenant(tenant: Tenant) -> Tenant:
    """Serve a suspended workspace again."""
    return _move(tenant, {TenantStatus.SUSPENDED, TenantStatus.MAINTENANCE}, TenantStatus.READY, "")


def _move(tenant: Tenant, allowed: set[Any], status: TenantStatus, reason: str) -> Tenant:
    with public_schema(), transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if tenant.slug == PLATFORM:
            raise TenantRefused("tenant", "The operators' own workspace stays as it is.")
        if tenant.status not in allowed:
            raise TenantRefused("status", f"A workspace that is {tenant.get_status_display().lower()} cannot be this.")
        tenant.status, tenant.status_reason = status, reason
        tenant.save(update_fields=["status", "status_reason"])
    return tenant
