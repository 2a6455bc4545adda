"""What tickets say about accounts: each figure by hand, as of a day, after what was stated; and what fires."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.models import ChangedAccount, Severity
from health.actions import open_ctas, recompute
from health.models import TriggerFiring
from playbooks.models import Cta
from support import actions
from support.metrics import _is_ours, provide
from support.models import Ladder
from tests.health import world as health
from tests.support.world import agent, at, customer, install, ticket
from usage.catalogue import DESK
from usage.stated import TICKET_FORMULAS

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
NOON = at("2026-11-24 12:00")
ALL = {
    "tickets_month", "ticket_count", "ticket_count_change_pct", "s1_tickets_30d", "s2_tickets_30d", "s3_tickets_30d",
    "s4_tickets_30d", "open_tickets", "open_tickets:s1", "open_tickets:S2", "ticket_count:S1", "ticket_count:S2",
    "resolution_hours", "avg_resolution_hours", "escalation_rate_percentage", "csat_pct", "support_satisfaction",
    "satisfaction_pct",
}  # fmt: skip


def days(number: int):
    return NOON - timedelta(days=number)


def figures(account, metrics=ALL, *, on=ON, known_at=None):
    found = provide([account.pk], set(metrics), on, known_at)
    return {name: column[account.pk].value for name, column in found.items() if account.pk in column}


@pytest.fixture
def fmea(db):
    install("fmea")
    return customer("enterprise", pack="fmea")


def test_the_desk_answers_for_every_ticket_metric_and_its_own():
    assert [name for name in {*TICKET_FORMULAS, *DESK, "open_tickets"} if not _is_ours(name)] == []
    assert not _is_ours("nps")


def test_a_desk_without_a_ticket_says_nothing_with_one_query(fmea, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert provide(None, ALL, ON) == {}
    with django_assert_num_queries(0):
        assert provide(None, {"nps", "seats"}, ON) == {}


def test_every_figure_of_an_account_by_hand(fmea):
    worst = ticket(fmea, days(1), severity="S1")
    ticket(fmea, days(13), severity="S2")
    ticket(fmea, days(14), severity="S2")
    quick = ticket(fmea, days(29), severity="S3")
    ticket(fmea, days(30), severity="S3")
    spam = ticket(fmea, days(2), severity="S1")
    other = ticket(customer("basic", pack="fmea"), days(3), severity="S1")
    worker = agent()
    actions.cancel(spam, actor=worker, at=days(2))
    actions.resolve(quick, actor=worker, at=days(29) + timedelta(hours=6))
    actions.resolve(other, actor=worker, at=days(1))
    actions.rate(quick, 5, at=days(28))
    actions.escalate(
        fmea, ladder=Ladder.objects.get(pack="fmea"), path="technical", reason="Down", ticket=worst, actor=worker,
        at=days(1),
    )  # fmt: skip
    assert figures(fmea) == {
        "tickets_month": 4, "ticket_count": 4, "ticket_count_change_pct": 300, "s1_tickets_30d": 1,
        "s2_tickets_30d": 2, "s3_tickets_30d": 1, "s4_tickets_30d": 0, "open_tickets": 4, "open_tickets:s1": 1,
        "open_tickets:S2": 2, "ticket_count:S1": 1, "ticket_count:S2": 1, "resolution_hours": 6,
        "avg_resolution_hours": 6, "escalation_rate_percentage": 25, "csat_pct": 100, "support_satisfaction": 100,
        "satisfaction_pct": 100,
    }  # fmt: skip


def test_csat_is_the_share_of_fours_and_fives_and_nobody_is_no_figure(fmea):
    worker = agent()
    for score in (5, 4, 3):
        row = ticket(fmea, days(5))
        actions.resolve(row, actor=worker, at=days(4))
        assert ("csat_pct" in figures(fmea)) is (score != 5)
        actions.rate(row, score, at=days(3))
    assert figures(fmea, {"csat_pct"}) == {"csat_pct": Decimal("66.666667")}


def test_a_past_day_and_a_past_knowledge_see_the_tickets_as_they_were(fmea):
    row = ticket(fmea, days(5), severity="S2")
    actions.change_severity(row, Severity.objects.get(key="S1"), actor=agent(), at=days(3))
    actions.resolve(row, actor=agent(), at=days(1))
    names = {"open_tickets:s1", "open_tickets:s2", "s2_tickets_30d", "resolution_hours"}
    assert figures(fmea, names, on=ON - timedelta(days=4)) == {
        "open_tickets:s1": 0, "open_tickets:s2": 1, "s2_tickets_30d": 1,
    }  # fmt: skip
    assert figures(fmea, names, known_at=days(2)) == {"open_tickets:s1": 1, "open_tickets:s2": 0, "s2_tickets_30d": 0}
    assert figures(fmea, names) == {
        "open_tickets:s1": 0, "open_tickets:s2": 0, "s2_tickets_30d": 0, "resolution_hours": 96,
    }  # fmt: skip
    assert figures(fmea, names, on=ON - timedelta(days=6)) == {}


def test_a_day_ends_at_the_workspaces_midnight(fmea):
    ticket(fmea, at("2026-11-25 00:30", "UTC"))
    assert figures(fmea, {"tickets_month"}) == {}
    assert figures(fmea, {"tickets_month"}, on=ON + timedelta(days=1)) == {"tickets_month": 1}


def test_a_stated_figure_goes_first_while_it_is_kept_up(fmea):
    ticket(fmea, days(1), severity="S1")
    health.measure(fmea, {"tickets_opened": "7"}, on=ON - timedelta(days=31), at=NOON)
    assert figures(fmea, {"tickets_month", "open_tickets"}) == {"open_tickets": 1}
    assert figures(fmea, {"tickets_month"}, on=ON + timedelta(days=1)) == {"tickets_month": 1}


def test_an_account_without_a_ticket_has_none_unless_it_is_looked_after_elsewhere(fmea):
    ticket(fmea, days(1))
    quiet, elsewhere = customer(), customer()
    health.measure(elsewhere, {"tickets_opened": "7"}, on=ON - timedelta(days=90), at=NOON)
    assert figures(quiet, {"tickets_month", "open_tickets"}) == {"tickets_month": 0, "open_tickets": 0}
    assert figures(elsewhere, {"tickets_month", "open_tickets"}) == {}


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_queries_is_that_of_the_figures_and_not_of_the_accounts(fmea, django_assert_num_queries, count):
    for _ in range(count):
        ticket(customer(), days(2), severity="S1")
    with django_assert_num_queries(2):
        assert len(provide(None, {"tickets_month", "open_tickets", "csat_pct"}, ON)["tickets_month"]) == count + 1


@pytest.mark.requirement("FMEA-7.3")
def test_a_critical_ticket_opens_the_work_its_trigger_asks_for():
    install("fmea")
    rail = customer("enterprise", pack="fmea", owner=health.person(), customer_since_on=date(2024, 1, 1))
    ChangedAccount.objects.all().delete()
    row = ticket(rail, days(0), severity="S1")
    assert ChangedAccount.objects.filter(account_id=rail.pk).exists()
    for minutes in (1, 2):
        recompute(at=NOON + timedelta(minutes=minutes))
        open_ctas(at=NOON + timedelta(minutes=minutes))
    firing = TriggerFiring.objects.filter(account=rail, version__trigger__key="critical-incident")
    assert firing.count() == 1
    assert Cta.objects.filter(account=rail, trigger_key="critical-incident").count() == 1
    assert row.is_active


def test_a_warning_of_the_sweep_is_what_the_threatened_promise_trigger_waits_for():
    install("mna")
    rail = customer("fortune-500", pack="mna")
    row = ticket(rail, at("2026-11-24 10:00"), severity="critical")
    assert figures(rail, {"sla_elapsed_pct"}) == {"sla_elapsed_pct": 0}
    ChangedAccount.objects.all().delete()
    actions.sweep(at=at("2026-11-24 10:48"))
    assert figures(rail, {"sla_elapsed_pct"}) == {"sla_elapsed_pct": 80}
    assert ChangedAccount.objects.filter(account_id=rail.pk).exists()
    actions.sweep(at=at("2026-11-24 11:00"))
    assert figures(rail, {"sla_elapsed_pct"}) == {"sla_elapsed_pct": 100}
    actions.resolve(row, actor=agent(), at=at("2026-11-24 11:10"))
    assert figures(rail, {"sla_elapsed_pct"}) == {"sla_elapsed_pct": 0}
