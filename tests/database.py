"""The test databases: one template a migration state, kept between runs, and a copy of it for each run.

The template holds the public schema and the workspaces ``acme``, ``globex`` and ``platform``, each with its
settings row and nothing else. Building it takes some seconds once; copying it half a second.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

TENANTS = {"acme": "fleet", "globex": "generic", "platform": "generic"}
LABEL = os.environ.get("TEST_DB_LABEL", "tenure")
BUILD_LOCK = 7421
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)


def migration_state() -> str:
    """A hash over the text of every migration of ours and the list of apps."""
    digest = hashlib.sha256(repr(settings.INSTALLED_APPS).encode())
    here = Path(settings.BASE_DIR)
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        digest.update(f"{app}.{name}".encode())
        file = here / f"{migration.__module__.replace('.', '/')}.py"
        if file.exists():
            digest.update(file.read_bytes())
    for file in (here / "tests/database.py", here / "tenants/blueprint.py", here / "tenants/fleet.py"):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def administrator() -> Iterator[psycopg.Connection]:
    """A connection to the server's own database, for making and dropping databases."""
    database = settings.DATABASES["default"]
    with psycopg.connect(
        dbname="postgres",
        user=database["USER"] or None,
        password=database["PASSWORD"] or None,
        host=database["HOST"] or None,
        port=database["PORT"] or None,
        autocommit=True,
    ) as admin:
        yield admin


def use(name: str) -> None:
    """Point Django's connection at the database ``name``."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name
    connection.set_schema_to_public()


def template(admin: psycopg.Connection) -> str:
    """The name of this migration state's template, built if need be; older ones of the label are dropped."""
    name = f"{LABEL}_tpl_{migration_state()}"
    admin.execute("select pg_advisory_lock(%s)", [BUILD_LOCK])
    try:
        if not admin.execute("select 1 from pg_database where datname = %s", [name]).fetchone():
            for (old,) in admin.execute(
                "select datname from pg_database where datname like %s", [f"{LABEL}_tpl_%"]
            ).fetchall():
                admin.execute(f'drop database "{old}" with (force)')
            _build(admin, name)
    finally:
        admin.execute("select pg_advisory_unlock(%s)", [BUILD_LOCK])
    return name


def _build(admin: psycopg.Connection, name: str) -> None:
    from django_tenants.utils import tenant_context

    from accounts.models import Workspace
    from tenants import blueprint
    from tenants.actions import reserve_tenant
    from tenants.fleet import prepare_database
    from tenants.models import TenantStatus

    unfinished = f"{name}_building"
    admin.execute(f'drop database if exists "{unfinished}" with (force)')
    admin.execute(f'create database "{unfinished}"')
    use(unfinished)
    prepare_database(at=MADE_AT)
    for slug, pack in TENANTS.items():
        tenant = reserve_tenant(slug, name=slug.title(), pack=pack, at=MADE_AT, reserved=True)
        blueprint.build_schema(tenant.schema_name)
        tenant.status, tenant.ready_at = TenantStatus.READY, MADE_AT
        tenant.save()
        with tenant_context(tenant):
            Workspace.objects.create(name=tenant.name, timezone=tenant.timezone)
    connection.set_schema_to_public()
    connection.close()
    admin.execute(f'alter database "{unfinished}" rename to "{name}"')


def run_name() -> str:
    """The database of this process's run."""
    return f"{LABEL}_run_{os.getpid()}"


def is_of_run() -> bool:
    """Whether that is what the connection leads to."""
    return bool(connection.settings_dict["NAME"] == run_name())


MOST_DEAD = 1_000


def tidy() -> None:
    """Throw away what tests that were rolled back left in the tables, where it is much.

    A planner that takes a table for empty reads all of it again for each row of another.
    """
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(
            "select format('%%I.%%I', schemaname, relname) from pg_stat_user_tables where n_dead_tup > %s", [MOST_DEAD]
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"vacuum (skip_locked) {table}")


KEEP = ("django_migrations", "django_content_type", "auth_permission", "accounts_workspace")
# A view without an owner came with the workspace.
KEEP_ROWS = {"accounts_savedview": "owner_id is null"}
# Rows of partitions are deleted through their parents; the trigger of the audit log rests while this runs.
WIPE = """
do $$
declare r record; filled boolean; kept text;
begin
    set local session_replication_role = replica;
    for r in
        select n.nspname as s, c.relname as t from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any(string_to_array('{schemas}', ','))
          and not c.relname = any(string_to_array('{keep}', ','))
    loop
        kept := coalesce('{keep_rows}'::jsonb ->> r.t, 'false');
        execute format('select exists(select 1 from %I.%I where not (%s))', r.s, r.t, kept) into filled;
        if filled then execute format('delete from %I.%I where not (%s)', r.s, r.t, kept); end if;
    end loop;
end $$"""


def wipe(schemas: list[str]) -> None:
    """Empty every table of ``schemas`` but for what a template brings."""
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute(WIPE.format(schemas=",".join(schemas), keep=",".join(KEEP), keep_rows=json.dumps(KEEP_ROWS)))


def reopen(tenants: dict[str, Any], made: dict[str, dict[str, Any]], *, rows: bool) -> None:
    """Put the workspaces back as the template made them: the instances, and with ``rows`` their rows too."""
    from tenants.models import Tenant

    for slug, tenant in tenants.items():
        tenant.__dict__.update(made[slug])
        if rows:
            Tenant.objects.filter(pk=tenant.pk).update(**made[slug])
