"""One cache of content types for each workspace.

Django keeps a single dict for the whole process. Between threads, which serve several workspaces at once, one
would read the ids of another; ``tests/tenants/test_leaks.py`` shows it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentTypeManager
from django.db import connections


class PerSchema:
    """Stands in for ``ContentTypeManager._cache``: a dict of its own for the selected schema."""

    def __get__(self, manager: Any, owner: type | None = None) -> Any:
        if manager is None:
            return self
        # A thread's first connection clears the cache while it is being made: asking for it here would make another.
        made = connections.all(initialized_only=True)
        return manager.__dict__.setdefault("_by_schema", {}).setdefault(made[0].schema_name if made else "", {})

    def __set__(self, manager: Any, value: Any) -> None:
        """Managers set an empty dict when they are made; theirs is made when it is first used."""


def separate_caches() -> None:
    """Put the cache per schema into every content-type manager of this process."""
    ContentTypeManager._cache = PerSchema()  # type: ignore[attr-defined]
