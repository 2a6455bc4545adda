"""Backtests over a workspace: nothing is known before it was recorded; asked for, run, cancelled, read."""

import copy
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import create_contract
from accounts.errors import RuleViolated
from accounts.metrics import provide as record
from accounts.models import Contract
from health.actions import backfill, draft_version
from health.actions.backtests import cancel_backtest, graded, run, start_backtest
from health.cards import compile_definition
from health.models import Backtest, HealthScore
from health.queries.replay import Replay, replay_days, roster
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST, FLEET_RED
from usage.columns import coded_columns
from usage.metrics import provide

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def on(days_ago):
    return TODAY - timedelta(days=days_ago)


def moment(days_ago):
    return NOW - timedelta(days=days_ago)


def replayed(days, *, basis="recorded", key="fleet-health"):
    replay = Replay([compile_definition(CARDS[key])], roster(), days, basis=basis)
    assert [*replay.run()] == list(range(1, len(days) + 1))
    return replay


def colours(replay, account):
    return replay.histories[0].colour[replay.people.place[account.pk]].tolist()


@pytest.fixture
def leader():
    return world.person("vera@acme.test", role="vp_cs")


@pytest.fixture
def signed_in(client, leader):
    client.force_login(leader)
    return client


@pytest.fixture
def customers(leader):
    """One who was warned of and left, one green and lost, one who stays."""
    version = world.card(at=moment(700))
    found = {}
    for name, left in (("Warned", 100), ("Green", 100), ("Stays", None)):
        account = found[name] = world.account(name, customer_since_on=on(700))
        create_contract(
            account,
            actor=None,
            at=moment(700),
            start_on=on(700),
            end_on=on(left) if left else on(-100),
            status="churned" if left else "active",
            lines=[{"product": "Fleet", "seats": 10, "arr": "12000"}],
        )
        world.measure(account, FLEET_BEST, on=on(400), at=moment(400))
    world.measure(found["Warned"], FLEET_RED, on=on(220), at=moment(220))
    return version, found


def test_a_day_knows_only_what_was_recorded_by_then():
    world.card(at=moment(700))
    account = world.account(customer_since_on=on(700))
    world.measure(account, FLEET_BEST, on=on(300), at=moment(300))
    days = [on(250), on(150), on(50)]
    before = colours(replayed(days), account)

    # A correction for a day long past, and figures of a day past that arrive late.
    world.measure(account, FLEET_RED, on=on(300), at=moment(100))
    world.measure(account, FLEET_RED, on=on(200), at=moment(100))

    assert before == [0, 0, 0]
    assert colours(replayed(days), account) == [0, 0, 3]
    assert colours(replayed(days, basis="dated"), account) == [3, 3, 3]


def test_a_contract_entered_later_was_not_known():
    account = world.account(customer_since_on=on(700))
    contract = create_contract(account, actor=None, at=NOW, start_on=on(300), end_on=on(-65), lines=[])
    Contract.objects.filter(pk=contract.pk).update(created_at=moment(50))

    assert record([account.pk], {"days_to_renewal"}, on(100), known_at=moment(100)) == {}
    assert record([account.pk], {"days_to_renewal"}, on(40), known_at=moment(40))["days_to_renewal"]


def test_at_the_end_of_history_what_was_known_is_what_is_known():
    metrics = {"login_pct", "objectives", "tickets_month", "resolution_hours", "usage_change_pct"}
    accounts = [world.account(f"A{number}") for number in range(3)]
    world.card()
    for number, account in enumerate(accounts):
        world.measure(account, FLEET_BEST, on=on(number * 20), at=moment(number * 20))
        world.measure(account, FLEET_RED, on=on(number * 20), at=moment(number * 10))
    ids = [account.pk for account in accounts]
    now = NOW + timedelta(days=1)

    assert provide(ids, metrics, TODAY, known_at=now) == provide(ids, metrics, TODAY)
    known = coded_columns(ids, metrics, TODAY, everyone=True, known_at=now)
    plain = coded_columns(ids, metrics, TODAY, everyone=True)
    assert {name: [column.cells[code] for code in column.codes] for name, column in known.items()} == {
        name: [column.cells[code] for code in column.codes] for name, column in plain.items()
    }


