"""Taking events in: in process and over HTTP, against COPY of finished bytes into the same table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from django.db import connection, transaction

from benchmarks.bench import Bench
from benchmarks.data import COPY_EVENTS, Portfolio, as_binary, as_json, draw_events, make_accounts
from benchmarks.harness import Case
from benchmarks.http import exchange_together, request_bytes, serving

BATCH = 1000
BATCHES = 10


def cases(bench: Bench) -> Iterator[Case]:
    """The in-process cases, then those over HTTP when the server can be started."""
    bench.select("ingest")
    portfolio = make_accounts(bench.accounts)
    yield from in_process(bench, portfolio)
    yield from over_http(bench, portfolio)


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


def make_bodies(
    portfolio: Portfolio, now: dt.datetime, batch: int, *, count: int = BATCHES
) -> tuple[list[bytes], list[bytes]]:
    """The same events as JSON bodies and as finished bytes, ``count`` batches of each."""
    drawn = [draw_events(portfolio, batch, now=now - dt.timedelta(minutes=n), days=0.02, seed=n) for n in range(count)]
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


HOST = "ingest.localhost"
CONNECTIONS = 4
REQUESTS = 40


def over_http(bench: Bench, portfolio: Portfolio) -> Iterator[Case]:
    """Posting over four connections to the shipped server, against one stream of COPY of the same batches."""
    bodies, finished = make_bodies(portfolio, bench.now, BATCH)
    bodies, finished = bodies * (REQUESTS // BATCHES), finished_again(portfolio, bench, finished)
    tokens = make_tokens(bench, REQUESTS)
    posts = [
        request_bytes(
            "POST", "/api/v1/usage/events/", host=HOST, body=body,
            headers=[f"Authorization: Bearer {token}", "Content-Type: application/json"],
        )
        for body, token in zip(bodies, tokens, strict=True)
    ]  # fmt: skip
    with serving(workers=2) as server:

        def post_all() -> None:
            answers = exchange_together(server.port, posts, connections=CONNECTIONS)
            assert len(answers) == REQUESTS
            assert all(b" 202 " in answer[:20] for answer in answers), answers[0][:600]

        yield Case(
            "ingest", "answer batches of 1,000 over HTTP, 4 connections, 2 workers", post_all,
            lambda: copy_finished(finished), goal=0.5, measure="rate", units=BATCH * REQUESTS, unit="events",
            pids=lambda: [*server.pids(), *bench.backends()], prepare=reset,
            floor_name="one stream of COPY BINARY into usage_event",
            verify=lambda: posted_once(post_all, bench),
        )  # fmt: skip


def finished_again(portfolio: Portfolio, bench: Bench, finished: list[bytes]) -> list[bytes]:
    """As many finished batches as there are requests, each with keys of its own."""
    extra = [
        as_binary(portfolio, draw_events(portfolio, BATCH, now=bench.now, days=0.02, seed=n), seed=n)
        for n in range(100, 100 + REQUESTS - len(finished))
    ]
    return [*finished, *extra]


def make_tokens(bench: Bench, count: int) -> list[str]:
    """API tokens of the owner; several, because one token's calls a minute are limited."""
    from accounts.actions.tokens import issue_token
    from accounts.models import User

    owner = User.objects.get(role="owner")
    return [issue_token(owner, name=f"bench {n}", scopes=["write"], actor=None, at=bench.now)[1] for n in range(count)]


def reset() -> None:
    """Empty tables, and forget the calls counted this minute."""
    import redis
    from django.conf import settings

    truncate()
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter("rate:*"):
        client.delete(key)


def posted_once(post_all: Callable[[], None], bench: Bench) -> None:
    """The same bodies posted four times over are stored once."""
    from usage.actions import drain

    reset()
    post_all()
    done = drain(at=bench.now)
    assert (done.accepted, done.duplicates) == (BATCH * BATCHES, BATCH * (REQUESTS - BATCHES)), done
