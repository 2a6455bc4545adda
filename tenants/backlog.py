"""What waits for a worker, over all workspaces at once.

A task that drains something says in ``waiting`` how to find the oldest thing that waits. The dispatcher asks all
workspaces in one query and rings only where there is work, so that 300 idle workspaces cost one query and not 300
messages; and ``/readyz`` tells how old the oldest thing is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime

from celery import current_app
from django.core.cache import caches
from django.db import DatabaseError, connection

log = logging.getLogger(__name__)
CHUNK = 100
KEPT_SECONDS = 300
# Everybody is rung this often whatever the query says: tasks also do what no column announces.
FULL_ROUND_SECONDS = 60


def oldest_waiting(sql: str, schemas: Iterable[str]) -> dict[str, datetime]:
    """Since when the oldest thing waits, for each schema in which something does. One query per 100 schemas.

    ``sql`` selects one moment or null; ``{schema}`` in it stands for the schema's quoted name.
    """
    names, found = list(schemas), {}
    with connection.cursor() as cursor:
        for start in range(0, len(names), CHUNK):
            parts = (f"select '{name}', ({sql.format(schema=_quoted(name))})" for name in names[start : start + CHUNK])
            cursor.execute(" union all ".join(parts))
            found |= {name: moment for name, moment in cursor.fetchall() if moment is not None}
    return found


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def worth_ringing(task_name: str, sql: str, schemas: list[str]) -> list[str]:
    """Those of ``schemas`` in which something waits for the task; all of them once a minute, or if in doubt.

    Notes the age of the oldest for ``/readyz``.
    """
    try:
        oldest = oldest_waiting(sql, schemas)
    except DatabaseError:
        log.warning("what waits for %s cannot be seen; everybody is rung", task_name, exc_info=True)
        return schemas
    note(task_name, min(oldest.values(), default=None))
    full_round = caches["global"].add(f"full-round:{task_name}", 1, FULL_ROUND_SECONDS)
    return schemas if full_round else [schema for schema in schemas if schema in oldest]


def note(task_name: str, oldest: datetime | None) -> None:
    """Keep since when the oldest thing waits; None when nothing does."""
    caches["global"].set(f"waiting:{task_name}", oldest.timestamp() if oldest else 0, KEPT_SECONDS)


def lag_seconds() -> dict[str, float]:
    """For each task that says what waits for it: the age of the oldest thing, 0 when nothing waits.

    As fresh as the dispatcher's last round; a task it has not looked at for five minutes is left out. One call to
    the cache.
    """
    names = sorted({entry["args"][0] for entry in current_app.conf.beat_schedule.values() if entry.get("args")})
    seen = caches["global"].get_many([f"waiting:{name}" for name in names])
    now = time.time()
    lag: dict[str, float] = {}
    for name in names:
        since = seen.get(f"waiting:{name}")
        if since is not None:
            lag[name] = round(max(0.0, now - since), 1) if since else 0.0
    return lag
