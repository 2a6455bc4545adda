"""A backfill scores the past for the history alone."""

from datetime import timedelta

import pytest

from engagement.models import Notification
from health.actions import backfill, open_ctas, recompute
from health.models import BandChange, TriggerFiring
from playbooks.models import Cta
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def fired():
    return list(TriggerFiring.objects.order_by("id").values_list("version__trigger__key", flat=True))


def test_a_backfill_scores_the_past_and_alerts_nobody(rail):
    world.trigger("mna:usage-decline")
    world.measure(rail, {**FLEET_BEST, "usage_change_pct": "-20"}, at=NOON - 40 * DAY)

    backfill(at=NOON - 40 * DAY)
    world.measure(rail, FLEET_RED, at=NOON - 20 * DAY)
    backfill(at=NOON - 20 * DAY)

    crossing = BandChange.objects.get()
    assert (crossing.old_band, crossing.new_band, crossing.handled_at) == ("green", "red", NOON - 20 * DAY)
    assert fired() == []
    assert (*open_ctas(at=NOON), Cta.objects.count(), Notification.objects.count()) == (0,) * 6
    world.measure(rail, {"usage_change_pct": "-30"})
    recompute(at=NOON)
    assert fired() == ["usage-decline"]
