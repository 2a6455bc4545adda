"""Webhooks while workers die: every event arrives, and what comes twice comes under one id."""

from __future__ import annotations

import threading
from collections import defaultdict

from tests.chaos.invariants import settle
from tests.webhooks.receiver import receiver


def test_a_worker_killed_while_it_delivers_delivers_again_under_the_same_id(cluster, accounts_of):
    arrived, dead = threading.Event(), threading.Event()

    def hold(_handler):
        """Takes the message and does not answer: the worker dies before it can note anything."""
        arrived.set()
        dead.wait(60)

    with receiver() as there:
        there.answers = [hold, 200]
        webhook = cluster.post("webhooks/", {"url": there.url, "event_types": ["account.created"]})["webhook"]["id"]
        accounts_of("hooked", 5)
        cluster.until(arrived.is_set, 60, "the first message")
        cluster.kill("webhooks")
        dead.set()
        waiting = "select 1 from webhooks_delivery where endpoint_id = %s::uuid and delivered_at is null"
        cluster.until(lambda: not cluster.rows(waiting, webhook), 240, "everything delivered")
    bodies = defaultdict(set)
    for got in there.received:
        bodies[got.headers["webhook-id"]].add(got.body)
    assert len(bodies) == 5
    assert all(len(sent) == 1 for sent in bodies.values())
    assert len(there.received) > 5
    settle(cluster)
