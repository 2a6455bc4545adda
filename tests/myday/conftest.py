"""Mara, her day and one of her accounts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.actions import log_touch
from engagement.actions import notify
from engagement.models import Notification
from playbooks.actions import add_task
from tests.factories import AccountFactory, CtaFactory, UserFactory


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


@pytest.fixture
def cta(mara, halden, today):
    return CtaFactory(
        title="Usage fell", reason="31 % in five weeks", account=halden, owner=mara, due_on=today, priority="high"
    )


@pytest.fixture
def task(mara, cta, today):
    return add_task(cta, title="Call the sponsor", due_on=today, actor=mara, at=timezone.now())


@pytest.fixture
def step(mara, halden, today):
    return log_touch(
        halden, kind="call", title="Roll-out", actor=mara, at=timezone.now(), next_step="Send the plan",
        next_step_on=today,
    )  # fmt: skip


@pytest.fixture
def notice(mara, halden):
    notify([mara], kind="import_done", title="Import finished", account=halden, at=timezone.now(), dedupe_key="x")
    return Notification.objects.get()
