"""Workspaces: making one, asking hundreds whether they lag, and scoring many of them through the queue."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django_tenants.utils import tenant_context

from benchmarks import recompute
from benchmarks.bench import Bench
from benchmarks.harness import Case

# Workspaces that exist, workspaces that are scored, accounts in each of those.
MANY = {"S": (12, 3, 200), "M": (300, 30, 1_000), "L": (300, 100, 1_000)}
PASSWORD = "a long benchmark passphrase"
# (no-op deploy, queue): with a handful of workspaces the fixed costs of a deployment and of polling are most of it.
GOALS = {"S": (40.0, 8.0), "M": (5.0, 1.5), "L": (5.0, 1.5)}


def cases(bench: Bench) -> Iterator[Case]:
    from tenants.fleet import migrate_fleet

    existing, scored, accounts = MANY[bench.size]
    deploy_goal, queue_goal = GOALS[bench.size]
    connection.set_schema_to_public()
    yield Case(
        area="tenancy", name="create a workspace with its pack and owner", run=_maker(bench), floor=_replay,
        floor_name="replay of the recorded schema alone", goal=5, pids=_backends, unit="workspaces", reps=3,
    )  # fmt: skip
    schemas = [_bare_schema() for _ in range(existing)]
    yield Case(
        area="tenancy", name=f"deploy with nothing to migrate, {existing} workspaces",
        run=lambda: migrate_fleet(at=bench.now), floor=lambda: _one_union(schemas),
        floor_name="one query over all schemas", goal=deploy_goal, measure="wall", units=existing, unit="workspaces",
        pids=_backends, verify=lambda: _check_nothing_lags(schemas),
    )  # fmt: skip
    tenants = [_filled(bench, number, accounts) for number in range(scored)]
    with _worker():
        yield Case(
            area="tenancy", name=f"score {scored} workspaces of {accounts:,} accounts through the queue",
            run=lambda: _through_the_queue(tenants), floor=lambda: _directly(tenants, bench),
            floor_name="the same runs called one after the other", goal=queue_goal, measure="wall",
            units=scored * accounts, unit="accounts", prepare=lambda: _forget(tenants), pids=_backends, reps=3,
        )  # fmt: skip


def _backends() -> list[int]:
    """Every PostgreSQL process that serves this database, the worker's too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [row[0] for row in cursor.fetchall()]


def _maker(bench: Bench) -> Callable[[], None]:
    numbers = itertools.count()

    def make() -> None:
        from tenants.actions import create_tenant

        create_tenant(
            f"made-{next(numbers)}", name="Made", pack="fleet", owner_email="owner@example.com",
            owner_password=PASSWORD, at=bench.now,
        )  # fmt: skip

    return make


_replays = itertools.count()


def _replay() -> None:
    from tenants.blueprint import build_schema

    build_schema(f"t_replay_{next(_replays)}")


def _bare_schema() -> str:
    """A whole workspace's schema with its row, without people or methodology: the probe sees no difference."""
    from django.utils import timezone

    from tenants.actions import reserve_tenant
    from tenants.blueprint import build_schema
    from tenants.models import TenantStatus

    tenant = reserve_tenant(f"bare-{next(_bares)}", name="Bare", pack="", at=timezone.now())
    build_schema(tenant.schema_name)
    tenant.status = TenantStatus.READY
    tenant.save()
    return tenant.schema_name


_bares = itertools.count()


def _one_union(schemas: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            " union all ".join(f'select app || name from "{schema}".django_migrations' for schema in schemas)
        )
        cursor.fetchall()


def _check_nothing_lags(schemas: list[str]) -> None:
    from tenants.fleet import lagging

    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM \"{schemas[0]}\".django_migrations WHERE app = 'usage' RETURNING app, name, applied"
        )
        taken = cursor.fetchall()
        assert lagging(schemas) == schemas[:1], "a workspace that lacks a migration is found"
        cursor.executemany(
            f'INSERT INTO "{schemas[0]}".django_migrations (app, name, applied) VALUES (%s, %s, %s)', taken
        )
    assert lagging(schemas) == [], "the others lag in nothing"


def _filled(bench: Bench, number: int, accounts: int) -> Any:
    connection.set_schema_to_public()
    tenant = bench.select(f"scored-{number}")
    recompute.fill(accounts, at=bench.now)
    connection.set_schema_to_public()
    return tenant


def _forget(tenants: list[Any]) -> None:
    for tenant in tenants:
        with tenant_context(tenant), connection.cursor() as cursor:
            cursor.execute("DELETE FROM health_healthrun")
            cursor.execute("UPDATE health_accounthealth SET computed_at = '2000-01-01'")


def _directly(tenants: list[Any], bench: Bench) -> None:
    from health.actions import open_ctas, recompute_nightly

    for tenant in tenants:
        with tenant_context(tenant):
            recompute_nightly(at=bench.now)
            open_ctas(at=bench.now)


def _through_the_queue(tenants: list[Any]) -> None:
    """Ring every workspace and wait until each has had its run."""
    from health.tasks import nightly

    for tenant in tenants:
        with tenant_context(tenant):
            nightly.delay()
    query = " + ".join(f'(select count(*) from "{tenant.schema_name}".health_healthrun)' for tenant in tenants)
    deadline = time.monotonic() + 600
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(f"select {query}")
            if cursor.fetchone()[0] == len(tenants):
                return
            time.sleep(0.02)
    raise TimeoutError("the worker did not score every workspace in ten minutes")


@contextmanager
def _worker() -> Iterator[None]:
    """One Celery worker process on the benchmark's database, as the stack starts it but with a single child."""
    arguments = [
        "-m",
        "celery",
        "-A",
        "config",
        "worker",
        "-c",
        "1",
        "-l",
        "ERROR",
        "--without-gossip",
        "--without-mingle",
    ]
    process = subprocess.Popen([sys.executable, *arguments], env=dict(os.environ), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