def test_a_replay_gives_the_scores_the_product_gave(customers):
    _version, found = customers
    days = [on(300), on(210), on(30)]
    for day in days:
        backfill(at=datetime.combine(day, datetime.max.time(), UTC))

    replay = replayed(days)

    history = replay.histories[0]
    for account in found.values():
        place = replay.people.place[account.pk]
        stored = {row.computed_on: row for row in HealthScore.objects.filter(account=account)}
        for at, day in enumerate(days):
            row = next((stored[one] for one in sorted(stored, reverse=True) if one <= day), None)
            if day in stored:
                assert history.total[place, at] == int(row.score * 10**6)


def test_it_finds_who_was_warned_of_and_who_was_green_and_lost(customers):
    _version, found = customers

    result, rows = graded(replayed(replay_days(TODAY, months=12, step="month")), horizon=90, today=TODAY.toordinal())

    names = {str(account.pk): name for name, account in found.items()}
    losses = {names[row["account"]]: row for row in rows["losses"]["red"]}
    assert (result["losses"], set(losses)) == (2, {"Warned", "Green"})
    assert (losses["Warned"]["colour_in_time"], losses["Green"]["colour_in_time"]) == ("red", "green")
    assert losses["Warned"]["lead_days"] > 90
    warning = result["champion"]["warnings"]["red"]
    assert (warning["hit"], warning["miss"], warning["few"]) == (1, 1, True)


def test_it_is_asked_for_run_once_and_kept(customers, leader):
    version, _found = customers
    harder = copy.deepcopy(CARDS["fleet-health"])
    harder["bands"][1]["min"] = 20
    rival = draft_version(version.scorecard, definition=harder, actor=None, at=NOW)

    backtest = start_backtest(version, challenger=rival, months=12, actor=leader, at=NOW)
    run(backtest.pk)
    backtest.refresh_from_db()
    first = backtest.result
    run(backtest.pk)

    backtest.refresh_from_db()
    assert (backtest.state, backtest.position, backtest.days) == ("done", 13, 13)
    assert backtest.result == first
    assert first["challenger"]["warnings"]["red"]["hit"] <= first["champion"]["warnings"]["red"]["hit"]
    assert first["rivals"]["red"]["losses_verdict"] == "few"


def test_a_span_that_ends_earlier_judges_nothing_later(customers, leader):
    backtest = start_backtest(customers[0], months=6, until=on(150), actor=leader, at=NOW)
    run(backtest.pk)

    backtest.refresh_from_db()
    assert (backtest.state, backtest.today, backtest.result["losses"]) == ("done", on(150), 0)


def test_it_stops_when_cancelled_and_leaves_nothing(customers, leader):
    version, _found = customers
    queued = start_backtest(version, actor=leader, at=NOW)
    running = start_backtest(version, actor=leader, at=NOW)
    Backtest.objects.filter(pk=running.pk).update(cancel_requested=True)

    cancel_backtest(queued, actor=leader, at=NOW)
    run(running.pk)
    run(queued.pk)

    states = set(Backtest.objects.values_list("state", "result"))
    assert states == {("cancelled", None)}
    with pytest.raises(RuleViolated, match="ended already"):
        cancel_backtest(running, actor=leader, at=NOW)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"months": 25}, "months"),
        ({"horizon_days": 10}, "horizon_days"),
        ({"step": "day"}, "step"),
        ({"basis": "x"}, "basis"),
        ({"until": on(-1)}, "until"),
    ],
)
def test_what_cannot_be_run_is_refused_by_field(customers, leader, values, field):
    with pytest.raises(RuleViolated) as refused:
        start_backtest(customers[0], actor=leader, at=NOW, **values)
    assert refused.value.field == field


def test_history_that_was_imported_in_one_go_is_not_judged_and_the_page_says_so(signed_in, leader):
    version = world.card(at=timezone.now())
    account = world.account(customer_since_on=timezone.localdate() - timedelta(days=600))
    for back in (300, 200, 100):
        world.measure(account, FLEET_BEST, on=timezone.localdate() - timedelta(days=back), at=timezone.now())
    backtest = start_backtest(version, actor=leader, at=timezone.now())
    run(backtest.pk)

    body = signed_in.get(f"/health/backtests/{backtest.pk}/").content.decode()

    assert "Nothing could be judged" in body
    assert "History that was imported later was not known then" in body


