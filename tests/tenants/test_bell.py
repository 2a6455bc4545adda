"""A sweep is asked for once, however often facts change before it begins, and in the right workspace."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from celery import Celery
from django.core.cache import caches
from django.db import transaction
from django_tenants.utils import tenant_context

from accounts.actions import mark_changed
from accounts.models import Account
from health.tasks import sweep
from tenants import bell
from tenants.tasks import HEADER

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TASK = "health.sweep"


@pytest.fixture
def asked(monkeypatch):
    """The messages that would have gone out: task, workspace, seconds until it runs."""
    found = []

    def send(app, name, **options):
        found.append((name, options["headers"][HEADER], options["countdown"]))

    monkeypatch.setattr(Celery, "send_task", send)
    return found


@pytest.mark.django_db
class TestRinging:
    def test_many_rings_send_one_message_until_the_sweep_begins(self, asked, tenants):
        schema = tenants["acme"].schema_name
        for _ in range(3):
            bell.ring(TASK)
        assert asked == [(TASK, schema, bell.AFTER_SECONDS)]
        bell.heard(TASK)
        bell.ring(TASK)
        assert len(asked) == 2

    def test_each_workspace_has_a_bell_of_its_own(self, asked, tenants):
        bell.ring(TASK)
        with tenant_context(tenants["globex"]):
            bell.ring(TASK)
        assert [schema for _, schema, _ in asked] == [tenants[slug].schema_name for slug in ("acme", "globex")]

    @pytest.mark.parametrize(
        ("taken", "left"), [("health.score", {"ctas"}), ("health.ctas", {"accounts", "overrides_ended"})]
    )
    def test_a_sweep_that_finds_another_at_work_does_the_rest_and_asks_again(self, asked, monkeypatch, taken, left):
        monkeypatch.setattr("health.tasks.job_lock", lambda name: nullcontext(name != taken))
        bell.ring(TASK)
        assert set(sweep.run()) == left
        assert len(asked) == 2

    def test_a_sweep_hears_the_bell(self, asked):
        bell.ring(TASK)
        sweep.run()
        bell.ring(TASK)
        assert len(asked) == 2

    def test_a_broker_that_is_away_fails_nobody(self, monkeypatch, caplog):
        def away(*args, **options):
            raise OSError("no route")

        monkeypatch.setattr(Celery, "send_task", away)
        bell.ring(TASK)
        assert "the broker did not take health.sweep" in caplog.text

    def test_a_cache_that_is_away_fails_nobody(self, monkeypatch, caplog, asked):
        def away(*args, **options):
            raise OSError("no route")

        monkeypatch.setattr(type(caches["global"]), "add", away)
        monkeypatch.setattr(type(caches["global"]), "delete", away)
        bell.ring(TASK)
        bell.heard(TASK)
        assert asked == []
        assert "stays silent" in caplog.text


@pytest.mark.django_db(transaction=True)
class TestChanges:
    def test_a_changed_account_rings_once_after_the_commit(self, asked, tenants):
        account = Account.objects.create(name="Northwind")
        bell.heard(TASK)
        with transaction.atomic():
            mark_changed([account.pk], at=NOW)
            mark_changed([account.pk], at=NOW)
            assert asked == []
        assert asked == [(TASK, tenants["acme"].schema_name, bell.AFTER_SECONDS)]

    def test_no_account_no_ring_and_a_change_rolled_back_rings_nobody(self, asked):
        account = Account.objects.create(name="Northwind")
        bell.heard(TASK)
        mark_changed([], at=NOW)
        with pytest.raises(RuntimeError), transaction.atomic():
            mark_changed([account.pk], at=NOW)
            raise RuntimeError
        assert asked == []
