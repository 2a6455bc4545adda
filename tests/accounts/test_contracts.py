from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.actions import (
    create_contract,
    record_activities,
    record_churn,
    record_return,
    refresh_due,
    update_contract,
    upsert_accounts,
    upsert_contracts,
)
from accounts.choices import AccountStatus
from accounts.commercial import ChurnFact, State, Term, state_of
from accounts.errors import RuleViolated, StaleVersion
from accounts.metrics import provide
from accounts.models import Account, Activity, AuditEntry, ChangedAccount, Contract, ContractLine
from tests.factories import AccountFactory
from tests.racing import second_meanwhile

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
TODAY = AT.date()


def term(status="active", start=date(2026, 1, 1), end=date(2026, 12, 31), arr=100, seats=None):
    return Term(status, start, end, Decimal(arr), seats)


class TestCommercialState:
    @pytest.mark.parametrize(
        ("terms", "facts", "expected"),
        [
            ([term()], [], State(Decimal(100), None, date(2026, 12, 31), "active", None)),
            ([term(end=TODAY)], [], State(Decimal(100), None, TODAY, "active", None)),
            ([term(end=TODAY - timedelta(1))], [], State(Decimal(0), None, None, None, None)),
            ([term(start=TODAY + timedelta(1))], [], State(Decimal(0), None, None, None, None)),
            ([term(end=None, seats=3), term(seats=4)], [], State(Decimal(200), 7, date(2026, 12, 31), "active", None)),
            ([term("draft")], [], State(Decimal(0), None, None, None, None)),
            (
                [term("churned", end=date(2026, 6, 30))],
                [],
                State(Decimal(0), None, None, "churned", date(2026, 6, 30)),
            ),
            # The last contract decides: an earlier one was not renewed, a later one just ended.
            (
                [term("churned", end=date(2026, 3, 31)), term("ended", end=date(2026, 6, 30))],
                [],
                State(Decimal(0), None, None, None, None),
            ),
            # A last day that is agreed is stronger than a reported churn.
            (
                [term()],
                [ChurnFact(TODAY, returned=False)],
                State(Decimal(100), None, date(2026, 12, 31), "active", None),
            ),
            (
                [term(end=None), term()],
                [ChurnFact(TODAY, returned=False)],
                State(Decimal(200), None, date(2026, 12, 31), "active", None),
            ),
            # What has no last day is over with the churn reported after it began, if that was the last word.
            (
                [term(end=None), term(end=None)],
                [ChurnFact(date(2026, 7, 1), returned=False)],
                State(Decimal(0), None, None, "churned", date(2026, 7, 1)),
            ),
            (
                [term(end=None), term(start=date(2026, 7, 2), end=None)],
                [ChurnFact(date(2026, 7, 1), returned=False)],
                State(Decimal(200), None, None, "active", None),
            ),
            (
                [term(end=None)],
                [ChurnFact(date(2026, 7, 1), returned=False), ChurnFact(date(2026, 8, 1), returned=True)],
                State(Decimal(100), None, None, "active", None),
            ),
            (
                [term(end=None)],
                [ChurnFact(TODAY + timedelta(1), returned=False)],
                State(Decimal(100), None, None, "active", None),
            ),
            (
                [term("ended", end=date(2026, 6, 30))],
                [ChurnFact(date(2026, 7, 1), returned=False)],
                State(Decimal(0), None, None, "churned", date(2026, 7, 1)),
            ),
            (
                [],
                [ChurnFact(date(2026, 7, 1), returned=False), ChurnFact(date(2026, 7, 1), returned=True)],
                State(Decimal(0), None, None, "active", None),
            ),
            ([], [ChurnFact(TODAY + timedelta(1), returned=False)], State(Decimal(0), None, None, None, None)),
        ],
    )
    def test_state_follows_from_terms_and_facts(self, terms, facts, expected):
        assert state_of(terms, facts, TODAY) == expected


