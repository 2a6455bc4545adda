"""A whole installation of its own for tests that kill parts of it: servers, web, workers, beat, one workspace.

Children belong to the main thread (they die with it), so only the main thread starts, kills and tends them;
load comes from threads. Everything is bounded in count and time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import requests

from config.stack import application, ports
from config.stack.__main__ import start_servers
from config.stack.folder import DataFolder
from config.stack.process import Child
from config.stack.supervisor import Stopping, Supervisor
from config.stack.terminal import Terminal

SLUG, OWNER, PASSWORD = "stormy", "owner@stormy.example", "correct horse battery staple"
FIRST_PORT = 8700


class Quiet(Terminal):
    """Keeps the log files and prints nothing."""

    def say(self, text: str) -> None:
        self.tell("supervisor", text, show=False)

    def _offer(self, line: str | None) -> None:
        if line is None:
            super()._offer(line)


class Cluster:
    """One running installation under ``path``; ``seed`` makes its random choices repeatable."""

    def __init__(self, path: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.folder = DataFolder(path)
        self.folder.prepare()
        self.supervisor = Supervisor(Quiet(self.folder / "logs"), Stopping())
        self.port = ports.free_from(FIRST_PORT)
        self.children: dict[str, Child] = {}
        self.env: dict[str, str] = {}
        self.schema = ""
        self._session = requests.Session()

    @property
    def zones(self) -> Path:
        """Where every program looks for time zones first."""
        return Path(self.folder / "zones")

    def start(self) -> None:
        """Servers, an empty workspace on the generic pack, web, two workers, beat."""
        for name in ("DATABASE_URL", "REDIS_URL"):
            os.environ.pop(name, None)
        self.env = start_servers(self.folder, self.supervisor, durable=True)
        for child in self.supervisor.children:
            self.children[child.name] = child
        self.env |= {"PORT": str(self.port), "MAIL_URL": f"file://{self.folder / 'mail'}", "BASE_DOMAIN": "localhost"}
        self.env |= {"PYTHONTZPATH": os.pathsep.join([str(self.zones), *zoneinfo.TZPATH])}
        self.env |= {"WEBHOOKS_UNGUARDED": "1"}  # receivers of the tests are on this machine
        self.env |= {"MEDIA_ROOT": str(self.folder / "media"), "SECRET_KEY": self.folder.secret("secret-key")}
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        self.manage("migrate_tenants")
        self.manage(
            *("create_tenant", SLUG, "--name", "Stormy Weather", "--pack", "generic"),
            *("--owner-email", OWNER, "--owner-password", PASSWORD),
        )
        (self.schema,) = self.rows("select schema_name from public.tenants_tenant where slug = %s", SLUG)[0]
        token = self.manage(
            *(
                "create_api_token",
                SLUG,
                "--user",
                OWNER,
                "--name",
                "storm",
                "--scope",
                "read",
                "--scope",
                "write",
                "--scope",
                "admin",
            )
        )
        self._session.headers.update(
            {"Authorization": f"Bearer {json.loads(token)['token']}", "Host": f"{SLUG}.localhost"}
        )
        programs = [
            application.web(self.env, host=ports.LOOPBACK, port=self.port, workers=2),
            application.worker(self.env, processes=2),
            application.worker(self.env, processes=1, name="worker-2"),
            application.deliverer(self.env),
            application.beat(self.env, self.folder),
        ]
        started = []
        for program in programs:
            child = Child(program, self.supervisor.terminal, self.folder / "pids")
            child.start()
            self.children[program.name] = child
            started.append(child)
        self.supervisor.add(*started)
        self.recover()

    def recover(self) -> None:
        """Tend until everything answers again: a test may end with a kill that nobody waited for."""
        missing = application.wait_until_ready(self.supervisor, self.port)
        assert not missing, missing

    def stop(self) -> None:
        self.supervisor.stop()
        self.supervisor.terminal.close()
        self._session.close()

    def tend(self, seconds: float) -> None:
        """Let things happen for a while; what died is started again."""
        end = time.monotonic() + seconds
        self.supervisor.watch(until=lambda: time.monotonic() >= end)

    def until(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Tend until ``condition`` holds; it may fail with a database error while the server is away."""

        def holds() -> bool:
            try:
                return condition()
            except psycopg.OperationalError:
                return False

        end = time.monotonic() + seconds
        self.supervisor.watch(until=lambda: holds() or time.monotonic() > end)
        assert holds(), f"after {seconds} s still not: {what}"

    def kill(self, name: str) -> None:
        """SIGKILL the program and everything in its group, if it runs just now."""
        child = self.children[name]
        if child.alive() and child.process:
            child.failures = 0  # the storm is ours, not a fault of the program
            os.killpg(child.process.pid, signal.SIGKILL)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Stop the clock of these programs: they live, and do nothing until the block ends."""
        held = [child.process.pid for name in names if (child := self.children[name]).alive() and child.process]
        for pid in held:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in held:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGCONT)

    @contextmanager
    def second_beat(self) -> Iterator[None]:
        """Another beat beside the first, as after a deployment that went wrong."""
        folder = self.folder / "second"
        folder.mkdir(exist_ok=True)
        beat = Child(application.beat(self.env, folder), self.supervisor.terminal, folder)
        beat.start()
        try:
            yield
        finally:
            beat.stop()
            beat.finish()

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; returns its output."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=self.env,
            cwd=application.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of ``statement`` in the workspace's schema."""
        with psycopg.connect(self.env["DATABASE_URL"], autocommit=True, connect_timeout=3) as connection:
            if self.schema:
                connection.execute(f'set search_path to "{self.schema}"')
            return connection.execute(statement, parameters).fetchall()

    def redis(self, *command: str) -> Any:
        """Send one command to the queue's server."""
        import redis

        with redis.Redis.from_url(self.env["REDIS_URL"]) as client:
            return client.execute_command(*command)

    def post(self, path: str, body: Any, *, seconds: float = 120) -> Any:
        """POST until it is accepted, as a careful client does: again after no answer, 429 and every 5xx.

        Returns the answer's JSON; a refusal (4xx) fails the test.
        """
        end = time.monotonic() + seconds
        while True:
            try:
                answer = self._session.post(f"http://{ports.LOOPBACK}:{self.port}/api/v1/{path}", json=body, timeout=30)
                if answer.status_code < 400:
                    return answer.json()
                again = answer.status_code == 429 or answer.status_code >= 500
                assert again, f"{answer.status_code} {answer.text[:500]}"
                problem = f"{answer.status_code} {answer.text[:300]}"
            except requests.RequestException as error:
                problem = repr(error)
            assert time.monotonic() < end, f"{path} was not accepted within {seconds} s: {problem}"
            time.sleep(0.2)
