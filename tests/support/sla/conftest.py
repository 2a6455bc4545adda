"""What the tests of promises share."""

from __future__ import annotations

import pytest

from tests.support.world import customer, install, own_level


@pytest.fixture
def desk(db):
    """A customer with eight business hours to the answer and sixteen to the solution, nine to five in Berlin."""
    install("fmea")
    own_level(response=8, resolution=16)
    return customer()
