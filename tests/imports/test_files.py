"""A customer's five files with the traps such files have: all rows accounted for, the second time nothing changes."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Activity, AuditEntry, Contract
from health.actions import recompute
from health.models import AccountHealth
from packs.actions import install_pack
from tests.imports.conftest import counts

pytestmark = pytest.mark.django_db(transaction=True)
FILES = [
    ("accounts.csv", "accounts"),
    ("subscriptions.csv", "contracts"),
    ("usage.csv", "events"),
    ("tickets.csv", "tickets"),
    ("churn.csv", "churn"),
]


def everything():
    """The rows an import may touch, as they are."""
    tables = ("accounts_account", "accounts_contract", "accounts_activity", "accounts_externalid",
              "usage_event", "usage_metricvalue", "usage_accountday")  # fmt: skip
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)), count(*) FROM {table} t")
            found[table] = cursor.fetchone()
    return found


def errors(job):
    return [(row.line, [(e["field"], e["rule"]) for e in row.errors]) for row in job.rejections.all()]


def test_all_rows_are_accounted_for_and_the_second_import_changes_nothing(bring_in):
    first = {target: bring_in(name, target) for name, target in FILES}
    assert {target: counts(job) for target, job in first.items()} == {
        "accounts": ("done", 6, 3, 0, 1, 2),
        "contracts": ("done", 6, 4, 0, 0, 2),
        "events": ("done", 7, 3, 0, 1, 3),
        "tickets": ("done", 5, 3, 0, 0, 2),
        "churn": ("done", 4, 3, 0, 0, 1),
    }
    assert {target: errors(job) for target, job in first.items()} == {
        "accounts": [(6, [("name", "required")]), (7, [("country", "country"), ("customer_since_on", "date")])],
        "contracts": [(6, [("account", "unknown")]), (7, [("end_on", "contract.ends_before_start")])],
        "events": [
            (6, [("quantity", "out_of_range")]),
            (7, [("account", "unknown_contract")]),
            (8, [("at", "moment")]),
        ],
        "tickets": [(5, [("account", "unknown")]), (6, [("resolution_hours", "number")])],
        "churn": [(5, [("account", "unknown")])],
    }
    before = everything()
    second = {target: bring_in(name, target) for name, target in FILES}
    assert {target: counts(job) for target, job in second.items()} == {
        "accounts": ("done", 6, 0, 0, 4, 2),
        "contracts": ("done", 6, 0, 0, 4, 2),
        "events": ("done", 7, 0, 0, 4, 3),
        "tickets": ("done", 5, 0, 0, 3, 2),
        "churn": ("done", 4, 0, 0, 3, 1),
    }
    assert everything() == before


def test_the_files_say_what_they_should(bring_in):
    for name, target in FILES:
        bring_in(name, target)
    accounts = {
        account.name: (account.status, account.arr, account.seats, account.segment, account.custom["referral_source"])
        for account in Account.objects.all()
    }
    assert accounts == {
        "Northwind Freight": ("churned", Decimal(0), None, "Enterprise", "partner"),
        "Southgate Retail": ("active", Decimal(0), None, "Basic", "organic"),
        "Eastline Foods": ("active", Decimal(2400), 12, "Pro", "event"),
    }
    assert Contract.objects.get(external_id="S-3").status == "churned"
    assert Contract.objects.get(external_id="S-1").auto_renew
    daily = _daily("Northwind Freight")
    assert daily[date(2025, 7, 1), "tickets_opened"] == 2
    assert (daily[date(2025, 7, 1), "tickets_s1"], daily[date(2025, 7, 1), "tickets_s2"]) == (1, 1)
    assert (daily[date(2025, 7, 1), "tickets_s3"], daily[date(2025, 7, 1), "tickets_escalated"]) == (0, 1)
    assert (daily[date(2025, 7, 2), "tickets_resolved"], daily[date(2025, 7, 2), "resolution_hours_total"]) == (1, 27)
    with connection.cursor() as cursor:
        cursor.execute("SELECT event, sum(quantity) FROM usage_event GROUP BY event ORDER BY event")
        assert cursor.fetchall() == [("reports", 5), ("routes", 9)]


def _daily(name):
    with connection.cursor() as cursor:
        cursor.execute(
            'SELECT v."on", v.metric, v.number FROM usage_metricvalue v JOIN accounts_account a ON a.id = v.account_id'
            " WHERE a.name = %s AND v.superseded_at IS NULL",
            [name],
        )
        return {(on, metric): number for on, metric, number in cursor.fetchall()}


def test_a_return_takes_a_churn_back_and_one_that_stands_ends_what_is_open_ended(bring_in):
    bring_in("accounts.csv", "accounts")
    bring_in("subscriptions.csv", "contracts")
    assert Account.objects.get(name="Southgate Retail").churned_on == date(2025, 8, 10)
    bring_in("churn.csv", "churn")
    by_name = dict(Account.objects.values_list("name", "status"))
    assert by_name == {"Northwind Freight": "churned", "Southgate Retail": "active", "Eastline Foods": "active"}
    north = Account.objects.get(name="Northwind Freight")
    assert (north.churned_on, north.arr) == (date(2025, 8, 11), Decimal(0))
    bring_in("subscriptions.csv", "contracts")
    north.refresh_from_db()
    assert (north.status, north.arr) == ("churned", Decimal(0))
    titles = sorted(Activity.objects.filter(kind="contract").values_list("title", flat=True))
    assert titles == ["Came back", "Churned: budget", "Churned: pricing"]


def test_a_file_of_another_source_knows_none_of_these_accounts(bring_in):
    bring_in("accounts.csv", "accounts")
    job = bring_in("subscriptions.csv", "contracts", source="erp")
    assert counts(job) == ("done", 6, 0, 0, 0, 6)


def test_the_log_says_who_brought_in_what(bring_in, leader):
    bring_in("accounts.csv", "accounts")
    created = AuditEntry.objects.filter(action="account.created").first()
    assert (created.actor, created.via) == (leader, "import: file.csv")
    done = AuditEntry.objects.get(action="import.done")
    assert done.after == {"rows": 6, "created": 3, "updated": 0, "duplicates": 1, "rejected": 2}


def test_what_was_brought_in_is_scored_and_fills_the_portfolio(bring_in, client, leader):
    now = timezone.now()
    install_pack("fmea", actor=None, at=now)
    for name, target in FILES:
        bring_in(name, target)
    recompute(at=now)

    health = {row.account.name: row for row in AccountHealth.objects.select_related("account")}
    client.force_login(leader)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/portfolio/").content.decode()))

    # Who churned has no health. One of the others has no use, ticket or rating; half the card is fed by the other's:
    # no key feature in use any more (0), no ticket this month (100), the one rating 2 of 5 (0): 33.3 of the measured.
    assert {name: (row.coverage_pct, row.shown) for name, row in health.items()} == {
        "Southgate Retail": (0, None),
        "Eastline Foods": (50, Decimal("33.3")),
    }
    assert "ARR $2k 2 accounts" in page
    assert "Accounts scored 50.0 % 1 of 2" in page
    assert "Nobody 2 accounts" in page
