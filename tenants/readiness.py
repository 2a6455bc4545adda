"""Whether this installation can serve: database, broker, workers and how far behind they are."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import JsonResponse
from redis.exceptions import RedisError

from tenants import backlog

HEARTBEAT = "worker-heartbeat"
# Beat rings every 10 s; a worker busy with long tasks may miss a few.
SILENT_SECONDS = 60


def beat() -> None:
    """Note that a worker took a task just now."""
    caches["global"].set(HEARTBEAT, time.time(), timeout=3600)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
    except DatabaseError as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"


def _broker() -> tuple[str, float | None, dict[str, float]]:
    try:
        beaten_at = caches["global"].get(HEARTBEAT)
        lag = backlog.lag_seconds()
    except RedisError as error:
        return f"unreachable: {type(error).__name__}", None, {}
    return "ok", None if beaten_at is None else max(0.0, time.time() - beaten_at), lag


def readiness() -> dict[str, Any]:
    """The state of each part. ``ready`` means that requests can be served: database and broker answer.

    ``workers`` says when one last took a task; ``lag_seconds`` how long the oldest thing waits, by task.
    """
    database = _database()
    broker, silent, lag = _broker()
    return {
        "ready": database == broker == "ok",
        "database": database,
        "broker": broker,
        "workers": "ok" if silent is not None and silent < SILENT_SECONDS else "no sign of life",
        "worker_seen_seconds_ago": None if silent is None else round(silent, 1),
        "lag_seconds": lag,
    }


def readiness_response() -> JsonResponse:
    """200 when requests can be served, else 503; the body names the part that is missing."""
    state = readiness()
    return JsonResponse(state, status=200 if state["ready"] else 503)
