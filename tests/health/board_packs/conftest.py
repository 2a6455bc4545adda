"""A view of the portfolio that is sent each Monday, to its owner and to a colleague who only reads."""

from __future__ import annotations

import pytest

from accounts.actions import save_view
from accounts.choices import Role
from health.actions.pack_schedules import schedule_pack
from tests.factories import AccountFactory, UserFactory
from tests.health.board_packs.sweeps import BEFORE, WEEKLY


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria Hale")


@pytest.fixture
def reader():
    return UserFactory(role=Role.READ_ONLY, name="Rea Der")


@pytest.fixture
def view(vp):
    AccountFactory(name="Halden", segment="SMB", arr=100, owner=vp)
    AccountFactory(name="Elsewhere", segment="Enterprise", arr=900)
    return save_view(page="portfolio", name="Small ones", query="segment=SMB", actor=vp, at=BEFORE)


@pytest.fixture
def schedule(view, vp, reader):
    return schedule_pack(view, when=WEEKLY, recipients=[vp, reader], actor=vp, at=BEFORE)
