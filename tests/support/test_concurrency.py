"""Two sweeps at once, and two people at once: each alert once, each number once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engagement.models import Notification
from support import actions
from support.models import SlaAlert, Ticket
from tests.health.test_concurrency import at_once
from tests.support.world import agent, at, customer, install, ticket

pytestmark = pytest.mark.django_db(transaction=True)
CREATED = at("2026-11-24 10:00")


def test_two_sweeps_at_once_tell_each_thing_once_and_two_callers_get_two_numbers():
    install("mna")
    worker, account = agent(), customer("fortune-500", pack="mna")
    at_once(*(lambda: ticket(account, CREATED, severity="critical") for _ in range(3)))
    assert sorted(Ticket.objects.values_list("number", flat=True)) == [1, 2, 3]
    late = CREATED + timedelta(hours=2)
    at_once(*(lambda: actions.sweep(at=late) for _ in range(3)))
    actions.sweep(at=late)
    assert SlaAlert.objects.count() == 6
    assert SlaAlert.objects.filter(told_at=None).count() == 0
    assert Notification.objects.filter(user=worker).count() == 6
