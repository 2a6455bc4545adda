"""The data folder (``TENURE_DATA``): who may use it, what it keeps secret, and whether it has room."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import IO

from config.stack import StackError

NEEDED_BYTES = 150_000_000  # an empty cluster and its write-ahead log, with room to recover
ANOTHER = "choose another folder: make run TENURE_DATA=/some/folder"


class DataFolder:
    """One installation's data. Holding ``lock`` makes this process its only user."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().absolute()
        self._lock: IO[str] | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def prepare(self) -> None:
        """Make the folder and what lies in it. Raises StackError when that cannot be done or is too little."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in ("pids", "logs", "mail", "media"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise self.explain(error) from error
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise StackError(f"TENURE_DATA ({self.path}) is not writable for this user; {ANOTHER}")
        self.require_room()

    def lock(self, purpose: str) -> None:
        """Become the folder's only user until this process ends; raises StackError naming the present one."""
        handle = (self.path / "stack.lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            handle.close()
            raise StackError(
                f"Tenure already runs with the data in {self.path} ({holder}). Stop it first, or {ANOTHER} PORT=8001"
            ) from None
        handle.truncate(0)
        handle.write(f"{purpose}, process {os.getpid()}\n")
        handle.flush()
        self._lock = handle

    def unlock(self) -> None:
        """Let others use the folder again."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def secret(self, name: str) -> str:
        """The secret kept under ``name``, made once; readable by the owner only."""
        file = self.path / name
        if not file.exists() or not file.read_text().strip():
            part = file.with_suffix(".part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
                handle.write(secrets.token_urlsafe(48))
                handle.flush()
                os.fsync(handle.fileno())
            part.replace(file)
        return file.read_text().strip()

    def write_private(self, name: str, text: str) -> Path:
        """Write a file that only the owner can read."""
        file = self.path / name
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(text)
        return file

    def free_bytes(self) -> int:
        """What is left on the folder's disk."""
        return shutil.disk_usage(self.path).free

    def require_room(self) -> None:
        """Raise StackError when the disk is as good as full."""
        if (free := self.free_bytes()) < NEEDED_BYTES:
            raise StackError(
                f"The disk of TENURE_DATA ({self.path}) has {free // 1_000_000} MB left; "
                f"{NEEDED_BYTES // 1_000_000} MB are needed. Make room, or {ANOTHER}"
            )

    def explain(self, error: OSError) -> StackError:
        """What to tell the person whose data folder raised ``error``."""
        if error.errno == errno.ENOSPC:
            return StackError(f"The disk of TENURE_DATA ({self.path}) is full. Make room, or {ANOTHER}")
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            return StackError(f"TENURE_DATA ({self.path}) is not writable for this user; {ANOTHER}")
        return StackError(f"TENURE_DATA ({self.path}) cannot be used: {error.strerror}; {ANOTHER}")
