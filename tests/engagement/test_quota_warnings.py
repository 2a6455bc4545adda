"""Limits that fill up: the page, and administrators told at 70, 85 and 95 percent, each once."""

from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection

from accounts.choices import Role
from accounts.models import Account
from accounts.quotas import storage_bytes, uses
from engagement.models import Notification
from engagement.quota_warnings import warn_of_quotas
from tenants.quotas import busiest_minute, calls_key, counters, set_limits, take_events
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(tenants):
    set_limits(tenants["acme"], accounts=20, events_per_day=100, api_calls_per_minute=10, users=100)
    return UserFactory(role=Role.OWNER)


def have(number):
    Account.objects.all().delete()
    for _each in range(number):
        AccountFactory()


def titles():
    return list(Notification.objects.order_by("created_at").values_list("title", flat=True))


def test_each_step_is_told_once_and_again_only_after_it_was_left_behind(owner):
    seen = []
    for minute, number in enumerate((13, 14, 15, 17, 19, 20, 19, 18, 19, 16, 17)):
        have(number)
        seen.append(warn_of_quotas(at=AT + timedelta(minutes=minute)))
    #        65 70 75 85 95 100 95 90 95 80 85
    assert seen == [0, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1]
    assert titles()[:3] == [f"Accounts: {pct} % of the limit used" for pct in (70, 85, 95)]


def test_administrators_are_told_and_nobody_else(owner):
    admin, _csm = UserFactory(role=Role.ADMIN), UserFactory(role=Role.CSM)
    have(19)
    assert warn_of_quotas(at=AT) == 2
    assert set(Notification.objects.values_list("user", flat=True)) == {owner.pk, admin.pk}
    assert Notification.objects.first().url == "/settings/quotas/"


def test_events_warn_once_a_day_and_step(owner):
    take_events(90, at=AT)
    told = [warn_of_quotas(at=AT + timedelta(hours=hours)) for hours in (0, 1)]
    caches["global"].clear()
    told.append(warn_of_quotas(at=AT + timedelta(hours=2)))
    take_events(90, at=AT)
    told.append(warn_of_quotas(at=AT + timedelta(hours=3)))
    take_events(90, at=AT + timedelta(days=1))
    told.append(warn_of_quotas(at=AT + timedelta(days=1)))
    assert told == [1, 0, 0, 0, 1]


def test_calls_are_those_of_the_busiest_of_ten_minutes(owner):
    now = int(AT.timestamp()) // 60
    for minutes_ago, calls in ((0, 3), (9, 8), (10, 9)):
        counters().set(calls_key(connection.schema_name, now - minutes_ago), calls, ex=60)
    assert busiest_minute(connection.schema_name, AT) == 8
    assert [use.used_pct for use in uses(AT) if use.key == "calls"] == [80]


def test_the_page_shows_use_against_limit_to_administrators(owner, client):
    have(17)
    client.force_login(owner)
    page = client.get("/settings/quotas/").content.decode()
    assert ("Accounts: 85 % used" in page, "Filling up" in page) == (True, True)
    assert "/settings/quotas/" in client.get("/settings/").content.decode()
    client.force_login(UserFactory(role=Role.VP_CS))
    assert client.get("/settings/quotas/").status_code == 403


def test_storage_is_that_of_the_workspaces_own_tables(owner):
    assert 100_000 < storage_bytes() < 10**10
