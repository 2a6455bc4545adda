"""The portfolio's memory: one standing an account and day, kept by the runs, and the sums that follow from them."""

from datetime import date, timedelta

import pytest
from django.db.models import Count, Sum

from accounts.models import Account, Contract
from health.actions import backfill, recompute, recompute_changed, set_override
from health.models import PortfolioDay, Standing
from health.models.portfolio import LASTING
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
TODAY = NOON.date()


def spans(account):
    rows = Standing.objects.filter(account=account).order_by("from_on")
    return [(row.from_on, row.until_on, row.rag) for row in rows.iterator()]


@pytest.fixture
def rail():
    world.card()
    account = world.account(arr=500)
    world.measure(account, FLEET_BEST, on=date(2026, 11, 1), at=NOON - timedelta(days=20))
    return account


def test_a_standing_lasts_until_something_changes(rail):
    for days in (3, 2):
        recompute(at=NOON - timedelta(days=days))
    world.measure(rail, FLEET_RED)
    recompute(at=NOON)
    begin = TODAY - timedelta(days=3)
    assert spans(rail) == [(begin, TODAY, "green"), (TODAY, LASTING, "red")]


def test_a_second_run_of_a_day_replaces_the_first(rail):
    recompute(at=NOON)
    world.measure(rail, FLEET_RED, source="later")
    recompute(at=NOON + timedelta(hours=1))
    assert spans(rail) == [(TODAY, LASTING, "red")]


@pytest.mark.parametrize(
    "change",
    [{"segment": "Enterprise"}, {"arr": 900}, {"renewal_on": date(2027, 1, 1)}, {"currency": "EUR"}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_health_begins_a_new_standing_too(rail, change):
    recompute(at=NOON - timedelta(days=1))
    Account.objects.filter(pk=rail.pk).update(**change)
    recompute([rail.pk], at=NOON)
    assert [(begin, end) for begin, end, _rag in spans(rail)] == [
        (TODAY - timedelta(days=1), TODAY),
        (TODAY, LASTING),
    ]


def test_who_left_has_no_standing_from_that_day_on(rail):
    recompute(at=NOON - timedelta(days=1))
    Account.objects.filter(pk=rail.pk).update(status="churned", churned_on=TODAY)
    recompute(at=NOON)
    assert spans(rail) == [(TODAY - timedelta(days=1), TODAY, "green")]
    assert not Standing.objects.on(TODAY).exists()


def test_who_left_on_the_day_they_came_leaves_none(rail):
    recompute(at=NOON)
    Account.objects.filter(pk=rail.pk).update(status="churned", churned_on=TODAY)
    recompute(at=NOON + timedelta(hours=1))
    assert spans(rail) == []


def test_a_judgement_shows_in_the_portfolio_with_the_next_sweep(rail):
    recompute(at=NOON)
    later = NOON + timedelta(hours=1)
    set_override(
        rail,
        band=world.CARDS["fleet-health"]["bands"][-1]["key"],
        reason="Sponsor left",
        expires_at=later + timedelta(days=9),
        actor=world.person(),
        at=later,
    )
    recompute_changed(at=later)
    assert spans(rail) == [(TODAY, LASTING, "red")]
    assert PortfolioDay.objects.get(day=TODAY).rag == "red"


def test_history_brought_in_later_does_not_disturb_what_is_known(rail):
    recompute(at=NOON)
    backfill(at=NOON - timedelta(days=5))
    assert spans(rail) == [(TODAY, LASTING, "green")]


def test_history_brought_in_for_one_who_left_since_does_not_bring_them_back(rail):
    recompute(at=NOON - timedelta(days=9))
    Account.objects.filter(pk=rail.pk).update(status="churned", churned_on=TODAY - timedelta(days=2))
    recompute(at=NOON)
    backfill(at=NOON - timedelta(days=5))
    assert [(begin, end) for begin, end, _rag in spans(rail)] == [(TODAY - timedelta(days=9), TODAY)]


def test_the_sums_of_a_day_are_those_of_its_standings(rail):
    ann = world.person()
    for number in range(4):
        account = world.account(f"Road {number}", owner=ann, segment="SMB", arr=100 + number)
        Contract.objects.create(account=account, start_on=date(2026, 1, 1), end_on=date(2026, 12, 31), arr=number)
    recompute(at=NOON)
    dimensions = ("owner_id", "tier_id", "segment", "scorecard_key", "currency", "rag")
    kept = PortfolioDay.objects.filter(day=TODAY).order_by(*dimensions)
    made = (
        Standing.objects.on(TODAY).values(*dimensions).annotate(Count("account_id"), Sum("arr")).order_by(*dimensions)
    )
    assert list(kept.values_list(*dimensions, "accounts", "arr")) == list(
        made.values_list(*dimensions, "account_id__count", "arr__sum")
    )
    assert sum(row.accounts for row in kept) == 5


def test_unscored_accounts_stand_there_without_a_band():
    account = world.account(arr=5)
    recompute(at=NOON)
    assert spans(account) == [(TODAY, LASTING, "none")]
