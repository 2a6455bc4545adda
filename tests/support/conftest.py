"""A desk at which ``lead`` of the file works, and a workspace's own calendar and service level."""

from __future__ import annotations

import pytest

from tests.support.levels import gold_level, own_calendar


@pytest.fixture
def desk(client, lead):
    client.force_login(lead)
    return client


@pytest.fixture
def office():
    return own_calendar()


@pytest.fixture
def gold(lead, office):
    return gold_level(lead, office)
