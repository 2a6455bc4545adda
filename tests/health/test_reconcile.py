"""The figures of revenue fit each other to the cent, for whatever filters and days; and what does not fit is named."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions.refresh import refresh_from_contracts
from accounts.choices import Role
from accounts.models import Account, Contract, Workspace
from health.actions.standing import keep_standings, sum_day
from health.book.choices import scope_choices
from health.book.figures import FIGURES
from health.book.reconcile import reconcile
from health.book.rows import rows_behind
from health.book.scope import Scope
from tests.factories import AccountFactory, UserFactory
from tests.health import books
from tests.health.books import DAYS, TODAY
from tests.health.test_portfolio import scopes
from tests.health.world import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria")


@pytest.fixture
def book(vp):
    """The made-up portfolio, its accounts today as their contracts say."""
    made = books.book()
    Contract.objects.filter(account__currency="EUR").update(currency="EUR")
    refresh_from_contracts(list(Account.objects.values_list("pk", flat=True)), at=NOON, as_of=TODAY)
    keep_standings(TODAY)
    sum_day(TODAY)
    return made


def found(user, scope, currency="USD"):
    return reconcile(user, scope, currency, scope_choices(user))


def test_everything_fits_for_random_filters_days_and_currencies(book, vp):
    lines = 0
    for number, scope in enumerate(scopes(book, 24, seed=21)):
        currency = "EUR" if number % 4 == 3 else "USD"
        result = found(vp, scope, currency)
        for equation in result.equations:
            assert equation.difference == 0, (equation.key, currency, scope)
            lines += sum(line.amount != 0 for line in equation.lines)
        assert result.difference == 0
        stated = {equation.key: equation.stated for equation in result.equations}
        for key, figure in (("contracts", "arr"), ("arr", "arr"), ("risk", "risk"), ("by-tier", "arr")):
            rows = rows_behind(vp, scope, FIGURES[figure], "", currency).rows
            assert stated[key] == sum((row["arr"] for row in rows), Decimal(0)), (key, scope)
    assert lines > 120


def test_a_csm_confined_to_their_book_reconciles_that(book):
    Workspace.objects.update(csm_reads_all_accounts=False)
    csm = book["owners"][0]
    for scope in (Scope.read({}, TODAY), Scope.read({"on": DAYS[-2].isoformat(), "since": DAYS[0].isoformat()}, TODAY)):
        result = found(csm, scope)
        assert result.difference == 0
        mine = {str(key) for key in Account.objects.filter(owner=csm).values_list("pk", flat=True)}
        assert {row["account"] for row in rows_behind(csm, scope, FIGURES["arr"], "", "USD").rows} <= mine
        owners = next(equation for equation in result.equations if equation.key == "by-owner")
        assert sum(line.accounts for line in owners.lines) <= len(mine)


def test_an_account_that_does_not_fit_its_contracts_is_named(vp):
    halden = AccountFactory(name="Halden", arr=100)
    Contract.objects.create(account=halden, start_on=TODAY - timedelta(days=9), arr=100)
    AccountFactory(name="Entered", arr=40)
    scope = Scope.read({}, TODAY)
    equation = next(one for one in found(vp, scope).equations if one.key == "contracts")
    assert [(line.amount, line.accounts) for line in equation.lines] == [(100, 1), (40, 1)]
    assert (equation.stated, equation.difference, equation.odd) == (140, 0, [])
    Account.objects.filter(pk=halden.pk).update(arr=130)
    equation = next(one for one in found(vp, scope).equations if one.key == "contracts")
    assert (equation.difference, [(odd.name, odd.difference) for odd in equation.odd]) == (30, [("Halden", 30)])
    assert found(vp, scope).difference == 30


def test_a_contract_entered_after_the_day_is_a_line_of_a_past_day(vp):
    halden = AccountFactory(name="Halden", arr=100)
    keep_standings(DAYS[-1])
    Contract.objects.create(account=halden, start_on=DAYS[0], arr=120)
    scope = Scope.read({"on": DAYS[-1].isoformat()}, TODAY)
    equation = next(one for one in found(vp, scope).equations if one.key == "contracts")
    assert equation.difference == 0
    assert ("Contracts entered or changed after that day", -20, 1) in equation.lines
    assert [odd.name for odd in equation.odd] == ["Halden"]


def test_a_year_of_contracts_is_told_step_by_step(vp):
    year = TODAY - timedelta(days=400)
    for name, then, now in (("grown", 10, 15), ("shrunk", 10, 4), ("lost", 10, 0), ("new", 0, 7)):
        account = AccountFactory(name=name)
        if then:
            Contract.objects.create(account=account, start_on=year, end_on=TODAY - timedelta(days=100), arr=then)
        if now:
            Contract.objects.create(account=account, start_on=TODAY - timedelta(days=99), arr=now)
    equations = {equation.key: equation for equation in found(vp, Scope.read({}, TODAY)).equations}
    assert [(line.amount, line.accounts) for line in equations["year"].lines] == [
        (30, 3), (5, 1), (-6, 1), (-10, 1), (7, 1),
    ]  # fmt: skip
    assert (equations["retention"].stated, equations["year"].stated) == (19, 26)


def test_its_queries_are_counted(book, vp):
    counts = []
    for keep in (40, 3):
        kept = list(Account.objects.order_by("pk").values_list("pk", flat=True)[:keep])
        Account.objects.exclude(pk__in=kept).update(archived_at=NOON)
        choices = scope_choices(vp)
        with CaptureQueriesContext(connection) as queries:
            reconcile(vp, Scope.read({}, TODAY), "USD", choices)
        counts.append(len(queries))
    assert counts == [7, 7]


class TestPage:
    @pytest.fixture
    def client(self, client, vp):
        client.force_login(vp)
        return client

    def test_it_says_whether_everything_fits_and_leads_to_what_does_not(self, client):
        halden = AccountFactory(name="Halden", arr=100)
        Contract.objects.create(account=halden, start_on=timezone.localdate(), arr=100)
        assert "Everything fits to the cent." in client.get("/portfolio/reconciliation/").content.decode()
        Account.objects.filter(pk=halden.pk).update(arr=130, updated_at=timezone.now())
        page = client.get("/portfolio/reconciliation/").content.decode()
        assert "1 equation does not fit." in page
        assert re.search(r'href="/accounts/[^"]+/contracts/">Halden</a>', page)
        rows = list(
            csv.DictReader(io.StringIO(client.get("/portfolio/reconciliation/export.csv").content.decode("utf-8-sig")))
        )
        assert [row["amount"] for row in rows if row["line"] == "Difference" and row["equation"] == "contracts"] == [
            "30.00"
        ]

    def test_an_empty_workspace_fits(self, client):
        page = client.get("/portfolio/reconciliation/?segment=none").content.decode()
        assert ("Everything fits to the cent." in page, "Nothing counts here." in page) == (True, True)

    def test_at_most_twelve_queries(self, client):
        AccountFactory(arr=5)
        client.get("/accounts/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/portfolio/reconciliation/")
        own = [query for query in queries if not re.match(r"SET|SELECT \"tenants_", query["sql"])]
        assert len(own) <= 12, "\n".join(query["sql"][:150] for query in own)


class TestApi:
    @pytest.fixture
    def client(self, client, vp):
        client.force_login(vp)
        return client

    def test_figures_come_with_definition_day_and_comparison(self, client):
        AccountFactory(arr=100, segment="SMB")
        AccountFactory(arr=7, currency="EUR")
        answer = client.get("/api/v1/portfolio/?segment=SMB").json()
        figure = next(figure for figure in answer["figures"] if figure["key"] == "arr")
        assert (figure["value"], figure["before"], figure["unit"]) == ("100.000000", None, "money")
        assert "Worked out as the sum of ARR" in figure["definition"]
        assert answer["on"] == timezone.localdate().isoformat()
        assert client.get("/api/v1/portfolio/").json()["other_currencies"] == 1

    @pytest.mark.parametrize(
        "query", ["on=2999-01-01", "on=x", "since=2999-01-01", "owner=x", "tier=1", "period=7", "segments=a"]
    )
    def test_what_means_nothing_is_refused_by_name(self, client, query):
        answer = client.get(f"/api/v1/portfolio/?{query}")
        assert answer.status_code == 400
        assert query.split("=")[0] in answer.content.decode()

    def test_the_reconciliation_ends_at_zero(self, client):
        AccountFactory(arr=100)
        answer = client.get("/api/v1/portfolio/reconciliation/").json()
        assert (answer["difference"], {one["difference"] for one in answer["equations"]}) == ("0.00", {"0.00"})
