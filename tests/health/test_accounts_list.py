"""The accounts list: what an address asks for, the rows and their order, what the columns say, the files."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.choices import Role
from accounts.models import Account, Activity, ExternalId, Tier, Workspace
from health.book.accounts.asked import COLUMNS, DEFAULT_COLUMNS, Asked
from health.book.accounts.filters import BANDS, SEATS, SILENCES
from health.book.accounts.order import SORTS
from health.book.accounts.parameters import join, split
from health.book.accounts.reasons import reason_for
from health.book.accounts.rows import PAGE_SIZE, TREND_WEEKS, extras_of, page_of
from health.book.filters import RENEWALS, STATUSES
from health.choices import Rag
from tests.factories import AccountFactory, CtaFactory, UserFactory
from tests.health.listed import NOW, TODAY, asked, past, scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def desk(client, vp):
    client.force_login(vp)
    return client


def found(user, text):
    return set(asked(text).filters.accounts(user, TODAY).values_list("name", flat=True))


def names(listing):
    return [row["name"] for row in listing.page.rows]


def listed(user, text="", cursor=""):
    return page_of(user, asked(text), cursor, today=TODAY, now=NOW)


class TestAddress:
    def test_what_means_nothing_is_dropped(self):
        text = (
            "band=purple&owner=x&tier=1&renewal=-1&status=%3F&change=%3F&q=+%00a+&cols=nope&sort=x&arr_min=-5&silent=2"
        )
        assert asked(text) == asked("q=a")

    def test_at_risk_is_short_for_its_two_bands(self):
        assert asked("band=risk").canonical() == asked("band=orange&band=red").canonical() == "band=red%2Corange"

    @given(
        bands=st.sets(st.sampled_from(BANDS)),
        segments=st.sets(st.text("aB,% é&=", min_size=1, max_size=6).map(str.strip).filter(bool)),
        renewal=st.sampled_from(["", *RENEWALS]),
        silent=st.sampled_from(["", *SILENCES]),
        seats=st.sampled_from(["", *SEATS]),
        status=st.sampled_from(STATUSES),
        amounts=st.tuples(*[st.decimals(0, 10**9, places=2)] * 2),
        sort=st.sampled_from(sorted(SORTS)),
        columns=st.permutations(COLUMNS).flatmap(lambda all_: st.integers(0, len(all_)).map(lambda n: all_[:n])),
    )
    @settings(max_examples=60, deadline=None)
    def test_a_view_survives_its_address(self, bands, segments, renewal, silent, seats, status, amounts, sort, columns):
        parameters = {
            "band": join(bands), "segment": join(segments), "renewal": renewal, "silent": silent, "seats": seats,
            "status": status, "arr_min": str(amounts[0]), "arr_max": str(amounts[1]), "sort": sort,
            "cols": join(columns) or "none",
        }  # fmt: skip
        from urllib.parse import urlencode

        view = asked(urlencode(parameters))
        assert set(view.filters.band) == bands
        assert set(view.filters.segment) == segments
        assert (view.filters.renewal, view.filters.silent, view.filters.seats) == (renewal, silent, seats)
        assert (view.filters.status, view.sort, view.columns) == (status, sort, tuple(columns))
        assert Decimal(view.filters.arr_min) == amounts[0]
        assert Asked.parse(view.canonical()) == view

    @given(st.lists(st.text("a,%2C5é", min_size=1), max_size=5))
    @settings(max_examples=80, deadline=None)
    def test_values_keep_their_commas(self, values):
        assert split(join(values)) == values


class TestFilters:
    def test_several_values_of_one_filter_widen_it(self, vp):
        tier = Tier.objects.create(key="gold", name="Gold", rank=1)
        for colour in (Rag.RED, Rag.ORANGE, Rag.YELLOW, Rag.GREEN):
            scored(AccountFactory(name=colour, tier=tier if colour == Rag.RED else None), 50, colour)
        AccountFactory(name="new")
        assert found(vp, "band=red,watch") == {"red", "yellow"}
        assert found(vp, "band=risk") == {"red", "orange"}
        assert found(vp, "band=none") == {"new"}
        assert found(vp, f"band=red,watch&tier={tier.pk}") == {"red"}

    def test_a_segment_name_may_hold_a_comma(self, vp):
        AccountFactory(name="both", segment="Retail, North")
        AccountFactory(name="one", segment="Retail")
        assert found(vp, "segment=Retail%252C+North") == {"both"}
        assert found(vp, f"segment={join(['Retail, North', 'Retail']).replace('%', '%25')}") == {"both", "one"}

    def test_owner_me_nobody_and_somebody_together(self, vp):
        other = UserFactory()
        for name, owner in (("mine", vp), ("theirs", other), ("free", None)):
            AccountFactory(name=name, owner=owner)
        assert found(vp, "owner=me,none") == {"mine", "free"}
        assert found(vp, f"owner={other.pk}") == {"theirs"}

    def test_silence_counts_calls_meetings_and_mails_alone(self, vp):
        now = timezone.now()
        for name, kind, days in (("called", "call", 20), ("noted", "note", 1), ("long ago", "email", 100)):
            Activity.objects.create(
                account=AccountFactory(name=name), kind=kind, at=now - timedelta(days=days), title="x"
            )
        assert found(vp, "silent=14") == {"called", "noted", "long ago"}
        assert found(vp, "silent=30") == {"noted", "long ago"}
        assert found(vp, "silent=never") == {"noted"}

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("seats=low", {"a"}), ("seats=high", {"c", "d"}), ("seats=over", {"d"}), ("arr_min=20", {"b", "c", "d"}),
         ("arr_max=20", {"a", "b"}), ("arr_min=20&arr_max=30", {"b", "c"})],
    )  # fmt: skip
    def test_seats_and_money(self, vp, text, expected):
        for name, seats, users, arr in (("a", 10, 4, 10), ("b", 10, 5, 20), ("c", 10, 9, 30), ("d", 10, 11, 40)):
            AccountFactory(name=name, seats=seats, assigned_users=users, arr=arr)
        assert found(vp, text) == expected

    def test_search_finds_parts_of_names_and_whole_external_ids(self, vp):
        account = AccountFactory(name="Halden Logistics")
        ExternalId.objects.create(account=account, source="crm", external_id="C-77")
        ExternalId.objects.create(account=account, source="erp", external_id="C-77")
        AccountFactory(name="Other")
        assert [listed(vp, f"q={words}").total for words in ("alden", "c-77", "c-7", "%25")] == [1, 1, 0, 0]


class TestRows:
    @pytest.fixture
    def four(self):
        """Two scores alike, one other, one account without any."""
        rows = {name: AccountFactory(name=name, arr=arr) for name, arr in (("a", 10), ("b", 30), ("c", 20), ("d", 30))}
        for name, score in (("a", 40), ("b", 70), ("c", 40)):
            scored(rows[name], score, Rag.RED)
        Account.objects.filter(name="a").update(seats=3, assigned_users=1)
        Account.objects.filter(name="b").update(seats=3, assigned_users=2)
        for name, days in (("c", 3), ("d", 9)):
            Activity.objects.create(account=rows[name], kind="call", at=NOW - timedelta(days=days), title="x")
        return rows

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [("health", "acbd"), ("-health", "bacd"), ("name", "abcd"), ("-name", "dcba"), ("arr", "acbd"),
         ("-arr", "bdca"), ("seats", "abcd"), ("-seats", "bacd"), ("touch", "dcab"), ("nonsense", "acbd")],
    )  # fmt: skip
    def test_rows_without_a_value_come_last_and_ties_keep_the_order_of_creation(self, vp, four, sort, expected):
        assert "".join(names(listed(vp, f"sort={sort}"))) == expected

    @pytest.mark.parametrize("sort", sorted(SORTS))
    def test_pages_follow_each_other_and_lead_back_without_loss(self, vp, four, sort, monkeypatch):
        whole = names(listed(vp, f"sort={sort}"))
        monkeypatch.setattr("health.book.accounts.rows.PAGE_SIZE", 2)
        first = listed(vp, f"sort={sort}")
        second = listed(vp, f"sort={sort}", first.page.next)
        back = listed(vp, f"sort={sort}", second.page.previous)
        assert names(first) + names(second) == whole
        assert (names(back), bool(back.page.previous), bool(second.page.next)) == (names(first), False, False)
        assert first.total == second.total == 4

    @pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WzEsMl0", "W251bGwsICJ4IiwgMF0"])
    @pytest.mark.parametrize("sort", ["health", "touch", "seats"])
    def test_a_cursor_that_we_did_not_write_is_not_found(self, vp, four, cursor, sort):
        with pytest.raises(Http404):
            listed(vp, f"sort={sort}", cursor)

    def test_the_trend_is_the_state_at_the_end_of_each_week(self, vp):
        account, other = AccountFactory(), AccountFactory()
        past(account, 30, Rag.RED, TODAY - timedelta(weeks=7))
        past(account, 40, Rag.RED, TODAY - timedelta(weeks=5, days=-1))
        past(account, 90, Rag.GREEN, TODAY - timedelta(days=6))
        past(other, 55, Rag.RED, TODAY - timedelta(weeks=30))
        trend = extras_of([{"pk": account.pk}, {"pk": other.pk}], ["trend"], today=TODAY, now=NOW).trend
        assert trend[account.pk] == [30, 30, 30, 40, 40, 40, 40, 90]
        assert trend[other.pk] == [55] * TREND_WEEKS


class TestReasons:
    ROW = {
        "health__change_30d": None, "renewal_on": None, "health__current_rag": "green", "last_touch__at": NOW,
        "seat_use": 70, "owner__email": "a@b.c", "health__coverage_pct": Decimal(90),
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("changes", "facts", "expected"),
        [
            ({}, {}, None),
            ({"health__change_30d": Decimal(-12)}, {"moved": "Logins High → Low"}, "Logins High → Low"),
            ({"health__change_30d": Decimal(-12)}, {}, "Score down 12 in 30 days"),
            ({"health__change_30d": Decimal("-4.9")}, {}, None),
            ({}, {"cta": "Usage fell"}, "Usage fell"),
            ({"renewal_on": TODAY - timedelta(days=2)}, {}, "Renewal 2 d overdue"),
            ({"renewal_on": TODAY + timedelta(days=60), "health__current_rag": "red"}, {}, "At risk, renews in 60 d"),
            ({"renewal_on": TODAY + timedelta(days=61), "health__current_rag": "red"}, {}, None),
            ({"renewal_on": TODAY + timedelta(days=9)}, {}, None),
            ({"last_touch__at": NOW - timedelta(days=31)}, {}, "No contact for 31 days"),
            ({"last_touch__at": NOW - timedelta(days=30)}, {}, None),
            ({"owner__email": None}, {}, "Nobody owns it"),
            ({"seat_use": 95}, {}, "95 % of seats given out"),
            ({"seat_use": 12}, {}, "Only 12 % of seats given out"),
            ({"health__coverage_pct": Decimal(20)}, {}, "Score rests on 20 % of its weight"),
            ({"health__change_30d": Decimal(8)}, {}, "Score up 8 in 30 days"),
        ],
    )
    def test_the_most_pressing_thing_is_said(self, changes, facts, expected):
        reason = reason_for(self.ROW | changes, today=TODAY, now=NOW, **facts)
        assert (reason and reason.text) == expected

    def test_the_measure_that_moved_most_and_the_most_urgent_cta_are_read(self, vp):
        fallen, called = AccountFactory(name="fallen"), AccountFactory(name="called")
        health = scored(fallen, 40, Rag.RED, change=-30)
        past(fallen, 70, Rag.YELLOW, TODAY - timedelta(days=31))
        health.points = [0, *health.points[1:]]
        health.levels = [2, *health.levels[1:]]
        health.save()
        CtaFactory(account=called, title="Later", priority="low")
        CtaFactory(account=called, title="Now", priority="high")
        CtaFactory(account=called, title="Done", priority="high", status="closed", closed_at=NOW, outcome="resolved")
        why = listed(vp).extras.why
        assert (why[fallen.pk].text, why[called.pk].text) == ("Login Frequency High → Low", "Now")


class TestPage:
    def test_the_number_of_queries_does_not_grow_with_the_rows(self, desk, vp):
        counts = []
        for total in (1, 3):
            while Account.objects.count() < total:
                account = AccountFactory(owner=vp)
                scored(account, 50, Rag.YELLOW, change=-9)
                past(account, 59, Rag.YELLOW, TODAY - timedelta(days=40))
                CtaFactory(account=account)
            address = f"/accounts/?cols={','.join(COLUMNS)}"
            desk.get(address)
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(address).status_code == 200
            # The test's browser looks its host up once more than a real one, and selects schemas in between.
            counts.append(len([query for query in queries if not query["sql"].startswith("SET")]) - 1)
        assert counts[0] == counts[1] <= 12, "\n".join(query["sql"][:150] for query in queries)

    def test_the_first_of_several_pages_takes_no_more_than_twelve_queries(self, client, monkeypatch):
        monkeypatch.setattr("health.book.accounts.rows.PAGE_SIZE", 2)
        csm = UserFactory(role=Role.CSM)
        for _each in range(3):
            account = AccountFactory(owner=csm)
            past(account, 59, Rag.YELLOW, TODAY - timedelta(days=40))
            scored(account, 50, Rag.YELLOW, change=-9)
        client.force_login(csm)
        client.get("/accounts/?view=all")
        with CaptureQueriesContext(connection) as queries:
            client.get("/accounts/?view=all")
        assert len([query for query in queries if not query["sql"].startswith("SET")]) - 1 <= 12

    def test_columns_stand_in_the_chosen_order_and_can_be_moved(self, desk):
        AccountFactory()
        page = desk.get("/accounts/?cols=owner,arr").content.decode()
        head = page.split("<thead>")[1].split("</thead>")[0]
        assert head.index("Owner") < head.index("ARR")
        assert "Renews" not in head
        moved = desk.get("/accounts/?cols=owner,arr&move=down:owner&sort=name")
        assert moved["Location"] == "/accounts/?panel=columns&sort=name&cols=arr%2Cowner"
        assert '<details class="pop" data-pop open>' in desk.get(moved["Location"]).content.decode()

    def test_a_chip_says_what_is_set_and_leads_to_the_view_without_it(self, desk, vp):
        AccountFactory()
        page = desk.get("/accounts/?band=red,watch&owner=me&sort=name").content.decode()
        assert "Red, Yellow" in page
        assert 'href="/accounts/?owner=me&amp;sort=name"' in page

    def test_a_csm_confined_to_their_book_sees_nothing_else(self, client):
        Workspace.objects.update(csm_reads_all_accounts=False)
        csm = UserFactory(role=Role.CSM)
        AccountFactory(name="Mine", owner=csm)
        AccountFactory(name="Somebody else's", segment="Their segment")
        client.force_login(csm)
        for path in ("/accounts/", "/accounts/export.csv", "/portfolio/", "/search/?q=s"):
            answer = client.get(path).content.decode()
            assert "Somebody else" not in answer
            assert "Their segment" not in answer
        assert "Mine" in client.get("/accounts/").content.decode()

    def test_htmx_gets_the_results_alone_and_the_canonical_address(self, desk):
        AccountFactory(name="Halden")
        part = desk.get("/accounts/?q=hal&band=&owner=&sort=health", headers={"HX-Request": "true"})
        assert (b"<html" in part.content, b"Halden" in part.content) == (False, True)
        assert (part["HX-Push-Url"], "HX-Request" in part["Vary"]) == ("/accounts/?q=hal", True)

    def test_a_name_from_outside_is_only_text(self, desk):
        AccountFactory(name="<img src=x onerror=alert(1)>", segment="<b>x</b>", industry="<i>")
        page = desk.get(f"/accounts/?cols={','.join(COLUMNS)}&segment=<b>x</b>").content
        assert b"<img" not in page
        assert b"<b>x" not in page

    def test_an_empty_list_says_what_comes_next(self, desk):
        assert b"No account yet" in desk.get("/accounts/").content
        assert b"Clear the filters" in desk.get("/accounts/?q=nothing").content


class TestFiles:
    @pytest.fixture
    def many(self):
        scored(AccountFactory(name="=1+1", arr=5), 40, Rag.RED)
        for at in range(PAGE_SIZE + 5):
            AccountFactory(name=f"Row {at:02}")

    def rows_of_csv(self, desk, query):
        text = desk.get(f"/accounts/export.csv?{query}").content.decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    def rows_of_xlsx(self, desk, query):
        answer = desk.get(f"/accounts/export.xlsx?{query}")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as book:
            sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))
        space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
        rows = []
        for row in sheet.findall(".//m:row", space):
            cells = {}
            for cell in row.findall("m:c", space):
                place = ord(cell.get("r")[0]) - ord("A")
                assert cell.find("m:f", space) is None, "no formula anywhere"
                value = cell.find("m:is/m:t", space)
                cells[place] = (value if value is not None else cell.find("m:v", space)).text
            rows.append([cells.get(place, "") for place in range(max(cells) + 1)])
        return rows

    def test_the_csv_holds_every_row_of_the_view_and_runs_no_formula(self, desk, many):
        rows = self.rows_of_csv(desk, "cols=arr,health")
        assert rows[0] == ["Account", "ARR", "Currency", "Health", "Band", "Change in 30 days"]
        assert len(rows) == PAGE_SIZE + 7
        assert rows[1] == ["'=1+1", "5.00", "USD", "40.0", "Red", ""]

    def test_the_workbook_holds_the_same_and_text_stays_text(self, desk, many):
        rows = self.rows_of_xlsx(desk, "cols=arr,health")
        assert rows[0] == ["Account", "ARR", "Currency", "Health", "Band", "Change in 30 days"]
        assert len(rows) == PAGE_SIZE + 7
        assert rows[1] == ["=1+1", "5", "USD", "40", "Red"]

    @pytest.mark.parametrize("query", ["sort=-name&cols=owner", "q=Row+1&sort=name&cols=none", "band=red"])
    def test_files_hold_what_the_page_shows_in_its_order(self, desk, vp, many, query):
        shown = names(listed(vp, query))
        for rows in (self.rows_of_csv(desk, query), self.rows_of_xlsx(desk, query)):
            assert [row[0].removeprefix("'") for row in rows[1:]][: len(shown)] == shown
            assert len(rows) - 1 == listed(vp, query).total

    def test_every_column_can_be_exported(self, desk, many):
        rows = self.rows_of_csv(desk, f"cols={','.join(COLUMNS)}")
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(DEFAULT_COLUMNS) < len(rows[0])

    def test_the_number_of_queries_of_a_file_does_not_grow_with_the_rows(self, desk):
        counts = []
        for total in (1, 3):
            while Account.objects.count() < total:
                scored(AccountFactory(), 50, Rag.YELLOW, change=-9)
            desk.get("/accounts/export.xlsx")
            with CaptureQueriesContext(connection) as queries:
                desk.get(f"/accounts/export.xlsx?cols={','.join(COLUMNS)}")
            counts.append(len(queries))
        assert counts[0] == counts[1]
