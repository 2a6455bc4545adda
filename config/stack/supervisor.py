"""Watches over the children: starts them again when they die, stops them in order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from config.stack.process import Child
from config.stack.terminal import Terminal

TICK = 0.2  # seconds


class Stopping:
    """Set by the first SIGINT, SIGTERM or SIGHUP; the second one sets ``hurry``."""

    def __init__(self) -> None:
        self.asked, self.hurry = threading.Event(), threading.Event()
        self.signal: int | None = None

    def listen(self) -> None:
        """Take over the three signals for this process."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._heard)

    def _heard(self, number: int, _frame: FrameType | None) -> None:
        if self.asked.is_set():
            self.hurry.set()
        self.signal = self.signal or number
        self.asked.set()


class Supervisor:
    """The children in the order in which they were started. They stop in the reverse order, rank by rank."""

    def __init__(self, terminal: Terminal, stopping: Stopping) -> None:
        self.terminal, self.stopping = terminal, stopping
        self._ranks: list[list[Child]] = []

    @property
    def children(self) -> list[Child]:
        """All of them, first started first."""
        return [child for rank in self._ranks for child in rank]

    def add(self, *children: Child) -> None:
        """Watch ``children``, already started, as one rank: they stop at the same time."""
        self._ranks.append(list(children))

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep the children running until asked to stop or ``until`` is true.

        Raises StackError when one of them does not stay up.
        """
        while not self.stopping.asked.is_set() and not until():
            self.tend()
            self.stopping.asked.wait(TICK)

    def tend(self) -> None:
        """Look after each child once."""
        now = time.monotonic()
        for child in self.children:
            child.tend(now)

    def stop(self) -> None:
        """Stop the last rank first; a rank is stopped before the one it needs."""
        while self._ranks:
            rank = self._ranks.pop()
            for child in rank:
                child.stop()
            for child in rank:
                child.finish(hurry=self.stopping.hurry if child.name not in {"postgres", "redis"} else None)