@pytest.mark.django_db
class TestContracts:
    def test_the_account_follows_its_contracts(self):
        account = AccountFactory(currency="EUR")
        contract = create_contract(
            account,
            actor=None,
            at=AT,
            start_on=date(2026, 1, 1),
            end_on=date(2026, 12, 31),
            currency="USD",
            lines=[{"product": "Core", "seats": 10, "arr": Decimal(900)}, {"product": "Extra", "arr": Decimal(100)}],
        )
        create_contract(account, actor=None, at=AT, start_on=date(2026, 1, 1), currency="USD", arr=Decimal(50))
        account.refresh_from_db()
        assert (account.arr, account.seats, account.renewal_on) == (Decimal(1050), 10, date(2026, 12, 31))
        assert (account.currency, account.status) == ("USD", "active")
        update_contract(contract, actor=None, at=AT, status="churned", end_on=date(2026, 11, 23))
        account.refresh_from_db()
        assert (account.arr, account.seats, account.renewal_on, account.status) == (Decimal(50), None, None, "active")
        assert ChangedAccount.objects.filter(account_id=account.pk).exists()

    def test_the_timeline_tells_money_and_days_as_people_write_them(self):
        account = AccountFactory()
        terms = {"actor": None, "at": AT, "start_on": date(2026, 1, 1), "currency": "USD"}
        create_contract(account, **terms, end_on=date(2026, 12, 31), arr=Decimal(48000))
        create_contract(account, **terms, arr=Decimal("99.50"))
        told = list(Activity.objects.filter(account=account).order_by("pk").values_list("body", flat=True))
        assert told == ["$48,000 a year, until 31 Dec 2026", "$99.50 a year, open-ended"]

    def test_one_account_has_one_currency(self):
        account = AccountFactory()
        create_contract(account, actor=None, at=AT, start_on=TODAY, currency="USD")
        with pytest.raises(RuleViolated) as refused:
            create_contract(account, actor=None, at=AT, start_on=TODAY, currency="EUR")
        assert (refused.value.rule, refused.value.field) == ("contract.currency_differs", "currency")

    @pytest.mark.django_db(transaction=True)
    def test_nor_do_two_at_the_same_moment_bring_two(self, tenants):
        account = AccountFactory()

        def add(currency, arr):
            create_contract(account, actor=None, at=AT, start_on=TODAY, currency=currency, arr=Decimal(arr))

        error = second_meanwhile(lambda: add("USD", 100), lambda: add("EUR", 70))

        assert isinstance(error, RuleViolated)
        assert (error.rule, error.field) == ("contract.currency_differs", "currency")
        account.refresh_from_db()
        assert (account.arr, account.currency, account.contracts.count()) == (Decimal(100), "USD", 1)

    def test_a_contract_ends_on_or_after_its_start(self):
        account = AccountFactory()
        create_contract(account, actor=None, at=AT, start_on=TODAY, end_on=TODAY)
        with pytest.raises(RuleViolated, match="before it begins"):
            create_contract(account, actor=None, at=AT, start_on=TODAY, end_on=TODAY - timedelta(1))

    def test_a_lost_race_changes_nothing(self):
        contract = create_contract(AccountFactory(), actor=None, at=AT, start_on=TODAY)
        update_contract(contract, actor=None, at=AT, expected_version=1, number="first")
        with pytest.raises(StaleVersion):
            update_contract(contract, actor=None, at=AT, expected_version=1, number="second")
        contract.refresh_from_db()
        assert (contract.number, contract.version) == ("first", 2)

    def test_a_change_of_own_fields_is_of_the_keys_it_names(self):
        contract = create_contract(AccountFactory(), actor=None, at=AT, start_on=TODAY, custom={"a": 1, "b": 2})
        contract = update_contract(contract, actor=None, at=AT, custom={"b": None, "c": 3})
        assert (contract.custom, contract.version) == ({"a": 1, "c": 3}, 2)
        assert update_contract(contract, actor=None, at=AT, custom={"b": None, "a": 1}).version == 2
        with pytest.raises(RuleViolated) as refused:
            update_contract(contract, actor=None, at=AT, custom={f"k{n}": n for n in range(99)})
        assert (refused.value.field, refused.value.rule) == ("custom", "custom")

    def test_the_same_values_again_are_no_change(self):
        contract = create_contract(AccountFactory(), actor=None, at=AT, start_on=TODAY, arr=Decimal(5))
        entries = AuditEntry.objects.count()
        update_contract(contract, actor=None, at=AT, arr=Decimal("5.00"), start_on=TODAY)
        assert AuditEntry.objects.count() == entries

    def test_time_passing_is_noticed_once_a_day(self):
        account = AccountFactory()
        create_contract(account, actor=None, at=AT, start_on=TODAY, end_on=TODAY, arr=Decimal(5), status="churned")
        account.refresh_from_db()
        assert (account.arr, account.status) == (Decimal(5), "active")
        assert refresh_due(at=AT) == 0
        assert refresh_due(at=AT + timedelta(days=1)) == 1
        account.refresh_from_db()
        assert (account.arr, account.status, account.churned_on) == (Decimal(0), "churned", TODAY)
        assert AuditEntry.objects.filter(action="account.status_followed", account_id=account.pk).count() == 1

    def test_churn_ends_what_is_in_force_and_a_return_takes_it_back(self):
        account = AccountFactory()
        contract = create_contract(account, actor=None, at=AT, start_on=date(2026, 1, 1), arr=Decimal(5))
        yesterday = TODAY - timedelta(1)
        record_churn(account, on=yesterday, reason="price", actor=None, at=AT)
        account.refresh_from_db()
        contract.refresh_from_db()
        assert (account.status, account.churned_on, account.arr) == ("churned", yesterday, Decimal(0))
        assert (contract.status, contract.end_on) == ("churned", yesterday)
        create_contract(account, actor=None, at=AT, start_on=TODAY, arr=Decimal(7))
        account.refresh_from_db()
        assert (account.status, account.churned_on, account.arr) == ("active", None, Decimal(7))

    def test_a_return_without_a_contract_is_enough(self):
        account = AccountFactory()
        record_churn(account, on=TODAY, actor=None, at=AT)
        record_return(account, on=TODAY, actor=None, at=AT)
        account.refresh_from_db()
        assert (account.status, account.churned_on) == (AccountStatus.ACTIVE, None)


