"""An account's support page: what it is entitled to, its channels, and when its service is reviewed next."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from accounts.models import Activity, LifecycleStage
from accounts.queries.workspace import workspace_day
from support import actions
from support.models import AccountReview, ReviewCadence
from support.queries.account_reviews import next_review
from tests.support.world import agent, customer, install

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    return agent("vp_cs")


def section(page: str) -> str:
    """The part of the page on support, without its markup."""
    inside = page.split('id="h-entitled"')[1].split("</section>", maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", inside))


def due(account, today: str):
    return next_review(account, today=date.fromisoformat(today)).on


@pytest.mark.requirement("BIS-2.1")
def test_the_support_page_lists_entitlements_channels_and_the_next_review(desk):
    install("bis")
    since = workspace_day(timezone.now()) - timedelta(days=1)
    account = customer("shared-support", pack="bis", customer_since_on=since)
    shown = section(desk.get(f"/accounts/{account.pk}/tickets/").content.decode())
    for words in ("access group", "secure file exchange", "SLA reports, XLA summaries, action queues", "regular audits",
                  "updates", "backups"):  # fmt: skip
        assert words in shown, words
    for channel in ("Email", "Chat/Teams", "Phone", "Ticketing System", "Knowledge Base"):
        assert channel in shown, channel
    first = next_review(account, today=since).on
    assert 88 <= (first - since).days <= 92
    assert f"Next review {first.day} {first:%b}" in shown
    assert "Quarterly strategic and success review, every 3 months" in shown
    agreed = since + timedelta(days=20)
    form = {"next_on": agreed.isoformat(), "version": "0"}
    assert desk.post(f"/accounts/{account.pk}/service-review/", form).status_code == 302
    shown = section(desk.get(f"/accounts/{account.pk}/tickets/").content.decode())
    assert f"Next review {agreed.day} {agreed:%b}" in shown
    assert "(agreed)" in shown


def test_without_a_methodology_it_says_that_nothing_is_named(desk):
    account = customer()
    shown = section(desk.get(f"/accounts/{account.pk}/tickets/").content.decode())
    assert "none is agreed" in shown
    assert "The account has no tier" in shown
    assert "No methodology with channels is installed." in shown


def test_a_cadence_counts_from_the_customers_first_day_and_then_from_the_last_review(lead):
    install("bis")
    account = customer("dedicated-csm", pack="bis", customer_since_on=date(2026, 1, 31))
    assert due(account, "2026-02-01") == date(2026, 4, 30)
    assert due(account, "2026-04-30") == date(2026, 4, 30)
    assert due(account, "2026-05-01") == date(2026, 7, 31)
    assert due(account, "2031-02-01") == date(2031, 4, 30)
    held = timezone.now().replace(hour=12)
    actions.keep_review(account, held_on=date(2026, 5, 10), outcome="All well", actor=lead, at=held)
    assert due(account, "2026-05-11") == date(2026, 8, 10)
    told = Activity.objects.get(account=account, title="Service review held")
    assert (told.at.date(), told.body) == (date(2026, 5, 10), "All well")


def test_each_tier_has_its_own_cadence_and_a_stage_can_be_asked_for():
    install("generic")
    install("fleet")
    since = date(2026, 1, 10)
    assert due(customer("mid-market", pack="generic", customer_since_on=since), "2026-01-11") == date(2026, 7, 10)
    assert due(customer("enterprise", pack="generic", customer_since_on=since), "2026-01-11") == date(2026, 4, 10)
    assert due(customer("smb", pack="generic", customer_since_on=since), "2026-01-11") is None
    fleet = customer("standard", pack="fleet", customer_since_on=since)
    assert due(fleet, "2026-01-11") is None
    fleet.stage = LifecycleStage.objects.get(key=ReviewCadence.objects.get(key="ongoing-qbr").stage_key)
    assert due(fleet, "2026-01-11") == date(2026, 4, 10)


def test_a_day_that_cannot_be_is_refused_where_it_stands_and_two_at_once_do_not_overwrite(desk, lead):
    account, today = customer(), workspace_day(timezone.now())
    address = f"/accounts/{account.pk}/service-review/"
    early, late = (today - timedelta(days=1)).isoformat(), (today + timedelta(days=1)).isoformat()
    for field, day, words in (
        ("next_on", early, "lies ahead"),
        ("next_on", "2099-01-01", "two years"),
        ("held_on", late, "today or before"),
    ):
        refused = desk.post(address, {field: day, "version": "0"})
        assert refused.status_code == 422
        assert words in refused.content.decode().split(f'id="id_{field}_error"')[1][:400], field
    assert not AccountReview.objects.filter(next_on__isnull=False).exists()
    actions.keep_review(account, held_on=today, actor=lead, at=timezone.now())
    second = desk.post(address, {"next_on": late, "version": "0"})
    assert second.status_code == 422
    assert "changed" in second.content.decode()
    again = desk.post(address, {"held_on": today.isoformat(), "version": "1"})
    assert "already" in again.content.decode()


def test_over_rest(desk):
    install("bis")
    account = customer("self-service", pack="bis")
    found = desk.get(f"/api/v1/accounts/{account.pk}/support/").json()["next_review"]
    assert (found["agreed"], found["every"], found["version"]) == (False, "every 3 months", 0)
    day = (workspace_day(timezone.now()) + timedelta(days=9)).isoformat()
    address, sent = f"/api/v1/accounts/{account.pk}/support/review/", {"content_type": "application/json"}
    kept = desk.put(address, json.dumps({"next_on": day}), **sent)
    assert (kept.json()["next_on"], kept["ETag"]) == (day, '"1"')
    assert desk.put(address, json.dumps({"next_on": None}), headers={"If-Match": '"0"'}, **sent).status_code == 412
    assert desk.get(f"/api/v1/accounts/{account.pk}/support/").json()["next_review"]["on"] == day
    wrong = desk.put(address, json.dumps({"next_on": "soon"}), **sent)
    assert wrong.json()["errors"][0]["pointer"] == "/next_on"
