"""Workspaces: making one, asking hundreds whether they lag, and scoring many of them through the queue."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from django.db import connection, transaction
from django_tenants.utils import schema_context

from benchmarks import recompute
from benchmarks.bench import Bench
from benchmarks.harness import Case
from benchmarks.http import running

# Workspaces that exist, those of them that are scored, accounts in each of those.
MANY = {"S": (8, 2, 200), "M": (300, 300, 1_000), "L": (300, 300, 1_000)}
PASSWORD = "a long benchmark passphrase"
# (no-op deploy, queue): with a handful of workspaces the fixed costs of a deployment and of polling are most of it.
GOALS = {"S": (60.0, 8.0), "M": (5.0, 1.5), "L": (5.0, 1.5)}
CREATE_SECONDS = 1.5


def cases(bench: Bench) -> Iterator[Case]:
    from tenants.fleet import migrate_fleet

    existing, scored, accounts = MANY[bench.size]
    deploy_goal, queue_goal = GOALS[bench.size]
    connection.set_schema_to_public()
    make = _maker(bench)
    yield Case(
        area="tenancy", name="create a workspace with its pack and owner", run=make, floor=_replay,
        floor_name="replay of the recorded schema alone", goal=5, pids=_backends, unit="workspaces", reps=3,
    )  # fmt: skip
    if bench.size != "S":
        yield Case(
            area="tenancy", name="create a workspace, by the clock", run=lambda: [_seconds(make)], floor=None,
            measure="seconds", goal=CREATE_SECONDS, reps=5,
        )  # fmt: skip
    schemas = fleet(bench, existing, accounts)
    yield Case(
        area="tenancy", name=f"deploy with nothing to migrate, {existing} workspaces",
        run=lambda: migrate_fleet(at=bench.now), floor=lambda: _one_union(schemas),
        floor_name="one query over all schemas", goal=deploy_goal, measure="wall", units=existing, unit="workspaces",
        pids=_backends, verify=lambda: _check_nothing_lags(schemas),
    )  # fmt: skip
    chosen = schemas[:scored]
    with _worker():
        yield Case(
            area="tenancy", name=f"score {scored} workspaces of {accounts:,} accounts through the queue",
            run=lambda: _through_the_queue(chosen), floor=lambda: _directly(chosen, bench),
            floor_name="the same runs called one after the other", goal=queue_goal, measure="wall",
            units=scored * accounts, unit="accounts", prepare=lambda: _forget(chosen), pids=_backends,
            reps=3 if scored < 100 else 1, warm=scored < 100,
        )  # fmt: skip


def _seconds(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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


def fleet(bench: Bench, count: int, accounts: int) -> list[str]:
    """The schemas of ``count`` ready workspaces with as many scored accounts each: one made, the others its copies.

    What a first score of every account calls for counts as handled, so that later runs only score.
    """
    from health.actions import recompute as score
    from health.models import BandChange, TriggerFiring

    first = bench.select("scored")
    recompute.fill(accounts, at=bench.now)
    score(at=bench.now)
    for model in (BandChange, TriggerFiring):
        model.objects.filter(handled_at=None).update(handled_at=bench.now)
    connection.set_schema_to_public()
    return [first.schema_name, *(_copy_of(first.schema_name, number) for number in range(1, count))]


def _copy_of(source: str, number: int) -> str:
    """A workspace whose tables hold what those of ``source`` hold; nothing is checked or triggered on the way."""
    from django.utils import timezone

    from tenants.actions import reserve_tenant
    from tenants.blueprint import build_schema
    from tenants.models import TenantStatus

    tenant = reserve_tenant(f"copy-{number}", name=f"Copy {number}", pack="fleet", at=timezone.now())
    build_schema(tenant.schema_name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_copying(source).replace("TARGET", tenant.schema_name))
    with connection.cursor() as cursor:
        for table in FILLED:
            cursor.execute(f'VACUUM ANALYZE "{tenant.schema_name}"."{table}"')
    tenant.status = TenantStatus.READY
    tenant.save()
    return tenant.schema_name


FILLED = (
    "accounts_account", "accounts_contract", "usage_accountday", "usage_metriclatest", "usage_metricvalue",
    "health_accounthealth", "health_triggerstate",
)  # fmt: skip


@cache
def _copying(source: str) -> str:
    """The statements that fill the schema TARGET: rows without triggers and checks, then where sequences stand.

    Partitions are filled through their parents; a column that the database generates fills itself. Put together
    once: asking the catalogue for each copy took longer than copying.
    """
    statements = ["SET LOCAL session_replication_role = replica"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
            " AND a.attgenerated = ''"
            " WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " GROUP BY c.relname ORDER BY c.relname",
            [f'"{source}"'],
        )
        for table, columns in cursor.fetchall():
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{source}"."{table}")')
            if cursor.fetchone()[0]:
                statements += [
                    f'DELETE FROM "TARGET"."{table}"',
                    f'INSERT INTO "TARGET"."{table}" ({columns}) SELECT {columns} FROM "{source}"."{table}"',
                ]
        cursor.execute(
            "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = %s AND last_value IS NOT NULL",
            [source],
        )
        statements += [f"""SELECT setval('"TARGET"."{name}"', {value})""" for name, value in cursor.fetchall()]
    return "; ".join(statements)


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


def _forget(schemas: list[str]) -> None:
    with connection.cursor() as cursor:
        for schema in schemas:
            cursor.execute(f'DELETE FROM "{schema}".health_healthrun')
            cursor.execute(f"UPDATE \"{schema}\".health_accounthealth SET computed_at = '2000-01-01'")
            cursor.execute(f'VACUUM "{schema}".health_accounthealth')


def _directly(schemas: list[str], bench: Bench) -> None:
    from health.actions import open_ctas, recompute_nightly

    for schema in schemas:
        with schema_context(schema):
            recompute_nightly(at=bench.now)
            open_ctas(at=bench.now)


def _through_the_queue(schemas: list[str]) -> None:
    """Ring every workspace, wait until each has had its run, and look that each has scored every account alike."""
    from health.tasks import nightly

    for schema in schemas:
        with schema_context(schema):
            nightly.delay()
    parts = (f'(select count(*) from "{schema}".health_healthrun)' for schema in schemas)
    query = " + ".join(parts)
    deadline = time.monotonic() + 1200
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(f"select {query}")
            if cursor.fetchone()[0] == len(schemas):
                _check_alike(schemas)
                return
            time.sleep(0.02 if len(schemas) < 100 else 0.2)
    raise TimeoutError("the worker did not score every workspace in twenty minutes")


def _check_alike(schemas: list[str]) -> None:
    fresh = "select count(*), sum(score) from {} where computed_at > '2001-01-01'"
    tables = (f'"{schema}".health_accounthealth' for schema in schemas)
    with connection.cursor() as cursor:
        cursor.execute(" union ".join(fresh.format(table) for table in tables))
        found = cursor.fetchall()
    assert len(found) == 1, "every copy has the same scores"
    assert found[0][0] > 0, "accounts have a new score"


@contextmanager
def _worker() -> Iterator[None]:
    """One Celery worker on the benchmark's database, as the stack starts it but with a single child."""
    from config.stack.application import worker

    with running(worker(dict(os.environ), processes=1)):
        yield
