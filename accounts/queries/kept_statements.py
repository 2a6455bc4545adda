"""Statements that are asked for all day and cost more to build than to run: built once for each reader and day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

if TYPE_CHECKING:
    from accounts.models import User

MOST_KEPT = 512


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads on which day, in which workspace. Equal to another where they see and work the same rows."""

    schema: str
    sight: tuple[Any, ...]
    today: date
    user: User = field(compare=False)


def rows_for(user: User, today: date, build: Callable[[User, date], QuerySet[Any]]) -> list[tuple[Any, ...]]:
    """The rows of ``build(user, today)``, a queryset of values, as tuples. One query.

    SECURITY: a statement is kept by ``User.sight``, which holds all that visibility follows from. ``build`` must read
    nothing else that changes, and be one function for the life of the process.
    """
    found = _statement(build, Reader(connection.schema_name, user.sight, today, user))
    if found is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(*found)
        return cursor.fetchall()


@lru_cache(maxsize=MOST_KEPT)
def _statement(build: Callable[[User, date], QuerySet[Any]], reader: Reader) -> tuple[str, tuple[Any, ...]] | None:
    """The statement with its parameters; None where the reader sees nothing at all. Some 10 kB each."""
    try:
        return build(reader.user, reader.today).query.sql_with_params()
    except EmptyResultSet:
        return None
