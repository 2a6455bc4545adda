"""The accounts list and the portfolio: who sees what, in which order, from which numbers, in how many queries."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.http import QueryDict

from accounts.choices import Role
from accounts.models import Account, Contract
from health.book.filters import AccountFilters
from health.book.retention import Retention, cohort_rows, retention, retention_of
from health.choices import Rag
from tests.factories import AccountFactory, UserFactory
from tests.health.listed import NOW, TODAY, scored

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


def filters(**query):
    text = QueryDict(mutable=True)
    text.update(query)
    return AccountFilters.read(text)


class TestFilters:
    def test_what_means_nothing_is_dropped(self):
        read = filters(band="purple", owner="x", tier="1", renewal="-1", status="?", change="?", q=" \x00a ")
        assert read == AccountFilters(q="a")

    def test_the_address_holds_only_what_is_set(self):
        assert filters(band="risk", status="live", q="").parameters() == {"band": "risk"}

    @pytest.mark.parametrize(
        ("days", "renewal", "found"),
        [
            (0, "30", True),
            (30, "30", True),
            (31, "30", False),
            (-1, "30", False),
            (-1, "overdue", True),
            (0, "overdue", False),
        ],
    )
    def test_renewal_includes_both_its_edges(self, vp, days, renewal, found):
        AccountFactory(renewal_on=TODAY + timedelta(days=days))
        assert filters(renewal=renewal).accounts(vp, TODAY).exists() is found

    def test_live_leaves_out_churned_and_archived(self, vp):
        for name, fields in {
            "live": {},
            "gone": {"status": "churned", "churned_on": TODAY},
            "away": {"archived_at": NOW},
            "soon": {"status": "prospect"},
        }.items():
            AccountFactory(name=name, **fields)
        found = {
            status: set(filters(status=status).accounts(vp, TODAY).values_list("name", flat=True))
            for status in ("live", "active", "churned", "archived")
        }
        assert found == {"live": {"live", "soon"}, "active": {"live"}, "churned": {"gone"}, "archived": {"away"}}

    def test_bands_are_colours_and_no_data_includes_the_never_scored(self, vp):
        for colour in (Rag.RED, Rag.ORANGE, Rag.YELLOW, Rag.GREEN):
            scored(AccountFactory(name=colour), 50, colour)
        scored(AccountFactory(name="thin"), None, Rag.NONE)
        AccountFactory(name="new")
        found = {
            band: set(filters(band=band).accounts(vp, TODAY).values_list("name", flat=True))
            for band in ("risk", "red", "watch", "green", "none")
        }
        assert found == {
            "risk": {"red", "orange"},
            "red": {"red"},
            "watch": {"yellow"},
            "green": {"green"},
            "none": {"thin", "new"},
        }

    def test_search_finds_parts_of_names_and_whole_external_ids(self, vp):
        account = AccountFactory(name="Halden Logistics")
        account.external_ids.create(source="crm", external_id="C-77")
        AccountFactory(name="Other")
        assert [filters(q=words).accounts(vp, TODAY).count() for words in ("alden", "c-77", "c-7", "%")] == [1, 1, 0, 0]


class TestRetention:
    @pytest.mark.parametrize(
        ("pairs", "nrr", "grr", "kept"),
        [
            ([(100, 100)], 100, 100, 1),
            ([(100, 130)], 130, 100, 1),
            ([(100, 80)], 80, 80, 1),
            ([(100, 0), (100, 150)], 75, 50, 1),
            ([(0, 500), (100, 100)], 100, 100, 1),
            ([(0, 500)], None, None, 0),
        ],
    )
    def test_growth_counts_for_net_only_and_new_business_for_neither(self, pairs, nrr, grr, kept):
        figures = retention_of([(Decimal(then), Decimal(now)) for then, now in pairs])
        assert (figures.nrr_pct, figures.grr_pct, figures.kept) == (nrr, grr, kept)

    def test_the_query_agrees_with_the_arithmetic(self, vp):
        year = date(2025, 11, 24)
        terms = {"kept": (100, 100), "grown": (100, 150), "left": (200, 0), "new": (0, 70)}
        for name, (then, now) in terms.items():
            account = AccountFactory(name=name)
            if then:
                Contract.objects.create(account=account, start_on=year - timedelta(days=300), end_on=year, arr=then)
            if now:
                Contract.objects.create(account=account, start_on=year + timedelta(days=1), end_on=TODAY, arr=now)
            Contract.objects.create(account=account, start_on=year, status="draft", arr=999)
            Contract.objects.create(account=account, start_on=year, currency="EUR", arr=999)
        now, _before = retention(Account.objects.all(), "USD", TODAY, TODAY - timedelta(days=30))
        assert now == retention_of([(Decimal(then), Decimal(after)) for then, after in terms.values()])
        assert now == Retention(Decimal(400), Decimal("62.5"), Decimal(50), 3, 2)

    def test_customers_of_a_quarter_are_found_in_one_reading_of_the_contracts(self):
        """Two more, each within the other, took a minute where the planner held the tables for empty."""
        rows = cohort_rows(Account.objects.values("pk"), "USD", date(2025, 1, 1), 3)
        assert str(rows.query).count('FROM "accounts_contract"') == 1

    def test_an_open_contract_of_a_churned_account_is_lost_from_that_day(self, vp):
        for churned_on in (TODAY - timedelta(days=31), TODAY - timedelta(days=1), None):
            account = AccountFactory(churned_on=churned_on, status="churned" if churned_on else "active")
            Contract.objects.create(account=account, start_on=TODAY - timedelta(days=900), arr=100)
        now, month_ago = retention(Account.objects.all(), "USD", TODAY, TODAY - timedelta(days=30))
        assert ((now.customers, now.kept), (month_ago.customers, month_ago.kept)) == ((3, 1), (3, 2))
