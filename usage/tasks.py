"""Work that runs beside requests: draining the inbox, and keeping partitions and daily rows in their windows."""

from __future__ import annotations

import logging
import time
from datetime import date
from functools import partial
from typing import Any

from celery import shared_task
from django.db import connection
from django.utils import timezone

from tenants.on_commit import run_on_commit
from tenants.tasks import TenantTask
from usage import actions
from usage.actions.rollups import Busy

log = logging.getLogger(__name__)
NUDGE_SECONDS = 1.0
_nudged: dict[str, float] = {}


@shared_task(
    base=TenantTask,
    name="usage.drain",
    waiting="select min(created_at) from {schema}.usage_ingestreceipt where done_at is null",
)
def drain() -> dict[str, int]:
    """Settle everything in the inbox and every parked item whose account is known by now."""
    now = timezone.now()
    replayed = actions.replay_parked_observations(at=now)
    done = actions.drain(at=now)
    return {"taken": done.taken, "accepted": done.accepted, "replayed": replayed}


@shared_task(base=TenantTask, name="usage.keep_within_window")
def keep_within_window() -> dict[str, int]:
    return actions.keep_within_window(at=timezone.now())


@shared_task(base=TenantTask, name="usage.rebuild", bind=True, max_retries=20)
def rebuild(self: TenantTask) -> int:
    """Make every daily row anew, after the key features or the time zone changed; waits for a running drain."""
    try:
        return actions.rebuild_account_days(date(2000, 1, 1), date(9998, 12, 31))
    except Busy as busy:
        raise self.retry(exc=busy, countdown=3) from busy


def rebuild_on_commit() -> None:
    """Make the daily rows anew once the change that calls for it is committed."""
    run_on_commit(partial(_send, rebuild))


def nudge() -> None:
    """Ask for a drain after the commit, at most once a second and process; the sweep comes every 5 s anyway.

    A broker that cannot be reached costs those seconds and nothing else: the batch is stored.
    """
    schema, now = connection.schema_name, time.monotonic()
    if now - _nudged.get(schema, -NUDGE_SECONDS) < NUDGE_SECONDS:
        return
    _nudged[schema] = now
    run_on_commit(partial(_send, drain, expires=60))


def _send(task: TenantTask, **options: Any) -> None:
    try:
        task.apply_async(retry=False, **options)
    except Exception:
        log.warning("the broker did not take %s", task.name, exc_info=True)
