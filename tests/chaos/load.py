"""Events with known totals, sent by several clients at once."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.chaos.cluster import Cluster

BATCH = 5000


class Load:
    """``batches`` batches of 5,000 events over ``accounts``, each sent by every one of ``clients`` threads.

    What the product must hold afterwards is ``events`` and ``quantities``: each event once, whoever sent it.
    """

    def __init__(
        self, cluster: Cluster, source: str, accounts: Sequence[str], *, batches: int, clients: int = 2
    ) -> None:
        self.cluster, self.source, self.accounts = cluster, source, accounts
        self._bodies = [self._batch(number) for number in range(batches)]
        self.sent = batches * BATCH
        self.quantities: Counter[str] = Counter()
        for body in self._bodies:
            for event in body["events"]:
                self.quantities[event["account"]] += event["quantity"]
        self.receipts: list[str] = []
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def finish(self) -> None:
        """Raise what a client met; all batches are acknowledged otherwise."""
        for thread in self._threads:
            thread.join(0.1)
            assert not thread.is_alive()
        if self.errors:
            raise self.errors[0]

    def _send(self) -> None:
        try:
            for body in self._bodies:
                self.receipts.append(self.cluster.post("usage/events/", body)["receipt"])
        except BaseException as error:
            self.errors.append(error)

    def _batch(self, number: int) -> dict[str, Any]:
        start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=40)
        random = self.cluster.random
        events = [
            {
                "id": f"{number}-{index}",
                "account": self.accounts[random.randrange(len(self.accounts))],
                "user": f"u{random.randrange(90)}",
                "event": random.choice(("login", "report.run", "export.done")),
                "at": (start + dt.timedelta(minutes=random.randrange(40 * 24 * 60))).isoformat(),
                "quantity": random.randrange(1, 4),
            }
            for index in range(BATCH)
        ]
        return {"source": self.source, "events": events}
