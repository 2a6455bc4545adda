"""A deployment: one look at all schemas, work only where a schema lags, and no half-migrated tenant is served."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants import blueprint, fleet, locks
from tenants.actions import TenantRefused, resume_tenant
from tenants.models import Blueprint, Domain, Tenant, TenantStatus

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def public(db, workspace):
    connection.set_schema_to_public()


def schema_of(slug):
    return Tenant.objects.get(slug=slug).schema_name


def behind(slug, app="packs", name="0001_initial"):
    """Undo one migration of a tenant by hand: its table and its entry are gone."""
    with connection.cursor() as cursor:
        schema = schema_of(slug)
        cursor.execute("set constraints all immediate")
        cursor.execute(
            "select tablename from pg_tables where schemaname = %s and tablename like %s", [schema, f"{app}\\_%"]
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'drop table "{schema}"."{table}" cascade')
        cursor.execute(f'delete from "{schema}".django_migrations where app = %s and name = %s', [app, name])
    return schema


def run(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


def tables(schema):
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_nothing_lags_after_a_deployment():
    report = fleet.migrate_fleet(at=AT)
    assert (report.tenants, report.migrated, report.failed) == (3, 0, {})


def test_a_look_costs_a_handful_of_queries_whatever_the_number_of_tenants():
    with CaptureQueriesContext(connection) as three:
        fleet.migrate_fleet(at=AT)
    schemas = [schema_of("acme")] * fleet.CHUNK
    with CaptureQueriesContext(connection) as chunk:
        fleet.lagging(schemas)
    assert len(chunk) == 1
    assert len(three) <= 14


def test_only_those_that_lag_are_migrated():
    schema, before = behind("acme"), tables(schema_of("globex"))
    assert "packs_packitem" not in tables(schema)
    assert fleet.lagging([schema, schema_of("globex")]) == [schema]
    report = fleet.migrate_fleet(at=AT)
    assert (report.migrated, report.failed) == (1, {})
    assert tables(schema) == before
    assert connection.schema_name == "public"


def test_one_that_fails_is_closed_and_the_others_go_on(monkeypatch):
    behind("acme"), behind("globex")
    original = blueprint.migrate_selected_schema

    def fail_in_acme(executor):
        if connection.schema_name == schema_of_acme:
            raise RuntimeError("column is full")
        return original(executor)

    schema_of_acme = schema_of("acme")
    monkeypatch.setattr(blueprint, "migrate_selected_schema", fail_in_acme)
    report = fleet.migrate_fleet(at=AT)
    assert (report.migrated, report.failed) == (1, {"acme": "RuntimeError: column is full"})
    acme = Tenant.objects.get(slug="acme")
    assert (acme.status, acme.status_reason) == (TenantStatus.MAINTENANCE, "Migration failed: column is full")

    monkeypatch.undo()
    report = fleet.migrate_fleet(at=AT)
    assert (report.migrated, report.failed) == (1, {})
    assert fleet.lagging([schema_of_acme]) == []
    assert Tenant.objects.get(slug="acme").status == TenantStatus.READY


def test_one_that_an_operator_closed_stays_closed():
    Tenant.objects.filter(slug="acme").update(status=TenantStatus.SUSPENDED, status_reason="unpaid")
    behind("acme")
    with pytest.raises(TenantRefused, match="run migrate_tenants first"):
        resume_tenant(Tenant.objects.get(slug="acme"))
    fleet.migrate_fleet(at=AT)
    acme = Tenant.objects.get(slug="acme")
    assert (acme.status, acme.status_reason) == (TenantStatus.SUSPENDED, "unpaid")
    resume_tenant(acme)


@pytest.mark.parametrize("status", ["provisioning", "failed", "gone"])
def test_one_without_a_schema_is_passed_over(status):
    Tenant.objects.create(schema_name="t_nothing_here", slug="nothing", name="x", status=status, created_at=AT)
    assert fleet.migrate_fleet(at=AT).tenants == 3


def test_two_deployments_at_once_do_not_meet():
    schema = behind("acme")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", [locks._signed("public"), locks._signed("migrate-fleet")])
    try:
        with pytest.raises(CommandError, match="another process is migrating"):
            call_command("migrate_tenants")
        assert fleet.lagging([schema]) == [schema]
    finally:
        other.close()
    assert fleet.migrate_fleet(at=AT).migrated == 1


def test_the_command_prints_one_object():
    behind("acme")
    out = io.StringIO()
    call_command("migrate_tenants", stdout=out)
    answer = json.loads(out.getvalue())
    assert list(answer) == ["tenants", "migrated", "failed", "seconds"]
    assert (answer["tenants"], answer["migrated"], answer["failed"]) == (3, 1, {})


def test_the_public_host_and_the_blueprint_are_put_in_place(monkeypatch):
    # What a recording of all migrations builds is test_blueprint's subject; here one statement stands for them.
    monkeypatch.setattr(blueprint, "migrate_selected_schema", lambda: run("create table recorded ()"))
    Domain.objects.filter(tenant__slug="public").delete()
    Tenant.objects.filter(slug="public").delete()
    Blueprint.objects.update(state="an older release")
    fleet.prepare_database(at=AT)
    assert [d.domain for d in Tenant.objects.get(slug="public").domains.all()] == ["localhost"]
    kept = [(b.state, b.script) for b in Blueprint.objects.all()]
    assert kept == [(blueprint.state_hash(), "create table recorded ();")]
