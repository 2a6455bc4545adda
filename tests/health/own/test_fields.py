"""Own fields in the key facts, the accounts list and its files."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from html import unescape
from urllib.parse import unquote, urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import archive_field, change_field, define_field, edit_accounts, update_account
from accounts.models import Account, AuditEntry, OwnField, SavedView
from accounts.own_values import FieldDefinition, held
from accounts.queries.own_fields import live_fields
from health.book.accounts.asked import Asked
from health.book.accounts.export import lines
from health.book.accounts.place import place_of
from health.book.accounts.rows import page_of
from tests.factories import AT, AccountFactory
from tests.health.listed import NOW, TODAY, asked
from tests.health.own.defined import FIELDS, htmx

pytestmark = pytest.mark.django_db


def names(vp, query):
    return [row["name"] for row in page_of(vp, asked(query), "", today=TODAY, now=NOW).page.rows]


class TestKeyFacts:
    def test_they_stand_in_their_order_and_what_does_not_fit_is_marked(self, desk, own):
        custom = {
            "seats": "many <b>",
            "go_live": "2026-12-01",
            "pilot": True,
            "loose": "x",
            "site": "https://a.example/x",
        }
        account = AccountFactory(custom={**custom, "note": "Hid"})
        archive_field(OwnField.objects.get(key="note"), actor=None, at=AT)
        page = desk.get(f"/accounts/{account.pk}/").content.decode()
        facts = page[page.index('<dl class="facts"') :].split("</dl>")[0]
        assert facts.index("Region") < facts.index("Edit Seats") < facts.index("Go-live") < facts.index(">Yes<")
        assert "many &lt;b&gt;" in facts
        assert "This does not fit: number expected" in facts
        assert '<a class="ed" href="https://a.example/x" rel="noopener noreferrer" target="_blank"' in facts
        assert "<dt>loose</dt><dd>x</dd>" in facts
        assert "Hid" not in facts

    def test_the_number_of_queries_does_not_grow_with_the_fields(self, desk):
        account, counts = AccountFactory(custom={"f0": "x"}), []
        for total in (1, 3):
            for n in range(OwnField.objects.count(), total):
                define_field(label=f"F{n}", kind="text", actor=None, at=AT)
            desk.get(f"/accounts/{account.pk}/")
            with CaptureQueriesContext(connection) as queries:
                desk.get(f"/accounts/{account.pk}/")
            counts.append(len([query for query in queries if not query["sql"].startswith("SET")]) - 1)
        assert counts[0] == counts[1] <= 12

    def test_a_value_is_edited_where_it_stands_and_taken_back(self, desk, own):
        account = AccountFactory(custom={"seats": "7", "loose": 1})
        path = f"/accounts/{account.pk}/"
        form = desk.get(f"{path}cells/custom.seats/", headers=htmx(path)).content.decode()
        assert 'value="7"' in form
        assert f'id="f-{account.pk}-own-seats"' in form
        saved = desk.post(f"{path}cells/custom.seats/", {"value": "1200", "version": 1}, headers=htmx(path))
        assert saved["HX-Retarget"] == "#facts"
        assert "1,200" in saved.content.decode()
        told = json.loads(saved["HX-Trigger-After-Settle"])
        assert told["focusOn"] == f"e-{account.pk}-own-seats"
        assert Account.objects.get().custom == {"seats": 1200, "loose": 1}
        entry = AuditEntry.objects.get(action="account.updated")
        assert (entry.before, entry.after["custom.seats"]) == ({"custom.seats": "7"}, 1200)
        desk.post(told["toast"]["undo"])
        assert Account.objects.get().custom == {"seats": "7", "loose": 1}

    @pytest.mark.parametrize(
        ("column", "value", "message"),
        [
            ("seats", "many", "This must be a number with a point for decimals."),
            ("go_live", "31.12.2026", "A day is written YYYY-MM-DD."),
            ("region", "East", "One of North, South, far, West."),
            ("site", "javascript:x", "A link begins with http:// or https:// and has no blanks."),
            ("note", "x" * 1001, "At most 1000 characters."),
        ],
    )
    def test_what_does_not_fit_is_told_and_nothing_typed_is_lost(self, desk, own, column, value, message):
        account = AccountFactory(custom={column: "was"})
        response = desk.post(f"/accounts/{account.pk}/cells/custom.{column}/", {"value": value, "version": 1})
        page = response.content.decode()
        assert response.status_code == 422
        assert message in page
        assert f'value="{value}"' in page
        assert Account.objects.get().custom == {column: "was"}

    def test_an_option_that_is_gone_is_not_lost_by_looking_at_it(self, desk, own):
        account = AccountFactory(custom={"region": "East"})
        page = desk.get(f"/accounts/{account.pk}/cells/custom.region/").content.decode()
        assert '<option value="East" selected>East (does not fit)</option>' in page
        day = AccountFactory(custom={"go_live": "soon"})
        page = desk.get(f"/accounts/{day.pk}/cells/custom.go_live/").content.decode()
        assert 'type="text" name="value" value="soon"' in page

    def test_a_lost_race_shows_both_values(self, desk, own, vp):
        account = AccountFactory(custom={"pilot": False})
        edit_accounts(Account.objects.all(), "custom.pilot", True, actor=vp, at=AT)
        answer = desk.post(f"/accounts/{account.pk}/cells/custom.pilot/", {"value": "false", "version": 1})
        page = answer.content.decode()
        assert answer.status_code == 409
        assert "There now: <b>Yes</b>. Yours: <b>No</b>." in page

    def test_a_field_that_is_not_there_has_no_form(self, desk, own):
        account = AccountFactory(custom={"loose": 1})
        archive_field(OwnField.objects.get(key="note"), actor=None, at=AT)
        for column in ("custom.loose", "custom.note", "custom.", "custom"):
            assert desk.get(f"/accounts/{account.pk}/cells/{column}/").status_code == 404

    def test_keys_that_ids_and_addresses_cannot_hold_work_too(self, desk, vp):
        define_field(label="Odd", kind="number", key="Größe in m² (a.b) & 'c' %?#\"", actor=None, at=AT)
        (field,) = live_fields().values()
        account = AccountFactory(custom={field.key: 5})
        query = urlencode({"cols": field.name, f"custom_min.{field.key}": "5", "sort": field.name})
        page = desk.get(f"/accounts/?{query}").content.decode()
        address = page.split("data-edit id=")[1].split('href="')[1].split('"')[0]
        form = desk.get(address, headers=htmx(f"/accounts/?{query}")).content.decode()
        assert unquote(address) == unquote(unescape(form.split('action="')[1].split('"')[0]))
        desk.post(address, {"value": "6", "version": 1})
        account.refresh_from_db()
        assert account.custom == {field.key: 6}


class TestList:
    @pytest.mark.parametrize(
        ("sort", "order"),
        [
            ("custom.region", "bacd"),
            ("-custom.region", "cabd"),
            ("custom.seats", "cabd"),
            ("-custom.seats", "bacd"),
            ("custom.go_live", "cbad"),
            ("custom.pilot", "abcd"),
            ("custom.note", "acbd"),
        ],
    )
    def test_rows_are_sorted_by_kind_and_what_does_not_fit_comes_last(self, own, vp, sort, order):
        rows = {
            "a": ["South, far", 10, "2027-01-01", "no", "alpha"],
            "b": ["North", "10.5", "2026-12-31", True, "gamma"],
            "c": ["West", 9, "1999-01-01", "yes", "beta"],
            "d": ["East", "many", "2026-02-31", "perhaps", ""],
        }
        for name, values in rows.items():
            AccountFactory(name=name, custom=dict(zip(FIELDS, values, strict=False)))
        assert "".join(names(vp, f"sort={sort}&cols=custom.seats")) == order

    @given(
        stored=st.lists(st.sampled_from(["1", 2, 2.5, "x", None, -3, "2.50", 2]), min_size=1, max_size=9),
        down=st.booleans(),
    )
    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    def test_pages_in_turn_hold_every_account_once_in_order(self, vp, stored, down):
        Account.objects.all().delete()
        if not OwnField.objects.exists():
            define_field(label="Seats", kind="number", key="seats", actor=None, at=AT)
        for number, value in enumerate(stored):
            AccountFactory(name=str(number), custom={"seats": value})
        query, cursor, found = asked(f"sort={'-' if down else ''}custom.seats"), "", []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("health.book.accounts.rows.PAGE_SIZE", 2)
            while True:
                page = page_of(vp, query, cursor, today=TODAY, now=NOW).page
                found += page.rows
                if not (cursor := page.next):
                    break
        values = [row["own_sorted"] for row in found]
        known = [value for value in values if value is not None]
        assert len({row["pk"] for row in found}) == len(found) == len(stored)
        assert known == sorted(known, reverse=down)
        assert values == known + [None] * (len(values) - len(known))
        fitting = [held(FieldDefinition("seats", "", "number"), {"seats": value}) for value in stored]
        assert sorted(known) == sorted(
            Decimal(str(each.value)) for each in fitting if each.fits and each.value is not None
        )

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("custom.region=North", "a"),
            ("custom.region=North&custom.region=South%252C far", "ab"),
            ("custom.region=South%252C far,~none", "bd"),
            ("custom.region=~bad", "c"),
            ("custom_min.seats=10&custom_max.seats=10.5", "ab"),
            ("custom_min.seats=10.01", "b"),
            ("custom_max.seats=9&custom.seats=~bad", "cd"),
            ("custom_min.go_live=2026-12-31&custom_max.go_live=2027-01-01", "ab"),
            ("custom.pilot=true", "b"),
            ("custom.pilot=false,true", "ab"),
            ("custom.note=AL%25", "a"),
            ("custom.note=~none", "d"),
            ("custom.region=Nowhere&custom_min.seats=x&custom.gone=1&custom_min.note=3", "abcd"),
        ],
    )
    def test_filters_find_what_stands_there(self, own, vp, query, found):
        rows = {
            "a": ["North", 10, "2027-01-01", "no", "al%pha"],
            "b": ["South, far", "10.5", "2026-12-31", True, "gamma"],
            "c": ["East", 9, "1999-01-01", "perhaps", "alpha"],
            "d": [None, "many", None, "", " "],
        }
        for name, values in rows.items():
            AccountFactory(name=name, custom=dict(zip(FIELDS, values, strict=False)))
        view = asked(f"{query}&sort=name")
        assert "".join(names(vp, f"{query}&sort=name")) == found
        assert Asked.parse(view.canonical()) == view
        total = Account.objects.visible_to(vp).filter(view.filters.condition(vp, TODAY)).count()
        assert total == len(found)

    def test_the_panel_offers_them_and_a_chip_says_what_is_set(self, desk, own):
        AccountFactory(custom={"region": "South, far", "seats": 12})
        page = desk.get(
            "/accounts/?custom.region=South%252C far,~none&custom_min.seats=5&cols=custom.seats"
        ).content.decode()
        assert '<input type="checkbox" name="custom.region" value="South%2C far" checked> South, far' in page
        assert 'name="custom_min.seats" value="5"' in page
        chips = page.split('id="chips"')[1]
        assert '<span class="k">Region</span><span class="v">South, far, not set</span>' in chips
        assert '<span class="k">Seats</span><span class="v">from 5</span>' in chips
        assert "/accounts/?custom_min.seats=5&amp;cols=custom.seats" in chips

    def test_chosen_fields_are_not_dropped_on_a_narrow_screen(self, desk, own):
        AccountFactory(custom={"seats": 5})
        page = desk.get("/accounts/?cols=custom.seats,custom.region").content.decode()
        assert '<div class="tablewrap" data-wide tabindex="0"' in page
        assert "c-p3" not in page.split("<tbody>")[1].split("</tbody>")[0]

    def test_an_archived_field_is_no_column_and_filters_on(self, desk, own, vp):
        AccountFactory(name="a", custom={"region": "North"})
        AccountFactory(name="b")
        archive_field(OwnField.objects.get(key="region"), actor=None, at=AT)
        view = asked("custom.region=North&cols=custom.region,custom.seats&sort=custom.region")
        assert (view.columns, view.sort, names(vp, view.canonical())) == (("custom.seats",), "health", ["a"])
        page = desk.get("/accounts/?custom.region=North").content.decode()
        assert "Region (archived)" in page
        assert 'name="custom.region"' not in page.split('id="results"')[0]

    def test_a_saved_view_carries_columns_filters_and_sort(self, desk, own):
        AccountFactory(custom={"region": "North"})
        query = "custom.region=North&sort=-custom.seats&cols=custom.seats,arr"
        desk.post("/accounts/views/", {"name": "Northern", "query": query})
        view = SavedView.objects.get(name="Northern")
        assert view.query == "custom.region=North&sort=-custom.seats&cols=custom.seats%2Carr"
        page = desk.get(f"/accounts/?view={view.pk}&{view.query}").content.decode()
        head = page.split("<thead>")[1].split("</thead>")[0]
        assert head.index("Seats") < head.index("ARR")
        assert "Northern" in page

    def test_an_account_knows_its_place_in_a_list_sorted_by_one(self, own, vp):
        accounts = [AccountFactory(custom={"seats": seats}) for seats in (3, "1", 2)]
        place = place_of(vp, accounts[2].pk, "sort=custom.seats")
        assert (place.position, place.previous[0], place.next[0]) == (2, accounts[1].pk, accounts[0].pk)

    def test_the_number_of_queries_grows_with_neither_rows_nor_fields(self, desk, own):
        every = ",".join(f"custom.{key}" for key in FIELDS)
        query = f"cols={every}&sort=-custom.seats&custom_min.seats=1&custom.region=North,~none"
        counts = []
        for total in (1, 3):
            while Account.objects.count() < total:
                AccountFactory(custom={"seats": 5})
            desk.get(f"/accounts/?{query}")
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(f"/accounts/?{query}").status_code == 200
            counts.append(len([each for each in queries if not each["sql"].startswith("SET")]) - 1)
        assert counts[0] == counts[1] <= 12

    def test_a_page_that_ends_at_a_long_text_is_followed_by_the_next(self, desk, own):
        for each in range(51):
            AccountFactory(name=f"Account {each:02}", custom={"note": f"{'長' * 999}{each % 10}"})
        page = desk.get("/accounts/?sort=custom.note").context
        assert len(page["next"]) < 1500
        assert page["shown"] + desk.get(page["next"]).context["shown"] == 51

    def test_a_field_archived_while_the_list_is_read_is_shown_once_more(self, own, vp):
        account = AccountFactory(custom={"seats": 3})
        view = asked("cols=custom.seats&sort=custom.seats")
        archive_field(OwnField.objects.get(key="seats"), actor=None, at=AT)
        assert [row["pk"] for row in page_of(vp, view, "", today=TODAY, now=NOW).page.rows] == [account.pk]
        assert list(lines(vp, view, today=TODAY, now=NOW)) == [[account.name, 3]]


class TestFiles:
    def test_a_file_holds_exactly_the_columns_and_typed_values(self, desk, own, vp):
        AccountFactory(name="A", custom={"seats": "12", "go_live": "2026-12-01", "pilot": "no", "region": "=1+1"})
        AccountFactory(name="B", custom={"seats": "many"})
        query = "cols=custom.pilot,custom.seats,custom.go_live,custom.region&sort=name"
        rows = list(lines(vp, asked(query), today=TODAY, now=NOW))
        assert rows == [["A", "No", Decimal(12), date(2026, 12, 1), "=1+1"], ["B", None, "many", None, None]]
        text = desk.get(f"/accounts/export.csv?{query}").content.decode("utf-8-sig")
        written = list(csv.reader(io.StringIO(text)))
        assert written == [
            ["Account", "Pilot", "Seats", "Go-live", "Region"], ["A", "No", "12", "2026-12-01", "'=1+1"],
            ["B", "", "many", "", ""],
        ]  # fmt: skip
        assert desk.get(f"/accounts/export.xlsx?{query}").status_code == 200

    def test_a_label_that_reads_as_a_formula_runs_in_no_spreadsheet(self, desk):
        define_field(label="=1+1", kind="text", key="sum", actor=None, at=AT)
        text = desk.get("/accounts/export.csv?cols=custom.sum").content.decode("utf-8-sig")
        assert next(csv.reader(io.StringIO(text))) == ["Account", "'=1+1"]


def test_a_changed_label_and_kind_show_at_once(desk, own, vp):
    account = AccountFactory(custom={"note": "12"})
    assert "Note" in desk.get(f"/accounts/{account.pk}/").content.decode()
    change_field(OwnField.objects.get(key="note"), label="Docks", kind="number", actor=vp, at=AT)
    update_account(account, actor=vp, at=AT, custom={"note": "1200"})
    page = desk.get("/accounts/?cols=custom.note").content.decode()
    assert "Docks" in page
    assert "1,200" in page
