"""What operators read about the workspaces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from tenants.models import Tenant, TenantQuerySet, TenantStatus
from tenants.quotas import events_on

HAVE_SCHEMA = frozenset(
    {TenantStatus.READY, TenantStatus.MAINTENANCE, TenantStatus.SUSPENDED, TenantStatus.OFFBOARDING}
)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of the installation a workspace uses, counted as its limits count it.

    ``size`` in bytes, as of the last vacuum or analyze; ``events`` since the beginning of the UTC day.
    """

    accounts: int
    users: int
    size: int
    events: int


def tenants_matching(*, search: str = "", status: str = "") -> TenantQuerySet:
    """Workspaces whose name or sub-domain contains ``search``, newest first; gone ones only when asked for."""
    rows = Tenant.objects.exclude(schema_name="public")
    rows = rows.filter(status=status) if status in TenantStatus.values else rows.exclude(status=TenantStatus.GONE)
    if search:
        rows = rows.filter(Q(slug__icontains=search) | Q(name__icontains=search))
    return rows.order_by("-created_at", "-pk")


def usage_of(tenants: Iterable[Tenant]) -> dict[str, Usage]:
    """What each workspace that has a schema uses, by schema name. Two queries, whatever their number."""
    schemas = [tenant.schema_name for tenant in tenants if tenant.status in HAVE_SCHEMA]
    if not schemas:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            " union all ".join(
                f"select '{schema}', (select count(*) from \"{schema}\".accounts_account where archived_at is null),"
                f' (select count(*) from "{schema}".accounts_user where is_active)'
                for schema in schemas
            )
        )
        counts = {schema: (accounts, users) for schema, accounts, users in cursor.fetchall()}
        cursor.execute(
            "select n.nspname, sum(c.relpages)::bigint * current_setting('block_size')::int from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace where n.nspname = any(%s) group by n.nspname",
            [schemas],
        )
        sizes = dict(cursor.fetchall())
    now = timezone.now()
    return {schema: Usage(*counts[schema], sizes.get(schema, 0), events_on(schema, now)) for schema in schemas}
