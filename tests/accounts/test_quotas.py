"""Limits of a workspace at work: accounts, users, and events a day."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection

from accounts.actions import archive_account, create_account, restore_account, upsert_accounts
from accounts.actions.invitations import accept_invitation, invite_user
from accounts.actions.people import create_user_with_password, deactivate_user, reactivate_user
from accounts.choices import Role
from accounts.errors import QuotaReached
from accounts.models import Account, User
from tenants.quotas import events_on, seconds_to_next_day, set_limits, take_events
from tests.factories import AT, AccountFactory, UserFactory
from usage.actions import receive_events
from usage.models import IngestReceipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def limit(tenants):
    return lambda **limits: set_limits(tenants["acme"], **limits)


def test_the_last_account_is_taken_and_the_next_is_refused_until_one_is_archived(limit):
    limit(accounts=2)
    first, _second = AccountFactory(), create_account(actor=None, at=AT, name="Second")

    with pytest.raises(QuotaReached, match="may have 2 accounts") as refused:
        create_account(actor=None, at=AT, name="Third")
    archive_account(first, actor=None, at=AT)
    create_account(actor=None, at=AT, name="Third")
    with pytest.raises(QuotaReached):
        restore_account(first, actor=None, at=AT)

    assert (refused.value.rule, refused.value.field) == ("quota.accounts", "name")
    assert Account.objects.unarchived().count() == 2


def test_a_bulk_call_takes_what_fits_and_names_the_rest(limit):
    limit(accounts=2)
    AccountFactory()
    rows = [{"external_id": str(number), "name": f"A{number}"} for number in range(3)]

    results = [upsert_accounts(rows, source="crm", actor=None, at=AT, dry_run=dry) for dry in (True, False)]

    for result in results:
        assert [row.outcome for row in result] == ["created", "rejected", "rejected"]
        assert result[1].errors[0].rule == "quota.accounts"
    again = upsert_accounts(rows[:1], source="crm", actor=None, at=AT)
    assert [row.outcome for row in again] == ["unchanged"]


def test_the_page_says_that_there_is_no_place(client, limit):
    limit(accounts=1)
    AccountFactory()
    client.force_login(UserFactory(role=Role.VP_CS))

    page = client.post("/accounts/new/", {"name": "New", "status": "active", "currency": "USD"})

    assert page.status_code == 422
    assert "This workspace may have 1 accounts and has them." in page.content.decode()


def test_users_are_refused_above_the_limit_whichever_way_they_come(limit):
    admin, gone = UserFactory(role=Role.OWNER), UserFactory()
    deactivate_user(gone, actor=admin, at=AT)
    limit(users=2)
    invitation, _ = invite_user("ann@acme.test", role=Role.CSM, actor=admin, at=AT)

    with pytest.raises(QuotaReached, match="1 of them invited"):
        invite_user("bea@acme.test", role=Role.CSM, actor=admin, at=AT)
    accept_invitation(invitation, name="Ann", password="a long password", at=AT)
    with pytest.raises(QuotaReached) as refused:
        reactivate_user(gone, actor=admin, at=AT)
    with pytest.raises(QuotaReached):
        create_user_with_password("c@acme.test", name="", role=Role.CSM, password="x", at=AT, actor=None)

    assert (refused.value.rule, User.objects.active().count()) == ("quota.users", 2)


def events(count, first=0):
    return [
        {"id": f"e{first + number}", "account": "X-1", "event": "login", "at": AT.isoformat()}
        for number in range(count)
    ]


def test_events_of_a_day_stop_at_the_limit_with_nothing_kept(limit):
    limit(events_per_day=3)
    receive_events(events(2), source="app", at=AT)

    with pytest.raises(QuotaReached, match="may send 3 events a day"):
        receive_events(events(2, first=2), source="app", at=AT)
    receive_events(events(1, first=4), source="app", at=AT)
    tomorrow = datetime(2026, 11, 25, 0, 0, 1, tzinfo=UTC)

    assert events_on(connection.schema_name, AT) == 3
    assert IngestReceipt.objects.count() == 2
    assert take_events(3, at=tomorrow)


def test_one_workspaces_events_do_not_use_up_anothers(tenants, limit):
    limit(events_per_day=1)
    assert (take_events(1, at=AT), take_events(1, at=AT)) == (True, False)
    assert events_on(tenants["globex"].schema_name, AT) == 0


def test_events_go_on_at_midnight_utc():
    assert seconds_to_next_day(datetime(2026, 11, 24, 23, 59, tzinfo=UTC)) == 61
