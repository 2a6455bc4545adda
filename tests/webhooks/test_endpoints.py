"""Setting endpoints up: what is refused, what is kept secret, what the audit log says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actions import create_account
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import AuditEntry
from tests.factories import AT
from webhooks import actions, retention
from webhooks.choices import EndpointState
from webhooks.collecting import collect
from webhooks.delivery import claim
from webhooks.models import Attempt, Delivery, Endpoint

pytestmark = pytest.mark.django_db
URL = "https://example.com/hooks"


def made(admin, **changes):
    return actions.create_endpoint(**{"url": URL, "event_types": ["cta.opened"], "actor": admin, "at": AT, **changes})


@pytest.mark.parametrize(("changes", "field"), [
    ({"event_types": []}, "event_types"),
    ({"event_types": ["cta.opened", "no.such"]}, "event_types"),
    ({"description": "x" * 121}, "description"),
    ({"url": "http://example.com/"}, "url"),
])  # fmt: skip
def test_what_cannot_be_is_refused_by_field(admin, changes, field):
    with pytest.raises(RuleViolated) as refused:
        made(admin, **changes)
    assert refused.value.field == field
    assert not Endpoint.objects.exists()


def test_there_is_a_most(admin, monkeypatch):
    monkeypatch.setattr(actions, "MOST_ENDPOINTS", 1)
    made(admin)
    with pytest.raises(RuleViolated, match="1 endpoints at most"):
        made(admin)


def test_secrets_lie_sealed_and_are_in_no_log(admin):
    endpoint, first = made(admin)
    _endpoint, second = actions.rotate_secret(endpoint, actor=admin, at=AT)
    with connection.cursor() as cursor:
        cursor.execute("select webhooks_endpoint::text from webhooks_endpoint")
        row = cursor.fetchone()[0]
        cursor.execute("select string_agg(accounts_auditentry::text, '') from accounts_auditentry")
        audit = cursor.fetchone()[0]
    for secret in (first, second):
        assert secret.startswith("whsec_")
        assert secret[6:] not in row
        assert secret[6:] not in audit
    assert Endpoint.objects.get().secrets(AT) == [second, first]


def test_a_second_rotation_leaves_two_secrets_not_three(admin):
    endpoint, _first = made(admin)
    endpoint, second = actions.rotate_secret(endpoint, actor=admin, at=AT)
    endpoint, third = actions.rotate_secret(endpoint, actor=admin, at=AT + timedelta(hours=1))
    assert endpoint.secrets(AT + timedelta(hours=2)) == [third, second]
    assert endpoint.secrets(AT + timedelta(hours=25)) == [third]


def test_changes_are_audited_once_and_only_where_something_differs(admin):
    endpoint, _secret = made(admin, event_types=["cta.closed", "cta.opened"])
    assert endpoint.event_types == ["cta.opened", "cta.closed"]
    actions.change_endpoint(endpoint, description=" The  CRM ", actor=admin, at=AT)
    actions.change_endpoint(endpoint, description="The CRM", actor=admin, at=AT)
    entry = AuditEntry.objects.get(action="webhook.changed")
    assert (entry.before, entry.after) == ({"description": ""}, {"description": "The CRM"})
    with pytest.raises(StaleVersion):
        actions.change_endpoint(endpoint, description="Late", expected_version=1, actor=admin, at=AT)


def test_pausing_and_resuming_are_audited_and_safe_to_repeat(admin):
    endpoint, _secret = made(admin)
    for _again in range(2):
        actions.pause_endpoint(endpoint, actor=admin, at=AT)
    assert Endpoint.objects.get().state == EndpointState.PAUSED
    for _again in range(2):
        actions.resume_endpoint(endpoint, catch_up=False, actor=admin, at=AT)
    assert Endpoint.objects.get().state == EndpointState.ACTIVE
    assert AuditEntry.objects.filter(action="webhook.state").count() == 2


def test_a_test_needs_an_event_that_happened(admin):
    endpoint, _secret = made(admin)
    with pytest.raises(RuleViolated, match=r"cta\.opened has not happened yet") as refused:
        actions.send_test(endpoint, "cta.opened", actor=admin, at=AT)
    assert refused.value.field == "event_type"
    with pytest.raises(RuleViolated, match="no type of event"):
        actions.send_test(endpoint, "no.such", actor=admin, at=AT)


def test_a_deleted_endpoint_is_gone_at_once_and_its_deliveries_by_parts(admin, client, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    endpoint, other = (made(admin, event_types=["account.created"])[0] for _ in range(2))
    create_account(name="Halden", actor=admin, at=AT)
    actions.send_test(endpoint, "account.created", actor=admin, at=AT)
    for number in range(3):
        create_account(name=f"Account {number}", actor=admin, at=AT)
    collect(at=AT)
    mine = Delivery.objects.filter(endpoint=endpoint)
    log = [Attempt.objects.create(delivery=row, at=AT, duration_ms=1, url="x", request_headers={}) for row in mine]
    keys = list(mine.values_list("pk", flat=True))
    assert (len(keys), Delivery.objects.filter(endpoint=other).count()) == (5, 4)

    with CaptureQueriesContext(connection) as statements:
        actions.delete_endpoint(endpoint, actor=admin, at=AT)

    assert list(Endpoint.objects.all()) == [other]
    assert AuditEntry.objects.filter(action="webhook.deleted").count() == 1
    assert not any('FROM "webhooks_delivery"' in one["sql"] for one in statements)
    assert Delivery.objects.count() == len(log) + 4
    assert [row.endpoint_id for row in Delivery.objects.due(AT)] == [other.pk] * 4
    assert {letter.delivery.endpoint_id for batch in claim(at=AT) for letter in batch} == {other.pk}
    client.force_login(admin)
    for address in (f"/settings/webhooks/{endpoint.pk}/", f"/settings/webhooks/{endpoint.pk}/deliveries/{keys[0]}/"):
        assert client.get(address).status_code == 404

    assert retention.forget_deleted() == 5
    assert retention.forget_deleted() == 0
    assert (Delivery.objects.count(), Attempt.objects.count()) == (4, 0)
