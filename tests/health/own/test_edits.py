"""Own fields edited: in place and on many accounts at once, with their way back."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import archive_field, define_field, edit_accounts, undo_edit
from accounts.errors import RuleViolated
from accounts.models import Account, BulkEdit, OwnField
from tests.factories import AT, AccountFactory
from tests.health.listed import NOW
from tests.health.own.defined import FIELDS, htmx
from tests.tables import contents

pytestmark = pytest.mark.django_db
RECORDS = ("accounts_auditentry", "accounts_bulkedit", "accounts_bulkeditrow", "accounts_changedaccount")
COUNTED = {"accounts_account": ("version", "updated_at")}


class TestEdits:
    def test_many_accounts_take_a_value_and_give_it_back(self, desk, own):
        first = AccountFactory(custom={"region": "West", "x": 1})
        second, third = AccountFactory(), AccountFactory(custom={"region": None})
        keys = [first.pk, second.pk, third.pk]
        desk.post("/accounts/edits/", {"id": keys, "set": "custom.region:North"})
        assert list(Account.objects.order_by("pk").values_list("custom__region", flat=True)) == ["North"] * 3
        edit = BulkEdit.objects.get()
        page = desk.get(f"/accounts/edits/{edit.pk}/").content.decode()
        assert "Region set to North" in page
        assert "West" in page
        desk.post(f"/accounts/edits/{edit.pk}/undo/")
        assert list(Account.objects.order_by("pk").values_list("custom", flat=True)) == [
            {"region": "West", "x": 1}, {}, {"region": None},
        ]  # fmt: skip

    def test_a_value_that_is_typed_stands_beside_its_field(self, desk, own):
        account = AccountFactory(custom={"seats": 1})
        page = desk.get("/accounts/").content.decode()
        assert '<option value="custom.seats=">Seats…</option>' in page
        desk.post("/accounts/edits/", {"id": account.pk, "set": "custom.seats=", "typed": "many"})
        assert Account.objects.get().custom == {"seats": 1}
        desk.post("/accounts/edits/", {"id": account.pk, "set": "custom.seats=", "typed": "2,5"})
        desk.post("/accounts/edits/", {"id": account.pk, "set": "custom.seats=", "typed": "2.5"})
        assert Account.objects.get().custom == {"seats": 2.5}
        desk.post("/accounts/edits/", {"id": account.pk, "set": "custom.seats=", "typed": ""})
        assert Account.objects.get().custom == {}

    def test_what_is_no_field_any_more_is_refused(self, own, vp):
        AccountFactory()
        archive_field(OwnField.objects.get(key="note"), actor=None, at=AT)
        for field, value in (("custom.note", "x"), ("custom.gone", "x"), ("custom.seats", "x")):
            with pytest.raises(RuleViolated):
                edit_accounts(Account.objects.all(), field, value, actor=vp, at=AT)

    def test_an_account_that_would_hold_too_much_is_left_and_named(self, own, vp):
        AccountFactory(name="full", custom={f"k{n}": 1 for n in range(100)})
        AccountFactory(name="free")
        edited = edit_accounts(Account.objects.all(), "custom.seats", 5, actor=vp, at=AT)
        assert [(refusal.name, edited.changed) for refusal in edited.refused] == [("full", 1)]
        assert "At most 100 names" in edited.refused[0].why

    def test_an_edit_can_be_undone_after_its_field_was_archived(self, desk, own, vp):
        AccountFactory(custom={"note": "before"})
        edit = edit_accounts(Account.objects.all(), "custom.note", "after", actor=vp, at=AT).edit
        archive_field(OwnField.objects.get(key="note"), actor=None, at=AT)
        assert "Note set to after" in desk.get(f"/accounts/edits/{edit.pk}/").content.decode()
        undo_edit(edit, actor=vp, at=AT)
        assert Account.objects.get().custom == {"note": "before"}

    def test_the_list_draws_the_row_of_an_edited_cell_anew(self, desk, own):
        account = AccountFactory(custom={"seats": 4})
        headers = htmx("/accounts/?cols=custom.seats,custom.region&sort=custom.seats")
        saved = desk.post(
            f"/accounts/{account.pk}/cells/custom.seats/", {"value": "5", "version": 1}, headers=headers
        )  # fmt: skip
        assert saved["HX-Retarget"] == f"#r-{account.pk}"
        assert f'id="e-{account.pk}-own-region"' in saved.content.decode()

    @given(
        rows=st.lists(
            st.dictionaries(
                st.sampled_from([*FIELDS, "loose"]),
                st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.sampled_from(["", "x", "12"]),
                max_size=4,
            ),
            min_size=1,
            max_size=5,
        ),
        edits=st.lists(
            st.sampled_from(
                [("region", "North"), ("region", None), ("seats", "12"), ("seats", 1.5), ("go_live", date(2027, 1, 1)),
                 ("pilot", True), ("pilot", "no"), ("note", "x"), ("note", ""), ("site", "a.example")]
            ),
            min_size=2, max_size=5,
        ),
    )  # fmt: skip
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def test_undoing_edits_in_turn_restores_exactly_the_state_before(self, vp, rows, edits):
        Account.objects.all().delete()
        for key, (label, kind, options) in FIELDS.items() if not OwnField.objects.exists() else ():
            define_field(label=label, kind=kind, key=key, options=options, actor=None, at=AT)
        for custom in rows:
            AccountFactory(custom=custom)
        states, made = [], []
        for key, value in edits:
            states.append(contents(without=RECORDS, moving=COUNTED))
            made.append(edit_accounts(Account.objects.all(), f"custom.{key}", value, actor=vp, at=NOW).edit)
        for before, edit in zip(reversed(states), reversed(made), strict=True):
            if edit is not None:
                assert undo_edit(edit, actor=vp, at=NOW).refused == []
            assert contents(without=RECORDS, moving=COUNTED) == before

    def test_the_number_of_statements_does_not_grow_with_the_accounts(self, own, vp):
        counts = []
        for total in (1, 4):
            while Account.objects.count() < total:
                AccountFactory()
            with CaptureQueriesContext(connection) as queries:
                edit = edit_accounts(Account.objects.all(), "custom.seats", total, actor=vp, at=timezone.now()).edit
            with CaptureQueriesContext(connection) as undone:
                undo_edit(edit, actor=vp, at=timezone.now())
            counts.append((len(queries), len(undone)))
        assert counts[0] == counts[1]
