"""Rows for tests. Everything that a test does not name is plain and valid."""

from __future__ import annotations

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from accounts.choices import Role
from accounts.models import Account, User
from playbooks.models import Cta

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)  # a Tuesday


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"person{n}@acme.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    role = Role.CSM


class AccountFactory(DjangoModelFactory):
    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Account {n}")


class CtaFactory(DjangoModelFactory):
    class Meta:
        model = Cta

    account = factory.SubFactory(AccountFactory)
    title = factory.Sequence(lambda n: f"CTA {n}")
    kind = "risk"
    priority = "medium"
    due_on = AT.date()
    opened_at = AT
    assigned_at = AT
