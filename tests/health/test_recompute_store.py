"""What a recompute leaves behind: portfolio sums, text as it came, days of the workspace, the command's answer."""

import json
from datetime import UTC, date

import pytest
from django.core.management import call_command

from accounts.models import Contract, Workspace
from health.actions import recompute
from health.models import HealthScore, PortfolioDay
from tests.health import world
from tests.health.world import FLEET_BEST, NOON
from usage.models import MetricLatest

pytestmark = pytest.mark.django_db


def test_the_portfolio_day_sums_accounts_and_the_arr_of_that_day():
    world.card()
    ann = world.person()
    rail = world.account(owner=ann, arr=500)
    road = world.account("Road", owner=ann, arr=70)
    world.account("Empty", arr=9)
    Contract.objects.create(account=rail, start_on=date(2025, 1, 1), end_on=date(2026, 12, 31), arr=300)
    Contract.objects.create(account=rail, start_on=date(2027, 1, 1), arr=800)
    world.measure([rail, road], FLEET_BEST)

    recompute(at=NOON)

    rows = PortfolioDay.objects.order_by("rag").values_list(
        "day", "owner_id", "rag", "accounts", "scored", "arr", "total"
    )
    assert list(rows) == [
        (date(2026, 11, 24), ann.pk, "green", 2, 2, 370, 200),
        (date(2026, 11, 24), None, "none", 1, 0, 9, 0),
    ]


def test_hostile_text_in_a_choice_or_source_is_stored_as_it_is():
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    MetricLatest.objects.filter(metric="objectives").update(choice='a"b\\c\t{},\n', source="it's, {\\N}")

    row = world.score(rail)

    place = 6
    assert (row.values[place], row.sources[place], row.states[place]) == ('a"b\\c\t{},\n', "it's, {\\N}", "!")


def test_the_command_prints_its_speed_as_json(capsys, tenants):
    world.card()
    world.measure(world.account(), FLEET_BEST)

    call_command("recompute_health", "acme")

    answer = json.loads(capsys.readouterr().out)
    assert answer["accounts"] == 1
    assert set(answer) == {"accounts", "seconds", "accounts_per_second"}


def test_days_are_those_of_the_workspace():
    Workspace.objects.update(timezone="Pacific/Auckland")
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)

    recompute(at=NOON.replace(hour=20, tzinfo=UTC))

    assert HealthScore.objects.get().computed_on == date(2026, 11, 25)
