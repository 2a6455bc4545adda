"""The product's own processes beside the two servers: what they need, how they start, when they are ready."""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

from config.stack import StackError
from config.stack.folder import DataFolder
from config.stack.ports import LOOPBACK
from config.stack.process import Child, Program
from config.stack.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN = 90  # seconds
CELERY = [sys.executable, "-m", "celery", "--quiet", "-A", "config.celery"]


def environment(folder: DataFolder, *, database_url: str, redis_url: str) -> dict[str, str]:
    """The environment of every process: ours, the servers, and defaults that lie in the data folder."""
    own = dict(os.environ)
    if not own.get("SECRET_KEY"):
        own["SECRET_KEY"] = folder.secret("secret-key")
    own.setdefault("MAIL_URL", f"file://{folder / 'mail'}")
    own.setdefault("MEDIA_ROOT", str(folder / "media"))
    own.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    bin_folder = str(Path(sys.executable).parent)
    return own | {
        "TENURE_DATA": str(folder.path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PYTHONUNBUFFERED": "1",
        "PATH": os.pathsep.join([bin_folder, own.get("PATH", os.defpath)]),
    }


def web(env: dict[str, str], *, host: str, port: int, workers: int) -> Program:
    """The web server; its processes are renewed every four hours, since a connection's memory only grows."""
    options = {
        "--interface": "wsgi",
        "--host": host,
        "--port": str(port),
        "--http": "1",
        "--workers": str(workers),
        "--blocking-threads": "4",
        "--blocking-threads-idle-timeout": "600",
        "--backpressure": "64",
        "--workers-lifetime": "4h",
        "--workers-kill-timeout": "10",
        "--log-level": "error",
    }
    argv = [sys.executable, "-m", "granian", "--respawn-failed-workers", "--no-ws"]
    argv += [part for option in options.items() for part in option]
    return Program("web", [*argv, "config.wsgi:application"], env=env, cwd=ROOT, grace=15)


def worker(env: dict[str, str], *, processes: int = 2, name: str = "worker") -> Program:
    """The Celery worker. A warm shutdown waits for running tasks; a killed one is delivered again."""
    return _celery_worker(env, name, "--queues", "celery", "--concurrency", str(processes))


def deliverer(env: dict[str, str]) -> Program:
    """The worker for webhooks alone. It waits for receivers, in threads of one process: four workspaces at a time."""
    return _celery_worker(env, "webhooks", "--queues", "webhooks", "--pool", "threads", "--concurrency", "4")


def _celery_worker(env: dict[str, str], name: str, *options: str) -> Program:
    argv = [*CELERY, "worker", *options]
    argv += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--hostname", f"{name}@%h"]
    # Celery advises against root, which is how a container or a trial often runs.
    quiet = {"PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"}
    return Program(name, argv, env=env | quiet, cwd=ROOT, grace=30)


def beat(env: dict[str, str], folder: DataFolder | Path) -> Program:
    """The clock that asks for periodic work."""
    argv = [*CELERY, "beat", "--loglevel", "WARNING"]
    argv += ["--schedule", str(folder / "beat-schedule"), "--pidfile="]
    return Program("beat", argv, env=env, cwd=ROOT)


def mail_listener(env: dict[str, str], port: int) -> Program:
    """The development mail server, on loopback."""
    argv = [sys.executable, "manage.py", "listen_for_mail", "--port", str(port)]
    return Program("mail", argv, env=env, cwd=ROOT)


def prepare(supervisor: Supervisor, folder: DataFolder, env: dict[str, str]) -> None:
    """Migrate, seed the demo tenants, collect static files: in one process, because starting Django costs seconds."""
    child = Child(
        Program("prepare", [sys.executable, "-m", "config.stack.prepare", str(logins_file(folder))], env=env, cwd=ROOT),
        supervisor.terminal,
        folder / "pids",
    )
    supervisor.terminal.say("Preparing the database; the first time it is filled with the demo tenants …")
    child.start()
    supervisor.watch(until=lambda: not child.alive())
    child.stop()
    child.finish()
    if child.process and child.process.returncode and not supervisor.stopping.asked.is_set():
        folder.require_room()
        raise StackError("The database could not be prepared; the reason stands above.")


def logins_file(folder: DataFolder) -> Path:
    """Where ``prepare`` leaves the demo logins as JSON."""
    return folder / "demo-logins.json"


def wait_until_ready(supervisor: Supervisor, port: int) -> str:
    """Wait for /readyz to be answered 200; returns "" then, and what is missing after ``READY_WITHIN`` seconds."""
    answer = "the web server does not answer"
    end = time.monotonic() + READY_WITHIN

    def ready() -> bool:
        nonlocal answer
        status, body = _ask(port)
        answer = body or answer
        return status == 200 or time.monotonic() > end

    supervisor.watch(until=ready)
    return "" if _ask(port)[0] == 200 else answer


def ready_lines(logins: list[dict[str, str]], port: int) -> list[str]:
    """One line for each demo tenant: its address and who may sign in with which password."""
    hosts: dict[str, list[str]] = defaultdict(list)
    for login in logins:
        role = f" ({login['role']})" if login.get("role") else ""
        hosts[login["host"]].append(f"{login['email']} / {login['password']}{role}")
    return [f"Ready: http://{host}:{port}/  " + ", ".join(people) for host, people in hosts.items()]


def demo_logins(folder: DataFolder) -> list[dict[str, str]]:
    """What ``prepare`` left; empty if nothing was seeded."""
    try:
        return list(json.loads(logins_file(folder).read_text()))
    except (OSError, ValueError):
        return []


def _ask(port: int) -> tuple[int, str]:
    """The status and body of /readyz; 0 and "" when nobody answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        response = connection.getresponse()
        return response.status, response.read(2000).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
