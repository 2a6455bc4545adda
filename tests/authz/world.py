"""Two tenants with a row of every kind, each text marked with whose it is.

Tenant A (``acme``) has account 1, in the book of ``csm``, and account 2, in the book of ``csm_other``; tenant B
(``globex``) has one of everything. CSMs read only their own book, so that both edges of visibility show.
A text ``CANARY-<tenant>-<account>-<visibility>-…`` tells who may read it: account 1 or 2, w for colleagues, x for
whoever holds a secret link; i for internal, s for shared with the customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from accounts.choices import Role
from tests.authz.actors import PASSWORD, Actor
from tests.authz.writes import Writes


def canary(tenant: str, scope: Any, visibility: str = "i", word: str = "x") -> str:
    """A text that names who may read it."""
    return f"CANARY-{tenant}-{scope}-{visibility}-{word}"


def plant(
    row: models.Model,
    tenant: str,
    scope: Any,
    visibility: str = "i",
    *,
    skip: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
) -> Any:
    """Put a canary into every free text of ``row``: no choices, no keys, no formats, 30 characters or more."""
    texts = {}
    for field in row._meta.concrete_fields:
        free = isinstance(field, models.CharField | models.TextField) and not isinstance(
            field, models.EmailField | models.SlugField | models.URLField
        )
        if (
            not free
            or field.choices
            or field.unique
            or field.primary_key
            or field.name in skip
            or (only and field.name not in only)
        ):
            continue
        length = field.max_length or 1000
        if length >= 30:
            texts[field.name] = canary(tenant, scope, visibility, field.name)[:length]
    type(row)._base_manager.filter(pk=row.pk).update(**texts)
    row.refresh_from_db()
    return row


class World:
    """The seeded rows and the actors."""

    def __init__(self, tenants: dict[str, Any]) -> None:
        """``tenants`` maps a, b and p (the operators') to Tenant rows; all is made in the current transaction."""
        self.tenants = tenants
        self._hosts = {letter: tenant.get_primary_domain().domain for letter, tenant in tenants.items()}
        self._hosts["public"] = settings.BASE_DOMAIN
        self.rows: dict[tuple[str, str], Any] = {}
        self.actors: list[Actor] = []
        self.now = timezone.now()
        # One client for all: a new one would set the middleware up again.
        self.client = Client(REMOTE_ADDR="198.51.100.7", raise_request_exception=False)
        from tests.authz import domain_seeds, seeds

        for letter in ("a", "b"):
            with self.inside(letter):
                seeds.fill(self, letter)
                domain_seeds.fill(self, letter)
        with self.inside("p"):
            seeds.fill_platform(self)
        self.actors = list(seeds.actors(self))
        self.select("a")
        self.writes = Writes()

    def host(self, letter: str) -> str:
        """The host name an actor of this tenant knocks at."""
        return self._hosts[letter]

    def select(self, letter: str) -> None:
        """Work in the schema of a tenant."""
        connection.set_tenant(self.tenants[letter])

    @contextmanager
    def inside(self, letter: str) -> Iterator[None]:
        """Work in the schema of a tenant for a while."""
        before = connection.tenant
        self.select(letter)
        try:
            yield
        finally:
            connection.set_tenant(before)

    def keep(self, letter: str, seed: str, number: int, row: Any) -> Any:
        """Remember ``row``: number 1 of tenant A is ``own``, 2 is ``other``; what B has is ``foreign``."""
        which = "foreign" if letter == "b" else ("own" if number == 1 else "other")
        self.rows.setdefault((seed, which), row)
        return row

    def row(self, seed: str, which: str) -> Any:
        """A kept row, or None where there is no such one."""
        return self.rows.get((seed, which))

    def own(self, seed: str) -> Any:
        """The row behind account 1 of tenant A."""
        return self.rows[(seed, "own")]

    @property
    def people(self) -> dict[str, Any]:
        """The users of tenant A by name."""
        return self.rows[("people", "a")]

    def people_of(self, actor: Actor) -> dict[str, Any]:
        """The users of the tenant ``actor`` knocks at, by name."""
        return self.rows[("people", actor.tenant)]

    def sign_in(self, letter: str, email: str) -> dict[str, str]:
        """The session cookie of a real sign-in."""
        client = Client(headers={"host": self.host(letter)}, REMOTE_ADDR="198.51.100.7")
        response = client.post("/auth/login/", {"login": email, "password": PASSWORD})
        if response.status_code != 302:
            raise AssertionError(f"{email} cannot sign in: {response.status_code} {response.content[:2000]!r}")
        client.post("/auth/reauthenticate/", {"password": PASSWORD})
        return {"sid": client.cookies["sid"].value}


def days_ago(count: int) -> datetime:
    """An aware moment."""
    return datetime.now(UTC) - timedelta(days=count)


STAFF = {
    "owner": Role.OWNER,
    "admin": Role.ADMIN,
    "vp": Role.VP_CS,
    "csm": Role.CSM,
    "csm_other": Role.CSM,
    "agent": Role.SUPPORT_AGENT,
    "onboarding": Role.ONBOARDING,
    "trainer": Role.TRAINER,
    "renewals": Role.RENEWALS,
    "reader": Role.READ_ONLY,
}
EMPTY = SimpleNamespace()
