"""A leader, and the browser they work at."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from tests.factories import UserFactory


@pytest.fixture
def leader():
    return UserFactory(role=Role.VP_CS, name="Vera Prince")


@pytest.fixture
def desk(client, leader):
    client.force_login(leader)
    return client
