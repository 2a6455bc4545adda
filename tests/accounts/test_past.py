"""The time machine: an account's pages as of a past day, with all we know by now or only with what was known then."""

from datetime import date, datetime, timedelta
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
    undo_edit,
    update_account,
    update_contact,
)
from accounts.actions.contracts import delete_contract, record_churn, update_contract
from accounts.actions.ownership import add_team_member, remove_team_member
from accounts.asof import read_day
from accounts.choices import Role
from accounts.history import AsOf
from accounts.models import Account, Activity, Contact, Contract, LifecycleStage, TeamRole, Tier
from accounts.queries.past import contacts_then, lines_then, past_of, team_then
from playbooks.actions import close_cta, complete_task, open_cta, snooze_cta
from playbooks.models import Task
from playbooks.queries import ctas_as_of
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


def ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


def day(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def then(account, days, *, as_known=False):
    """The account as it was ``days`` ago."""
    account = Account.objects.select_related("tier", "stage", "owner", "parent").get(pk=account.pk)
    return past_of(account, AsOf(day(days), as_known))


@pytest.fixture
def vp(client):
    user = UserFactory(role=Role.VP_CS, name="Vera Paulsen")
    client.force_login(user)
    return user


@pytest.fixture
def account(vp):
    account = AccountFactory(name="Halden Logistics", owner=vp, customer_since_on=day(300), segment="National")
    Account.objects.filter(pk=account.pk).update(created_at=ago(300))
    return account


class TestFacts:
    def test_every_later_edit_is_undone_and_no_earlier_one(self, account, vp):
        before = Tier.objects.create(key="gold", name="Gold", rank=1)
        stages = [LifecycleStage.objects.create(key=k, name=k.title(), position=1) for k in ("one", "two")]
        mara = UserFactory(role=Role.CSM, name="Mara Lind")
        update_account(account, actor=vp, at=ago(50), tier=before, stage=stages[0], segment="Regional")
        update_account(account, actor=vp, at=ago(20), tier=None, stage=stages[1], owner=mara, name="Halden AG")
        edit_accounts(Account.objects.filter(pk=account.pk), "segment", "Global", actor=vp, at=ago(10))

        old = then(account, 30).account
        middle = then(account, 15).account
        oldest = then(account, 60).account

        assert (old.name, old.segment, str(old.tier), str(old.stage), old.owner_id) == (
            "Halden Logistics", "Regional", "Gold", "One", vp.pk,
        )  # fmt: skip
        assert (middle.name, middle.segment, middle.tier, str(middle.stage)) == ("Halden AG", "Regional", None, "Two")
        assert (oldest.segment, oldest.tier, oldest.stage) == ("National", None, None)
        assert str(old.owner) == "Vera Paulsen"

    def test_own_fields_hold_what_they_held(self, account, vp, client):
        for key, kind in (("region", "text"), ("docks", "number")):
            define_field(label=key.title(), kind=kind, key=key, actor=vp, at=ago(200))
        mine = Account.objects.filter(pk=account.pk)
        update_account(account, actor=vp, at=ago(50), custom={"region": "North", "loose": 1})
        edit_accounts(mine, "custom.docks", 12, actor=vp, at=ago(40))
        edit = edit_accounts(mine, "custom.region", "South", actor=vp, at=ago(30)).edit
        undo_edit(edit, actor=vp, at=ago(20))
        edit_accounts(mine, "custom.docks", None, actor=vp, at=ago(10))
        held = {days: then(account, days).account.custom for days in (60, 45, 35, 25, 15, 5)}
        assert held == {
            60: {}, 45: {"region": "North", "loose": 1}, 35: {"region": "North", "loose": 1, "docks": 12},
            25: {"region": "South", "loose": 1, "docks": 12}, 15: {"region": "North", "loose": 1, "docks": 12},
            5: {"region": "North", "loose": 1},
        }  # fmt: skip
        page = client.get(f"/accounts/{account.pk}/?as_of={day(25)}").content.decode()
        facts = page[page.index('id="facts"') :].split("</dl>")[0]
        assert "South" in facts
        assert "cells/custom" not in facts
        assert mine.get().custom == held[5], "nothing was written"

    def test_a_stage_says_since_when_only_where_that_is_kept(self, account, vp):
        stages = [LifecycleStage.objects.create(key=k, name=k.title(), position=1) for k in ("one", "two")]
        update_account(account, actor=vp, at=ago(50), stage=stages[0])
        update_account(account, actor=vp, at=ago(20), stage=stages[1])
        assert then(account, 10).account.stage_since_on == day(20)
        assert then(account, 30).account.stage_since_on is None

    def test_nothing_of_it_is_ever_written(self, account, vp, client):
        update_account(account, actor=vp, at=ago(5), segment="New")
        client.get(f"/accounts/{account.pk}/?as_of={day(9)}")
        assert Account.objects.get().segment == "New"


class TestMoney:
    def sign(self, account, vp, *, arr, start, end=None, entered=None, **fields):
        lines = [{"product": "Fleet", "seats": 10, "arr": Decimal(arr)}]
        end_on = None if end is None else day(end)
        contract = create_contract(
            account, actor=vp, at=ago(0), start_on=day(start), end_on=end_on, lines=lines, currency="USD", **fields
        )
        Contract.objects.filter(pk=contract.pk).update(created_at=ago(start if entered is None else entered))
        return contract

    def test_arr_seats_and_renewal_are_those_of_the_contracts_then(self, account, vp):
        self.sign(account, vp, arr=1000, start=400, end=40, number="old")
        grown = self.sign(account, vp, arr=500, start=200, end=-90, number="grown")
        update_contract(
            grown, actor=vp, at=ago(5), lines=[{"product": "Fleet", "seats": 30, "arr": Decimal(900)}], end_on=day(-400)
        )
        past = then(account, 60)
        assert (past.account.arr, past.account.seats, past.account.renewal_on) == (1500, 20, day(40))
        past = then(account, 30)
        assert (past.account.arr, past.account.seats, past.account.renewal_on) == (500, 10, day(-90))
        grown = next(each for each in lines_then(past) if each.number == "grown")
        assert [(line["seats"], Decimal(line["arr"])) for line in grown.shown_lines] == [(10, 500)]
        assert then(account, 2).account.arr == 900

    def test_a_contract_entered_late_counts_only_with_what_is_known_today(self, account, vp):
        self.sign(account, vp, arr=1000, start=100, entered=10, number="late")
        assert then(account, 50).account.arr == 1000
        known = then(account, 50, as_known=True)
        assert (known.account.arr, known.contracts) == (0, [])
        assert then(account, 5, as_known=True).account.arr == 1000

    def test_a_churn_reported_late_counts_from_its_own_day_unless_nobody_knew(self, account, vp):
        self.sign(account, vp, arr=1000, start=200, number="lost")
        record_churn(account, on=day(30), actor=vp, at=ago(10))
        now, known = then(account, 20), then(account, 20, as_known=True)
        assert (now.account.status, now.account.churned_on, now.account.arr) == ("churned", day(30), 0)
        assert (known.account.status, known.account.churned_on, known.account.arr) == ("active", None, 1000)
        assert then(account, 5, as_known=True).account.status == "churned"

    def test_without_contracts_what_was_entered_counts(self, account, vp):
        update_account(account, actor=vp, at=ago(8), arr=Decimal(700))
        assert (then(account, 9).account.arr, then(account, 7).account.arr) == (0, 700)

    def test_what_was_deleted_since_is_counted_as_missing(self, account, vp, client):
        contract = self.sign(account, vp, arr=1000, start=100, number="gone")
        delete_contract(contract, actor=vp, at=ago(1))
        page = client.get(f"/accounts/{account.pk}/contracts/?as_of={day(20)}").content.decode()
        assert "1 contract deleted since cannot be shown" in page


class TestPeople:
    def add(self, account, name, days, **fields):
        contact = create_contact(account, actor=None, at=ago(days), name=name, **fields)
        Contact.objects.filter(pk=contact.pk).update(created_at=ago(days))
        return contact

    def test_who_was_there_with_the_part_they_had(self, account, vp):
        ilse = self.add(account, "Ilse", 100, stakeholder_role="champion", sentiment="warm")
        self.add(account, "Newman", 5)
        update_contact(ilse, actor=vp, at=ago(20), stakeholder_role="detractor", sentiment="cold")
        found = contacts_then(then(account, 30))
        assert [(one.name, one.stakeholder_role, one.sentiment) for one in found] == [("Ilse", "champion", "warm")]

    def test_a_leaving_noted_late_counts_only_with_what_is_known_today(self, account, vp):
        ilse = self.add(account, "Ilse", 100)
        mark_contact_left(ilse, left_on=day(30), actor=vp, at=ago(10))
        assert contacts_then(then(account, 20))[0].left_on == day(30)
        assert contacts_then(then(account, 20, as_known=True))[0].left_on is None
        assert contacts_then(then(account, 40))[0].left_on is None

    def test_the_team_is_that_of_the_day(self, account, vp):
        role = TeamRole.objects.create(key="own-tam", name="TAM", side="vendor")
        old, new = UserFactory(name="Old Hand"), UserFactory(name="New Hand")
        add_team_member(account, old, role, actor=vp, at=ago(50))
        add_team_member(account, new, role, actor=vp, at=ago(5))
        assert team_then(then(account, 20)) == [("Old Hand", "TAM")]

    def test_who_left_and_came_back_was_on_the_team_before(self, account, vp):
        role = TeamRole.objects.create(key="own-tam", name="TAM", side="vendor")
        hand, gone = UserFactory(name="Old Hand"), UserFactory(name="Gone")
        member, _warning = add_team_member(account, hand, role, actor=vp, at=ago(50))
        other, _warning = add_team_member(account, gone, role, actor=vp, at=ago(50))
        remove_team_member(member, actor=vp, at=ago(10))
        remove_team_member(other, actor=vp, at=ago(10))
        add_team_member(account, hand, role, actor=vp, at=ago(5))
        assert team_then(then(account, 20)) == [("Old Hand", "TAM"), (gone.email, "own-tam")]
        assert team_then(then(account, 7)) == []


class TestTimeline:
    def test_what_came_late_is_left_out_only_as_it_was_known(self, account, vp, client):
        log_touch(account, kind="call", title="In time", actor=vp, at=ago(40))
        log_touch(account, kind="call", title="Told late", actor=vp, at=ago(3), happened_at=ago(35))
        log_touch(account, kind="call", title="Afterwards", actor=vp, at=ago(2))
        assert Activity.objects.get(title="In time").recorded_at is None

        def titles(query):
            answer = client.get(f"/accounts/{account.pk}/timeline/?as_of={day(20)}{query}")
            return [entry["title"] for _day, entries in answer.context["days"] for entry in entries]

        assert titles("") == titles("&known=now") == ["Told late", "In time"]
        assert titles("&known=then") == ["In time"]
        export = client.get(f"/accounts/{account.pk}/timeline/export.csv?as_of={day(20)}&known=then")
        text = b"".join(export.streaming_content).decode() if export.streaming else export.content.decode()
        assert "In time" in text
        assert "Told late" not in text

    def test_a_step_done_since_was_open(self, account, vp, client):
        entry = log_touch(
            account, kind="call", title="Agreed", actor=vp, at=ago(40), next_step="Send it", next_step_on=day(30)
        )
        Activity.objects.filter(pk=entry.pk).update(next_step_done_at=ago(10))
        overview = client.get(f"/accounts/{account.pk}/?as_of={day(20)}").context["steps"]
        assert [step["next_step"] for step in overview] == ["Send it"]
        assert client.get(f"/accounts/{account.pk}/?as_of={day(5)}").context["steps"] == []


class TestCtas:
    def open(self, account, title, days, **fields):
        given = {"kind": "risk", "priority": "high", "reason": "", "evidence": {}, **fields}
        return open_cta(account, title=title, at=ago(days), **given)

    def test_those_open_then_as_they_stood_then(self, account, vp):
        stayed = self.open(account, "Stayed", 40, actions=["Call", "Write"])
        closed = self.open(account, "Closed since", 40)
        over = self.open(account, "Closed before", 40)
        self.open(account, "Opened since", 2)
        close_cta(over, outcome="resolved", actor=vp, at=ago(30))
        close_cta(closed, outcome="resolved", actor=vp, at=ago(5))
        complete_task(Task.objects.get(cta=stayed, title="Call"), actor=vp, at=ago(5))
        complete_task(Task.objects.get(cta=stayed, title="Write"), actor=vp, at=ago(25))
        snooze_cta(stayed, until_on=day(-9), reason="later", actor=vp, at=ago(4))

        past = then(account, 20)
        found = ctas_as_of(vp, past.account, past)
        assert sorted(cta.title for cta in found) == ["Closed since", "Stayed"]
        assert {cta.status for cta in found} == {"open"}
        stood = next(cta for cta in found if cta.title == "Stayed")
        assert [task.title for task in stood.open_tasks] == ["Call"]


class TestPages:
    TABS = ("", "health/", "timeline/", "people/", "contracts/", "ctas/")

    def test_the_banner_the_links_and_nothing_to_do(self, account, vp, client):
        update_account(account, actor=vp, at=ago(5), name="Halden AG")
        TestCtas().open(account, "Act", 40, actions=["Call"])
        for tab in self.TABS:
            page = client.get(f"/accounts/{account.pk}/{tab}?as_of={day(9)}&known=then").content.decode()
            main = page[page.index("<main") : page.index("</main")]
            assert f'href="/accounts/{account.pk}/{tab}?"' in main, tab
            assert "Back to today" in main
            assert "as it was known then" in main
            assert "Halden Logistics</h1>" in main
            assert f'href="/accounts/{account.pk}/people/?as_of={day(9)}&amp;known=then"' in main
            for gone in ('method="post"', "/edit/", "/new/", "/log/", "/owner/", "/tickets/", "/stage/"):
                assert gone not in main, (tab, gone)

    @pytest.mark.parametrize(
        ("query", "field"),
        [("as_of=2026-02-31", "as_of"), ("as_of=9999-01-01", "as_of"), ("as_of=0001-01-01", "as_of"),
         ("as_of=2026-01-01&known=maybe", "known"), ("as_of=%00", "as_of")],
    )  # fmt: skip
    @pytest.mark.parametrize("tab", TABS)
    def test_a_day_that_is_none_is_told_at_its_field(self, account, client, query, field, tab):
        answer = client.get(f"/accounts/{account.pk}/{tab}?{query}")
        assert answer.status_code == 422
        assert list(answer.context["past_form"].errors) == [field]
        assert 'id="past"' not in answer.content.decode()

    def test_today_needs_no_time_machine(self, account, client):
        answer = client.get(f"/accounts/{account.pk}/?as_of={timezone.localdate()}")
        assert (answer.status_code, answer.context["past"]) == (200, None)
        assert read_day({}).past is None

    @pytest.mark.parametrize("tab", ["since/", "people/new/", "files/"])
    def test_from_a_page_without_a_past_it_leads_to_the_overview(self, account, client, tab):
        page = client.get(f"/accounts/{account.pk}/{tab}").content.decode()
        assert f'action="/accounts/{account.pk}/" aria-label="Time machine"' in page

    def test_before_it_was_entered_nothing_was_known(self, account, client):
        Account.objects.update(created_at=ago(100), customer_since_on=day(200))
        known = client.get(f"/accounts/{account.pk}/?as_of={day(150)}&known=then").content.decode()
        assert "Not on record yet" in known
        assert "Key facts" not in known
        now = client.get(f"/accounts/{account.pk}/?as_of={day(150)}").content.decode()
        assert "It was entered later" in now
        assert "It was not a customer yet" in client.get(f"/accounts/{account.pk}/?as_of={day(250)}").content.decode()

    def test_the_next_account_is_shown_on_the_same_day(self, account, client):
        AccountFactory(name="Zeta")
        page = client.get(f"/accounts/{account.pk}/?as_of={day(9)}&list=sort%3Dname").content.decode()
        assert f"?list=sort%3Dname&amp;as_of={day(9)}&amp;known=now" in page

    @pytest.mark.parametrize("tab", TABS)
    def test_at_most_twelve_queries_whatever_happened_since(self, account, vp, client, tab):
        tier = Tier.objects.create(key="gold", name="Gold", rank=1)
        counts = []
        for rows in (1, 3):
            for number in range(rows):
                contact = create_contact(account, actor=vp, at=ago(50), name=f"P {rows} {number}")
                Contact.objects.filter(pk=contact.pk).update(created_at=ago(50))
                TestMoney().sign(account, vp, arr=100, start=100, number=f"K {rows} {number}")
                cta = TestCtas().open(account, f"C {rows} {number}", 40, actions=["Call"])
                snooze_cta(cta, until_on=day(-9), reason="later", actor=vp, at=ago(4))
                log_touch(account, kind="call", title="x", actor=vp, at=ago(40))
            for values in ({"tier": tier, "owner": None}, {"tier": None, "owner": vp}):
                update_account(account, actor=vp, at=ago(3), **values)
            address = f"/accounts/{account.pk}/{tab}?as_of={day(9)}&known=then"
            client.get(address)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address).status_code == 200
            # Whose host it is was looked up with the request before, where hosts are kept.
            counts.append(
                len([each for each in seen if not each["sql"].startswith("SET") and "tenants_" not in each["sql"]])
            )
        assert counts[0] == counts[1] <= 12

    def test_what_may_not_be_seen_is_not_found_on_any_day(self, account, client):
        client.force_login(UserFactory(role=Role.PORTAL_USER))
        assert client.get(f"/accounts/{account.pk}/?as_of={day(9)}").status_code in {403, 404}
