"""Whether this installation can serve: database, broker, workers and how far behind they are."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import JsonResponse
from redis.exceptions import RedisError

HEARTBEAT = "worker-heartbeat"
LATE_SECONDS = 60


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


def _broker() -> tuple[str, float | None]:
    try:
        beaten_at = caches["global"].get(HEARTBEAT)
    except RedisError as error:
        return f"unreachable: {type(error).__name__}", None
    return "ok", None if beaten_at is None else max(0.0, time.time() - beaten_at)


def readiness() -> dict[str, Any]:
    """``ready`` and the state of each part; ``lag_seconds`` is the time since a worker last took a task."""
    database = _database()
    broker, lag = _broker()
    workers = "ok" if lag is not None and lag < LATE_SECONDS else "no sign of life"
    return {
        "ready": database == broker == "ok",
        "database": database,
        "broker": broker,
        "workers": workers,
        "lag_seconds": None if lag is None else round(lag, 1),
    }


def readiness_response() -> JsonResponse:
    """200 when requests can be served, else 503; the body names the part that is missing."""
    state = readiness()
    return JsonResponse(state, status=200 if state["ready"] else 503)
