"""What is told to whom: each fact once, in order, with nothing that was written for colleagues."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from accounts.actions import create_account, define_field, edit_accounts, update_account
from accounts.actions.contracts import create_contract
from accounts.audit import record
from accounts.models import Account, AuditEntry
from api.webhook_shapes import SHAPES
from health.actions import open_ctas, recompute
from playbooks.actions import close_cta, create_cta, snooze_cta
from tests.factories import AT
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON
from tests.support.world import ticket
from webhooks import collecting, retention
from webhooks.actions import create_endpoint
from webhooks.catalogue import BY_NAME, EVENT_TYPES, RESOURCES
from webhooks.collecting import collect
from webhooks.models import Delivery, Endpoint, Event
from webhooks.retention import KEPT, forget_old

pytestmark = pytest.mark.django_db


def told():
    """Types and data of what was collected, in order."""
    rows = Delivery.objects.order_by("event__entry", "event__type").select_related("event")
    return [(row.event.type, json.loads(row.event.body)["data"]) for row in rows]


def test_an_own_field_that_was_edited_is_told_as_a_change_of_custom(endpoint, admin):
    define_field(label="Region", kind="text", key="region", actor=admin, at=AT)
    account = create_account(name="Halden", actor=admin, at=AT)
    edit_accounts(Account.objects.filter(pk=account.pk), "custom.region", "North", actor=admin, at=AT)
    collect(at=AT)
    changed = dict(told())["account.updated"]
    assert (changed["changed"], changed["account"]["custom"]) == (["custom"], {"region": "North"})


def test_each_change_is_told_once_in_order_to_those_who_want_it(endpoint, admin):
    other, _secret = create_endpoint(url="https://example.com/", event_types=["cta.opened"], actor=admin, at=AT)
    account = create_account(name="Halden", actor=admin, at=AT)
    update_account(account, actor=admin, at=AT, industry="Mining")
    cta = create_cta(account, title="Call", reason="They are cross", owner=admin, actor=admin, at=AT)
    close_cta(cta, outcome="resolved", note="All well", actor=admin, at=AT)
    assert collect(at=AT) == 5
    assert collect(at=AT) == 0
    mine = [name for name, _data in told()]
    assert mine == ["account.created", "account.updated", "cta.opened", "cta.opened", "cta.closed"]
    assert list(Delivery.objects.filter(endpoint=other).values_list("event__type", flat=True)) == ["cta.opened"]
    assert Event.objects.count() == 4  # one message for both
    changed = dict(told())["account.updated"]
    assert changed["changed"] == ["industry"]
    assert changed["account"]["industry"] == "Mining"
    assert changed["account_id"] == str(account.pk)


def test_what_happened_before_an_endpoint_was_set_up_is_not_told(admin, there):
    create_account(name="Before", actor=admin, at=AT)
    create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=AT)
    assert collect(at=AT) == 0


def test_a_status_tells_of_a_resolution_and_of_the_change(endpoint, admin):
    account = create_account(name="Halden", actor=admin, at=AT)
    row = ticket(account, AT, actor=admin)
    collect(at=AT)
    Delivery.objects.all().delete()
    for status in ("open", "resolved"):
        record("ticket.status", row, actor=admin, at=AT, after={"status": status})
    collect(at=AT)
    assert [name for name, _data in told()] == ["ticket.status_changed", "ticket.resolved", "ticket.status_changed"]


def test_nothing_written_for_colleagues_leaves_the_house(endpoint, admin):
    secret = "CANARY between us"
    account = create_account(name="Halden", actor=admin, at=AT)
    cta = create_cta(account, title="Call", reason=secret, owner=admin, actor=admin, at=AT)
    snooze_cta(cta, until_on=(AT + timedelta(days=3)).date(), reason=secret, actor=admin, at=AT)
    close_cta(cta, outcome="resolved", note=secret, actor=admin, at=AT)
    row = ticket(account, AT, actor=admin)
    record("ticket.update", row, actor=admin, at=AT, before={"note": "x"}, after={"note": secret})
    collect(at=AT)
    assert Event.objects.count() >= 5
    assert not Event.objects.filter(body__contains="CANARY").exists()
    assert [data["changed"] for name, data in told() if name == "ticket.updated"] == [[]]


def test_what_is_gone_is_told_by_its_id(endpoint, admin):
    account = create_account(name="Halden", actor=admin, at=AT)
    contract = create_contract(
        account, actor=admin, at=AT, number="C-1", status="active", start_on=AT.date(), currency="EUR"
    )
    key = str(contract.pk)
    record("contract.deleted", contract, actor=admin, at=AT)
    contract.delete()
    collect(at=AT)
    data = dict(told())["contract.deleted"]
    assert (data["id"], data["contract"]) == (key, None)


def test_a_band_that_changes_is_told_with_both_sides(endpoint, admin):
    world.card()
    account = world.account(owner=world.person())
    for minute, values in enumerate((FLEET_BEST, FLEET_RED)):
        world.measure(account, values)
        recompute(at=NOON + timedelta(minutes=minute))
        assert open_ctas(at=NOON + timedelta(minutes=minute)).failed == 0
    collect(at=NOON)
    data = dict(told())["account.band_changed"]
    assert data["id"] == data["account"]["id"] == str(account.pk)
    assert (data["before"]["band"], data["after"]["band"]) == ("green", "red")
    entry = AuditEntry.objects.get(action="account.band_changed")
    assert (entry.account_id, entry.at) == (account.pk, NOON + timedelta(minutes=1))


def test_many_are_told_in_batches(endpoint, admin, monkeypatch):
    monkeypatch.setattr(collecting, "BATCH", 2)
    for number in range(5):
        create_account(name=f"Account {number}", actor=admin, at=AT)
    assert collect(at=AT) == 5
    names = [data["account"]["name"] for _name, data in told()]
    assert names == [f"Account {number}" for number in range(5)]


def test_collecting_twice_at_once_tells_once(endpoint, admin):
    """A position that was taken back, as by a worker that died before its commit, repeats nothing."""
    create_account(name="Halden", actor=admin, at=AT)
    collect(at=AT)
    Endpoint.objects.update(position=0)
    collect(at=AT)
    assert (Event.objects.count(), Delivery.objects.count()) == (1, 1)


def test_an_error_stops_one_endpoint_and_no_other_and_loses_nothing(endpoint, admin, monkeypatch):
    create_endpoint(url="https://example.com/", event_types=["account.created"], actor=admin, at=AT)
    create_account(name="Halden", actor=admin, at=AT)
    deliver = collecting._deliver_to

    def fail_for_one(to, told, at):
        if to.pk == endpoint.pk:
            raise ValueError("tested")
        return deliver(to, told, at)

    with monkeypatch.context() as patched:
        patched.setattr(collecting, "_deliver_to", fail_for_one)
        assert collect(at=AT) == 1
    assert collect(at=AT) == 1
    assert Delivery.objects.filter(endpoint=endpoint).count() == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_cost_does_not_depend_on_how_many_happened(endpoint, admin, rows, django_assert_num_queries):
    for number in range(rows):
        create_account(name=f"Account {number}", actor=admin, at=AT)
    with django_assert_num_queries(13):
        collect(at=AT)


def test_a_fact_costs_nothing_more_with_endpoints_or_without(admin, there):
    create_account(name="Looks things up that are kept", actor=admin, at=AT)
    with CaptureQueriesContext(connection) as before:
        create_account(name="One", actor=admin, at=AT)
    create_endpoint(url=there.url, event_types=["account.created"], actor=admin, at=AT)
    with CaptureQueriesContext(connection) as after:
        create_account(name="Two", actor=admin, at=AT)
    assert len(before) == len(after)


def test_nothing_of_one_workspace_is_told_to_another(endpoint, admin, tenants):
    with tenant_context(tenants["globex"]):
        create_account(name="CANARY-globex", actor=None, at=AT)
        assert not Endpoint.objects.exists()
        assert collect(at=AT) == 0
    assert collect(at=AT) == 0


def test_old_events_go_with_their_deliveries(endpoint, admin):
    create_account(name="Halden", actor=admin, at=AT)
    collect(at=AT)
    assert forget_old(at=AT + KEPT) == 0
    assert forget_old(at=AT + KEPT + timedelta(seconds=1)) == 1
    assert (Event.objects.count(), Delivery.objects.count()) == (0, 0)


def test_more_old_events_than_a_batch_go_at_once(endpoint, admin, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        create_account(name=f"Account {number}", actor=admin, at=AT)
    collect(at=AT)
    create_account(name="Young", actor=admin, at=AT + KEPT)
    collect(at=AT + KEPT)
    assert forget_old(at=AT + KEPT + timedelta(seconds=1)) == 5
    assert Event.objects.count() == Delivery.objects.count() == 1


def test_every_type_names_a_resource_that_can_be_shown():
    assert len(BY_NAME) == len(EVENT_TYPES)
    assert {known.resource for known in EVENT_TYPES} == set(RESOURCES) == set(SHAPES)
