"""Two who do something at the same moment, in the order that hurts: one begins before the other one ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction


def second_meanwhile(first, second):
    """Call ``first`` and, before its transaction ends, ``second`` in another one; what the second one raised, or None.

    The second has to wait for something that the first did, else the test fails: it would show no conflict.
    """
    tenant, raised = connection.tenant, []

    def run():
        try:
            connection.set_tenant(tenant)
            second()
        except Exception as error:
            raised.append(error)
        finally:
            connections.close_all()

    other = threading.Thread(target=run)
    with transaction.atomic():
        first()
        other.start()
        _wait_until_somebody_waits()
    other.join(timeout=30)
    return raised[0] if raised else None


def _wait_until_somebody_waits():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)))")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    pytest.fail("Nobody waited for this transaction.")


def at_once(*works):
    """What the works return, let go at the same moment, each over a connection of its own in this workspace.

    Raises what the first of them raised.
    """
    tenant, gate = connection.tenant, threading.Barrier(len(works))

    def run(work):
        try:
            connection.set_tenant(tenant)
            gate.wait(timeout=20)
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        return [done.result(timeout=60) for done in [pool.submit(run, work) for work in works]]


def elsewhere(work):
    """What ``work`` returns, called in this workspace over a connection of its own; raises what it raises."""
    (done,) = at_once(work)
    return done
