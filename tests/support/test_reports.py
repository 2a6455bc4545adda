"""Support reports: each number by hand, the tickets behind it, and the same number of queries for any number."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from support import actions
from support.models import Ladder
from support.queries.reports import desk
from support.queries.reports.period import Period
from support.queries.reports.promises import DIMENSIONS, kept_by
from tests.factories import UserFactory
from tests.support.world import agent, at, customer, install, ticket

pytestmark = pytest.mark.django_db
NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}
TEN = at("2026-11-24 10:00")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def vp():
    return UserFactory(role="vp_cs")


@pytest.fixture
def report(client, vp):
    client.force_login(vp)

    def get(path, **query):
        return client.get(f"/support/reports/{path}", {**NOVEMBER, **query})

    return get


@pytest.fixture
def kept():
    """One answered in time and one too late, of two tiers, severities, agents, accounts and months."""
    install("fmea")
    one, two = (
        customer(tier, pack="fmea", name=name) for tier, name in (("enterprise", "Acme Rail"), ("basic", "Borealis"))
    )
    ann, bob = UserFactory(role="support_agent", name="Ann"), UserFactory(role="support_agent", name="Bob")
    good, bad = ticket(one, TEN, severity="S1"), ticket(two, TEN - 30 * DAY, severity="S3")
    actions.assign(good, ann, actor=ann, at=TEN)
    actions.assign(bad, bob, actor=bob, at=TEN)
    actions.reply(good, "Looking", actor=ann, at=TEN + HOUR / 12)
    actions.reply(bad, "Sorry", actor=bob, at=TEN - 20 * DAY)
    return good, bad


def cells(response, table=0):
    """The rows of a table as text, by the first cell."""
    rows = response.context["tables"][table][0].rows
    return {row[0].text: [cell.text for cell in row[1:]] for row in rows}


@pytest.mark.parametrize("by", DIMENSIONS)
def test_promises_by_each_dimension_and_the_tickets_behind_them(report, kept, by):
    shown = report("", since="2026-10-01", by=by)
    rows = shown.context["tables"][0][0].rows
    assert shown.status_code == 200
    by_name = {row[0].text: row for row in rows}
    met = [row for row in rows if row[2].text != "0" and row[0].text != "All"]
    assert (by_name["All"][2].text, int(by_name["All"][3].text) > 0) == ("1", True)
    (line,) = met
    behind = shown.client.get(line[2].url)
    listed = behind.context["table"].rows
    assert [(row[0].text, row[6].text, row[8].text) for row in listed] == [(str(kept[0]), "First response", "Met")]


def test_a_promise_counts_on_the_day_it_was_kept_or_broken(vp, kept):
    assert kept_by(vp, Period(date(2026, 11, 24), date(2026, 11, 24)), "tier")[0].met == {"first_response": 1}
    assert kept_by(vp, Period(date(2026, 11, 25), date(2026, 11, 30)), "tier") == []


@pytest.mark.requirement("FMEA-14.5")
@pytest.mark.requirement("FMEA-15.4")
def test_the_figures_of_a_period_by_hand(report):
    install("fmea")
    rail = customer("enterprise", pack="fmea", assigned_users=4)
    worker = agent()
    quick, slow = ticket(rail, TEN), ticket(rail, TEN - DAY, severity="S1")
    actions.reply(quick, "Try again", actor=worker, at=TEN + HOUR)
    actions.log_time(quick, 96, actor=worker, at=TEN + HOUR)
    actions.resolve(quick, actor=worker, at=TEN + 2 * HOUR)
    actions.rate(quick, 5, at=TEN + 3 * HOUR)
    ladder = Ladder.objects.get(pack="fmea")
    actions.escalate(rail, ladder=ladder, path="technical", reason="Down", ticket=slow, actor=worker, at=TEN)
    actions.resolve(slow, actor=worker, at=TEN + 4 * HOUR)
    shown = cells(report("figures/", since="2026-11-24", until="2026-11-24"))
    assert {name: row[0] for name, row in shown.items()} == {
        "First response": "1.0 h", "Resolution": "15.0 h", "First-contact resolution": "50 %", "CSAT": "100 %",
        "Knowledge base": "–", "Tickets per customer": "1.00", "Tickets per user": "0.25", "Team utilization": "20 %",
        "Escalation rate": "0 %",
    }  # fmt: skip
    assert cells(report("figures/"))["Escalation rate"][0] == "50 %"
    assert cells(report("figures/", since="2026-10-01", until="2026-10-31"))["Resolution"][0] == "–"


@pytest.mark.requirement("BIS-2.5")
def test_channels_set_what_was_resolved_beside_what_is_expected(report):
    install("bis")
    rail = customer()
    worker = agent()
    given = ("email", True), ("email", False), ("chat", True), ("slack", True), ("monitoring", False)
    for channel, resolved in given:
        row = ticket(rail, TEN, channel=channel)
        if resolved:
            actions.resolve(row, actor=worker, at=TEN + HOUR)
    shown = cells(report("channels/"))
    assert {name: row[:3] for name, row in shown.items()} == {
        "Email": ["2", "50.0 %", "80 %"], "Chat/Teams": ["2", "100.0 %", "60 %"], "Phone": ["0", "–", "85 %"],
        "Ticketing System": ["1", "0.0 %", "90 %"], "Knowledge Base": ["0", "–", "–"],
    }  # fmt: skip
    assert shown["Email"][4] == "4 to 24 h"


@pytest.mark.requirement("FLEET-9.14")
def test_escalations_by_level_type_outcome_and_pattern(report):
    install("fleet")
    worker = agent("vp_cs")
    ladder = Ladder.objects.get(pack="fleet")
    for number in range(3):
        rail = customer()
        row = ticket(rail, TEN, type="bug")
        found = actions.escalate(
            rail, ladder=ladder, path="default", level="T2", reason="Down", trigger="system error", ticket=row,
            actor=worker, at=TEN,
        )  # fmt: skip
        if number:
            actions.resolve_escalation(
                found, outcome="partial" if number == 1 else "resolved", satisfaction=3 + number, actor=worker,
                at=TEN + number * HOUR,
            )  # fmt: skip
    higher = actions.escalate(
        rail, ladder=ladder, path="default", level="T3", reason="Wrong figures", trigger="code change needed",
        ticket=ticket(rail, TEN, type="how_to"), actor=worker, at=TEN,
    )  # fmt: skip
    actions.resolve_escalation(higher, outcome="pending", satisfaction=2, actor=worker, at=TEN + 5 * HOUR)
    shown = report("escalations/")
    # The five views: volume by tier and by type, resolution by tier, satisfaction, patterns, outcome.
    by_tier = cells(shown)
    assert by_tier["Implementation Engineer"] == ["3", "0", "2", "1.5 h", "4.5 of 5", "0 min"]
    (upper,) = by_tier.keys() - {"Implementation Engineer"}
    assert by_tier[upper] == ["1", "0", "1", "5.0 h", "2.0 of 5", "0 min"]
    assert {tuple(cell.text for cell in row) for row in shown.context["tables"][1][0].rows} == {
        ("Default", "Bug", "3"), ("Default", "How to", "1"),
    }  # fmt: skip
    outcomes = cells(shown, 2)
    names = ("Resolved", "Partly resolved", "Pending", "Still open")
    assert [outcomes[name] for name in names] == [["1"], ["1"], ["1"], ["1"]]
    assert cells(shown, 3) == {"system error": ["3", "3"]}
    assert cells(report("escalations/", since="2026-10-01", until="2026-10-31")) == {}
    behind = shown.client.get(shown.context["tables"][0][0].rows[0][1].url)
    assert behind.context["total"] == 3
    assert "First-contact resolution" in cells(report("figures/"))


@pytest.mark.requirement("FLEET-5.8")
def test_two_rising_months_after_launch_ask_for_an_action(report, vp):
    today = timezone.localdate()
    month = today.replace(day=1)
    starts = []
    for _ in range(4):
        month = (month - DAY).replace(day=1)
        starts.append(month)
    rail = customer(name="Acme Rail", customer_since_on=starts[3])
    for count, first in zip((3, 2, 1, 5), starts, strict=True):
        for _ in range(count):
            ticket(rail, at(f"{first.isoformat()} 10:00"))
    shown = report("volume/", since="", until=today.isoformat(), account=str(rail.pk))
    text = shown.content.decode()
    assert shown.context["period"].since == starts[3]
    assert "Tickets rose two months in a row" in text
    assert f"{starts[3]:%B %Y} (launch)" in text
    assert [row["m2"] for row in desk.rising_accounts(vp, today)] == [3]
    for _ in range(2):
        ticket(rail, at(f"{starts[1].isoformat()} 11:00"))
    again = report("volume/", since="", until=today.isoformat(), account=str(rail.pk)).content.decode()
    assert "Tickets rose two months in a row" not in again


@pytest.mark.requirement("FLEET-4.12")
def test_how_to_tickets_before_and_after_the_course(report):
    rail = customer()
    for day in ("2026-08-03", "2026-08-04", "2026-09-03", "2026-11-03"):
        ticket(rail, at(f"{day} 10:00"), type="how_to")
    ticket(rail, at("2026-11-04 10:00"), type="bug")
    shown = report("volume/", since="2026-08-01", course="2026-10-05").content.decode()
    assert "October 2026 (course)" in shown
    # Month by month in the chart's table: how-to tickets only, the bug of November is none.
    chart = re.sub(r"<[^>]+>", " ", shown[shown.index("How-to tickets by month") :])
    months = ("August 2026", "September 2026", "October 2026 (course)", "November 2026")
    counts = [re.search(rf"{re.escape(month)}\s+(\d+)", chart) for month in months]
    assert [found and found.group(1) for found in counts] == ["2", "1", "0", "1"]
    assert report("volume/", since="2026-08-01", course="2026-10-05").context["before"] == ("1.5", "1.0")
    assert report("volume/", since="2026-08-01").context["before"] is None


def test_backlog_by_age_says_what_is_overdue(report, vp):
    now = timezone.now()
    install("mna")
    rail = customer("fortune-500", pack="mna")
    for days in (0, 2, 5, 20, 40):
        ticket(rail, now - timedelta(days=days, minutes=1), severity="critical", at=now)
    found = desk.backlog(vp, now)
    assert [count for _words, count, _late in found] == [1, 1, 1, 1, 1]
    assert [late for _words, _count, late in found] == [0, 1, 1, 1, 1]
    assert report("rows/", what="backlog", age="4").context["total"] == 1


def test_a_customer_of_the_portal_sees_no_report(client, kept):
    client.force_login(UserFactory(role="portal_user"))
    assert client.get("/support/reports/").status_code in {302, 403, 404}


@pytest.mark.parametrize("query", [{"since": "x"}, {"since": "2026-12-01"}, {"since": "0001-01-01"}])
def test_a_period_that_means_nothing_is_said_and_the_default_counts(report, query):
    shown = report("", **query)
    assert shown.status_code == 200
    assert shown.context["period"].problem in shown.content.decode()


def test_what_means_nothing_in_an_address_is_no_error(report):
    odd = {"what": "x", "by": "team", "key": "x"}, {"by": "month", "key": "2026-99"}, {"age": "9"}, {"account": "x"}
    for query in odd:
        assert report("rows/", **query).status_code == 200
    assert report("rows/", page="99").status_code == 404
    assert report("export.csv", report="none").status_code == 404
    assert report("volume/", account="00000000-0000-0000-0000-000000000000").status_code == 404


def test_every_table_and_the_rows_behind_come_as_csv(report, kept):
    for name in ("promises", "figures", "backlog", "channels", "rising", "levels", "types", "outcomes", "patterns"):
        answer = report("export.csv", report=name)
        assert answer["Content-Type"].startswith("text/csv"), name
    rows = report("export.csv", report="rows", what="opened", since="2026-10-01").content.decode()
    assert rows.count("Acme Rail") == 1


@pytest.mark.parametrize("path", ["", "figures/", "channels/", "volume/", "escalations/", "rows/"])
def test_a_page_takes_as_many_queries_for_three_as_for_one(report, path):
    install("mna")
    report(path)
    counts = []
    for _ in range(3):
        rail = customer("fortune-500", pack="mna")
        row = ticket(rail, TEN, severity="critical")
        actions.resolve(row, actor=agent(), at=TEN + DAY)
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            assert report(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[2]
