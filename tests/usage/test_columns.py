"""The coded columns say what the provider says, account by account."""

from datetime import UTC, date, datetime, timedelta

import pytest

from accounts.models import Account, Severity
from tests.health import world
from usage.columns import Roster, coded_columns
from usage.counts import counts_of
from usage.derived import FORMULAS, counts_read
from usage.metrics import computed_counts, provide
from usage.models import AccountDay, FeatureSlot, MetricLatest, Signal

pytestmark = pytest.mark.django_db
ON = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
METRICS = {
    "login_pct", "active_users_pct", "users_2plus_features_pct", "users_3plus_features_pct", "mobile_pct",
    "usage_change_pct", "tickets_month", "resolution_hours", "ticket_count_change_pct", "escalation_rate_percentage",
    "tickets_per_user_monthly", "active_users", "ticket_count:high", "objectives", "roi_multiple", "nps",
    "data_accuracy_pct",
}  # fmt: skip


@pytest.fixture
def accounts():
    world.card(at=NOON)
    world.card("calculator", at=NOON)
    for rank, key in enumerate(("critical", "high"), start=1):
        Severity.objects.create(key=key, name=key, rank=rank)
    made = [world.account(f"Account {at}", assigned_users=10 + at) for at in range(6)]
    for slot in (1, 2, 3):
        FeatureSlot.objects.create(slot=slot, key=f"f{slot}", name=f"F{slot}", valid_from_on=date(2024, 1, 1))
    for kind in ("login", "mobile"):
        Signal.objects.create(kind=kind, first_at=NOON - timedelta(days=400))
    for at, account in enumerate(made[:4]):
        for back in (0, 3, 16):
            AccountDay.objects.create(
                account_id=account.pk, day=ON - timedelta(days=back), word=0, features=7, quantity=10 * at + back,
                logins=3, act=0b1111 >> at, login=0b11, mobile=0b1, k1=0b111, k2=0b11 >> (at % 2), k3=0b1,
                last_at=NOON - timedelta(days=back),
            )  # fmt: skip
    for at, account in enumerate(made[1:]):
        world.measure(account, {"objectives": ("on_track", "partial", "off_track")[at % 3], "roi_multiple": f"{at}.5"})
        world.measure(account, {"login_pct": str(20 + at)}, on=ON - timedelta(days=20 * at))
        world.measure(account, {"nps": str(-7 * at)}, on=ON + timedelta(days=at % 2), at=NOON, source=f"s{at % 2}")
    for at, account in enumerate(made[2:]):
        figures = {"tickets_s2": str(at), "tickets_resolved": "2", "resolution_hours_total": str(5 * at)}
        for back in (1, 20, 45):
            world.measure(account, figures, on=ON - timedelta(days=back))
    return made


def spread(roster, columns):
    """Columns as the provider gives them."""
    return {
        metric: {
            account: column.cells[code]
            for account, code in zip(roster, column.codes.tolist(), strict=True)
            if code >= 0
        }
        for metric, column in columns.items()
    }


@pytest.mark.parametrize("everyone", [True, False])
@pytest.mark.parametrize("on", [ON, ON - timedelta(days=10)])
def test_columns_equal_the_provider(accounts, everyone, on):
    chosen = [account.pk for account in accounts][:: 1 if everyone else 2]

    columns = coded_columns(chosen, METRICS, on, everyone=everyone)

    expected = provide(None if everyone else chosen, METRICS, on)
    assert {name: column for name, column in spread(chosen, columns).items() if column} == expected
    assert len(expected) > 8


def test_a_metric_asked_for_alone_is_what_it_is_beside_others(accounts):
    chosen = [account.pk for account in accounts]
    together = provide(None, METRICS, ON)

    alone = {metric: spread(chosen, coded_columns(chosen, {metric}, ON, everyone=True)) for metric in METRICS}

    assert {metric: columns.get(metric) for metric, columns in alone.items()} == {
        metric: together.get(metric) for metric in METRICS
    }


@pytest.mark.parametrize("metric", sorted(FORMULAS))
def test_a_formula_reads_what_it_notes_and_no_more(accounts, metric):
    asked = counts_read([metric])

    window = counts_of(None, ON, asked=asked)

    assert window.columns.keys() <= asked | {
        "has_events", "has_users", "assigned", "features", "weekdays", "has_mobile", "has_logins"
    }  # fmt: skip
    every = computed_counts(counts_of(None, ON), {})
    assert str(FORMULAS[metric](computed_counts(window, {}))) == str(FORMULAS[metric](every))


def test_each_distinct_observation_stands_once(accounts):
    column = coded_columns([account.pk for account in accounts], {"objectives"}, ON, everyone=True)["objectives"]

    assert len(set(column.cells)) == len(column.cells) == 3


def test_an_account_that_is_not_asked_about_has_no_place(accounts):
    roster = Roster([accounts[0].pk], everyone=True)

    assert roster.places(Roster([account.pk for account in accounts], everyone=True).keys).tolist() == [0] + [-1] * 5


def test_a_figure_beyond_all_measure_breaks_nothing(accounts):
    MetricLatest.objects.filter(metric="roi_multiple").update(number="99999999999999")

    column = coded_columns([account.pk for account in accounts], {"roi_multiple"}, ON, everyone=True)["roi_multiple"]

    assert [str(cell.value) for cell in column.cells] == ["9000000000000"]


def test_no_accounts_at_all():
    assert coded_columns([], METRICS, ON, everyone=True) == {}
    assert Account.objects.count() == 0
