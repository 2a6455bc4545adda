"""How customers reach support, what they are entitled to, and the guides offered on tickets."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import WorkCalendar
from support import actions
from support.models import SupportChannel
from support.queries.channels import entitlements, reach_of
from tests.factories import UserFactory
from tests.support.world import agent, at, customer, install, ticket

pytestmark = pytest.mark.django_db
NEW_YORK = "America/New_York"


@pytest.fixture
def lead():
    return agent("vp_cs")


def reached(account, moment):
    """{channel: open or not} of an account at a moment."""
    return {each.channel.key: each.is_open for each in reach_of(account, at=moment)}


def features(account):
    return {each.feature: each.from_plan for each in entitlements(account)}


@pytest.mark.requirement("FLEET-10.8")
def test_at_six_in_new_york_the_chat_is_closed_and_a_request_is_offered_instead(client):
    install("fleet")
    account = customer("standard", pack="fleet")
    assert reached(account, at("2026-11-27 17:59:59", NEW_YORK))["chat"] is True
    assert reached(account, at("2026-11-27 18:00", NEW_YORK))["chat"] is False
    chat = next(each for each in reach_of(account, at=at("2026-11-27 18:00", NEW_YORK)) if each.channel.key == "chat")
    assert chat.opens_at == at("2026-11-30 08:00", NEW_YORK)
    person = UserFactory(role="portal_user")
    person.portal_accounts.add(account)
    client.force_login(person)
    SupportChannel.objects.filter(key="chat").update(calendar=_never(), tier_calendars={})
    shown = client.get("/portal/tickets/new/").content.decode()
    assert "Send a request instead." in shown
    # How long customers waited is on the report, chat by chat.
    asked = ticket(account, timezone.now() - timedelta(hours=1), channel="chat")
    actions.mark_sent(actions.reply(asked, "Here", actor=agent(), at=timezone.now()), at=timezone.now())
    client.force_login(agent("vp_cs"))
    assert "1.0 h" in client.get("/support/reports/channels/").content.decode()


def _never():
    definition = {"timezone": "UTC", "date_overrides": {"2100-01-01": [["09:00", "10:00"]]}}
    return WorkCalendar.objects.create(key="never", name="Never", definition=definition)


@pytest.mark.requirement("FLEET-10.7")
def test_the_phone_is_there_day_and_night_for_enterprise_alone_and_an_average_of_five_minutes_fails(desk):
    install("fleet")
    night = at("2026-11-28 03:00", NEW_YORK)
    assert reached(customer("enterprise", pack="fleet"), night)["phone"] is True
    assert reached(customer("standard", pack="fleet"), night)["phone"] is False
    account = customer("standard", pack="fleet")

    def called(seconds):
        began = timezone.now() - timedelta(hours=2)
        one = ticket(account, began, channel="phone")
        answered = began + timedelta(seconds=seconds)
        actions.mark_sent(actions.reply(one, "Here", actor=agent(), at=answered), at=answered)

    for seconds in (200, 400):
        called(seconds)
    shown = desk.get("/support/reports/channels/").content.decode()
    assert "Phone queue" in shown
    assert "under 5 minutes" in shown
    assert ">Missed<" in shown
    called(299)
    assert ">Kept<" in desk.get("/support/reports/channels/").content.decode()


@pytest.mark.requirement("FLEET-10.9")
def test_slack_is_enterprises_and_a_contact_left_blank_is_filled_in(desk, client):
    install("fleet")
    enterprise = customer("enterprise", pack="fleet")
    assert "slack" in reached(enterprise, timezone.now())
    assert "slack" not in reached(customer("standard", pack="fleet"), timezone.now())
    row = SupportChannel.objects.get(key="emergency")
    assert (row.address, row.own_address) == ("", "")
    page = f"/support/channels/{row.pk}/"
    assert "leaves it blank" in desk.get(page).content.decode()
    desk.post(page, {"own_address": "Vera Hale, +1 555 0100", "is_offered": "on"})
    assert "Vera Hale" in desk.get(f"/accounts/{enterprise.pk}/tickets/").content.decode()
    # What the methodology prints as its own is an example and goes to no customer (AMB-97).
    person = UserFactory(role="portal_user")
    person.portal_accounts.add(enterprise)
    client.force_login(person)
    shown = client.get("/portal/tickets/new/").content.decode()
    assert "Vera Hale" in shown
    assert "1-800-353-3801" not in shown
    install_again = SupportChannel.objects.get(key="emergency")
    install("fleet")
    install_again.refresh_from_db()
    assert install_again.own_address == "Vera Hale, +1 555 0100"


@pytest.mark.requirement("MNA-4.3")
def test_a_ticket_keeps_its_channel_and_chat_shows_as_closed_out_of_hours(desk):
    install("mna")
    account = customer("fortune-500", pack="mna", zone=NEW_YORK)
    evening, noon = at("2026-11-27 20:00", NEW_YORK), at("2026-11-27 12:00", NEW_YORK)
    assert reached(account, evening) == {
        "phone": True, "email": True, "portal": True, "chat": False, "emergency": True,
    }  # fmt: skip
    assert reached(account, noon)["chat"] is True
    kept = ticket(account, noon, channel="emergency", severity="critical")
    assert "Emergency line" in desk.get(f"/tickets/{kept.pk}/").content.decode()


@pytest.mark.requirement("MNA-4.1")
def test_each_of_the_four_tiers_has_its_queue_and_the_third_shows_its_hours(desk):
    install("mna")
    shown = desk.get("/support/teams/").content.decode()
    for rank in range(1, 5):
        assert f'<a href="/tickets/?level={rank}">Tier {rank}</a>' in shown
    third = shown.split(">Tier 3</a>")[1].split("</li>")[0]
    assert "Monday–Friday 09:00–17:00" in third
    lead, account = agent("vp_cs"), customer("fortune-500", pack="mna")
    for wanted in range(1, 5):
        one = ticket(account, timezone.now(), severity="critical")
        for level in range(2, wanted + 1):
            actions.change_level(one, level, reason="Needs more", actor=lead, at=timezone.now())
    for rank in range(1, 5):
        assert desk.get(f"/tickets/?level={rank}").context["listing"].total == 1


@pytest.mark.requirement("FMEA-5.6")
def test_premium_has_standards_too_and_its_tickets_come_first(desk):
    install("fmea")
    basic, premium = customer("basic", pack="fmea", name="Basic"), customer("professional", pack="fmea", name="Pro")
    assert features(basic) == {
        "knowledge base access": "", "community forum": "", "monthly webinars": "", "quarterly product updates": "",
    }  # fmt: skip
    assert features(premium) == dict.fromkeys(features(basic), "Standard Support") | {
        "priority ticket routing": "", "dedicated support team": "", "monthly check-in calls": "",
        "early access to features": "",
    }  # fmt: skip
    began = timezone.now() - timedelta(minutes=1)
    first, second = (ticket(each, began, severity="S3") for each in (basic, premium))
    rows = desk.get("/tickets/").context["listing"].page.rows
    assert [row["number"] for row in rows] == [second.number, first.number]
    shown = desk.get(f"/accounts/{premium.pk}/tickets/").content.decode()
    assert "priority ticket routing" in shown
    assert 'community forum <span class="faint">(Standard Support)</span>' in shown


@pytest.mark.requirement("FMEA-5.9")
def test_enterprise_has_all_of_premium_and_five_more_and_sees_its_named_contact(client):
    install("fmea")
    account, premium = customer("enterprise", pack="fmea"), customer("professional", pack="fmea")
    held = features(account)
    assert set(features(premium)) < set(held)
    assert {feature for feature, plan in held.items() if not plan} == {
        "named support contacts", "dedicated Slack channel", "quarterly business reviews", "custom health checks",
        "proactive monitoring",
    }  # fmt: skip
    owner = UserFactory(role="csm", name="Nora Lindqvist")
    type(account).objects.filter(pk=account.pk).update(owner=owner)
    person = UserFactory(role="portal_user")
    person.portal_accounts.add(account)
    client.force_login(person)
    assert "Nora Lindqvist" in client.get("/portal/", follow=True).content.decode()


@pytest.mark.requirement("BIS-6.27")
def test_a_ticket_of_a_category_is_offered_its_guide_of_three_parts(desk, lead):
    install("bis")
    account = customer()
    listed = desk.get("/support/channels/").content.decode()
    for key in ("performance", "data", "integration", "adoption", "security"):
        assert f'<span class="faint">{key}</span>' in listed
    plain = ticket(account, timezone.now())
    assert "guide of the methodology" not in desk.get(f"/tickets/{plain.pk}/").content.decode()
    actions.update_ticket(plain, tags=["integration"], actor=lead, at=timezone.now())
    shown = desk.get(f"/tickets/{plain.pk}/").content.decode()
    for words in ("Integration Failures", "API, network", "retry, fallback", "circuit breaker and monitoring"):
        assert words in shown, words
    by_category = ticket(account, timezone.now(), category="security")
    assert "Security Concerns" in desk.get(f"/tickets/{by_category.pk}/").content.decode()


def test_over_rest_and_in_a_constant_number_of_queries(desk):
    install("fleet")
    account = customer("enterprise", pack="fleet")
    found = desk.get(f"/api/v1/accounts/{account.pk}/support/").json()
    assert {each["key"] for each in found["channels"]} >= {"phone", "slack"}
    row = next(each for each in desk.get("/api/v1/support/channels/").json()["results"] if each["key"] == "phone")
    sent = {"data": json.dumps({"own_address": "+1 555 0199"}), "content_type": "application/json"}
    changed = desk.patch(f"/api/v1/support/channels/{row['id']}/", **sent).json()
    assert (changed["own_address"], changed["is_offered"], changed["version"]) == ("+1 555 0199", True, 2)
    late = desk.patch(f"/api/v1/support/channels/{row['id']}/", **sent, headers={"If-Match": '"1"'})
    assert late.status_code == 412
    days = {"data": json.dumps({"name": "Feast", "days": ["12-24"]}), "content_type": "application/json"}
    made = desk.post("/api/v1/support/holiday-lists/", **days).json()
    address = f"/api/v1/support/holiday-lists/{made['id']}/"
    assert desk.patch(address, **days, headers={"If-Match": '"1"'})["ETag"] == '"2"'
    assert desk.patch(address, **days, headers={"If-Match": '"1"'}).status_code == 412
    assert len(desk.get("/api/v1/support/issue-guides/").json()["results"]) == 5
    with CaptureQueriesContext(connection) as fleet:
        reach_of(account, at=timezone.now())
    for pack in ("fmea", "mna", "bis"):
        install(pack)
    with CaptureQueriesContext(connection) as four:
        reach_of(account, at=timezone.now())
    assert len(four) <= len(fleet)
