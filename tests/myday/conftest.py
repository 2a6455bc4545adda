"""Mara, her day and one of her accounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.factories import AccountFactory, UserFactory


@pytest.fixture
def mara():
    return UserFactory(name="Mara Lind")


@pytest.fixture
def desk(client, mara):
    client.force_login(mara)
    return client


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def halden(mara, today):
    return AccountFactory(name="Halden", owner=mara, arr=Decimal(412_000), renewal_on=today + timedelta(days=24))
