"""The end of a workspace: its data handed over, then everything of it removed.

What stays is the row with the status *gone*: for 90 days it keeps the sub-domain from being taken by a stranger.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction

from tenants import blueprint
from tenants.actions import TenantRefused
from tenants.blueprint import public_schema
from tenants.models import Tenant, TenantStatus
from tenants.quotas import clear_limits
from tenants.slugs import PLATFORM

# SECURITY: what opens doors is nobody's to take along. Whole tables, and columns wherever they stand.
SECRET_TABLES = frozenset(
    {
        "django_session",
        "django_migrations",
        "mfa_authenticator",
        "usersessions_usersession",
        "account_emailconfirmation",
    }
)
SECRET_COLUMNS = frozenset({"password", "digest", "secret", "token", "token_hash", "key_hash"})


@dataclass(frozen=True, slots=True)
class Export:
    """What an export holds: rows by table, files, and the size of the archive in bytes."""

    tables: dict[str, int]
    files: int
    size: int

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


def export_tenant(tenant: Tenant, target: Path, *, at: datetime) -> Export:
    """Write every table as CSV, every file, and ``manifest.json`` with counts and SHA-256 into the zip ``target``.

    Reads one consistent snapshot. Passwords, tokens and sessions stay out. The file appears whole or not at all;
    the rows stream through, so that memory does not grow with them.
    """
    unfinished = target.with_name(target.name + ".part")
    entries: list[dict[str, Any]] = []
    with public_schema(), _snapshot(), zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        for table, columns in _tables(tenant.schema_name):
            entries.append(_write_table(archive, tenant.schema_name, table, columns))
        files = [_write_file(archive, path, folder) for folder, path in _files(tenant)]
        manifest = {
            "tenant": tenant.slug,
            "name": tenant.name,
            "pack": tenant.pack,
            "exported_at": at.isoformat(),
            "tables": entries,
            "files": files,
        }
        archive.writestr("manifest.json", json.dumps(manifest, indent=1))
    unfinished.replace(target)
    return Export({entry["table"]: entry["rows"] for entry in entries}, len(files), target.stat().st_size)


@contextmanager
def _snapshot() -> Iterator[None]:
    """A transaction that reads the database as it is now, to the end; inside a caller's, the caller's."""
    nested = connection.in_atomic_block
    with transaction.atomic():
        if not nested:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
        yield


def _tables(schema: str) -> Iterator[tuple[str, list[str]]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.relname, array_agg(a.attname::text order by a.attnum) from pg_class c"
            " join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped"
            " where c.relnamespace = %s::regnamespace and c.relkind in ('r', 'p') and not c.relispartition"
            " group by c.relname order by c.relname",
            [f'"{schema}"'],
        )
        found = cursor.fetchall()
    for table, columns in found:
        if table not in SECRET_TABLES:
            yield table, [column for column in columns if column not in SECRET_COLUMNS]


def _write_table(archive: zipfile.ZipFile, schema: str, table: str, columns: list[str]) -> dict[str, Any]:
    name, digest, rows = f"tables/{table}.csv", hashlib.sha256(), 0
    chosen = ", ".join(f'"{column}"' for column in columns)
    with archive.open(name, "w", force_zip64=True) as sink, connection.cursor() as cursor:
        header = io.StringIO()
        csv.writer(header).writerow(columns)
        sink.write(header.getvalue().encode())
        digest.update(header.getvalue().encode())
        with cursor.copy(f'copy (select {chosen} from "{schema}"."{table}") to stdout (format csv)') as copy:
            for chunk in copy:
                sink.write(chunk)
                digest.update(chunk)
        rows = cursor.rowcount
    return {"table": table, "file": name, "rows": rows, "columns": columns, "sha256": digest.hexdigest()}


def _folder(tenant: Tenant) -> Path:
    return Path(settings.MEDIA_ROOT) / tenant.schema_name


def _files(tenant: Tenant) -> Iterator[tuple[Path, Path]]:
    folder = _folder(tenant)
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        if path.is_file() and not path.is_symlink():
            yield folder, path


def _write_file(archive: zipfile.ZipFile, path: Path, folder: Path) -> dict[str, Any]:
    name = f"files/{path.relative_to(folder)}"
    archive.write(path, name)
    return {"file": name, "bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def offboard_tenant(tenant: Tenant, *, export_to: Path, at: datetime) -> Export:
    """Export the workspace to ``export_to``, then remove schema, files, cache and limits; its name rests 90 days.

    Nothing is removed before the export is complete, and nobody is served from the first step on. Should it break
    off, calling it again begins anew or, once the schema is gone, removes what is left and raises TenantRefused.
    """
    with public_schema():
        _close(tenant)
        export = export_tenant(tenant, export_to, at=at)
        with transaction.atomic():
            blueprint.drop_schema(tenant.schema_name)
            Tenant.objects.filter(pk=tenant.pk).update(
                status=TenantStatus.GONE, gone_at=at, status_reason="", progress=[]
            )
        _sweep(tenant)
        tenant.refresh_from_db()
    return export


def _close(tenant: Tenant) -> None:
    with transaction.atomic():
        row = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if row.slug in {PLATFORM, "public"}:
            raise TenantRefused("tenant", "The operators' own workspace stays as it is.")
        if row.status == TenantStatus.GONE:
            _sweep(row)
        if row.status in {TenantStatus.GONE, TenantStatus.PROVISIONING, TenantStatus.FAILED}:
            raise TenantRefused("status", f"A workspace that is {row.get_status_display().lower()} has no data.")
        Tenant.objects.filter(pk=row.pk).update(status=TenantStatus.OFFBOARDING)


def _sweep(tenant: Tenant) -> None:
    shutil.rmtree(_folder(tenant), ignore_errors=True)
    forget_cached(tenant.schema_name)
    clear_limits(tenant)


def forget_cached(schema: str) -> int:
    """Delete the cache entries of ``schema``; how many there were."""
    cache: Any = caches["default"]
    client = cache._cache.get_client(None, write=True)
    keys = list(client.scan_iter(match=f"{schema}:{cache.key_prefix}:*", count=1000))
    return int(client.delete(*keys)) if keys else 0
