"""Renewals that wait for a call, in the day of whoever works the account."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.actions import create_contract
from accounts.models import StandIn
from health.actions.renewal_sweep import record_signals
from health.actions.renewals import give_call
from health.models import RenewalReview
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def rows(client, query=""):
    return re.findall(r'<li data-item id="([a-z]+)-', client.get(f"/day/{query}").content.decode())


@pytest.fixture
def waiting(halden, today):
    """Halden's contract ends in 24 days; so does one of a colleague's account."""
    for account in (halden, AccountFactory(name="Elsewhere", owner=UserFactory())):
        create_contract(
            account, actor=None, at=timezone.now(), start_on=today - timedelta(days=300),
            end_on=today + timedelta(days=24), arr=Decimal(412_000),
        )  # fmt: skip
    record_signals(at=timezone.now())
    return RenewalReview.objects.get(account=halden)


def test_ones_own_stand_there_with_the_reason_until_the_call_is_made(desk, mara, waiting):
    assert (rows(desk), rows(desk, "?kind=call"), rows(desk, "?kind=cta")) == (["call"], ["call"], [])
    page = desk.get("/day/").content.decode()
    assert "Renewal in 24 days, no call yet, due in 7 days" in page
    assert f'href="/health/renewals/{waiting.pk}/call/"' in page
    give_call(waiting, call="will_renew", reason="Signed", actor=mara, at=timezone.now())
    assert rows(desk) == []


def test_whoever_stands_in_for_the_owner_sees_it_too(client, mara, waiting, today):
    helper = UserFactory(role="csm")
    client.force_login(helper)
    assert rows(client) == []
    StandIn.objects.create(absent=mara, colleague=helper, from_on=today, until_on=today, set_at=timezone.now())
    assert rows(client) == ["call"]


def test_a_renewal_that_is_over_asks_for_nothing(desk, waiting):
    waiting.contract.status = "churned"
    waiting.contract.save(update_fields=["status"])
    assert rows(desk) == []
