"""Taking events in: in process and over HTTP, against COPY of finished bytes into the same table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from django.db import connection, transaction

from benchmarks.bench import Bench
from benchmarks.data import COPY_EVENTS, Portfolio, as_binary, as_json, draw_events, make_accounts
from benchmarks.harness import Case

BATCH = 1000
BATCHES = 10


def cases(bench: Bench) -> Iterator[Case]:
    """The in-process cases, then those over HTTP when the server can be started."""
    bench.select("ingest")
    portfolio = make_accounts(bench.accounts)
    yield from in_process(bench, portfolio)


def truncate() -> None:
    """Empty tables of events, rows and receipts, so that every repetition meets the same world."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE usage_event, usage_inbox, usage_accountday, usage_ingestreceipt")


def copy_finished(bodies: list[bytes]) -> None:
    """The limit: each batch one transaction with one COPY of finished bytes."""
    for body in bodies:
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(COPY_EVENTS) as copy:
            copy.write(body)


def accept(bodies: list[bytes], now: dt.datetime) -> None:
    """What the view does with each body."""
    from usage import intake
    from usage.actions import store_events

    for body in bodies:
        store_events(intake.read_body(body, "events"), at=now)


def make_bodies(portfolio: Portfolio, now: dt.datetime, batch: int) -> tuple[list[bytes], list[bytes]]:
    """The same events as JSON bodies and as finished bytes, BATCHES of each."""
    drawn = [
        draw_events(portfolio, batch, now=now - dt.timedelta(minutes=n), days=0.02, seed=n) for n in range(BATCHES)
    ]
    return (
        [as_json(portfolio, events, prefix=f"b{n}-") for n, events in enumerate(drawn)],
        [as_binary(portfolio, events, seed=n) for n, events in enumerate(drawn)],
    )


def in_process(bench: Bench, portfolio: Portfolio) -> Iterator[Case]:
    """Accepting alone, and accepting with storing once, against the COPY of the same events."""
    from usage.actions import drain
    from usage.partitions import ensure_partitions

    ensure_partitions([bench.now.date().replace(day=1), (bench.now - dt.timedelta(days=31)).date().replace(day=1)])
    pids = bench.backends
    for batch, title in ((1000, "1,000"), (5000, "5,000")):
        bodies, finished = make_bodies(portfolio, bench.now, batch)
        truncate()
        accept(bodies, bench.now)
        drain(at=bench.now)  # every user known, as on any day but the first
        yield Case(
            "ingest", f"answer batches of {title}: decode, check, store, receipt",
            lambda bodies=bodies: accept(bodies, bench.now), lambda finished=finished: copy_finished(finished),
            goal=2.5, units=batch * BATCHES, unit="events", pids=pids, prepare=truncate,
            floor_name="COPY BINARY of finished bytes into usage_event", verify=checked(bodies, bench, batch),
        )  # fmt: skip
        yield Case(
            "ingest", f"answer and store once, batches of {title}",
            lambda bodies=bodies: accept_and_store(bodies, bench.now),
            lambda finished=finished: copy_finished(finished),
            goal=5, units=batch * BATCHES, unit="events", pids=pids, prepare=truncate,
            floor_name="COPY BINARY of finished bytes into usage_event",
        )  # fmt: skip


def checked(bodies: list[bytes], bench: Bench, batch: int) -> Callable[[], None]:
    """Everything posted twice is stored once."""

    def verify() -> None:
        from usage.actions import drain
        from usage.models import UsageEvent

        truncate()
        accept(bodies + bodies, bench.now)
        done = drain(at=bench.now)
        assert (done.accepted, done.duplicates) == (batch * BATCHES, batch * BATCHES), done
        assert UsageEvent.objects.count() == batch * BATCHES

    return verify


def accept_and_store(bodies: list[bytes], now: dt.datetime) -> None:
    """Accept, then move the inbox into usage_event, each event once, without daily rows."""
    from benchmarks.rollups import store_only

    accept(bodies, now)
    store_only(now)
