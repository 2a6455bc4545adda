"""One program as a child process: started in a session of its own, ended with us, started again when it dies."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.stack import StackError
from config.stack.terminal import Terminal

# Looked up here, because the child must not load anything between fork and exec.
_PRCTL = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
LONGEST_WAIT = 30.0  # seconds between two starts
HEALTHY_AFTER = 20.0  # seconds after which a program counts as having started well
GIVE_UP_AFTER = 8  # starts in a row that did not


@dataclass(frozen=True, slots=True)
class User:
    """An unprivileged user of this machine."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run and how it wants to be stopped."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0  # seconds between the stop signal and SIGKILL
    shown: bool = True  # on the terminal; the log file has everything


def end_with_parent(sig: signal.Signals) -> None:
    """Have the kernel send ``sig`` to this process when its parent thread ends, also by kill -9 (Linux)."""
    if _PRCTL is None:
        return
    parent = os.getppid()
    _PRCTL(_PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
    if os.getppid() != parent:  # RACE: it ended before the call
        os.kill(os.getpid(), sig)


def started_at(pid: int) -> str | None:
    """The kernel's start time of ``pid``, which with the pid names one process for good; None if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state == "Z" else rest[18]


def boot() -> str:
    """Names the time since the machine last started: a pid of an earlier one means nothing."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(slots=True)
class Child:
    """A program and its present process. All methods belong to the main thread: see ``end_with_parent``."""

    program: Program
    terminal: Terminal
    pids: Path
    process: subprocess.Popen[str] | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    failures: int = 0
    _since: float = 0.0
    _next_start: float | None = None
    _reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.program.name

    def start(self) -> None:
        """Start the program and note its pid, so that a later run can end it if this one cannot."""
        program = self.program
        as_user = {"user": program.user.uid, "group": program.user.gid, "extra_groups": []} if program.user else {}
        self.process = subprocess.Popen(
            list(program.argv),
            env=None if program.env is None else dict(program.env),
            cwd=program.cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            start_new_session=True,  # else Ctrl-C reaches all at once and the order of stopping is lost
            preexec_fn=lambda: end_with_parent(program.stop_signal),  # noqa: PLW1509  no thread of ours holds a lock here
            **as_user,  # type: ignore[call-overload]
        )
        self._since, self._next_start = time.monotonic(), None
        pid = self.process.pid
        note = {"boot": boot(), "pid": pid, "started": started_at(pid), "signal": int(program.stop_signal)}
        (self.pids / f"{self.name}.json").write_text(json.dumps(note))
        self._reader = threading.Thread(target=self._pump, args=(self.process,), daemon=True)
        self._reader.start()

    def alive(self) -> bool:
        """True while the present process runs."""
        return self.process is not None and self.process.poll() is None

    def tend(self, now: float) -> None:
        """Start the program again if it died, after a wait that doubles with every failed start.

        Raises StackError after ``GIVE_UP_AFTER`` starts in a row that ended early.
        """
        if self.alive():
            if now - self._since > HEALTHY_AFTER:
                self.failures = 0
            return
        if self._next_start is None:
            self._bury(now)
        elif now >= self._next_start:
            self.terminal.say(f"{self.name} is started again")
            self.start()

    def stop(self) -> None:
        """Send the stop signal; ``finish`` waits."""
        if self.alive() and self.process is not None:
            self.process.send_signal(self.program.stop_signal)

    def finish(self, *, hurry: threading.Event | None = None) -> None:
        """Wait for the end; after the program's grace, or when ``hurry`` is set, kill what is left of it."""
        if self.process is None:
            return
        end = time.monotonic() + self.program.grace
        while self.alive() and time.monotonic() < end and not (hurry and hurry.is_set()):
            time.sleep(0.02)
        if self.alive():
            self.terminal.say(f"{self.name} does not stop; it is killed")
        self._kill_group()
        self.process.wait()
        if self._reader:
            self._reader.join(1)  # for its last words
        (self.pids / f"{self.name}.json").unlink(missing_ok=True)

    def _bury(self, now: float) -> None:
        """Say how the process ended, kill what it left behind and set the moment of the next start."""
        if self.process is None:
            return
        self._kill_group()
        self.failures += 1
        if self.failures > GIVE_UP_AFTER:
            raise StackError("\n".join([f"{self.name} does not stay up. Its last words:", *self.last_lines]))
        wait = min(LONGEST_WAIT, 0.25 * 2**self.failures)
        self._next_start = now + wait
        self.terminal.say(f"{self.name} {_ending(self.process.returncode)}; next start in {wait:.1f} s")

    def _kill_group(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _pump(self, process: subprocess.Popen[str]) -> None:
        if process.stdout is None:
            return
        with contextlib.suppress(ValueError, OSError), process.stdout as lines:
            for line in lines:
                text = line.rstrip()
                self.last_lines.append(text)
                self.terminal.tell(self.name, text, show=self.program.shown)


def end_leftovers(pids: Path, terminal: Terminal) -> None:
    """End the processes of an earlier run whose supervisor was killed; waits up to 30 s for each to finish.

    A pid that by now belongs to another process is left alone: its start time differs.
    """
    for note in sorted(pids.glob("*.json")):
        try:
            left = json.loads(note.read_text())
            if left["boot"] == boot():
                _end(note.stem, left["pid"], left["started"], left["signal"], terminal)
        except (ValueError, KeyError, TypeError):
            pass  # written by halves when the disk was full or the power went
        note.unlink(missing_ok=True)


def _end(name: str, pid: int, started: str | None, sig: int, terminal: Terminal) -> None:
    """Stop a process that is not our child, and its group."""
    now = started_at(pid)
    if started is None or now not in {started, None}:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if now is not None:
            terminal.say(f"waiting for {name} of the last run to end")
            os.kill(pid, sig)
            end = time.monotonic() + 30
            while started_at(pid) == started and time.monotonic() < end:
                time.sleep(0.05)
        os.killpg(pid, signal.SIGKILL)


def _ending(code: int) -> str:
    """How a process ended, in words."""
    if code < 0:
        return f"was killed by signal {-code}"
    return f"ended with status {code}"
