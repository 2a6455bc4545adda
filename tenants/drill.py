"""The restore drill: proof that a workspace comes back from its dump as it was.

The workspace is closed for its length. Its schema is set aside, not destroyed, until the restored one has been
compared with it; should anything fail, the original is put back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from config.stack import StackError
from config.stack.postgres import installed
from tenants.models import Tenant, TenantStatus


class DrillFailed(Exception):
    """The dump, the restore or the comparison failed; the workspace stands as it was before."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What a successful drill found."""

    tenant: str
    tables: int
    rows: int
    objects: int
    dump_bytes: int
    seconds: float


def drill(tenant: Tenant) -> Drill:
    """Dump, drop, restore and compare one workspace. Raises DrillFailed, leaving it untouched.

    Compares the count and the hash of every table, every sequence, and how many indexes, constraints, triggers
    and functions there are. The cost is a dump, a restore and two reads of every row.
    """
    began, schema = time.monotonic(), tenant.schema_name
    aside = f"{schema}_drill"
    with _closed(tenant), tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / f"{schema}.dump"
        before = fingerprint(schema)
        _run("pg_dump", "--format=custom", f"--schema={schema}", f"--file={dump}")
        _sql(f'alter schema "{schema}" rename to "{aside}"')
        try:
            _run("pg_restore", "--exit-on-error", "--single-transaction", f"--dbname={_database()}", str(dump))
            _compare(before, fingerprint(schema))
        except BaseException:
            _sql(f'drop schema if exists "{schema}" cascade')
            _sql(f'alter schema "{aside}" rename to "{schema}"')
            raise
        _sql(f'drop schema "{aside}" cascade')
        tables = before["tables"]
        return Drill(
            tenant=tenant.slug,
            tables=len(tables),
            rows=sum(count for count, _ in tables.values()),
            objects=sum(before["objects"].values()),
            dump_bytes=dump.stat().st_size,
            seconds=round(time.monotonic() - began, 2),
        )


def fingerprint(schema: str) -> dict[str, Any]:
    """What a schema holds: count and hash of every table, value of every sequence, number of other objects.

    The hash does not depend on the order of the rows.
    """
    tables = {
        name: _row(
            f"select count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text "
            f"from {_quoted(schema)}.{_quoted(name)} t"
        )
        for (name,) in _rows(
            "select relname from pg_class where relnamespace = %s::regnamespace and relkind = 'r'", schema
        )
    }
    return {
        "tables": tables,
        "sequences": dict(_rows("select sequencename, last_value from pg_sequences where schemaname = %s", schema)),
        "objects": dict(
            _rows(
                "select kind, count(*) from ("
                " select 'relation ' || relkind::text kind from pg_class where relnamespace = %s::regnamespace"
                " union all select 'constraint ' || contype::text from pg_constraint"
                "  where connamespace = %s::regnamespace"
                " union all select 'function' from pg_proc where pronamespace = %s::regnamespace"
                " union all select 'trigger' from pg_trigger t join pg_class c on c.oid = t.tgrelid"
                "  where c.relnamespace = %s::regnamespace and not tgisinternal"
                ") found group by kind",
                *[schema] * 4,
            )
        ),
    }


def _compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    for part, held in before.items():
        names = sorted(name for name in held.keys() | after[part].keys() if held.get(name) != after[part].get(name))
        if names:
            raise DrillFailed(f"restored {part} differ: {', '.join(names)}")


@contextmanager
def _closed(tenant: Tenant) -> Iterator[None]:
    """The workspace in maintenance, so that nobody writes into what is compared."""
    status = tenant.status
    Tenant.objects.filter(pk=tenant.pk).update(status=TenantStatus.MAINTENANCE)
    try:
        yield
    finally:
        Tenant.objects.filter(pk=tenant.pk).update(status=status)


def _program(name: str) -> str:
    """A client program of the embedded server, else of the machine."""
    try:
        return str(installed() / name)
    except StackError:
        if found := shutil.which(name):
            return found
        raise DrillFailed(f"{name} is not installed") from None


def _run(name: str, *arguments: str) -> None:
    settings = connection.settings_dict
    where = {"PGHOST": settings["HOST"], "PGPORT": settings["PORT"], "PGUSER": settings["USER"]}
    where |= {"PGPASSWORD": settings["PASSWORD"], "PGDATABASE": _database()}
    environment = os.environ | {key: str(value) for key, value in where.items() if value}
    done = subprocess.run([_program(name), *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DrillFailed(f"{name} failed: {done.stderr.strip()}")


def _database() -> str:
    return str(connection.settings_dict["NAME"])


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _rows(statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def _row(statement: str) -> tuple[Any, ...]:
    return _rows(statement)[0]
