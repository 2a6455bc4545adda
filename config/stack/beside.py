"""Beside the stack that runs: where its servers are, for a command that somebody starts by hand."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

from config import env as environ
from config.stack import StackError
from config.stack.application import environment
from config.stack.folder import DataFolder

SERVERS_FILE = "stack.env"
SERVERS = ("DATABASE_URL", "REDIS_URL")


def publish(folder: DataFolder, env: MutableMapping[str, str]) -> None:
    """Leave the servers' addresses and the port for whoever comes later, readable by the owner only."""
    folder.write_private(SERVERS_FILE, "".join(f"{name}={env[name]}\n" for name in (*SERVERS, "PORT") if name in env))


def running(folder: DataFolder) -> dict[str, str] | None:
    """The environment of the stack that runs in this folder now; None if none does.

    Raises StackError while another command uses the folder.
    """
    try:
        folder.lock("looking")
    except StackError:
        try:
            lines = (folder / SERVERS_FILE).read_text().splitlines()
        except FileNotFoundError:
            raise StackError(f"Another command uses {folder.path}. Wait for it to end.") from None
        published = dict(line.split("=", 1) for line in lines)
        env = environment(folder, database_url=published["DATABASE_URL"], redis_url=published["REDIS_URL"])
        return {**published, **env}
    folder.unlock()
    return None


def join(into: MutableMapping[str, str] = os.environ) -> None:
    """Add to ``into`` what it lacks to work beside ``make run``. Nothing where servers are named or none runs."""
    folder = DataFolder(environ.read("TENURE_DATA"))
    if any(name in into for name in (*SERVERS, "SECRET_KEY")) or not (folder / SERVERS_FILE).exists():
        return
    try:
        found = running(folder)
    except (StackError, OSError):
        return
    for name, value in (found or {}).items():
        into.setdefault(name, value)
