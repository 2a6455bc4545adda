"""Asking for a sweep soon, without asking twice.

The rounds of beat find everything that waits; a ring only makes it sooner. Of many rings in a workspace one
message goes out, and the next only after the sweep has begun: however fast facts arrive, a workspace has at most
one message waiting, and a busy queue sweeps more rows at a time instead of falling behind.
"""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.core.cache import caches
from django.db import connection

from tenants.on_commit import run_on_commit
from tenants.tasks import HEADER

log = logging.getLogger(__name__)
AFTER_SECONDS = 2.0
# A message lost with the broker must not keep the bell silent: beat's next round comes before this.
SILENT_SECONDS = 60


def ring_on_commit(task_name: str) -> None:
    """Ask for ``task_name`` in the selected workspace, two seconds after the transaction commits."""
    run_on_commit(partial(ring, task_name))


def ring(task_name: str) -> None:
    """Ask for ``task_name`` in the selected workspace in two seconds; nothing while an earlier ask is unheard.

    Without a broker or cache nothing is asked for, and beat's round does the work some seconds later.
    """
    try:
        if caches["global"].add(_key(task_name), 1, SILENT_SECONDS):
            _send(task_name)
    except Exception:
        log.warning("the broker did not take %s", task_name, exc_info=True)


def heard(task_name: str) -> None:
    """Let the next ring be sent. A sweep says so before it looks for work, so that later work rings again."""
    try:
        caches["global"].delete(_key(task_name))
    except Exception:
        log.warning("the bell of %s stays silent for up to %s s", task_name, SILENT_SECONDS, exc_info=True)


def _key(task_name: str) -> str:
    return f"bell:{task_name}:{connection.schema_name}"


def _send(task_name: str) -> None:
    # By name: the task belongs to a higher layer.
    current_app.send_task(
        task_name,
        headers={HEADER: connection.schema_name},
        countdown=AFTER_SECONDS,
        expires=SILENT_SECONDS,
        retry=False,
    )