@pytest.mark.django_db
class TestBulk:
    def test_flat_rows_become_contracts_of_one_line(self):
        upsert_accounts([{"external_id": "A", "name": "Alpha"}], source="s", actor=None, at=AT)
        rows = [
            {
                "external_id": "1",
                "account": "A",
                "start_on": "2026-01-01",
                "arr": "1200",
                "seats": "5",
                "product": "Pro",
            },
            {"external_id": "2", "account": "A", "start_on": "2026-01-01", "arr": "", "auto_renew": "True"},
            {"external_id": "3", "account": "nobody", "start_on": "2026-01-01"},
            {"external_id": "4", "account": "A", "start_on": "2026-02-01", "end_on": "2026-01-01"},
            {"external_id": "5", "account": "A", "start_on": "2026-01-01", "currency": "EUR"},
        ]
        results = upsert_contracts(rows, source="s", actor=None, at=AT)
        assert [str(result.outcome) for result in results] == ["created", "created", "rejected", "rejected", "rejected"]
        assert [result.errors[0].rule for result in results[2:]] == [
            "unknown",
            "contract.ends_before_start",
            "contract.currency_differs",
        ]
        assert list(ContractLine.objects.values_list("product", "seats", "arr")) == [("Pro", 5, Decimal(1200))]
        account = Account.objects.get()
        assert (account.arr, account.seats) == (Decimal(1200), 5)
        assert Contract.objects.get(external_id="2").auto_renew
        again = upsert_contracts(rows[:2], source="s", actor=None, at=AT)
        assert [str(result.outcome) for result in again] == ["unchanged", "unchanged"]

    def test_a_changed_row_updates_line_and_account(self):
        upsert_accounts([{"external_id": "A", "name": "Alpha"}], source="s", actor=None, at=AT)
        row = {"external_id": "1", "account": "A", "start_on": "2026-01-01", "arr": "100", "seats": "5"}
        upsert_contracts([row], source="s", actor=None, at=AT)
        result = upsert_contracts([{**row, "arr": "150"}], source="s", actor=None, at=AT)[0]
        assert str(result.outcome) == "updated"
        assert list(ContractLine.objects.values_list("seats", "arr")) == [(5, Decimal(150))]
        assert (Account.objects.get().arr, Contract.objects.get().version) == (Decimal(150), 2)

    def test_own_fields_that_a_row_does_not_name_stay(self):
        upsert_accounts([{"external_id": "A", "name": "Alpha"}], source="s", actor=None, at=AT)
        row = {"external_id": "1", "account": "A", "start_on": "2026-01-01"}
        for custom in ({"a": 1, "b": 2, "none": None}, {"b": None, "c": 3}):
            (result,) = upsert_contracts([{**row, "custom": custom}], source="s", actor=None, at=AT)
            assert result.errors == ()
        assert Contract.objects.get().custom == {"a": 1, "c": 3}
        many = {f"k{n}": n for n in range(99)}
        (result,) = upsert_contracts([{**row, "custom": many}], source="s", actor=None, at=AT)
        assert [(error.field, error.rule) for error in result.errors] == [("custom", "custom")]

    def test_churn_facts_count_where_no_contract_runs_to_a_last_day(self):
        upsert_accounts([{"external_id": x, "name": x} for x in "AB"], source="s", actor=None, at=AT)
        upsert_contracts(
            [{"external_id": "1", "account": "B", "start_on": "2026-01-01", "end_on": "2026-12-31", "arr": "5"}],
            source="s",
            actor=None,
            at=AT,
        )
        rows = [
            {
                "external_id": f"C-{x}",
                "account": x,
                "kind": "contract",
                "title": "Churned: price",
                "at": "2026-03-01",
                "data": {"fact": "churn", "on": "2026-03-01", "reason": "price"},
            }
            for x in "AB"
        ]
        results = record_activities(rows, source="s", actor=None, at=AT)
        assert [str(result.outcome) for result in results] == ["created", "created"]
        assert list(Account.objects.order_by("name").values_list("name", "status", "churned_on")) == [
            ("A", "churned", date(2026, 3, 1)),
            ("B", "active", None),
        ]
        assert [str(r.outcome) for r in record_activities(rows, source="s", actor=None, at=AT)] == ["unchanged"] * 2
        assert Activity.objects.count() == 2

    def test_a_dry_run_answers_the_same_and_writes_nothing(self):
        rows = [{"external_id": "A", "name": "Alpha"}, {"external_id": "B"}]
        dry = upsert_accounts(rows, source="s", actor=None, at=AT, dry_run=True)
        assert not Account.objects.exists()
        real = upsert_accounts(rows, source="s", actor=None, at=AT)
        assert [r.outcome for r in dry] == [r.outcome for r in real]

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_number_of_statements_does_not_depend_on_the_rows(self, rows, django_assert_max_num_queries):
        upsert_accounts([{"external_id": "A", "name": "Alpha"}], source="s", actor=None, at=AT)
        contracts = [
            {"external_id": str(n), "account": "A", "start_on": "2026-01-01", "arr": "1", "seats": 1}
            for n in range(rows)
        ]
        with django_assert_max_num_queries(28):
            upsert_contracts(contracts, source="s", actor=None, at=AT)


