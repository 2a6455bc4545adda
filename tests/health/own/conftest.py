"""A leader at the accounts list, and own fields of every kind."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from tests.factories import UserFactory
from tests.health.own.defined import define_fields


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS)


@pytest.fixture
def desk(client, vp):
    client.force_login(vp)
    return client


@pytest.fixture
def own():
    return define_fields()
