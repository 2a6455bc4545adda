"""Keys of what a workspace makes itself: given by somebody, or made of a name."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.errors import RuleViolated

KEY = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)


def new_key(rows: Any, key: str, name: str, *, limit: int, otherwise: str, taken: str, named: str = "name") -> str:
    """The key of a new row among ``rows``: ``key``, else made of ``name``, else ``otherwise``. One query.

    Raises RuleViolated at ``key``, or at the field ``named`` where the name made it; ``taken`` says that it is.
    """
    wanted = key or slugify(name)[:limit].strip("-") or otherwise
    if len(wanted) > limit or not KEY.fullmatch(wanted):
        raise RuleViolated("key", f"A key is a–z, 0–9 and hyphens, at most {limit}.", "key")
    if rows.filter(key=wanted).exists():
        raise RuleViolated("key_taken", taken, "key" if key else named)
    return wanted


def insert_key(row: Any, *, taken: str, field: str, code: str = "key_taken") -> None:
    """Store a new row. Raises RuleViolated at ``field`` where somebody else took its key at the same time."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if not type(row).objects.filter(key=row.key).exists():
            raise
        raise RuleViolated(code, taken, field) from None


def insert_free_key(row: Any, name: str, *, limit: int, otherwise: str) -> None:
    """Store a new row under a key made of ``name`` that no other has, numbered if need be. Two queries.

    RACE: somebody else may take the key in between; then the next number is tried.
    """
    rows = type(row).objects
    while True:
        row.key = free_key(rows, name, limit=limit, otherwise=otherwise)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if not rows.filter(key=row.key).exists():
                raise
        else:
            return


def free_key(rows: Any, name: str, *, limit: int, otherwise: str, reserved: Collection[str] = ()) -> str:
    """A key made of ``name`` that none of ``rows`` has and that is not ``reserved``, numbered if need be. One query."""
    key = slugify(name)[:limit].strip("-") or otherwise
    taken = {*reserved, *rows.filter(key__startswith=key).values_list("key", flat=True)}
    return next(each for each in (key, *(f"{key}-{number}" for number in range(2, 1000))) if each not in taken)
