"""Deterministic accounts, users and events for the benchmarks, written with COPY."""

from __future__ import annotations

import datetime as dt
import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from django.db import connection

from tenants.guard import new_id

FEATURES = ("gps_tracking", "work_orders", "driver_management", "reporting", "dashboard", "mobile_app")
EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
SOURCE = "bench"


def copy_rows(statement: str, rows: Any) -> None:
    """Rows by COPY; ``statement`` names table and columns."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {statement} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Accounts with their names at the sender and how many users each has."""

    accounts: list[UUID]
    names: list[str]
    users: list[int]


def make_accounts(count: int, *, seed: int = 7) -> Portfolio:
    """``count`` accounts with external ids and 20 users each on average, in the selected schema."""
    from accounts.models import Account

    drawn = np.random.default_rng(seed)
    users = np.clip(drawn.lognormal(2.6, 0.8, count), 2, 180).astype(int).tolist()
    accounts = [Account(name=f"Company {n:05}", assigned_users=users[n]) for n in range(count)]
    for start in range(0, count, 5000):
        Account.objects.bulk_create(accounts[start : start + 5000])
    names = [f"C-{n:06}" for n in range(count)]
    copy_rows(
        "accounts_externalid (id, account_id, source, external_id)",
        ((new_id(), account.pk, SOURCE, name) for account, name in zip(accounts, names, strict=True)),
    )
    return Portfolio([account.pk for account in accounts], names, users)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Events as plain columns; ``ordinal`` is the user's number in the account."""

    account: list[int]
    ordinal: list[int]
    feature: list[str]
    at: list[dt.datetime]


def draw_events(portfolio: Portfolio, count: int, *, now: dt.datetime, days: float = 1.0, seed: int = 1) -> Drawn:
    """``count`` events with a natural mix of accounts, spread over the last ``days`` days."""
    drawn = np.random.default_rng(seed)
    weights = np.array(portfolio.users, dtype=float)
    account = drawn.choice(len(portfolio.accounts), count, p=weights / weights.sum())
    ordinal = (drawn.random(count) ** 1.5 * np.array(portfolio.users)[account]).astype(int)
    names = np.array(["login", *FEATURES])
    feature = names[drawn.choice(len(names), count, p=[0.25, 0.2, 0.2, 0.12, 0.13, 0.06, 0.04])]
    back = np.sort(drawn.integers(1, max(2, int(days * 86_400_000)), count))[::-1]
    at = [now - dt.timedelta(milliseconds=int(ms)) for ms in back]
    return Drawn(account.tolist(), ordinal.tolist(), feature.tolist(), at)


def as_json(portfolio: Portfolio, events: Drawn, *, prefix: str) -> bytes:
    """The body of ``POST usage/events/`` for these events, ids beginning with ``prefix``."""
    names = portfolio.names
    return msgspec.json.encode(
        {
            "source": SOURCE,
            "events": [
                {"id": f"{prefix}{n:06}", "account": names[a], "user": f"u{o}", "event": f, "at": at}
                for n, (a, o, f, at) in enumerate(
                    zip(events.account, events.ordinal, events.feature, events.at, strict=True)
                )
            ],
        }
    )


def as_binary(portfolio: Portfolio, events: Drawn, *, seed: int) -> bytes:
    """The same events as the finished bytes of a binary COPY into ``usage_event``: the limit of any ingest."""
    keys = np.random.default_rng(seed).bytes(16 * len(events.at))
    parts = [b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)]
    for n, (account, ordinal, feature, at) in enumerate(
        zip(events.account, events.ordinal, events.feature, events.at, strict=True)
    ):
        name = feature.encode()
        micros = (at - EPOCH) // dt.timedelta(microseconds=1)
        parts.append(
            struct.pack(">hiqi16si16siiiii?i", 8, 8, micros, 16, keys[16 * n : 16 * n + 16], 16,
                        portfolio.accounts[account].bytes, 4, 1, 4, ordinal, 1, False, len(name))
            + name + struct.pack(">i", -1)
        )  # fmt: skip
    parts.append(struct.pack(">h", -1))
    return b"".join(parts)


COPY_EVENTS = (
    "COPY usage_event (at, event_key, account_id, quantity, ordinal, mobile, event, properties)"
    " FROM STDIN (FORMAT BINARY)"
)
