"""A workspace's schema as one SQL script, recorded while the migrations run once in a scratch schema.

Running the migrations for a new workspace takes seconds, nearly all of it Python. The statements they issue are
the same every time, so they are recorded once a release and replayed in one round trip. What is replayed is what
the migrations did, partitioned tables, triggers, functions and content types included.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from tenants.locks import waiting_lock
from tenants.models import Blueprint

SCRATCH = "zz_blueprint"
# Look-ups and session settings change nothing; ``select f(...)`` without a table may, and so may what follows a
# setting in the same string: Django drops a foreign key right behind the order to check it.
IGNORED = re.compile(
    r"^\s*(?:set\b[^;]*;?\s*$|show|savepoint|release|rollback|select\b(?!\s+\w+\s*\([^)]*\)\s*;?\s*$))", re.IGNORECASE
)


# A schema being built has no readers to spare, and ``concurrently`` cannot run in its transaction.
CONCURRENTLY = re.compile(r"^(\s*(?:create(?:\s+unique)?|drop)\s+index)\s+concurrently\b", re.IGNORECASE)


def state_hash() -> str:
    """The migrations on disk, names and texts, as a short hash."""
    digest = hashlib.sha256()
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        digest.update(f"{app}.{name}".encode())
        digest.update(Path(sys.modules[migration.__module__].__file__ or "").read_bytes())
    return digest.hexdigest()[:32]


def current() -> Blueprint:
    """The blueprint of the migrations on disk, recorded now if this release has none yet (some seconds)."""
    wanted = state_hash()
    if found := Blueprint.objects.filter(state=wanted).first():
        return found
    with waiting_lock("blueprint"):
        return Blueprint.objects.filter(state=wanted).first() or _record(wanted)


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
                statements.append(CONCURRENTLY.sub(r"\1", text.strip().rstrip(";")))
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
        if connection.in_atomic_block:
            # A table whose foreign keys wait for the commit to be checked cannot be dropped.
            cursor.execute("set constraints all immediate; set constraints all deferred")
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
