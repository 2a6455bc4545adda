"""Several workers at once: one score, one crossing, one CTA, one notice; and no judgement lost."""

import sys
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.actions import create_contract
from accounts.models import ChangedAccount
from engagement.models import Notification
from health.actions import open_ctas, recompute, recompute_changed, set_override
from health.actions.renewal_sweep import record_signals
from health.models import AccountHealth, BandChange, HealthScore, RenewalReview, TriggerFiring
from health.tasks import sweep
from playbooks.models import Cta
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON
from tests.racing import at_once, second_meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
THEN, LATER = NOON - 30 * DAY, NOON - 29 * DAY  # both past, whatever the clock of a sweep says


@pytest.fixture
def fallen():
    """Three accounts that were green yesterday and are red today, with new facts marked."""
    world.card()
    world.trigger("mna:user-complaints")
    owner = world.person()
    accounts = [world.account(f"Account {at}", owner=owner) for at in range(3)]
    world.measure(accounts, FLEET_BEST, at=THEN)
    recompute(at=THEN)
    world.measure(accounts, {**FLEET_RED, "nps": "10"}, at=LATER)
    return accounts


def test_four_workers_score_each_changed_account_once(fallen):
    at_once(*[lambda: recompute_changed(at=LATER)] * 4)

    assert BandChange.objects.count() == 3
    assert HealthScore.objects.filter(computed_on=(LATER).date()).count() == 3
    assert TriggerFiring.objects.count() == 3
    assert ChangedAccount.objects.count() == 0


def test_four_workers_open_each_cta_and_tell_each_owner_once(fallen):
    recompute_changed(at=LATER)

    at_once(*[lambda: open_ctas(at=LATER)] * 4)

    assert Cta.objects.count() == 6  # a crossing and a trigger on each
    assert Notification.objects.filter(kind="health_band").count() == 3
    assert Notification.objects.filter(kind="health_trigger").count() == 3
    assert not BandChange.objects.filter(handled_at=None).exists()


def test_a_worker_that_dies_between_claim_and_cta_leaves_the_row_to_the_next(fallen, monkeypatch):
    recompute_changed(at=LATER)

    class Killed(BaseException):
        pass

    def die(*_args, **_kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("health.actions.opening.open_cta", die)
        with pytest.raises(Killed):
            open_ctas(at=LATER)
    open_ctas(at=LATER)

    assert Cta.objects.count() == 6
    assert Notification.objects.filter(kind="health_band").count() == 3


def test_a_recompute_that_dies_leaves_the_marks(fallen, monkeypatch):
    def die(*_args, **_kwargs):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["health.actions.recompute"], "store", die)
        with pytest.raises(RuntimeError):
            recompute_changed(at=LATER)

    assert ChangedAccount.objects.count() == 3
    assert recompute_changed(at=LATER).crossings == 3


def test_an_override_set_while_scoring_is_not_lost(fallen):
    first = fallen[0]

    at_once(
        lambda: recompute(at=LATER),
        lambda: set_override(
            first, band="green", reason="Sure", expires_at=LATER + 9 * DAY, actor=first.owner, at=LATER
        ),
        lambda: recompute(at=LATER),
    )

    row = AccountHealth.objects.get(account=first)
    assert (row.band, row.current_band, row.override.reason) == ("red", "green", "Sure")


def test_two_sweeps_at_once_do_the_work_of_one(fallen):
    at_once(sweep, sweep)
    sweep()

    assert BandChange.objects.count() == 3
    assert Cta.objects.count() == 6


def test_sweeps_of_renewals_take_turns():
    account = world.account("Soon")
    term = {"start_on": NOON.date() - 400 * DAY, "end_on": NOON.date() + 20 * DAY, "arr": Decimal(1)}
    create_contract(account, actor=None, at=NOON, **term)

    # The first one writes nothing, so that the second can only wait for its turn.
    assert second_meanwhile(lambda: record_signals(at=NOON - 500 * DAY), lambda: record_signals(at=NOON)) is None

    assert list(RenewalReview.objects.values_list("days_before", "is_latest")) == [(30, True)]
