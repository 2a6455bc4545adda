"""The weekly digest: on Monday morning, once a person and week, of what is theirs, as they wish."""

from __future__ import annotations

import html
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from accounts.choices import Role
from accounts.models import Workspace
from engagement.actions import set_preferences
from engagement.choices import Kind
from engagement.models import Notification, OutboxMessage
from health.actions import recompute
from health.actions.digest import next_digest_at, send_digests
from health.models import DigestWeek
from playbooks.actions import open_cta
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.definitions import CARDS, best

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
GOOD = best(CARDS["fleet-health"])


@pytest.fixture
def team():
    people = {
        "vp": UserFactory(role=Role.VP_CS),
        "csm": UserFactory(role=Role.CSM),
        "idle": UserFactory(role=Role.CSM),
        "admin": UserFactory(role=Role.ADMIN),
        "gone": UserFactory(role=Role.VP_CS, is_active=False, deactivated_at=MONDAY),
    }
    world.card()
    fallen = AccountFactory(name="Sinking Ltd", arr=100, owner=people["csm"], renewal_on=MONDAY.date() + timedelta(5))
    other = AccountFactory(name="Elsewhere Ltd", arr=900, owner=people["vp"])
    world.measure([fallen, other], GOOD, at=MONDAY - timedelta(days=20), on=MONDAY.date() - timedelta(days=20))
    recompute(at=MONDAY - timedelta(days=9))
    world.measure(fallen, world.FLEET_RED, at=MONDAY - timedelta(hours=1), on=MONDAY.date(), source="later")
    recompute(at=MONDAY - timedelta(minutes=30))
    open_cta(fallen, title="Call the sponsor", reason="", kind="risk", priority="high", at=MONDAY - timedelta(days=1),
             owner=people["csm"], due_on=MONDAY.date() + timedelta(days=2))  # fmt: skip
    return people


def told(person):
    return OutboxMessage.objects.filter(user=person, kind=Kind.WEEKLY_DIGEST)


def test_tells_what_moved_and_what_is_due_to_whom_it_concerns(team):
    assert send_digests(at=MONDAY) == 2
    mail = told(team["csm"]).get()
    assert mail.title == "Your week: ARR at risk in your book rose by $100"
    for words in (
        "ARR: $100",
        "ARR at risk: $100 (+$100 in 7 days)",
        "Sinking Ltd −40.0 to 60.0: Feature Adoption High → Low",
        "Renewing within 30 days",
        "Sinking Ltd on 28 Nov, $100",
        "Sinking Ltd: Call the sponsor, 25 Nov",
    ):
        assert words in mail.body, words
    assert "Elsewhere" not in mail.body
    leader = told(team["vp"]).get()
    assert ("ARR: $1,000" in leader.body, "1 CTA in all, 0 overdue" in leader.body) == (True, True)
    assert not told(team["idle"]).exists()
    assert not told(team["admin"]).exists()
    assert not told(team["gone"]).exists()


def test_the_page_shows_beforehand_what_the_mail_then_says(team, client, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: MONDAY - timedelta(minutes=45))
        client.force_login(team["csm"])
        page = html.unescape(strip_tags(client.get("/portfolio/digest/").content.decode()))
        client.force_login(team["idle"])
        assert "Without a customer no digest is sent" in client.get("/portfolio/digest/").content.decode()
        client.force_login(team["admin"])
        assert "VPs and CSMs get it on Monday morning" in client.get("/portfolio/digest/").content.decode()
    assert "Comes by mail and in the app on 23 Nov at 07:00, UTC." in page
    send_digests(at=MONDAY)
    mail = told(team["csm"]).get()
    assert mail.title in page
    lines = [line.removeprefix("• ").removesuffix(":") for line in mail.body.splitlines() if line]
    assert len(lines) >= 8
    assert [line for line in lines if line not in page] == []


def test_the_page_says_when_it_was_switched_off(team, client):
    client.force_login(team["vp"])
    assert "/portfolio/digest/" in client.get("/notifications/preferences/").content.decode()
    set_preferences(team["vp"], {Kind.WEEKLY_DIGEST: (False, False)}, at=MONDAY)
    assert "You switched it off" in client.get("/portfolio/digest/").content.decode()


@pytest.mark.parametrize(
    ("at", "zone", "following"),
    [
        (MONDAY.replace(hour=6), "UTC", MONDAY.replace(hour=7, minute=0)),
        (MONDAY, "UTC", MONDAY.replace(day=30, hour=7, minute=0)),
        (MONDAY, "America/New_York", MONDAY.replace(hour=12, minute=0)),
        (MONDAY - timedelta(days=1), "UTC", MONDAY.replace(hour=7, minute=0)),
    ],
)
def test_the_next_one_comes_on_the_workspaces_monday(team, at, zone, following):
    assert next_digest_at(Workspace(timezone=zone), at) == following


def test_a_week_is_told_once_however_often_it_is_rung(team):
    counts = [send_digests(at=MONDAY + timedelta(minutes=15 * step)) for step in range(4)]
    assert counts == [2, 0, 0, 0]
    assert send_digests(at=MONDAY + timedelta(days=7)) == 2
    assert told(team["vp"]).count() == 2


@pytest.mark.parametrize(
    ("at", "zone", "sent"),
    [
        (MONDAY.replace(hour=6, minute=59), "UTC", 0),
        (MONDAY.replace(hour=7, minute=0), "UTC", 2),
        (MONDAY.replace(hour=7), "America/New_York", 0),
        (MONDAY.replace(hour=12), "America/New_York", 2),
        (MONDAY - timedelta(hours=10), "Pacific/Auckland", 2),
        (MONDAY - timedelta(days=1), "UTC", 0),
        (MONDAY + timedelta(days=1), "UTC", 2),
        (MONDAY + timedelta(days=2), "UTC", 0),
    ],
)
def test_from_seven_on_the_workspaces_monday_and_on_tuesday_at_the_latest(team, at, zone, sent):
    Workspace.objects.update(timezone=zone)
    assert send_digests(at=at) == sent


def test_who_wants_no_mail_gets_none_and_the_settings_show_it(team, client):
    client.force_login(team["csm"])
    assert "My week: what moved and what is due" in client.get("/notifications/preferences/").content.decode()
    set_preferences(team["csm"], {Kind.WEEKLY_DIGEST: (True, False)}, at=MONDAY)
    send_digests(at=MONDAY)
    assert not told(team["csm"]).exists()
    assert Notification.objects.filter(user=team["csm"], kind=Kind.WEEKLY_DIGEST).count() == 1


def test_a_run_that_fails_has_told_nobody_and_the_next_tells_all(team, monkeypatch):
    from health.actions import digest

    calls = []

    def fail_at_the_second(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the worker stopped")
        return real(*args, **kwargs)

    real = digest.notify
    with monkeypatch.context() as patch:
        patch.setattr(digest, "notify", fail_at_the_second)
        with pytest.raises(RuntimeError):
            send_digests(at=MONDAY)
    assert (OutboxMessage.objects.filter(kind=Kind.WEEKLY_DIGEST).exists(), DigestWeek.objects.exists()) == (
        False,
        False,
    )
    assert send_digests(at=MONDAY) == 2
