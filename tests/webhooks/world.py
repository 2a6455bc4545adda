"""A fact, and a round of everything that is to be sent of it."""

from __future__ import annotations

from accounts.actions import create_account
from tests.factories import AT
from webhooks.collecting import collect
from webhooks.delivery import deliver_due


def happen(admin, name="Halden", at=AT):
    return create_account(name=name, actor=admin, at=at)


def sent(at=AT):
    collect(at=at)
    return deliver_due(now=at)
