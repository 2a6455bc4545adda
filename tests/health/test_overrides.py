"""Overrides: a person's band beside the computed one, with a reason and an end."""

from datetime import timedelta

import pytest

from accounts.errors import RuleViolated
from health.actions import clear_override, expire_overrides, recompute, set_override
from health.models import AccountHealth, TriggerFiring
from tests.health import world
from tests.health.world import NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def fired():
    return list(TriggerFiring.objects.order_by("id").values_list("version__trigger__key", flat=True))


def test_an_override_stands_beside_the_computed_band_until_it_expires(rail):
    recompute(at=NOON)

    override = set_override(
        rail, band="red", reason="Sponsor is leaving", expires_at=NOON + 7 * DAY, actor=rail.owner, at=NOON
    )
    recompute(at=NOON + DAY)

    row = AccountHealth.objects.get()
    assert (row.band, row.current_band, row.current_rag, row.override) == ("green", "red", "red", override)
    assert (override.computed_band, override.computed_score) == ("green", 100)
    assert expire_overrides(at=NOON + 6 * DAY) == []
    assert expire_overrides(at=NOON + 7 * DAY) == [override]
    row.refresh_from_db()
    assert (row.band, row.current_band, row.override) == ("green", "green", None)


def test_an_override_to_red_fires_the_red_trigger(rail):
    world.trigger("fleet:red-account")
    recompute(at=NOON)
    set_override(rail, band="red", reason="I know", expires_at=NOON + DAY, actor=rail.owner, at=NOON)

    recompute(at=NOON + timedelta(minutes=1))

    assert fired() == ["red-account"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"band": "purple"}, "band"),
        ({"reason": " "}, "reason"),
        ({"expires_at": NOON}, "expires_at"),
        ({"expires_at": NOON + 181 * DAY}, "expires_at"),
    ],
)
def test_an_override_is_refused_by_field_and_changes_nothing(rail, changes, field):
    recompute(at=NOON)

    with pytest.raises(RuleViolated) as refused:
        set_override(
            rail, **{"band": "red", "reason": "r", "expires_at": NOON + DAY, **changes}, actor=rail.owner, at=NOON
        )

    assert refused.value.field == field
    assert AccountHealth.objects.get().override is None


def test_a_second_override_ends_the_first_and_clearing_returns_to_the_computed(rail):
    recompute(at=NOON)
    first = set_override(rail, band="red", reason="a", expires_at=NOON + DAY, actor=rail.owner, at=NOON)
    set_override(rail, band="yellow", reason="b", expires_at=NOON + DAY, actor=rail.owner, at=NOON)

    clear_override(rail, actor=rail.owner, at=NOON)

    first.refresh_from_db()
    assert first.ended_at == NOON
    assert AccountHealth.objects.get().current_band == "green"
    assert clear_override(rail, actor=rail.owner, at=NOON) is None
