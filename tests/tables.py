"""Every table of the workspace as it stands in the database, for tests that compare a state with one before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection


def contents(
    *, without: Collection[str] = (), moving: Mapping[str, Collection[str]] | None = None
) -> dict[str, list[str]]:
    """{table: its rows with all columns, as text, in order} of every table but those ``without``.

    ``moving`` names columns of a table that do not count. Read from the catalogue, so that a table or a column added
    later is compared without anybody remembering it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename")
        tables = [name for (name,) in cursor.fetchall() if name not in without]
        return {name: _rows(cursor, name, (moving or {}).get(name, ())) for name in tables}


def _rows(cursor: Any, table: str, moving: Collection[str]) -> list[str]:
    cursor.execute(f'SELECT (to_jsonb(t) - %s::text[])::text FROM "{table}" t', [list(moving)])
    return sorted(row for (row,) in cursor.fetchall())
