"""Tasks run in the tenant in which they were sent, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery import current_app
from celery.exceptions import Ignore, Reject
from django.db import connection, transaction
from django_tenants.utils import tenant_context

from engagement.models import OutboxMessage
from tenants import backlog
from tenants.models import Tenant
from tenants.tasks import HEADER, NoTenant, TenantTask, dispatch

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def all_tasks():
    current_app.loader.import_default_modules()


@pytest.fixture
def probe():
    """A task that says where it runs; gone with the test."""
    app = current_app._get_current_object()

    @app.task(base=TenantTask, name="tests.probe")
    def where():
        with connection.cursor() as cursor:
            cursor.execute("select current_schema()")
            return connection.schema_name, cursor.fetchone()[0]

    yield where
    app.tasks.unregister("tests.probe")


@pytest.fixture
def messages(monkeypatch):
    """What would have been sent: task, schema, options."""
    sent = []

    def send(task, args=None, kwargs=None, **options):
        sent.append((task.name, options["headers"][HEADER], options))

    monkeypatch.setattr("celery.app.task.Task.apply_async", send)
    return sent


def arrive(task, schema, **headers):
    """Run the body as a worker does, for a message with this header."""
    task.push_request(called_directly=False, headers={HEADER: schema, **headers} if schema else {})
    try:
        return task()
    finally:
        task.pop_request()


def test_every_task_is_ours():
    foreign = [
        name
        for name, task in current_app.tasks.items()
        if not name.startswith("celery.") and not isinstance(task, TenantTask)
    ]
    assert foreign == []
    public = {name for name, task in current_app.tasks.items() if getattr(task, "scope", "") == "public"}
    assert public == {"tenants.dispatch", "tenants.heartbeat", "signup.build", "support.fetch_mail"}


def test_every_line_of_the_schedule_names_a_task():
    for entry in current_app.conf.beat_schedule.values():
        assert entry["task"] in current_app.tasks
        if entry["task"] == "tenants.dispatch":
            assert entry["args"][0] in current_app.tasks
            assert current_app.tasks[entry["args"][0]].scope == "tenant"


class TestSending:
    def test_the_message_names_the_tenant(self, probe, messages, tenants, db):
        probe.delay()
        with tenant_context(tenants["globex"]):
            probe.apply_async()
        assert [schema for _, schema, _ in messages] == [tenants["acme"].schema_name, tenants["globex"].schema_name]

    def test_none_is_sent_from_public(self, probe, messages, db):
        connection.set_schema_to_public()
        for send in (probe.delay, probe.apply_async, probe.apply, probe.delay_on_commit):
            with pytest.raises(NoTenant):
                send()
        assert messages == []

    def test_a_signature_keeps_its_tenant(self, probe, messages, tenants, db):
        signature = probe.s()
        connection.set_schema_to_public()
        signature.apply_async()
        assert [schema for _, schema, _ in messages] == [tenants["acme"].schema_name]

    @pytest.mark.django_db(transaction=True)
    def test_on_commit_keeps_the_tenant_of_the_call(self, probe, messages, tenants):
        connection.set_schema_to_public()
        with transaction.atomic():
            with tenant_context(tenants["acme"]):
                probe.delay_on_commit()
            assert messages == []
        assert [schema for _, schema, _ in messages] == [tenants["acme"].schema_name]

    def test_a_public_task_goes_to_public(self, messages, tenants, db):
        dispatch.delay("usage.drain")
        assert messages[0][1] == "public"


class TestArriving:
    def test_it_runs_in_the_tenant_of_the_message_and_comes_back(self, probe, tenants, db):
        schema = tenants["globex"].schema_name
        assert arrive(probe, schema) == (schema, schema)
        assert connection.schema_name == tenants["acme"].schema_name

    @pytest.mark.parametrize("schema", ["", "public"])
    def test_without_a_tenant_it_is_rejected(self, probe, db, schema):
        with pytest.raises(Reject):
            arrive(probe, schema)

    @pytest.mark.parametrize("status", ["suspended", "maintenance", "offboarding", "gone", "provisioning", "failed"])
    def test_of_a_tenant_that_is_not_ready_it_is_ignored(self, probe, tenants, db, status):
        with tenant_context(Tenant(schema_name="public")):
            Tenant.objects.filter(slug="globex").update(status=status)
        with pytest.raises(Ignore):
            arrive(probe, tenants["globex"].schema_name)
        assert connection.schema_name == tenants["acme"].schema_name

    def test_of_a_tenant_that_never_was_it_is_ignored(self, probe, db):
        with pytest.raises(Ignore):
            arrive(probe, "t_nobody")

    def test_a_failing_body_comes_back_too(self, tenants, db):
        app = current_app._get_current_object()

        @app.task(base=TenantTask, name="tests.fails")
        def fails():
            raise RuntimeError

        with pytest.raises(RuntimeError):
            arrive(fails, tenants["globex"].schema_name)
        app.tasks.unregister("tests.fails")
        assert connection.schema_name == tenants["acme"].schema_name


class TestDispatch:
    def test_it_rings_every_ready_tenant_and_only_those(self, messages, tenants, db):
        connection.set_schema_to_public()
        Tenant.objects.filter(slug="globex").update(status="suspended")
        assert dispatch("playbooks.wake_snoozed", 30) == 2
        assert [(name, schema, options["expires"]) for name, schema, options in messages] == [
            ("playbooks.wake_snoozed", tenants[slug].schema_name, 30) for slug in ("acme", "platform")
        ]

    def test_it_spreads_heavy_work(self, messages, db):
        connection.set_schema_to_public()
        dispatch("playbooks.wake_snoozed", 30, spread=2)
        assert [(o["countdown"], o["expires"]) for _, _, o in messages] == [(None, 30), (2, 32), (4, 34)]

    def test_it_rings_where_something_waits_and_everybody_once_a_minute(self, messages, tenants, db):
        with tenant_context(tenants["globex"]):
            OutboxMessage.objects.create(
                to="a@b.example", title="x", dedupe_key="1", created_at=NOW, not_before=NOW - timedelta(days=1)
            )
        connection.set_schema_to_public()
        assert dispatch("engagement.deliver") == 3
        messages.clear()
        assert dispatch("engagement.deliver") == 1
        assert [schema for _, schema, _ in messages] == [tenants["globex"].schema_name]

    def test_a_query_that_fails_rings_everybody(self, db):
        backlog.worth_ringing("engagement.deliver", "select null::timestamptz", ["t_a"])
        with transaction.atomic():
            assert backlog.worth_ringing("engagement.deliver", "select x from {schema}.no_such", ["t_a"]) == ["t_a"]
            transaction.set_rollback(True)

    def test_every_task_that_says_what_waits_can_be_asked(self, tenants, db):
        schemas = [tenant.schema_name for tenant in tenants.values() if tenant.schema_name != "public"]
        asked = [task.waiting for task in current_app.tasks.values() if getattr(task, "waiting", "")]
        assert len(asked) >= 3
        for sql in asked:
            assert backlog.oldest_waiting(sql, schemas) == {}

    def test_three_hundred_tenants_cost_one_query_per_hundred(self, tenants, db, django_assert_num_queries):
        schema = tenants["acme"].schema_name
        connection.ensure_connection()
        backlog.oldest_waiting("select min(changed_at) from {schema}.accounts_changedaccount", [schema])
        with django_assert_num_queries(3):
            backlog.oldest_waiting("select min(changed_at) from {schema}.accounts_changedaccount", [schema] * 300)
