"""What the programs say: into one log file each, and to the terminal.

The terminal is written by a thread of its own from a bounded queue. When nobody reads our output (a full
pipe), lines are dropped there and only there: the programs never wait for a reader, and the log files keep all.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
import queue
import sys
import threading
from pathlib import Path

COLOURS = {"postgres": 36, "redis": 35, "web": 32, "worker": 33, "webhooks": 33, "beat": 34}
LOG_BYTES, LOG_COPIES = 10_000_000, 3


class Terminal:
    """Lines with the name of who said them. One per supervisor."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._files: dict[str, logging.Handler] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(maxsize=2000)
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._printer = threading.Thread(target=self._print, daemon=True)
        self._printer.start()
        logging.raiseExceptions = False  # a full disk must not turn every line into a traceback

    def say(self, text: str) -> None:
        """Print a line of our own, without a name in front."""
        self._offer(text)

    def tell(self, name: str, line: str, *, show: bool = True) -> None:
        """Keep ``line`` in the log of program ``name`` and, unless told otherwise, show it."""
        self._file(name).handle(logging.LogRecord(name, logging.INFO, "", 0, line, None, None))
        if not show:
            return
        front = f"{name:>8} | "
        if self._colour:
            front = f"\033[{COLOURS.get(name, 37)}m{front}\033[0m"
        self._offer(front + line)

    def close(self, timeout: float = 2.0) -> None:
        """Show what is still queued, for at most ``timeout`` seconds, and close the files."""
        self._offer(None)
        self._printer.join(timeout)
        for handler in self._files.values():
            handler.close()

    def _offer(self, line: str | None) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _print(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                print(line, flush=True)
            except (OSError, ValueError):  # the reader has gone
                continue

    def _file(self, name: str) -> logging.Handler:
        handler = self._files.get(name)
        if handler is None:
            handler = self._open(name)
            self._files[name] = handler
        return handler

    def _open(self, name: str) -> logging.Handler:
        if self._folder is None:
            return logging.NullHandler()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        return logging.handlers.RotatingFileHandler(
            self._folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=LOG_COPIES, encoding="utf-8", errors="replace"
        )
