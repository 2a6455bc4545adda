"""One run of a job at a time in each workspace."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def _signed(text: str) -> int:
    return zlib.crc32(text.encode()) - 2**31


@contextmanager
def job_lock(name: str) -> Iterator[bool]:
    """Hold the lock ``name`` of this workspace; yields whether it was free.

    A session lock: it outlives transactions and ends with the process, so a killed worker leaves none behind.
    """
    keys = [_signed(connection.schema_name), _signed(name)]
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s, %s)", keys)
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s, %s)", keys)


@contextmanager
def waiting_lock(name: str) -> Iterator[None]:
    """Hold the lock ``name`` of this workspace, waiting until whoever has it lets go."""
    keys = [_signed(connection.schema_name), _signed(name)]
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", keys)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s, %s)", keys)
