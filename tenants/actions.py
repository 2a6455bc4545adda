"""Verbs on workspaces: create, suspend, resume. Removing one is ``tenants.offboarding``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import uuid_utils.compat as uuid_utils
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.module_loading import import_string
from django_tenants.utils import tenant_context

from tenants import blueprint
from tenants.blueprint import public_schema
from tenants.fleet import lagging
from tenants.locks import job_lock
from tenants.models import Domain, Tenant, TenantStatus
from tenants.slugs import PLATFORM, problem_with

# A released sub-domain stays unused this long, so that old links and mail do not reach a stranger.
TOMBSTONE = timedelta(days=90)


class TenantRefused(ValueError):
    """A workspace cannot be made or changed that way. ``field`` names the input, the text the rule."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def host_of(slug: str) -> str:
    """The host at which a workspace opens."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def url_of(tenant: Tenant) -> str:
    """The address of a workspace, with scheme and, on a development machine, port."""
    scheme, port = ("https", "") if settings.HTTPS else ("http", f":{settings.PORT}")
    return f"{scheme}://{host_of(tenant.slug)}{'' if port == ':80' else port}/"


def problem_with_new(slug: str, *, at: datetime) -> str:
    """Why a new workspace cannot have ``slug``: its shape, a reserved word, or somebody has it; empty if it can."""
    if problem := problem_with(slug):
        return problem
    with public_schema():
        # A custom domain may be spelled like a sub-domain of ours.
        taken = Tenant.objects.filter(slug=slug).exclude(_released(at)).exists()
        taken = taken or Domain.objects.filter(domain=host_of(slug)).exclude(tenant__slug=slug).exists()
    return "This sub-domain is taken." if taken else ""


def _released(at: datetime) -> Q:
    return Q(status=TenantStatus.FAILED) | Q(status=TenantStatus.GONE, gone_at__lte=at - TOMBSTONE)


def reserve_tenant(
    slug: str,
    *,
    name: str,
    pack: str,
    at: datetime,
    timezone: str = "UTC",
    currency: str = "USD",
    reserved: bool = False,
) -> Tenant:
    """Take ``slug`` and its host for a workspace still to be built. Raises TenantRefused when it is not free.

    The name of a set-up that failed, or of a workspace gone for 90 days, is free again. ``reserved`` lets an
    operator take a reserved word, such as ``platform``.
    """
    slug = slug.strip().lower()
    if (problem := problem_with(slug)) and not (reserved and slug == PLATFORM):
        raise TenantRefused("slug", problem)
    with public_schema():
        try:
            with transaction.atomic():
                Tenant.objects.filter(_released(at), slug=slug).delete()
                tenant = Tenant.objects.create(
                    # SECURITY: never made from what somebody typed.
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
    tenant: Tenant,
    *,
    owner_email: str,
    owner_password: str,
    owner_name: str = "",
    owner_verified: bool = True,
    at: datetime,
) -> Tenant:
    """Make the schema of a reserved workspace, set it up and open it.

    ``owner_verified`` False: nobody has shown yet that the address is the owner's, so the first sign-in asks.

    On failure nothing of the schema stays and the workspace is marked failed, with the reason. Safe to call again
    after a crash: a half-built schema is dropped first; a workspace that is ready, or being built by another
    process, is returned as it is.
    """
    with public_schema(), job_lock(f"build-tenant:{tenant.pk}") as free:
        tenant.refresh_from_db()
        if not free or tenant.status not in {TenantStatus.PROVISIONING, TenantStatus.FAILED}:
            return tenant
        tenant.progress = []
        try:
            blueprint.drop_schema(tenant.schema_name)
            _note(tenant, "Preparing the database")
            blueprint.build_schema(tenant.schema_name)
            _note(tenant, "Installing the methodology and your account")
            with tenant_context(tenant), transaction.atomic():
                for path in settings.TENANT_SETUP:
                    import_string(path)(
                        tenant,
                        owner_email=owner_email,
                        owner_password=owner_password,
                        owner_name=owner_name,
                        owner_verified=owner_verified,
                        at=at,
                    )
        except BaseException as error:
            connection.set_schema_to_public()
            blueprint.drop_schema(tenant.schema_name)
            Tenant.objects.filter(pk=tenant.pk).update(
                status=TenantStatus.FAILED, status_reason=f"{type(error).__name__}: {error}"[:300]
            )
            raise
        tenant.status, tenant.status_reason, tenant.ready_at = TenantStatus.READY, "", at
        _note(tenant, "Ready")
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
    reserved: bool = False,
) -> Tenant:
    """Create a workspace that can be used at once, in about a second. Leaves nothing behind when it fails."""
    tenant = reserve_tenant(slug, name=name, pack=pack, at=at, timezone=timezone, currency=currency, reserved=reserved)
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
    tenant.save(update_fields=["progress", "status", "status_reason", "ready_at"])


def explain_status(tenant: Tenant, reason: str) -> Tenant:
    """Say why the workspace stands where it stands; empty when nothing needs saying."""
    with public_schema():
        tenant.status_reason = reason[:300]
        tenant.save(update_fields=["status_reason"])
    return tenant


def discard_tenant(tenant: Tenant) -> None:
    """Remove a workspace that was never finished, at once and without an export; its name is free again."""
    with public_schema():
        blueprint.drop_schema(tenant.schema_name)
        tenant.delete()


def suspend_tenant(tenant: Tenant, *, reason: str) -> Tenant:
    """Stop serving a ready workspace; its data stays. Raises TenantRefused without a reason or for ``platform``."""
    if not reason.strip():
        raise TenantRefused("reason", "Say why, so that whoever asks can be told.")
    return _move(tenant, {TenantStatus.READY, TenantStatus.MAINTENANCE}, TenantStatus.SUSPENDED, reason.strip())


def resume_tenant(tenant: Tenant) -> Tenant:
    """Serve a suspended workspace, or one in maintenance, again. Raises TenantRefused while its schema lags."""
    with public_schema():
        if tenant.status != TenantStatus.GONE and lagging([tenant.schema_name]):
            raise TenantRefused("status", "Its schema lacks a migration of this release; run migrate_tenants first.")
    return _move(tenant, {TenantStatus.SUSPENDED, TenantStatus.MAINTENANCE}, TenantStatus.READY, "")


def _move(tenant: Tenant, allowed: set[Any], status: TenantStatus, reason: str) -> Tenant:
    with public_schema(), transaction.atomic():
        tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if tenant.slug in {PLATFORM, "public"}:
            raise TenantRefused("tenant", "The operators' own workspace stays as it is.")
        if tenant.status not in allowed:
            raise TenantRefused(
                "status",
                f"A workspace that is {tenant.get_status_display().lower()} cannot become {status.label.lower()}.",
            )
        tenant.status, tenant.status_reason = status, reason[:300]
        tenant.save(update_fields=["status", "status_reason"])
    return tenant
