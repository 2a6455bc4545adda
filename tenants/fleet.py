"""All workspaces at once: what a deployment asks and does."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tenants import blueprint
from tenants.locks import job_lock
from tenants.models import Domain, Tenant, TenantStatus

CHUNK = 100
# How the reason begins when a migration, and not an operator, closed a workspace.
BROKEN = "Migration failed:"
EXTENSIONS = ("pg_trgm", "btree_gin", "unaccent")


class Busy(RuntimeError):
    """Another process migrates at this moment."""


@dataclass(slots=True)
class MigrationReport:
    """What ``migrate_fleet`` did: ``failed`` maps a schema to its error."""

    tenants: int = 0
    migrated: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def prepare_database(*, at: datetime) -> None:
    """Make the extensions' schema, migrate the public schema and put its own row and host in place.

    Safe to repeat; a repetition costs a handful of queries.
    """
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute("create schema if not exists extensions")
        for name in EXTENSIONS:
            cursor.execute(f"create extension if not exists {name} schema extensions")
    if not _public_is_current():
        call_command("migrate_schemas", shared=True, interactive=False, verbosity=0)
    tenant, made = Tenant.objects.get_or_create(
        schema_name="public",
        defaults={"slug": "public", "name": "Sign-up", "status": TenantStatus.READY, "created_at": at},
    )
    if made:
        Domain.objects.create(domain=settings.BASE_DOMAIN, tenant=tenant, is_primary=True)
    blueprint.current()


def _disk() -> set[str]:
    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


def _public_is_current() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('public.django_migrations') is not null")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("select array_agg(app || '.' || name) from public.django_migrations")
        return _disk() <= set(cursor.fetchone()[0] or [])


def lagging(schemas: list[str]) -> list[str]:
    """The ``schemas`` that lack a migration of this release. One query for each 100 schemas."""
    disk, current = sorted(_disk()), set()
    with connection.cursor() as cursor:
        for start in range(0, len(schemas), CHUNK):
            applied = " union all ".join(
                f"select '{schema}', app || '.' || name from \"{schema}\".django_migrations"
                for schema in schemas[start : start + CHUNK]
            )
            cursor.execute(
                f"with applied(schema, name) as ({applied}) select schema from applied where name = any(%s)"
                " group by schema having count(distinct name) = %s",
                [disk, len(disk)],
            )
            current |= {schema for (schema,) in cursor.fetchall()}
    return [schema for schema in schemas if schema not in current]


def migrate_fleet(*, at: datetime) -> MigrationReport:
    """Bring the public schema and every workspace that lags up to this release.

    A workspace that fails is set to maintenance, so that nobody is served from half a schema, and the others
    go on; running it again resumes with those left. Raises Busy while another process is at it.
    """
    prepare_database(at=at)
    with job_lock("migrate-fleet") as free:
        if not free:
            raise Busy("another process is migrating; it does all there is to do")
        return _migrate_lagging()


def _migrate_lagging() -> MigrationReport:
    rows = list(Tenant.objects.workspaces().exclude(status__in=[TenantStatus.PROVISIONING, TenantStatus.FAILED]))
    report = MigrationReport(tenants=len(rows))
    behind = set(lagging([row.schema_name for row in rows]))
    executor = MigrationExecutor(connection) if behind else None
    for tenant in rows:
        if tenant.schema_name in behind:
            _migrate(tenant, executor, report)
    connection.set_schema_to_public()
    return report


def _migrate(tenant: Tenant, executor: MigrationExecutor | None, report: MigrationReport) -> None:
    assert executor is not None
    connection.set_schema(tenant.schema_name)
    row = Tenant.objects.filter(pk=tenant.pk)
    try:
        executor.loader.applied_migrations = executor.recorder.applied_migrations()
        blueprint.migrate_selected_schema(executor)
    except Exception as error:
        connection.set_schema_to_public()
        reason = f"{BROKEN} {error}"[:300]
        row.filter(status=TenantStatus.READY).update(status=TenantStatus.MAINTENANCE, status_reason=reason)
        report.failed[tenant.slug] = f"{type(error).__name__}: {error}"
        return
    connection.set_schema_to_public()
    # What a failed migration closed, a good one opens; what an operator closed stays closed.
    row.filter(status=TenantStatus.MAINTENANCE, status_reason__startswith=BROKEN).update(
        status=TenantStatus.READY, status_reason=""
    )
    report.migrated += 1
