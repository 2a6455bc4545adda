"""A server that the stack runs itself: on a free port of this machine, awaited until it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from config.stack import StackError
from config.stack.folder import DataFolder
from config.stack.ports import free_from
from config.stack.process import Child, Program
from config.stack.terminal import Terminal


class Server(ABC):
    """What PostgreSQL and Redis have in common. ``durable``: nothing acknowledged may be lost by kill -9."""

    name: ClassVar[str]
    first_port: ClassVar[int]

    def __init__(self, folder: DataFolder, terminal: Terminal, *, durable: bool) -> None:
        self._folder, self._terminal, self._durable = folder, terminal, durable
        self.port = 0
        self.child: Child | None = None

    def start(self) -> Child:
        """Start the server, on the next free port if another program takes ours meanwhile, and wait for it."""
        first = self.first_port
        while True:
            self.port = free_from(first)
            self.child = Child(self._program(), self._terminal, self._folder / "pids")
            self.child.start()
            if self._answers():
                return self.child
            if not self._lost_its_port(self.child):
                raise StackError("\n".join([f"{self.name} does not start. Its last words:", *self.child.last_lines]))
            first = self.port + 1

    @abstractmethod
    def _program(self) -> Program:
        """What to run, on the port chosen."""

    @abstractmethod
    def _answers(self) -> bool:
        """Wait for it to answer; False if it ended instead."""

    @abstractmethod
    def _lost_its_port(self, ended: Child) -> bool:
        """Whether it ended because another program has its port."""
