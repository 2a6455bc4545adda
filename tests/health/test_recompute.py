"""The recompute: what it reads, writes and leaves alone, in a constant number of queries."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ChangedAccount
from health.actions import activate_version, draft_version, recompute, recompute_changed, recompute_nightly
from health.models import AccountHealth, BandChange, HealthRun, HealthScore
from tests.health import oracle, world
from tests.health.definitions import CARDS, best
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def state(account):
    row = AccountHealth.objects.get(account=account)
    return row.score, row.shown, row.band, row.rag, row.coverage_pct


def test_full_marks_are_green_with_all_their_evidence():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)

    result = recompute(at=NOON)

    assert (result.accounts, result.history, result.crossings) == (1, 1, 0)
    row = AccountHealth.objects.select_related("version").get(account=rail)
    assert state(rail) == (100, Decimal("100.0"), "green", "green", 100)
    assert (row.states, row.version.number, row.scorecard_key) == ("f" * 14, 1, "fleet-health")
    assert row.values[0] == "90"
    assert set(row.sources) == {"test"}
    assert row.points == [points * 1_000_000 for points in (10, 15, 10, 5, 15, 10, 5, 10, 5, 5, 5, 5)]
    assert row.dimensions == [points * 1_000_000 for points in (40, 30, 20, 10)]
    history = HealthScore.objects.get(account=rail)
    assert (history.score, history.computed_on, history.values) == (100, date(2026, 11, 24), row.values)


def test_stored_scores_of_many_accounts_equal_the_slow_oracle():
    world.card()
    accounts = [world.account(f"Account {at}") for at in range(12)]
    inputs = {}
    for at, account in enumerate(accounts):
        values = dict(list({**FLEET_RED, "login_pct": str(at * 9), "tickets_month": str(at)}.items())[: 14 - at])
        world.measure(account, values)
        inputs[account.pk] = values

    recompute(at=NOON)

    definition = CARDS["fleet-health"]
    for row in AccountHealth.objects.all():
        total, band, coverage, _ = oracle.score(definition, inputs[row.account_id])
        assert (row.band or None) == band
        assert row.score == (None if total is None else Decimal(int(total * 10**6)) / 10**6)
        assert row.coverage_pct == Decimal(int(coverage * 10**4)) / 100


def test_under_half_coverage_there_is_no_score_and_no_band():
    world.card()
    rail = world.account()
    world.measure(rail, {"login_pct": "10", "objectives": "on_track"})

    recompute(at=NOON)

    assert state(rail) == (None, None, "", "none", 25)


def test_an_account_without_any_figure_is_insufficient_and_not_zero():
    world.card()
    rail = world.account()

    recompute(at=NOON)

    assert state(rail) == (None, None, "", "none", 0)


def test_churned_archived_and_future_customers_are_not_scored():
    world.card()
    world.account("Gone", status="churned", churned_on=date(2026, 11, 1))
    world.account("Filed", archived_at=NOON)
    world.account("Soon", customer_since_on=date(2026, 12, 1))

    assert recompute(at=NOON).accounts == 0
    assert recompute(at=NOON.replace(month=10)).accounts == 2  # Gone was here, and so was Filed


def test_a_figure_out_of_range_is_left_out_and_marked():
    world.card("mna-health")
    rail = world.account()
    world.measure(rail, {"technical_performance": "80", "business_outcomes": "80", "user_adoption": "250"})

    row = world.score(rail)

    assert (row.score, row.states, row.coverage_pct) == (80, "ff!-", 60)
    assert row.values == ["80", "80", "250", None]


def test_an_old_figure_still_counts_and_is_marked_stale():
    world.card("mna-health")
    rail = world.account()
    world.measure(rail, {"technical_performance": "80", "business_outcomes": "60"}, on=date(2026, 8, 1))
    world.measure(rail, {"user_adoption": "50"})

    row = world.score(rail)

    assert (row.states, row.coverage_pct) == ("ssf-", 80)
    assert row.score == Decimal("65")


def test_a_card_may_leave_stale_figures_out():
    definition = {**CARDS["mna-health"], "stale_policy": "missing", "max_age_days": 30}
    version = world.card("mna-health")
    activate_version(draft_version(version.scorecard, definition=definition, actor=None, at=NOON), actor=None, at=NOON)
    rail = world.account()
    world.measure(rail, {"technical_performance": "80", "business_outcomes": "60"}, on=date(2026, 10, 24))
    world.measure(rail, {"user_adoption": "50", "relationship_strength": "90"}, on=date(2026, 10, 26))

    row = world.score(rail)

    assert (row.states, row.coverage_pct, row.score) == ("ssff", 40, None)


@pytest.mark.requirement("MNA-5.3")
def test_a_part_is_taken_from_its_kpis_where_nobody_states_it():
    world.card("mna-health")
    world.kpis("mna")
    rail, road = world.account(), world.account("Road")
    readings = {"platform_uptime": "99.9", "error_rate": "1", "gui_response": "50"}
    world.measure([rail, road], readings)
    world.measure(road, {"technical_performance": "30"})
    world.measure([rail, road], {"business_outcomes": "80"})

    recompute(at=NOON)

    rows = {row.account.name: row for row in AccountHealth.objects.select_related("account")}
    # uptime 100, error rate 0.5 / 1 = 50, response 100: the mean of three.
    assert rows["Acme Rail"].values[0] == "83.333333"
    assert rows["Acme Rail"].sources[0] == "mean of 3 KPIs"
    assert rows["Road"].values[0] == "30"


def test_the_number_of_queries_does_not_depend_on_the_number_of_accounts():
    world.card()
    world.trigger("fleet:red-account")
    world.trigger("fmea:health-decline")
    one = world.account("A")
    world.measure(one, FLEET_BEST)
    recompute(at=NOON)  # types and stage exist now

    with CaptureQueriesContext(connection) as few:
        recompute(at=NOON + timedelta(minutes=1))
    world.measure([world.account(f"B{at}") for at in range(3)], FLEET_BEST)
    with CaptureQueriesContext(connection) as many:
        recompute(at=NOON + timedelta(minutes=2))

    assert AccountHealth.objects.count() == 4
    assert len(many) == len(few)


def test_an_unchanged_score_adds_no_history_until_the_month_turns():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)

    same = recompute(at=NOON + DAY)
    turned = recompute(at=NOON + 7 * DAY)

    assert (same.history, turned.history) == (0, 1)
    assert list(HealthScore.objects.order_by("computed_on").values_list("computed_on", flat=True)) == [
        date(2026, 11, 24),
        date(2026, 12, 1),
    ]
    assert AccountHealth.objects.get().computed_at == NOON + 7 * DAY


def test_a_day_keeps_its_last_score():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)
    world.measure(rail, {"login_pct": "60"}, at=NOON + timedelta(hours=1))

    recompute(at=NOON + timedelta(hours=1))

    assert [row.score for row in HealthScore.objects.all()] == [95]
    row = AccountHealth.objects.get()
    assert (row.score, row.previous_score, row.previous_at) == (95, 100, NOON)


def test_a_crossing_is_written_once_with_the_score():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)
    world.measure(rail, FLEET_RED, at=NOON + DAY)

    first = recompute(at=NOON + DAY)
    again = recompute(at=NOON + DAY + timedelta(minutes=1))

    assert (first.crossings, again.crossings) == (1, 0)
    change = BandChange.objects.get()
    assert (change.old_band, change.new_band, change.is_worse) == ("green", "red", True)
    assert (change.old_score, change.new_score, change.handled_at) == (100, 60, None)
    row = AccountHealth.objects.get()
    assert (row.band_since_on, row.worsened_at) == (date(2026, 11, 25), NOON + DAY)


def test_a_gap_in_the_data_hides_no_crossing():
    world.card("mna-health")
    rail = world.account()
    full = {"technical_performance": "95", "business_outcomes": "95", "user_adoption": "95"}
    world.measure(rail, full)
    recompute(at=NOON)
    definition = {**CARDS["mna-health"]}
    AccountHealth.objects.update(score=None, band="", band_rank=None)  # a night without data
    world.measure(rail, dict.fromkeys(full, "50"), at=NOON + DAY)

    recompute(at=NOON + DAY)

    change = BandChange.objects.get()
    assert (change.old_band, change.new_band) == ("champion", "emergency")
    assert definition["bands"][0]["key"] == "champion"


def test_a_new_version_moves_edges_without_a_crossing():
    version = world.card()
    rail = world.account()
    world.measure(rail, {**FLEET_BEST, "objectives": "partial"})
    recompute(at=NOON)
    bands = [dict(band) for band in CARDS["fleet-health"]["bands"]]
    bands[0]["min"] = 95
    definition = {**CARDS["fleet-health"], "bands": bands}
    draft = draft_version(version.scorecard, definition=definition, note="Stricter", actor=None, at=NOON)
    activate_version(draft, actor=None, at=NOON)

    recompute(at=NOON + DAY)

    row = AccountHealth.objects.select_related("version").get()
    assert (row.score, row.band, row.version.number) == (92, "yellow", 2)
    assert BandChange.objects.count() == 0
    assert HealthScore.objects.filter(version__number=1).count() == 1


def test_a_stale_run_never_overwrites_a_newer_score():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)

    result = recompute(at=NOON - timedelta(hours=1))

    assert (result.accounts, result.history) == (0, 0)
    assert AccountHealth.objects.get().computed_at == NOON


def test_the_change_is_against_the_score_of_thirty_days_before():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST, on=date(2026, 9, 1))
    recompute(at=NOON - 31 * DAY)
    world.measure(rail, {"login_pct": "60"}, on=date(2026, 10, 26))
    recompute(at=NOON - 29 * DAY)
    world.measure(rail, {"login_pct": "10"})

    recompute(at=NOON)

    row = AccountHealth.objects.get()
    assert (row.score, row.score_30d, row.change_30d, row.previous_score) == (90, 100, -10, 95)


def test_another_card_begins_a_new_series():
    world.card()
    world.card("mna-health")
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    world.measure(rail, {"technical_performance": "50", "business_outcomes": "50"})
    recompute(at=NOON - 31 * DAY)
    recompute(at=NOON - DAY)
    rail.scorecard_key = "mna-health"
    rail.save()

    recompute(at=NOON)

    row = AccountHealth.objects.get()
    assert (row.scorecard_key, row.score, row.previous_score, row.change_30d) == ("mna-health", 50, None, None)
    assert BandChange.objects.count() == 0


def test_the_card_is_the_accounts_own_else_its_segments_else_the_default():
    world.card()
    mna = world.card("mna-health").scorecard
    mna.segments = ["Enterprise"]
    mna.save()
    world.card("generic-health")
    world.account("Plain")
    world.account("Big", segment="Enterprise")
    world.account("Own", segment="Enterprise", scorecard_key="generic-health")

    recompute(at=NOON)

    cards = dict(AccountHealth.objects.values_list("account__name", "scorecard_key"))
    assert cards == {"Plain": "fleet-health", "Big": "mna-health", "Own": "generic-health"}


def test_red_flags_are_stored_and_hold_the_band():
    world.card("components")
    rail = world.account(scorecard_key="components")
    values = {"usage_vs_expected_pct": "100", "value_target_pct": "100", "tickets_per_user_monthly": "1",
              "avg_resolution_hours": "1", "escalation_rate_percentage": "0", "meetings_per_quarter": "4",
              "stakeholder_engagement": "100", "advocacy_score": "100", "expansion_readiness": "100"}  # fmt: skip
    world.measure(rail, {**values, "new_requirements": "0"})

    row = world.score(rail)

    assert (row.score, row.band, row.red_flags) == (100, "at-risk", ["no-requirements"])
    assert row.values[-1] == "0"


def test_only_what_changed_is_scored_and_marks_are_used_up():
    world.card()
    rail, road = world.account(), world.account("Road")
    world.measure([rail, road], FLEET_BEST)
    ChangedAccount.objects.all().delete()
    ChangedAccount.objects.create(account_id=rail.pk, changed_at=NOON)
    ChangedAccount.objects.create(account_id=road.pk, changed_at=NOON + DAY)

    result = recompute_changed(at=NOON)

    assert result.accounts == 1
    assert [row.account_id for row in AccountHealth.objects.all()] == [rail.pk]
    assert [row.account_id for row in ChangedAccount.objects.all()] == [road.pk]
    assert recompute_changed(at=NOON) is None


def test_the_nightly_run_happens_once_a_day():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)

    first, second = recompute_nightly(at=NOON), recompute_nightly(at=NOON + timedelta(hours=1))
    next_day = recompute_nightly(at=NOON + DAY)

    assert (first.accounts, second, next_day.accounts) == (1, None, 1)
    assert [run.on for run in HealthRun.objects.order_by("on")] == [date(2026, 11, 24), date(2026, 11, 25)]


def test_a_flood_of_urgent_tickets_scores_the_account_and_stops_nobody_elses_run():
    world.card("fmea-health")
    flooded, calm = world.account("Flooded"), world.account("Calm")
    for account, tickets in ((flooded, "1000000"), (calm, "0")):
        world.measure(account, {**best(CARDS["fmea-health"]), "s1_tickets_30d": tickets})

    recompute(at=NOON)

    assert dict(AccountHealth.objects.values_list("account__name", "score")) == {"Flooded": 80, "Calm": 100}
