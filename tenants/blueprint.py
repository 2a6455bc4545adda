"""A workspace's schema as one SQL script, recorded while the migrations run once in a scratch schema.

Running the migrations for a new workspace takes seconds, nearly all of it Python. The statements they issue are
the same every time, so they are recorded once a release and replayed in one round trip. What is replayed is what
the migrations did, partitioned tables, triggers, functions and content types included.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tenants.models import Blueprint

SCRATCH = "zz_blueprint"
# Look-ups and session settings change nothing; ``select f(...)`` without a table may.
IGNORED = re.compile(r"^\s*(?:set|show|savepoint|release|rollback|select\b(?!\s+\w+\s*\([^)]*\)\s*;?\s*$))", re.I)


def state_hash() -> str:
    """The set of migrations on disk, as a short hash."""
    names = sorted(f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:32]


def current() -> Blueprint:
    """The blueprint of the migrations on disk, recorded now if this release has none yet (some seconds)."""
    wanted = state_hash()
    found = Blueprint.objects.filter(state=wanted).first()
    return found or _record(wanted)


def build_schema(schema_name: str) -> None:
    """Create ``schema_name`` with everything a workspace's schema has, in one transaction."""
    script = current().script
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f'create schema "{schema_name}"')
        cursor.execute("select set_config('search_path', %s, true)", [f'"{schema_name}", public, extensions'])
        cursor.execute(script)
        cursor.execute("select set_config('search_path', %s, true)", ["public, extensions"])


def _record(state: str) -> Blueprint:
    drop_schema(SCRATCH)
    with connection.cursor() as cursor:
        cursor.execute(f'create schema "{SCRATCH}"')
    connection.set_schema(SCRATCH)
    statements: list[str] = []
    try:
        with connection.execute_wrapper(_recorder(statements)):
            migrate_selected_schema()
    finally:
        connection.set_schema_to_public()
    drop_schema(SCRATCH)
    Blueprint.objects.exclude(state=state).delete()
    return Blueprint.objects.create(state=state, script=";\n".join(statements) + ";")


def _recorder(statements: list[str]) -> Callable[..., Any]:
    def record(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        for values in params if many else [params]:
            if not IGNORED.match(str(sql)):
                text = connection.ops.compose_sql(str(sql), values) if values else str(sql)
                statements.append(text.strip().rstrip(";"))
        return result

    return record


def migrate_selected_schema(executor: MigrationExecutor | None = None) -> int:
    """Run what the selected schema lacks; how many migrations that were.

    Content types and permissions are made only when a migration ran.
    """
    executor = executor or MigrationExecutor(connection)
    targets = executor.loader.graph.leaf_nodes()
    connection.prepare_database()
    plan = executor.migration_plan(targets)
    if not plan:
        return 0
    emit_pre_migrate_signal(0, False, connection.alias, apps=apps, plan=plan)
    executor.migrate(targets, plan=plan)
    emit_post_migrate_signal(0, False, connection.alias, apps=apps, plan=plan)
    return len(plan)


def drop_schema(schema_name: str) -> None:
    """Remove a schema with everything in it; nothing happens if there is none."""
    with connection.cursor() as cursor:
        cursor.execute(f'drop schema if exists "{schema_name}" cascade')


@contextmanager
def public_schema() -> Iterator[None]:
    """Select the public schema inside the block and the one before it afterwards."""
    before = connection.tenant
    connection.set_schema_to_public()
    try:
        yield
    finally:
        connection.set_tenant(before)
