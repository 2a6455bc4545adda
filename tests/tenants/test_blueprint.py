"""A schema built from the blueprint is what the migrations make."""

from __future__ import annotations

import pytest
from django.db import connection

from tenants import blueprint
from tenants.catalogue import describe, fingerprints
from tenants.models import Blueprint, Tenant

MIGRATED = "t_migrated"


@pytest.fixture
def public(db):
    connection.set_schema_to_public()


def rows(sql, *params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def test_a_built_schema_equals_a_migrated_one(public):
    with connection.cursor() as cursor:
        cursor.execute(f"create schema {MIGRATED}")
    connection.set_schema(MIGRATED)
    blueprint.migrate_selected_schema()
    connection.set_schema_to_public()
    blueprint.build_schema("t_built")
    migrated, built = describe(MIGRATED), describe("t_built")
    assert len(migrated) > 500
    assert built == migrated
    for table in ("django_content_type", "auth_permission"):
        assert rows(f"select * from t_built.{table} order by id") == rows(
            f"select * from {MIGRATED}.{table} order by id"
        )
    applied = "select app, name from {}.django_migrations order by id"
    assert rows(applied.format("t_built")) == rows(applied.format(MIGRATED))


def test_it_copies_partitions_triggers_functions_and_storage(public):
    blueprint.build_schema("t_built")
    found = describe("t_built")
    text = "\n".join(found)
    assert "relation usage_event p" in text
    assert "partitioned usage_event RANGE (at)" in text
    assert "trigger accounts_auditentry audit_append_only" in text
    assert "function refuse_audit_change" in text
    assert "fillfactor=70" in text


def test_nothing_in_a_built_schema_points_out_of_it(public):
    blueprint.build_schema("t_built")
    assert (
        rows(
            "select conname from pg_constraint c join pg_class f on f.oid = c.confrelid"
            " where c.connamespace = 't_built'::regnamespace and f.relnamespace <> 't_built'::regnamespace"
        )
        == []
    )
    assert not [line for line in describe("t_built", strip=False) if "zz_blueprint" in line]


def test_a_built_schema_goes_on_counting_where_its_rows_end(public):
    blueprint.build_schema("t_built")
    for table in ("django_content_type", "auth_permission", "django_migrations"):
        [(highest,)] = rows(f"select max(id) from t_built.{table}")
        [(upcoming,)] = rows("select nextval(pg_get_serial_sequence(%s, 'id'))", f"t_built.{table}")
        assert upcoming == highest + 1


def test_every_tenant_schema_equals_the_others(public):
    schemas = list(Tenant.objects.exclude(schema_name="public").values_list("schema_name", flat=True))
    assert len(schemas) == 3
    assert len(set(fingerprints(schemas).values())) == 1
    with connection.cursor() as cursor:
        cursor.execute(f'alter table "{schemas[0]}".accounts_account add column stray int')
    assert len(set(fingerprints(schemas).values())) == 2


def test_no_table_stands_in_public_and_in_a_tenant(public):
    [(both,)] = rows(
        "select array_agg(distinct t.tablename) from pg_tables p join pg_tables t using (tablename)"
        " where p.schemaname = 'public' and t.schemaname like 't\\_%%'"
    )
    # Each schema keeps its own list of applied migrations; nothing of ours reads it through the search path.
    assert both == ["django_migrations"]


def test_a_schema_that_cannot_be_built_leaves_nothing(public):
    Blueprint.objects.update(script=Blueprint.objects.get().script + "\nselect 1/0;")
    with pytest.raises(Exception, match="division by zero"):
        blueprint.build_schema("t_built")
    assert rows("select 1 from pg_namespace where nspname = 't_built'") == []


def test_an_index_made_concurrently_is_replayed_without_it():
    assert blueprint.CONCURRENTLY.sub(r"\1", 'CREATE UNIQUE INDEX CONCURRENTLY "a" ON b (c)') == (
        'CREATE UNIQUE INDEX "a" ON b (c)'
    )


@pytest.mark.parametrize(
    ("sql", "ignored"),
    [
        ("SET search_path = a", True),
        ("SELECT id, name FROM x", True),
        ("select 1", True),
        ("SELECT create_things('a');", False),
        ("CREATE TABLE a ()", False),
        ("SAVEPOINT s1", True),
        ("insert into a select 1", False),
    ],
)
def test_only_statements_that_change_something_are_recorded(sql, ignored):
    assert bool(blueprint.IGNORED.match(sql)) is ignored
