import os
import signal
import subprocess
import sys
import time

import pytest

from config.stack import StackError, process
from config.stack.process import Child, Program, end_leftovers, started_at
from config.stack.supervisor import Stopping, Supervisor
from config.stack.terminal import Terminal

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
# Starts a grandchild in its own group, then lives on.
PARENT = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)",
]


@pytest.fixture
def terminal(tmp_path):
    made = Terminal(tmp_path / "logs")
    yield made
    made.close()


@pytest.fixture
def child_of(tmp_path, terminal):
    (tmp_path / "pids").mkdir()
    made = []

    def make(argv, **settings):
        child = Child(Program("worker", argv, **settings), terminal, tmp_path / "pids")
        made.append(child)
        child.start()
        return child

    yield make
    for child in made:
        if child.process:
            child.process.kill()
            child.process.wait()


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def test_a_killed_child_is_started_again_after_a_wait(child_of, monkeypatch):
    child = child_of(SLEEPER)
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    until(lambda: not child.alive())
    now = time.monotonic()
    child.tend(now)
    assert not child.alive()
    child.tend(now + 0.4)
    assert not child.alive()
    child.tend(now + 0.6)
    assert child.alive()
    assert child.process.pid != first


def test_a_child_that_never_stays_up_is_given_up_with_its_last_words(child_of, monkeypatch):
    monkeypatch.setattr(process, "LONGEST_WAIT", 0.0)
    child = child_of([sys.executable, "-c", "print('no such table'); raise SystemExit(3)"])
    with pytest.raises(StackError, match=r"worker does not stay up.*\nno such table"):
        for _ in range(1000):
            until(lambda: not child.alive())
            time.sleep(0.05)
            child.tend(time.monotonic())
    assert child.failures == process.GIVE_UP_AFTER + 1


def test_a_child_that_stayed_up_long_enough_has_its_failures_forgiven(child_of):
    child = child_of(SLEEPER)
    child.failures = 5
    child.tend(time.monotonic() + process.HEALTHY_AFTER - 1)
    assert child.failures == 5
    child.tend(time.monotonic() + process.HEALTHY_AFTER + 1)
    assert child.failures == 0


def test_what_a_killed_child_started_dies_with_it(child_of):
    child = child_of(PARENT)
    until(lambda: len(child.last_lines) == 1)
    grandchild = int(child.last_lines[0])
    os.kill(child.process.pid, signal.SIGKILL)
    until(lambda: not child.alive())
    child.tend(time.monotonic())
    until(lambda: started_at(grandchild) is None)


def test_a_child_that_ignores_its_stop_signal_is_killed_after_its_grace(child_of):
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    child = child_of([sys.executable, "-c", stubborn], grace=0.3)
    until(lambda: child.last_lines)
    began = time.monotonic()
    child.stop()
    child.finish()
    assert child.process.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - began < 3


def test_children_die_when_their_supervisor_is_killed(tmp_path):
    (tmp_path / "pids").mkdir()
    script = f"""
import time
from pathlib import Path
from config.stack.process import Child, Program
from config.stack.terminal import Terminal
child = Child(Program("worker", {SLEEPER!r}), Terminal(), Path({str(tmp_path / "pids")!r}))
child.start()
print(child.process.pid, flush=True)
time.sleep(600)
"""
    supervisor = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(supervisor.stdout.readline())
    assert started_at(pid)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    until(lambda: started_at(pid) is None)


def test_leftovers_of_a_killed_supervisor_are_ended(child_of, terminal, tmp_path):
    child = child_of(SLEEPER)
    end_leftovers(tmp_path / "pids", terminal)
    assert child.process.wait(5) == -signal.SIGTERM
    assert list((tmp_path / "pids").iterdir()) == []


def test_a_process_that_got_the_pid_of_a_leftover_is_left_alone(child_of, terminal, tmp_path):
    child = child_of(SLEEPER)
    note = tmp_path / "pids" / "worker.json"
    note.write_text(note.read_text().replace(f'"{started_at(child.process.pid)}"', '"1"'))
    end_leftovers(tmp_path / "pids", terminal)
    assert child.alive()
    assert not note.exists()


def test_a_note_cut_short_is_thrown_away(terminal, tmp_path):
    (tmp_path / "worker.json").write_text('{"pid": 1')
    end_leftovers(tmp_path, terminal)
    assert list(tmp_path.iterdir()) == []


def test_ranks_stop_in_the_reverse_order_of_their_start(child_of, terminal):
    supervisor = Supervisor(terminal, Stopping())
    server = child_of(SLEEPER)
    # When told to stop, the client leaves with status 0 if its server still runs.
    leaves = f"signal.signal(15, lambda *_: (os.kill({server.process.pid}, 0), sys.exit(0)))"
    client = child_of(
        [sys.executable, "-c", f"import os, signal, sys, time; {leaves}; print('up', flush=True); time.sleep(600)"]
    )
    until(lambda: client.last_lines)
    supervisor.add(server)
    supervisor.add(client)
    supervisor.stop()
    assert [client.process.returncode, server.process.returncode] == [0, -signal.SIGTERM]
    assert supervisor.children == []


def test_a_terminal_that_nobody_reads_never_holds_up_a_program(tmp_path):
    script = f"""
from pathlib import Path
from config.stack.terminal import Terminal
terminal = Terminal(Path({str(tmp_path / "logs")!r}))
for number in range(20000):
    terminal.tell("web", f"line {{number}} " + "x" * 100)
terminal.close(timeout=0.2)
import os
os._exit(0)
"""
    silent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert silent.wait(30) == 0
    silent.stdout.close()
    assert (tmp_path / "logs" / "web.log").read_text().splitlines()[-1].startswith("line 19999 ")
