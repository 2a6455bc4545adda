"""The place where benchmarks work: a database of their own on the given server, workspaces, connections."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

SIZES = {"S": 1_000, "M": 10_000, "L": 100_000}


def bench_url(url: str) -> str:
    """The same server, with ``_bench`` after the database's name."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{parts.path.lstrip('/')}_bench"))


@contextmanager
def bench_database() -> Iterator[None]:
    """A fresh database that DATABASE_URL names inside the block and that is dropped afterwards."""
    before = os.environ["DATABASE_URL"]
    url = bench_url(before)
    name = urlsplit(url).path.lstrip("/")
    with psycopg.connect(before, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    os.environ["DATABASE_URL"] = url
    try:
        yield
    finally:
        os.environ["DATABASE_URL"] = before
        with psycopg.connect(before, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@dataclass(slots=True)
class Bench:
    """What a module of cases works with. ``accounts`` is the number of accounts of the main workspace."""

    size: str
    now: dt.datetime
    tenants: dict[str, Any] = field(default_factory=dict)

    @property
    def accounts(self) -> int:
        return SIZES[self.size]

    def tenant(self, slug: str, *, pack: str = "fleet") -> Any:
        """The workspace ``slug``, made the first time it is asked for."""
        if slug not in self.tenants:
            from tenants.actions import create_tenant

            self.tenants[slug] = create_tenant(
                slug, name=slug.title(), pack=pack, owner_email="owner@example.com",
                owner_password="a long benchmark passphrase", timezone="UTC", at=self.now,
            )  # fmt: skip
        return self.tenants[slug]

    def select(self, slug: str, *, pack: str = "fleet") -> Any:
        """Select the workspace's schema for what follows; returns the workspace."""
        from django.db import connection

        tenant = self.tenant(slug, pack=pack)
        connection.set_tenant(tenant)
        return tenant

    @staticmethod
    def backends() -> list[int]:
        """The PostgreSQL process behind Django's connection, for its CPU time."""
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return [cursor.fetchone()[0]]


def prepare_database(bench: Bench) -> None:
    """Extensions and the public schema's tables, as deployment makes them."""
    from tenants.fleet import prepare_database as deploy

    deploy(at=bench.now)
