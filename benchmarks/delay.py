"""From the post of an event to the account's new score, by the shipped processes, while 200 events a second arrive.

Web, worker and beat run as ``make run`` starts them. Some accounts have no usage yet: all their users sign in at
once, posted over the API in one call, and the time counts until their score has changed.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import msgspec
from django.db import connection
from django.utils import timezone

from benchmarks.bench import Bench
from benchmarks.data import SOURCE
from benchmarks.harness import Case
from benchmarks.http import Server, exchange, request_bytes, running, serving
from benchmarks.ingest import make_tokens
from benchmarks.recompute import fill

HOST = "delay.localhost"
A_SECOND = 200
POSTS_A_SECOND = 4
USERS = 10
# Probes and seconds between them.
PROBES = {"S": (10, 0.4), "M": (60, 1.0), "L": (60, 1.0)}
# The sweep waits two seconds after the first change. 60 s are promised; needing 10 s means that the bell is broken.
GOAL_SECONDS = 10
LOST_AFTER = 120
NAMES = """
INSERT INTO accounts_externalid (id, account_id, source, external_id)
SELECT md5('name ' || id)::uuid, id, %(source)s, name FROM accounts_account
"""
# No usage so far, and all the rest of a Fleet score known.
FRESH = """
UPDATE accounts_account SET assigned_users = %(users)s WHERE name = ANY(%(names)s);
DELETE FROM usage_accountday d USING accounts_account a WHERE a.id = d.account_id AND a.name = ANY(%(names)s);
"""


def cases(bench: Bench) -> Iterator[Case]:
    from health.actions import recompute
    from health.models import BandChange, TriggerFiring

    count, pause = PROBES[bench.size]
    bench.select("delay")
    fill(bench.accounts, at=bench.now)
    first, *probes = [f"Company {number:06}" for number in range(1, count + 2)]
    with connection.cursor() as cursor:
        cursor.execute(NAMES, {"source": SOURCE})
        for statement in filter(None, (part.strip() for part in FRESH.split(";\n"))):
            cursor.execute(statement, {"users": USERS, "names": [first, *probes]})
    recompute(at=timezone.now())
    # What a first score of every account calls for is not what is measured.
    for model in (BandChange, TriggerFiring):
        model.objects.filter(handled_at=None).update(handled_at=timezone.now())
    with ExitStack() as stack:
        server = stack.enter_context(serving(workers=2))
        stack.enter_context(background())
        # Everything is up once a score has changed.
        Delay(bench, server, [first], pause=0).measure()
        yield Case(
            area="delay", name=f"event to new score, {A_SECOND} events a second arriving, {bench.accounts:,} accounts",
            run=lambda: Delay(bench, server, probes, pause=pause).measure(), floor=None, measure="seconds",
            goal=GOAL_SECONDS, reps=1,
        )  # fmt: skip


@contextmanager
def background() -> Iterator[None]:
    """Worker and beat with the options of the stack, on the benchmark's database."""
    from config.stack.application import beat, worker

    env = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder, running(worker(env)), running(beat(env, Path(folder))):
        yield


class Delay:
    """One run: a feed in a thread of its own, probes at their times, and a look at the scores 20 times a second."""

    def __init__(self, bench: Bench, server: Server, probes: list[str], *, pause: float) -> None:
        self.bench, self.server, self.probes, self.pause = bench, server, probes, pause
        self.run = uuid4().hex[:8]
        self.feed_token, self.probe_token = make_tokens(bench, 2)
        self.stopped = threading.Event()
        self.fed = 0
        self.errors: list[BaseException] = []
        self.posted: dict[UUID, float] = {}

    def measure(self) -> list[float]:
        """Seconds from each post to the score it changed."""
        before, keys = self.scores(), dict(self.accounts())
        threads = [
            threading.Thread(target=self._guarded, args=(work,)) for work in (self._feed, lambda: self._probe(keys))
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            delays = self._watch(before)
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()
        rate = self.fed / (time.monotonic() - began)
        assert not self.errors, self.errors[0]
        assert rate > 0.9 * A_SECOND, f"only {rate:.0f} events a second were fed"
        return delays

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self.errors.append(error)
            self.stopped.set()

    def _feed(self) -> None:
        batch, accounts, began, number = A_SECOND // POSTS_A_SECOND, self.bench.accounts, time.monotonic(), 0
        while not self.stopped.wait(max(0.0, began + number / POSTS_A_SECOND - time.monotonic())):
            names = [
                f"Company {1 + (accounts // 10) + (number * batch + n) * 7919 % (accounts - accounts // 10):06}"
                for n in range(batch)
            ]
            self._post(
                self.feed_token, [(name, f"u{n % 5}", "reporting") for n, name in enumerate(names)], f"f{number}"
            )
            number += 1
            self.fed += batch

    def _probe(self, keys: dict[str, UUID]) -> None:
        for number, name in enumerate(self.probes):
            if self.stopped.wait(self.pause):
                return
            self.posted[keys[name]] = time.monotonic()
            self._post(self.probe_token, [(name, f"u{user}", "login") for user in range(USERS)], f"p{number}")

    def _post(self, token: str, events: list[tuple[str, str, str]], prefix: str) -> None:
        at = timezone.now()
        body = msgspec.json.encode({"source": SOURCE, "events": [
            {"id": f"{self.run}-{prefix}-{n}", "account": account, "user": user, "event": event, "at": at}
            for n, (account, user, event) in enumerate(events)
        ]})  # fmt: skip
        head = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
        [answer] = exchange(
            self.server.port, [request_bytes("POST", "/api/v1/usage/events/", host=HOST, body=body, headers=head)]
        )
        assert b" 202 " in answer[:20], answer[:600]
        assert b'"rejected":[]' in answer, answer[-600:]

    def _watch(self, before: dict[UUID, Decimal]) -> list[float]:
        seen: dict[UUID, float] = {}
        deadline = time.monotonic() + LOST_AFTER
        while len(seen) < len(self.probes) and not self.stopped.is_set():
            assert time.monotonic() < deadline, f"{len(self.probes) - len(seen)} scores did not change"
            now = time.monotonic()
            for key, score in self.scores().items():
                if score != before[key] and key not in seen:
                    seen[key] = now - self.posted[key]
            time.sleep(0.05)
        return list(seen.values())

    def accounts(self) -> list[tuple[str, UUID]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, id FROM accounts_account WHERE name = ANY(%s)", [self.probes])
            return cursor.fetchall()

    def scores(self) -> dict[UUID, Decimal]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account_id, score FROM health_accounthealth h JOIN accounts_account a ON a.id = account_id"
                " WHERE a.name = ANY(%s)",
                [self.probes],
            )
            return dict(cursor.fetchall())
