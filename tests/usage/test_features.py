"""The list of key features: given by a methodology first, kept once the tenant has one, refilled after a change."""

import datetime as dt

import pytest

from accounts.errors import RuleViolated
from accounts.models import AuditEntry
from tests.usage.world import NOW, TODAY, days, event, make_account, post, stored_days
from usage.actions import define_key_features, drain, rebuild_account_days
from usage.models import FeatureSlot

pytestmark = pytest.mark.django_db


def listed():
    return list(FeatureSlot.objects.values_list("slot", "key", "origin"))


def define(*names, origin="tenant"):
    return define_key_features([{"name": name} for name in names], actor=None, at=NOW, origin=origin)


def test_the_first_eight_features_seen_take_the_places_widest_used_first():
    for number in range(3):
        make_account(f"A-{number}", external_id=f"A-{number}")
    post([event(n, account=f"A-{n % (1 + n // 4)}", name=f"f{n // 4}") for n in range(12)])
    drain(at=NOW)
    assert [key for _, key, _ in listed()] == ["f2", "f1", "f0"]

    post([event(f"late-{n}", account="A-0", name=f"g{n}.open") for n in range(9)])
    drain(at=NOW)
    assert [slot for slot, _, _ in listed()] == list(range(1, 9))


def test_logins_sessions_and_workflows_are_no_features():
    make_account(external_id="A-1")
    post([event(n, name=name) for n, name in enumerate(["login", "Sign In", "session", "workflow.started", "logout"])])
    drain(at=NOW)
    assert listed() == []


def test_a_methodology_gives_the_first_list_and_changes_none_after():
    define("Found", origin="automatic")
    define("GPS tracking", "Reports", origin="pack")
    assert listed() == [(1, "gps_tracking", "pack"), (2, "reports", "pack")]

    define("Other", origin="pack")
    assert listed() == [(1, "gps_tracking", "pack"), (2, "reports", "pack")]
    define("Ours")
    define("GPS tracking", origin="pack")
    assert listed() == [(1, "ours", "tenant")]


def test_a_given_list_is_not_added_to_by_what_events_show():
    define("GPS")
    make_account(external_id="A-1")
    post([event(0, name="export")])
    drain(at=NOW)
    assert [key for _, key, _ in listed()] == ["gps"]


def test_a_feature_that_stays_keeps_its_column():
    define("One", "Two", "Three")
    define("Three", "Four")
    assert listed() == [(1, "four", "tenant"), (3, "three", "tenant")]
    assert AuditEntry.objects.filter(action="usage.features_defined").count() == 2


def test_nine_are_too_many():
    with pytest.raises(RuleViolated) as refused:
        define(*"abcdefghi")
    assert refused.value.rule == "at_most_eight"


def test_after_a_change_the_columns_are_refilled_from_the_stored_events():
    account = make_account(external_id="A-1")
    define("Old")
    post([event(0, user="ada", name="old"), event(1, user="ben", name="wo_created", at=NOW - dt.timedelta(days=40))])
    drain(at=NOW)
    define_key_features([{"name": "Work orders", "events": ["wo_created"]}], actor=None, at=NOW)
    rebuild_account_days(dt.date(2026, 1, 1), TODAY)

    rows = stored_days()
    assert "k1" not in rows[account.pk, TODAY]
    assert rows[account.pk, TODAY - dt.timedelta(days=40)]["k1"] == 0b01  # ben came first
    assert sum(row["quantity"] for row in days()) == 2