@pytest.mark.django_db
class TestMetrics:
    def test_days_to_renewal_are_those_of_the_day_asked_for(self):
        with_contracts, entered, none = (
            AccountFactory(),
            AccountFactory(renewal_on=TODAY + timedelta(5)),
            AccountFactory(),
        )
        create_contract(with_contracts, actor=None, at=AT, start_on=date(2025, 1, 1), end_on=date(2025, 12, 31))
        create_contract(with_contracts, actor=None, at=AT, start_on=date(2026, 1, 1), end_on=date(2026, 12, 31))
        now = provide(None, {"days_to_renewal"}, TODAY)["days_to_renewal"]
        assert {key: seen.value for key, seen in now.items()} == {with_contracts.pk: 37, entered.pk: 5}
        then = provide([with_contracts.pk, none.pk], {"days_to_renewal"}, date(2025, 12, 1))
        assert {key: seen.value for key, seen in then["days_to_renewal"].items()} == {with_contracts.pk: 30}

    def test_a_metric_the_record_does_not_know_is_absent(self):
        assert provide(None, {"nps"}, TODAY) == {}

    @pytest.mark.parametrize("rows", [1, 3])
    def test_one_query_for_all_metrics(self, rows, django_assert_num_queries):
        for _row in range(rows):
            AccountFactory(assigned_users=3)
        with django_assert_num_queries(1):
            provide(
                None,
                {
                    "days_to_renewal",
                    "assigned_users",
                    "seats",
                    "days_since_touch",
                    "meetings_per_quarter",
                    "executive_sponsors",
                    "nps",
                },
                TODAY,
            )
