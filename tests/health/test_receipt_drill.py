"""The drill of receipts finds nothing wrong with a workspace, and finds what is."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from accounts.models import AuditEntry
from health import receipt_drill, receipts
from health.actions import recompute
from health.book.figures import FIGURES
from health.receipt_drill import drill
from tests.factories import UserFactory
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner():
    return UserFactory(role=Role.OWNER)


@pytest.fixture
def scored():
    world.card()
    for name, values in (("best", FLEET_BEST), ("red", FLEET_RED)):
        world.measure(world.account(name), values)
    recompute(at=NOON)


def test_every_kind_is_tried_and_nothing_of_it_stays(owner, scored, monkeypatch):
    monkeypatch.setattr(receipt_drill, "PAST_DAYS", (0,))
    entries = AuditEntry.objects.count()
    found = drill(owner, at=NOON, sample=5, whole=0)
    # Nobody has a contract here, and so there is no cohort to ask for.
    assert found.keys() == {"score fleet-health", *(f"figure {key}" for key in FIGURES if key != "cohort")}
    assert all(one.holds for one in found.values())
    # Each score once as it stands and once in the history.
    assert (found["score fleet-health"].receipts, found["score fleet-health"].bytes_tried) == (4, 20)
    assert sum(one.forgeries_tried for one in found.values()) > 50
    assert AuditEntry.objects.count() == entries


def test_every_byte_of_one_of_each_kind(owner, scored, monkeypatch):
    monkeypatch.setattr(receipt_drill, "_scopes", lambda choices, at: [])
    found = drill(owner, at=NOON, sample=0, whole=1, history=0)
    assert found["score fleet-health"].whole == 1
    assert found["score fleet-health"].bytes_tried > 5000
    assert found["score fleet-health"].holds


def test_it_tells_how_far_it_is(owner, scored, monkeypatch):
    monkeypatch.setattr(receipt_drill, "_scopes", lambda choices, at: [])
    monkeypatch.setattr(receipt_drill, "TOLD_EVERY", 2)
    told = []
    drill(owner, at=NOON, sample=0, whole=0, told=told.append)
    assert told == [2]


@pytest.mark.parametrize("blind", ["digest_of", "chain_hash"])
def test_a_check_that_looks_at_less_is_found_out(owner, scored, monkeypatch, blind):
    """Without the digest a changed name passes; without the chain's hash a forged digest does."""
    monkeypatch.setattr(receipt_drill, "_scopes", lambda choices, at: [])

    class Anything(str):
        __slots__ = ()

        def __eq__(self, other):
            return True

        def __ne__(self, other):
            return False

        __hash__ = str.__hash__

    monkeypatch.setattr(receipts, blind, lambda content: Anything())
    found = drill(owner, at=NOON, sample=400, whole=0, history=0)
    assert found["score fleet-health"].unnoticed
