"""The world of the matrix."""

from __future__ import annotations

import pytest

from tests.authz.world import World


@pytest.fixture
def world(tenants):
    """Both tenants, filled; gone with the test's transaction."""
    return World({"a": tenants["acme"], "b": tenants["globex"]})
