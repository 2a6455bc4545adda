"""Targets of an account with what to do about a miss, and the report of success metrics over a book."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.choices import Role
from accounts.models import Account
from tests.factories import UserFactory
from tests.health import world

pytestmark = pytest.mark.django_db


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def post(client, account, values, *, days_ago=0):
    """Metric values sent in by the API, as of so many days ago."""
    on = timezone.localdate() - timedelta(days=days_ago)
    at = timezone.now() - timedelta(days=days_ago)
    world.measure(account, {key.replace("-", "_"): value for key, value in values.items()}, on=on, at=at)


def line(client, account, pack, key):
    """What the page says of a KPI."""
    page = client.get(f"/health/accounts/{account.pk}/targets/").content.decode()
    return words(page[page.index(f'id="t-{pack}-{key}"') :].split("</tr>")[0])


@pytest.fixture
def lead(client):
    user = UserFactory(role=Role.VP_CS)
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    ("kpi", "missed", "met", "actions"),
    [
        pytest.param(
            "time-to-first-value", "14", "13", ["More training", "More operational support", "Simpler configuration"],
            marks=pytest.mark.requirement("FLEET-5.1"),
        ),
        pytest.param(
            "training-completion", "90", "91", ["Make-up sessions", "One-to-one coaching", "Extend timeline"],
            marks=pytest.mark.requirement("FLEET-5.2"),
        ),
        pytest.param(
            "data-quality", "95", "95.1", ["Identify issues", "Plan correction", "Record lessons"],
            marks=pytest.mark.requirement("FLEET-5.4"),
        ),
        pytest.param(
            "user-adoption-month-1", "70", "70.1", ["Identify barriers", "More training", "Executive reinforcement"],
            marks=pytest.mark.requirement("FLEET-5.3"),
        ),
    ],
)  # fmt: skip
def test_a_missed_target_offers_what_to_do_and_a_met_one_does_not(client, lead, kpi, missed, met, actions):
    world.kpis("fleet", at=timezone.now())
    account = world.account(owner=lead)

    post(client, account, {kpi: missed})
    before = line(client, account, "fleet", kpi)
    post(client, account, {kpi: met})
    after = line(client, account, "fleet", kpi)

    assert "Missed" in before
    assert all(action in before for action in actions)
    assert "Met" in after
    assert not any(action in after for action in actions)


@pytest.mark.requirement("FLEET-5.6")
def test_three_falling_months_warn_even_above_the_target(client, lead):
    world.kpis("fleet", at=timezone.now())
    falling, stable, low = (world.account(name, owner=lead) for name in ("Falling", "Stable", "Low"))
    for days_ago, value in ((95, "95"), (65, "92"), (35, "88"), (0, "80.1")):
        post(client, falling, {"mau": value}, days_ago=days_ago)
        post(client, stable, {"mau": "95" if days_ago == 35 else value}, days_ago=days_ago)
    post(client, low, {"mau": "80"})

    said = {account.name: line(client, account, "fleet", "mau") for account in (falling, stable, low)}

    assert ("Met" in said["Falling"], "Worse three months running" in said["Falling"]) == (True, True)
    assert ("Met" in said["Stable"], "Worse three months running" in said["Stable"]) == (True, False)
    assert ("Missed" in said["Low"], "Worse three months running" in said["Low"]) == (True, False)


def test_without_readings_the_page_says_so_and_costs_the_same_for_one_and_three(client, lead):
    world.kpis("bis", at=timezone.now())
    account = world.account(owner=lead)
    path = f"/health/accounts/{account.pk}/targets/"
    assert "No readings yet" in client.get(path).content.decode()
    counts = []
    for values in ({"mau": "81"}, {"fcr": "60", "query-response": "4"}):
        post(client, account, values)
        with CaptureQueriesContext(connection) as seen:
            client.get(path)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# --- The report


def table(html):
    return [
        [words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
        for row in html.split("<table")[1].split("</table>")[0].split("<tr>")[1:]
    ]


@pytest.fixture
def two(lead):
    world.kpis("generic", at=timezone.now())
    one, other = world.account("Aldgate"), world.account("Beacon")
    Account.objects.filter(pk=one.pk).update(segment="Carrier")
    post(None, one, {"activation": "40", "nps": "60"}, days_ago=100)
    post(None, other, {"activation": "60"}, days_ago=100)
    post(
        None, one, {"activation": "50", "time-to-value": "20", "onboarding-completion": "90", "feature-adoption": "30"}
    )
    post(None, one, {"health-trend": "2"})
    return one, other


@pytest.mark.requirement("CS-7.1")
def test_the_leading_report_shows_five_figures_with_their_trend_for_a_period_and_segment(client, two):
    rows = table(client.get("/health/metrics/?category=leading&segment=Carrier&period=90").content.decode())
    everybody = table(client.get("/health/metrics/?category=leading&period=90").content.decode())

    assert [row[1] for row in rows[1:]] == [
        "Feature adoption", "Health score trend", "Onboarding completion", "Time to value", "User activation rate",
    ]  # fmt: skip
    assert rows[5][2:5] == ["1", "50.0", "+10.0"]
    assert everybody[5][2:5] == ["2", "55.0", "+5.0"]
    assert rows[3][5:] == ["at least 90 %", "1 of 1"]


@pytest.mark.requirement("BIS-1.4")
def test_usage_posted_by_the_api_is_in_the_adoption_report_of_the_account(client, lead):
    from tests.api.conftest import Api, token_for

    world.kpis("bis", at=timezone.now())
    account = world.account("Aldgate")
    owner = UserFactory(role=Role.OWNER)
    six = {
        "daily-active-users": "31", "feature-adoption-rate": "72", "time-to-first-value": "12",
        "query-frequency": "140", "report-generation": "55", "data-volume-processed": "9",
    }  # fmt: skip
    rows = [
        {"account": str(account.pk), "metric": key.replace("-", "_"), "on": str(timezone.localdate()), "value": value}
        for key, value in six.items()
    ]
    sent = Api(client, token_for(owner)).post("usage/metrics/", {"metrics": rows})
    client.force_login(lead)

    shown = table(client.get("/health/metrics/?category=adoption&q=aldgate&period=30").content.decode())

    assert json.loads(sent.content)["rejected"] == []
    assert sorted(row[3] for row in shown[1:]) == sorted(f"{value}.0" for value in six.values())
    assert {row[2] for row in shown[1:]} == {"1"}


@pytest.mark.requirement("FLEET-10.19")
def test_the_csv_equals_the_table_under_every_filter(client, two):
    queries = ["", "category=leading", "segment=Carrier", "q=beacon&period=365", "q=nobody"]
    for query in queries:
        page = table(client.get(f"/health/metrics/?{query}").content.decode())
        answer = client.get(f"/health/metrics/export.csv?{query}")
        saved = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [[cell.removeprefix("'") for cell in row] for row in saved] == page
    assert len(table(client.get("/health/metrics/?category=leading").content.decode())) == 6


def test_the_report_counts_only_accounts_the_reader_sees_and_costs_the_same_for_one_and_three(client, lead):
    world.kpis("generic", at=timezone.now())
    client.get("/health/metrics/")
    counts = []
    for size in (1, 3):
        for number in range(size):
            post(None, world.account(f"A{size}{number}"), {"activation": "50"})
        with CaptureQueriesContext(connection) as seen:
            client.get("/health/metrics/")
        counts.append(len(seen))
    assert counts[0] == counts[1]
    lead.workspace_settings.__class__.objects.update(csm_reads_all_accounts=False)
    client.force_login(UserFactory(role=Role.CSM))
    rows = table(client.get("/health/metrics/?category=leading").content.decode())
    assert {row[2] for row in rows[1:]} == {"0"}
