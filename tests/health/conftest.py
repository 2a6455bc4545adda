"""An account measured at its best, and whoever configures health."""

from __future__ import annotations

import pytest

from tests.health import world
from tests.health.world import FLEET_BEST


@pytest.fixture
def rail():
    world.card()
    account = world.account(owner=world.person())
    world.measure(account, FLEET_BEST)
    return account


@pytest.fixture
def admin(client):
    person = world.person("ada@acme.test", role="admin")
    client.force_login(person)
    return person
