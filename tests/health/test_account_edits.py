"""Values set from the accounts list: in place, on many at once, and taken back."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import create_contract, edit_accounts, undo_edit, update_account
from accounts.audit import verify_chain
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account, AuditEntry, BulkEdit, ChangedAccount, Contract, LifecycleStage, Tier
from tests.factories import AccountFactory, UserFactory
from tests.health.listed import NOW
from tests.tables import contents

pytestmark = pytest.mark.django_db
# What an undo leaves behind: the record of both edits, the queue of the score, and that the account changed twice.
RECORDS = ("accounts_auditentry", "accounts_bulkedit", "accounts_bulkeditrow", "accounts_changedaccount")
COUNTED = {"accounts_account": ("version", "updated_at")}


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def csm():
    return UserFactory(role=Role.CSM)


@pytest.fixture
def tiers():
    return [Tier.objects.create(key=key, name=key.title(), rank=rank) for rank, key in enumerate(("low", "mid", "top"))]


def state():
    return contents(without=RECORDS, moving=COUNTED)


class TestEdit:
    def test_one_statement_sets_all_and_each_leaves_one_audit_entry(self, vp, tiers):
        accounts = [AccountFactory(tier=tiers[0]), AccountFactory(tier=None), AccountFactory(tier=tiers[1])]
        edited = edit_accounts(Account.objects.all(), "tier", tiers[1], actor=vp, at=NOW)
        assert (edited.changed, edited.refused) == (2, [])
        assert set(Account.objects.values_list("tier", "version")) == {(tiers[1].pk, 2), (tiers[1].pk, 1)}
        entries = AuditEntry.objects.filter(action="account.updated").order_by("object_id")
        assert [entry.object_id for entry in entries] == sorted(str(account.pk) for account in accounts[:2])
        assert entries[0].after == {"tier": str(tiers[1].pk), "edit": str(edited.edit.pk)}
        assert ChangedAccount.objects.count() == 2
        assert verify_chain().intact

    def test_the_number_of_statements_does_not_grow_with_the_accounts(self, vp, tiers):
        counts = []
        for total in (1, 4):
            while Account.objects.count() < total:
                AccountFactory(owner=vp)
            with CaptureQueriesContext(connection) as queries:
                edit = edit_accounts(Account.objects.all(), "tier", tiers[len(counts)], actor=vp, at=NOW).edit
            with CaptureQueriesContext(connection) as undone:
                undo_edit(edit, actor=vp, at=NOW)
            counts.append((len(queries), len(undone)))
        assert counts[0] == counts[1]

    def test_only_accounts_one_may_change_are_changed(self, csm):
        mine, theirs = AccountFactory(owner=csm), AccountFactory(owner=UserFactory())
        edit_accounts(Account.objects.all(), "segment", "Key", actor=csm, at=NOW)
        assert dict(Account.objects.values_list("pk", "segment")) == {mine.pk: "Key", theirs.pk: ""}

    def test_a_firm_maximum_refuses_what_is_above_it_and_says_which(self, vp, csm, tiers):
        tiers[2].capacity = {"csm": {"max": 2}}
        tiers[2].save()
        AccountFactory(owner=csm, tier=tiers[2])
        for name in ("a", "b", "c"):
            AccountFactory(name=name, tier=tiers[2])
        wanted = Account.objects.filter(name__in="abc")
        edited = edit_accounts(wanted, "owner", csm, actor=vp, at=NOW)
        assert (edited.changed, len(edited.refused)) == (1, 2)
        assert "2 Top accounts" in edited.refused[0].why
        over = edit_accounts(wanted, "owner", csm, actor=vp, at=NOW, reason="Cover for a month")
        assert (over.changed, over.refused) == (2, [])

    def test_a_renewal_that_follows_from_contracts_is_refused(self, vp):
        bound, free = AccountFactory(name="bound"), AccountFactory(name="free")
        Contract.objects.create(account=bound, start_on=NOW.date(), arr=1)
        edited = edit_accounts(Account.objects.all(), "renewal_on", date(2027, 5, 1), actor=vp, at=NOW)
        assert [(refusal.name, edited.changed) for refusal in edited.refused] == [("bound", 1)]
        assert set(Account.objects.values_list("name", "renewal_on")) == {("bound", None), ("free", date(2027, 5, 1))}
        assert free.pk

    def test_who_cannot_own_is_refused_and_nothing_changes(self, vp):
        AccountFactory()
        with pytest.raises(RuleViolated):
            edit_accounts(Account.objects.all(), "owner", UserFactory(role=Role.READ_ONLY), actor=vp, at=NOW)
        with pytest.raises(RuleViolated):
            edit_accounts(Account.objects.all(), "arr", 5, actor=vp, at=NOW)
        assert not BulkEdit.objects.exists()

    def test_a_version_that_is_not_there_any_more_is_told(self, vp):
        account = AccountFactory()
        update_account(account, actor=vp, at=NOW, industry="Rail")
        with pytest.raises(StaleVersion):
            edit_accounts(Account.objects.all(), "segment", "Key", actor=vp, at=NOW, expected_version=1)


class TestUndo:
    @given(
        rows=st.lists(
            st.tuples(
                st.sampled_from([None, 0, 1, 2]), st.sampled_from([None, 0, 1]),
                st.sampled_from(["", "North", "South"]),
                st.dates(date(2026, 1, 1), date(2028, 1, 1)) | st.none(),
            ),
            min_size=1, max_size=6,
        ),
        edits=st.lists(
            st.tuples(
                st.sampled_from(["tier", "owner", "segment", "renewal_on", "stage", "industry"]), st.integers(0, 2)
            ),
            min_size=2, max_size=5,
        ),
    )  # fmt: skip
    @settings(
        max_examples=20,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def test_undoing_edits_in_turn_restores_exactly_the_state_before(self, vp, csm, tiers, rows, edits):
        Account.objects.all().delete()
        stage, _made = LifecycleStage.objects.get_or_create(key="on", defaults={"name": "Ongoing", "position": 1})
        people, day = [vp, csm], date(2027, 3, 1)
        for tier, owner, segment, renewal in rows:
            AccountFactory(
                tier=None if tier is None else tiers[tier], owner=None if owner is None else people[owner],
                segment=segment, renewal_on=renewal,
            )  # fmt: skip
        values = {
            "tier": [None, *tiers[:2]],
            "owner": [None, *people],
            "segment": ["", "North", "West"],
            "renewal_on": [None, day, day + timedelta(days=9)],
            "stage": [None, stage, stage],
            "industry": ["", "Rail", "Roads"],
        }
        states, made = [], []
        for field, which in edits:
            states.append(state())
            made.append(edit_accounts(Account.objects.all(), field, values[field][which], actor=vp, at=NOW).edit)
        for before, edit in zip(reversed(states), reversed(made), strict=True):
            if edit is not None:
                assert undo_edit(edit, actor=vp, at=NOW).refused == []
            assert state() == before

    def test_an_account_changed_since_is_left_alone_and_named(self, vp, tiers):
        kept, changed = AccountFactory(name="Kept", tier=tiers[0]), AccountFactory(name="Changed")
        edit = edit_accounts(Account.objects.all(), "tier", tiers[1], actor=vp, at=NOW).edit
        update_account(changed, actor=vp, at=NOW, industry="Rail")
        undone = undo_edit(edit, actor=vp, at=NOW)
        assert [(refusal.name, refusal.why) for refusal in undone.refused] == [("Changed", "somebody changed it since")]
        kept.refresh_from_db()
        changed.refresh_from_db()
        assert (kept.tier, changed.tier, undone.changed) == (tiers[0], tiers[1], 1)
        with pytest.raises(RuleViolated):
            undo_edit(edit, actor=vp, at=NOW)

    def test_a_tier_that_was_deleted_cannot_come_back(self, vp, tiers):
        AccountFactory(name="a", tier=tiers[0])
        edit = edit_accounts(Account.objects.all(), "tier", tiers[1], actor=vp, at=NOW).edit
        tiers[0].delete()
        assert undo_edit(edit, actor=vp, at=NOW).refused[0].why == "what it had before is gone"

    def test_a_csm_takes_back_only_what_they_may_change(self, vp, csm):
        mine, theirs = AccountFactory(owner=csm), AccountFactory(owner=vp)
        edit = edit_accounts(Account.objects.all(), "segment", "Key", actor=vp, at=NOW).edit
        undone = undo_edit(edit, actor=csm, at=NOW)
        assert (undone.changed, len(undone.refused)) == (1, 1)
        assert dict(Account.objects.values_list("pk", "segment")) == {mine.pk: "", theirs.pk: "Key"}


class TestPages:
    def test_the_selected_accounts_change_and_the_toast_offers_the_undo(self, client, csm):
        other = UserFactory(role=Role.CSM)
        mine, theirs = AccountFactory(owner=csm), AccountFactory(owner=other)
        client.force_login(csm)
        data = {"id": [mine.pk, theirs.pk, "junk"], "set": f"owner:{other.pk}", "reason": "Leave", "sort": "name"}
        answer = client.post("/accounts/edits/", data)
        assert answer["Location"] == "/accounts/?sort=name"
        assert set(Account.objects.values_list("pk", "owner")) == {(mine.pk, other.pk), (theirs.pk, other.pk)}
        edit = BulkEdit.objects.get()
        page = client.get(answer["Location"]).content.decode()
        assert f'action="/accounts/edits/{edit.pk}/undo/"' in page

    def test_all_that_match_means_the_filters_and_not_the_page(self, client, vp):
        for at in range(3):
            AccountFactory(name=f"Halden {at}")
        AccountFactory(name="Other")
        client.force_login(vp)
        client.post("/accounts/edits/", {"scope": "all", "q": "halden", "set": f"owner:{vp.pk}"})
        assert Account.objects.filter(owner=vp).count() == 3
        edit = BulkEdit.objects.get()
        assert client.get("/accounts/edits/").content.count(b"Owner set to") >= 1
        assert b"Halden 1" in client.get(f"/accounts/edits/{edit.pk}/").content
        client.post(f"/accounts/edits/{edit.pk}/undo/")
        assert not Account.objects.filter(owner=vp).exists()
        assert b"Restored" in client.get(f"/accounts/edits/{edit.pk}/").content

    @pytest.mark.parametrize("value", ["", "owner:junk", "owner:01a20f90-41aa-77bd-bf50-0fb7c86ebe6a", "arr:5", "x"])
    def test_a_value_that_is_not_there_changes_nothing_and_says_so(self, client, vp, value):
        AccountFactory()
        client.force_login(vp)
        answer = client.post("/accounts/edits/", {"scope": "all", "set": value}, follow=True)
        assert b"Nothing was changed" in answer.content
        assert not BulkEdit.objects.exists()

    def test_a_reader_is_shown_no_edit(self, client):
        account = AccountFactory()
        client.force_login(UserFactory(role=Role.READ_ONLY))
        assert b"data-edit" not in client.get("/accounts/").content
        assert client.get(f"/accounts/{account.pk}/cells/owner/").status_code == 403


class TestCells:
    HX = {"HX-Request": "true", "HX-Current-URL": "http://acme.localhost/accounts/?cols=tier,owner"}

    @pytest.fixture
    def desk(self, client, vp):
        client.force_login(vp)
        return client

    def test_a_saved_value_answers_with_the_row_and_an_undo(self, desk, tiers):
        account = AccountFactory(name="Halden")
        form = desk.get(f"/accounts/{account.pk}/cells/tier/", headers=self.HX).content.decode()
        assert "<html" not in form
        assert 'name="version" value="1"' in form
        answer = desk.post(f"/accounts/{account.pk}/cells/tier/", {"value": tiers[1].pk, "version": 1}, headers=self.HX)
        assert answer.content.decode().startswith(f'<tr id="r-{account.pk}">')
        assert "Mid" in answer.content.decode()
        assert answer["HX-Retarget"] == f"#r-{account.pk}"
        told = json.loads(answer["HX-Trigger-After-Settle"])
        assert told["focusOn"] == f"e-{account.pk}-tier"
        assert told["toast"]["undo"] == f"/accounts/edits/{BulkEdit.objects.get().pk}/undo/"

    def test_on_the_accounts_own_page_its_facts_and_its_head_answer(self, desk, tiers):
        account = AccountFactory(name="Halden")
        here = {"HX-Request": "true", "HX-Current-URL": f"http://acme.localhost/accounts/{account.pk}/?list=x"}
        page = desk.get(f"/accounts/{account.pk}/").content.decode()
        for column in ("owner", "stage", "tier", "segment", "industry", "renewal"):
            assert f'data-edit id="e-{account.pk}-{column}" href="/accounts/{account.pk}/cells/{column}/"' in page
        answer = desk.post(f"/accounts/{account.pk}/cells/tier/", {"value": tiers[1].pk, "version": 1}, headers=here)
        text = answer.content.decode()
        assert text.startswith('<dl class="facts" id="facts">')
        assert 'id="acct-meta" hx-swap-oob="true"' in text
        assert text.count("Mid") == 2
        assert answer["HX-Retarget"] == "#facts"
        assert json.loads(answer["HX-Trigger-After-Settle"])["focusOn"] == f"e-{account.pk}-tier"
        late = desk.post(f"/accounts/{account.pk}/cells/segment/", {"value": "New", "version": 1}, headers=here)
        assert (late.status_code, late["HX-Retarget"]) == (409, f"#f-{account.pk}-segment")
        assert "Yours: <b>New</b>" in late.content.decode()

    def test_a_renewal_from_contracts_is_no_edit_and_a_reader_has_none(self, desk, vp):
        account = AccountFactory()
        today = timezone.localdate()
        create_contract(account, actor=vp, at=timezone.now(), start_on=today, arr=Decimal(5), currency="USD")
        page = desk.get(f"/accounts/{account.pk}/").content.decode()
        assert f"e-{account.pk}-owner" in page
        assert f"e-{account.pk}-renewal" not in page
        desk.force_login(UserFactory(role=Role.READ_ONLY))
        assert "data-edit" not in desk.get(f"/accounts/{account.pk}/").content.decode()

    def test_without_script_the_account_is_where_one_comes_back_to_with_the_undo(self, desk):
        account = AccountFactory()
        url, here = f"/accounts/{account.pk}/cells/segment/", f"http://acme.localhost/accounts/{account.pk}/"
        assert f'value="/accounts/{account.pk}/"' in desk.get(url, headers={"Referer": here}).content.decode()
        saved = desk.post(url, {"value": "New", "version": 1, "next": here}, follow=True)
        assert saved.redirect_chain == [(f"/accounts/{account.pk}/", 302)]
        page = saved.content.decode()
        undo = f"/accounts/edits/{BulkEdit.objects.get().pk}/undo/"
        assert f'action="{undo}"' in page
        desk.post(undo)
        account.refresh_from_db()
        assert account.segment == ""

    def test_a_lost_race_shows_both_values_and_saves_with_the_new_version(self, desk, vp, tiers):
        account = AccountFactory()
        update_account(account, actor=vp, at=timezone.now(), tier=tiers[0])
        url = f"/accounts/{account.pk}/cells/tier/"
        answer = desk.post(url, {"value": tiers[2].pk, "version": 1}, headers=self.HX)
        text = answer.content.decode()
        assert answer.status_code == 409
        assert "There now: <b>Low</b>" in text
        assert "Yours: <b>Top</b>" in text
        assert 'name="version" value="2"' in text
        assert desk.post(url, {"value": tiers[2].pk, "version": 2}, headers=self.HX).status_code == 200
        account.refresh_from_db()
        assert account.tier == tiers[2]

    def test_it_works_without_script(self, desk):
        account = AccountFactory()
        url = f"/accounts/{account.pk}/cells/industry/"
        back = "http://acme.localhost/accounts/?sort=name"
        page = desk.get(url, headers={"Referer": back}).content.decode()
        assert "<h1>Industry of" in page
        assert 'name="next" value="/accounts/?sort=name"' in page
        answer = desk.post(url, {"value": "Rail", "version": 1, "next": "/accounts/?sort=name"})
        assert answer["Location"] == "/accounts/?sort=name"
        account.refresh_from_db()
        assert account.industry == "Rail"

    @pytest.mark.parametrize(
        ("column", "value"), [("owner", "junk"), ("renewal", "soon"), ("industry", "x" * 90), ("tier", "1")]
    )
    def test_what_cannot_be_read_is_refused_and_kept(self, desk, column, value):
        account = AccountFactory()
        answer = desk.post(f"/accounts/{account.pk}/cells/{column}/", {"value": value, "version": 1}, headers=self.HX)
        assert answer.status_code == 422
        assert b'role="alert"' in answer.content
        if column in {"renewal", "industry"}:
            assert f'value="{value}"' in answer.content.decode()

    def test_a_column_that_is_not_edited_does_not_exist(self, desk):
        assert desk.get(f"/accounts/{AccountFactory().pk}/cells/arr/").status_code == 404

    def test_the_way_back_never_leaves_the_workspace(self, desk):
        account = AccountFactory()
        data = {"value": "Rail", "version": 1, "next": "https://evil.example/accounts/"}
        assert desk.post(f"/accounts/{account.pk}/cells/industry/", data)["Location"] == "/accounts/"
