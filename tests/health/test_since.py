"""What changed since somebody last looked: theirs alone, without what they did themselves, gone once seen."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import (
    create_contact,
    create_contract,
    define_field,
    edit_accounts,
    log_touch,
    mark_contact_left,
    update_account,
    update_contact,
)
from accounts.actions.contracts import update_contract
from accounts.choices import Role
from accounts.models import Account
from health.actions.visits import mark_seen, note_visit
from health.book.since import changed_since, last_look
from health.models import AccountVisit
from support import actions as desk
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def ago(**given):
    return timezone.now() - timedelta(**given)


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS, name="Vera")
    client.force_login(user)
    return user


@pytest.fixture
def mara():
    return UserFactory(role=Role.VP_CS, name="Mara")


@pytest.fixture
def acme(vp):
    world.card(at=ago(days=60))
    account = world.account(owner=vp)
    world.measure(account, FLEET_BEST, at=ago(days=40))
    world.score(account, at=ago(days=40))
    return account


def told(user, account, **since):
    found = changed_since(user, account, ago(**since))
    return {group.label: [line.what for line in group.lines] for group in found.groups}, found


class TestVisits:
    def test_looks_close_together_are_one_visit(self, vp, acme):
        now = timezone.now()
        assert last_look(vp, acme, now) is None
        first = now - timedelta(days=3)
        note_visit(acme, user=vp, at=first)
        assert last_look(vp, acme, first + timedelta(minutes=10)) is None
        assert last_look(vp, acme, now) == first
        note_visit(acme, user=vp, at=now)
        note_visit(acme, user=vp, at=now + timedelta(minutes=20))
        assert last_look(vp, acme, now + timedelta(minutes=21)) == first
        later = now + timedelta(hours=2)
        assert last_look(vp, acme, later) == now + timedelta(minutes=20)
        mark_seen(acme, user=vp, at=later)
        assert last_look(vp, acme, later + timedelta(minutes=1)) == later
        assert AccountVisit.objects.count() == 1

    def test_everybody_has_their_own(self, vp, mara, acme):
        note_visit(acme, user=vp, at=ago(days=1))
        assert last_look(mara, acme, timezone.now()) is None


class TestNews:
    def test_own_fields_are_told_with_what_they_held_and_hold(self, vp, mara, acme):
        for key, kind in (("region", "text"), ("pilot", "yes_no"), ("seats", "number")):
            define_field(label=key.title(), kind=kind, key=key, actor=mara, at=ago(days=9))
        edit_accounts(Account.objects.all(), "custom.seats", 1200, actor=mara, at=ago(days=3))
        told_of = {"region": "North", "pilot": True, "loose": 1, "seats": None}
        update_account(acme, actor=mara, at=ago(days=2), custom=told_of)
        groups, found = told(vp, acme, days=5)
        assert groups["Facts"] == ["Region and Pilot and Seats changed", "Seats changed"]
        (facts,) = found.groups
        assert [line.detail for line in facts.lines] == ["– → North; – → Yes; 1,200 → –", "– → 1,200"]

    def test_every_kind_is_told_once_with_who_and_only_what_is_new(self, vp, mara, acme):
        now = timezone.now()
        create_contract(acme, actor=mara, at=ago(days=9), start_on=now.date(), arr=Decimal(5), currency="USD")
        ilse = create_contact(acme, actor=mara, at=ago(days=9), name="Ilse", stakeholder_role="champion")
        pim = create_contact(acme, actor=mara, at=ago(days=9), name="Pim")
        log_touch(acme, kind="call", title="Old call", actor=mara, at=ago(days=9))
        assert told(vp, acme, days=5)[0] == {}

        update_account(acme, actor=mara, at=ago(days=2), segment="New", owner=mara)
        update_contract(acme.contracts.get(), actor=mara, at=ago(days=2), arr=Decimal(9))
        update_contact(ilse, actor=mara, at=ago(days=2), stakeholder_role="detractor")
        mark_contact_left(pim, left_on=now.date(), actor=mara, at=ago(days=1))
        log_touch(acme, kind="call", title="New call", actor=mara, at=ago(days=1))
        log_touch(acme, kind="call", title="Late call", actor=mara, at=ago(days=1), happened_at=ago(days=20))
        log_touch(acme, kind="call", title="My own call", actor=vp, at=ago(days=1))
        desk.open_ticket(acme, subject="Broken", body="x", channel="email", actor=mara, at=ago(days=1))
        world.measure(acme, FLEET_RED, at=ago(days=1))
        world.score(acme, at=ago(days=1))

        groups, found = told(vp, acme, days=5)
        assert groups["Facts"] == ["Owner and Segment changed"]
        assert "Contract" in groups["Contracts"][0]
        assert sorted(groups["People"]) == ["Ilse was changed", "Pim left"]
        assert sorted(groups["Touches"]) == ["Late call", "New call"]
        assert len(groups["Tickets"]) == 1
        assert found.score.moved < 0
        assert found.score.words
        assert found.words.startswith("score −")
        money = next(group for group in found.groups if group.label == "Contracts")
        assert money.lines[0].detail.endswith("→ 9")
        assert money.lines[0].by == mara.email

    def test_a_score_that_did_not_move_is_no_news(self, vp, acme):
        world.score(acme, at=ago(days=1))
        assert told(vp, acme, days=5)[1].score is None
        assert not told(vp, acme, days=5)[1].is_news


class TestPage:
    def test_the_overview_posts_and_gets_the_news_and_seen_takes_them_away(self, client, vp, mara, acme):
        address = f"/accounts/{acme.pk}/since/"
        assert f'hx-post="{address}"' in client.get(f"/accounts/{acme.pk}/").content.decode()
        assert AccountVisit.objects.count() == 0
        assert client.post(address, headers=HX).content.decode().strip() == '<div id="since"></div>'
        AccountVisit.objects.update(seen_at=ago(days=3))
        log_touch(acme, kind="call", title="<b>New</b> call", actor=mara, at=ago(days=1))
        for _again in range(2):
            news = client.post(address, headers=HX).content.decode()
            assert "Touches 1" in news
            assert "&lt;b&gt;New&lt;/b&gt; call" in news
        gone = client.post(address, {"seen": "1"}, headers=HX).content.decode()
        assert "Nothing changed since you last looked" in gone
        assert "data-focus" in gone

    def test_without_script_it_is_a_page_with_a_button(self, client, vp, mara, acme):
        address = f"/accounts/{acme.pk}/since/"
        assert "Your first look" in client.get(address).content.decode()
        assert AccountVisit.objects.count() == 0
        assert client.post(address, {"seen": "1"})["Location"] == f"/accounts/{acme.pk}/"
        AccountVisit.objects.update(seen_at=ago(days=3))
        log_touch(acme, kind="call", title="New call", actor=mara, at=ago(days=1))
        assert "New call" in client.get(address).content.decode()
        assert "New call" in client.get(address).content.decode()

    def test_at_most_twelve_queries_whatever_happened(self, client, vp, mara, acme):
        counts = []
        note_visit(acme, user=vp, at=ago(days=9))
        for rows in (1, 3):
            for number in range(rows):
                create_contact(acme, actor=mara, at=ago(days=1), name=f"{rows} {number}")
                log_touch(acme, kind="call", title="x", actor=mara, at=ago(days=1))
            client.post(f"/accounts/{acme.pk}/since/", headers=HX)
            with CaptureQueriesContext(connection) as seen:
                client.post(f"/accounts/{acme.pk}/since/", headers=HX)
            counts.append(len([q for q in seen if not q["sql"].startswith("SET") and "tenants_" not in q["sql"]]))
        assert counts[0] == counts[1] <= 12


class TestList:
    def test_the_list_narrows_to_what_changed_since_i_looked(self, client, vp, mara):
        quiet, moved, mine, unseen = (AccountFactory(name=name) for name in ("Quiet", "Moved", "Mine", "Unseen"))
        for account in (quiet, moved, mine):
            note_visit(account, user=vp, at=ago(days=2))
        update_account(moved, actor=mara, at=ago(days=1), segment="x")
        update_account(mine, actor=vp, at=ago(days=1), segment="x")
        log_touch(unseen, kind="call", title="x", actor=mara, at=ago(days=1))
        page = client.get("/accounts/?seen=changed")
        names = {account.name for account in Account.objects.all() if f">{account.name}</a>" in page.content.decode()}
        assert names == {"Moved"}
        assert "Changed since I looked" in page.content.decode()
        mark_seen(moved, user=vp, at=timezone.now())
        assert "No account matches" in client.get("/accounts/?seen=changed").content.decode()
        assert client.get("/accounts/?seen=nonsense").status_code == 200