def test_the_lab_lists_runs_and_shows_them(signed_in, customers, leader):
    version, _found = customers
    Contract.objects.filter(end_on=on(100)).update(end_on=timezone.localdate() - timedelta(days=100))

    answer = signed_in.post(
        "/health/backtests/",
        {"version": version.pk, "months": 12, "step": "month", "horizon_days": 90, "basis": "recorded"},
    )
    backtest = Backtest.objects.get()
    waiting = signed_in.get(answer.url).content.decode()
    run(backtest.pk)
    body = signed_in.get(answer.url).content.decode()
    sheet = signed_in.get(answer.url + "losses.csv").content.decode()
    progress = signed_in.get(answer.url + "progress/")

    assert "Waiting for a worker" in waiting
    assert "It warned of 1 of 2 losses within 90 days" in body
    assert "Too few" in body
    assert "Lost without a warning in time" in body
    assert "1 of 2" in body.split('id="h-cuts"')[1], "a cut-off that finds one of the two"
    assert "Login Frequency" in body.split('id="h-measures"')[1]
    assert sheet.count("\n") == 3
    assert progress.headers["HX-Refresh"] == "true"
    assert "2 lost of" in signed_in.get("/health/backtests/").content.decode()


@pytest.mark.parametrize(("as_often", "told"), [(1 / 2001, "under 0.1 %"), (0.001, "0.1 %"), (0.4, "40 %")])
def test_luck_is_never_told_to_do_as_well_in_no_case_at_all(signed_in, customers, leader, as_often, told):
    version, _found = customers
    started = start_backtest(version, months=12, actor=leader, at=NOW)
    run(started.pk)
    backtest = Backtest.objects.get()
    for warning in backtest.result["champion"]["warnings"].values():
        warning["chance"] = {"mean": 0.0, "low": 0.0, "high": 0.0, "p_value": as_often}
    backtest.save()
    body = signed_in.get(f"/health/backtests/{backtest.pk}/").content.decode()
    assert f'Luck does as well in</dt><dd class="num">{told}</dd>' in body


def test_long_lists_of_losses_show_the_largest_and_say_how_many_there_are(signed_in, customers, leader, monkeypatch):
    version, found = customers
    larger = world.account("Larger", customer_since_on=on(700))
    line = {"product": "Fleet", "seats": 10, "arr": "24000"}
    create_contract(
        larger, actor=None, at=moment(700), start_on=on(700), end_on=on(100), status="churned", lines=[line]
    )
    world.measure(larger, FLEET_BEST, on=on(400), at=moment(400))
    backtest = start_backtest(version, months=12, actor=leader, at=NOW)
    run(backtest.pk)
    monkeypatch.setattr("health.pages.lab_report.MOST_SHOWN", 1)

    page = signed_in.get(f"/health/backtests/{backtest.pk}/")

    assert [row["account"].name for row in page.context["green_and_lost"]] == ["Larger"]
    assert page.context["green_arr"] == 36000
    assert "2 of them, $36k a year; the 1 largest" in page.content.decode()
    assert [row["account"].name for row in page.context["caught"]] == [found["Warned"].name]
    assert page.context["caught_total"] == 1
    assert signed_in.get(f"/health/backtests/{backtest.pk}/losses.csv").content.decode().count("\n") == 4


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_has_a_fixed_number_of_queries(signed_in, leader, count):
    version = world.card()
    for _ in range(count):
        backtest = start_backtest(version, months=1, actor=leader, at=NOW)
        run(backtest.pk)
    signed_in.get("/health/backtests/")

    with CaptureQueriesContext(connection) as seen:
        signed_in.get("/health/backtests/")

    assert len(seen) == 13


@pytest.mark.parametrize("count", [1, 3])
def test_a_replayed_day_has_a_fixed_number_of_queries(count):
    world.card()
    for number in range(count):
        world.measure(world.account(f"A{number}"), FLEET_BEST)
    replay = Replay([compile_definition(CARDS["fleet-health"])], roster(), [TODAY], basis="recorded")

    with CaptureQueriesContext(connection) as seen:
        list(replay.run())

    assert len(seen) == 5
