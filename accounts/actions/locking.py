"""Waiting for others and noticing that they were faster."""

from __future__ import annotations

from typing import TypeVar

from django.db import connection
from django.db.models import Model

from accounts.errors import StaleVersion

Row = TypeVar("Row", bound=Model)


def locked(row: Row, *, expected_version: int | None) -> Row:
    """``row`` read again and locked until the transaction ends. One query.

    Raises StaleVersion when it is not at ``expected_version`` any more (None: whatever it is), and the
    model's DoesNotExist when it is gone.
    """
    fresh = type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
    actual: int = fresh.version
    if expected_version is not None and actual != expected_version:
        raise StaleVersion(expected=expected_version, actual=actual)
    return fresh


def lock_source(kind: str, source: str) -> None:
    """Let one writer at a time bring in ``kind`` rows from ``source``, until the transaction ends. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(current_schema()))", [f"{kind}:{source}"])


def differences(row: Model, values: dict[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """(before, after) of the fields in ``values`` that would change; foreign keys by their key."""
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    for name, value in values.items():
        attname = row._meta.get_field(name).attname  # type: ignore[union-attr]
        new = value.pk if isinstance(value, Model) else value
        if getattr(row, attname) != new:
            before[name], after[name] = getattr(row, attname), new
    return before, after
