"""The real servers under the real supervisor, killed in every way."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from config.stack.process import started_at

COMMAND = [sys.executable, "-m", "config.stack"]


class Services:
    """``python -m config.stack services`` in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    def environment(self):
        kept = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}}
        return kept | {"TENURE_DATA": str(self.folder)}

    def start(self):
        (self.folder / "stack.env").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [*COMMAND, "services"], env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        end = time.monotonic() + 60
        while not (self.folder / "stack.env").exists():
            assert self.process.poll() is None, self.process.stdout.read()
            assert time.monotonic() < end
            time.sleep(0.05)
        return self

    @property
    def urls(self):
        return dict(line.split("=", 1) for line in (self.folder / "stack.env").read_text().splitlines())

    def connect(self):
        return psycopg.connect(self.urls["DATABASE_URL"], autocommit=True, connect_timeout=3)

    def redis(self):
        return redis_client.Redis.from_url(self.urls["REDIS_URL"])

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def run(self, *argv):
        return subprocess.run([*COMMAND, *argv], env=self.environment(), capture_output=True, text=True, timeout=90)

    def pids(self):
        """Every process that works in the folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                where = str((process / "cwd").readlink())
            except OSError:
                continue
            if where.startswith(str(self.folder)) and started_at(int(process.name)):
                found.append(int(process.name))
        return found


@pytest.fixture
def services(tmp_path):
    made = Services(tmp_path / "data")
    made.folder.mkdir(mode=0o700)
    yield made
    if made.process and made.process.poll() is None:
        made.stop()
    if made.process:
        made.process.stdout.close()


def retried(action, errors, seconds=30):
    end = time.monotonic() + seconds
    while True:
        try:
            return action()
        except errors:
            assert time.monotonic() < end
            time.sleep(0.1)


def arguments(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_data_survives_a_stop_and_nothing_is_left_running(services):
    services.start()
    with services.connect() as connection:
        connection.execute("create table kept (n int); insert into kept values (7)")
        assert connection.execute("show fsync").fetchone() == ("on",)
        assert connection.execute("show synchronous_commit").fetchone() == ("on",)
    services.redis().set("kept", "8")
    assert services.pids()
    code, _ = services.stop(signal.SIGINT)
    assert code == 0
    assert services.pids() == []
    services.start()
    with services.connect() as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)
    assert services.redis().get("kept") == b"8"


def test_killed_servers_come_back_with_what_they_had_acknowledged(services):
    services.start()
    with services.connect() as connection:
        connection.execute("create table kept (n int); insert into kept values (7)")
        postmaster = int(connection.execute("select pg_read_file('postmaster.pid')").fetchone()[0].splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)

    def kept():
        with services.connect() as connection:
            return connection.execute("select n from kept").fetchone()

    time.sleep(0.5)
    assert retried(kept, psycopg.OperationalError) == (7,)
    client = services.redis()
    client.set("kept", "8")
    time.sleep(1.5)  # appendfsync everysec
    os.kill(client.info("server")["process_id"], signal.SIGKILL)
    time.sleep(0.3)
    assert retried(lambda: services.redis().get("kept"), redis_client.RedisError) == b"8"
    assert services.process.poll() is None


def test_a_killed_supervisor_takes_its_servers_along_and_the_next_one_recovers(services):
    services.start()
    with services.connect() as connection:
        connection.execute("create table kept (n int); insert into kept values (7)")
    services.process.kill()
    services.process.communicate()
    services.start()
    with services.connect() as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)
    end = time.monotonic() + 30
    while len([pid for pid in services.pids() if b"redis-server" in arguments(pid)]) != 1:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_stale_pid_file_of_postgres_that_now_names_another_process_does_not_stop_the_start(services):
    services.start()
    services.process.kill()
    services.process.communicate()
    time.sleep(1)
    stale = next(services.folder.glob("pg*")) / "postmaster.pid"
    stale.write_text(f"{os.getpid()}\n/proc/self/cwd\n1\n54329\n\n127.0.0.1\n0 0\nready\n")
    services.start()
    with services.connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_second_stack_in_the_same_folder_is_refused(services):
    services.start()
    refused = services.run("services")
    assert refused.returncode == 1
    assert f"Tenure already runs with the data in {services.folder}" in refused.stdout
    assert services.process.poll() is None


def test_exec_joins_a_running_stack_and_leaves_it_running(services):
    services.start()
    joined = services.run("exec", "--", sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])")
    assert (joined.returncode, joined.stdout.strip()) == (0, services.urls["DATABASE_URL"])
    with services.connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_manage_py_finds_the_stack_that_runs_in_its_data_folder(services, monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    asked = [sys.executable, "manage.py", "shell", "--no-imports", "-c"]
    asked.append("from django.db import connection as c; print(c.settings_dict['PORT'])")

    def ask():
        return subprocess.run(asked, env=services.environment(), capture_output=True, text=True, timeout=90)

    refused = ask()
    assert (refused.returncode, "SECRET_KEY is not set" in refused.stderr) == (1, True)
    assert not (services.folder / "stack.lock").exists()
    services.start()
    port = services.urls["DATABASE_URL"].rpartition(":")[2].partition("/")[0]
    assert ask().stdout.strip() == port
    monkeypatch.setenv("SECRET_KEY", "a key of somebody who names their own servers")
    assert "DATABASE_URL is not set" in ask().stderr


def test_exec_starts_what_it_needs_passes_the_status_on_and_stops_it(services):
    ran = services.run("exec", "--fast", "--", sys.executable, "-c", "raise SystemExit(7)")
    assert ran.returncode == 7
    assert services.pids() == []


def test_only_servers_for_tests_leave_clearing_away_to_whoever_runs_them(services):
    found = "psycopg.connect(os.environ['DATABASE_URL']).execute('show autovacuum').fetchone()"
    program = f"import os, psycopg; print(*{found})"
    said = [services.run("exec", *fast, "--", sys.executable, "-c", program).stdout for fast in (["--fast"], [])]
    assert [line.strip() for line in said] == ["off", "on"]


def test_the_servers_want_a_password_and_listen_on_loopback_only(services):
    services.start()
    url = services.urls["DATABASE_URL"]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))
    with services.connect() as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
    with pytest.raises(redis_client.AuthenticationError):
        redis_client.Redis(port=int(services.urls["REDIS_URL"].rpartition(":")[2].partition("/")[0])).ping()
    for pid in services.pids():
        assert services.urls["REDIS_URL"].split(":")[2].split("@")[0].encode() not in arguments(pid)


def test_a_busy_web_port_is_told_before_anything_starts(services):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = subprocess.run(
            [*COMMAND, "up"],
            env=services.environment() | {"PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert refused.returncode == 1
    assert f"Port {port} is in use by another program" in refused.stdout
    assert "make run PORT=" in refused.stdout
    assert services.pids() == []


def test_data_of_another_major_version_is_refused_instead_of_started_beside(services):
    (services.folder / "pg17").mkdir()
    refused = services.run("services")
    assert refused.returncode == 1
    assert "holds data of another PostgreSQL (pg17)" in refused.stdout
