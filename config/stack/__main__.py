"""The command line of the stack; see the package's docstring."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time

from config import env as environ
from config.stack import StackError, application, beside, ports
from config.stack.folder import DataFolder
from config.stack.postgres import Postgres
from config.stack.process import Child, end_leftovers, end_with_parent
from config.stack.redis import Redis
from config.stack.supervisor import Stopping, Supervisor
from config.stack.terminal import Terminal


def main(argv: list[str] | None = None) -> int:
    """Run one of the three commands; returns the process's exit status."""
    options = _arguments().parse_args(argv)
    if options.command == "up":
        environ.check()
    if options.with_parent:
        end_with_parent(signal.SIGTERM)
    folder = DataFolder(environ.read("TENURE_DATA"))
    terminal = Terminal(folder / "logs")
    supervisor = Supervisor(terminal, Stopping())
    supervisor.stopping.listen()
    try:
        return _run(options, folder, supervisor)
    except StackError as error:
        terminal.say(f"tenure: {error}")
        return 1
    except OSError as error:
        terminal.say(f"tenure: {folder.explain(error)}")
        return 1
    finally:
        supervisor.stop()
        terminal.close()


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m config.stack", description=__doc__)
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent process ends (make uses it)")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="servers, web, workers and beat, until Ctrl-C")
    commands.add_parser("services", help="PostgreSQL and Redis only, until Ctrl-C")
    run = commands.add_parser("exec", help="run a command beside the servers, and stop what was started for it")
    run.add_argument("--fast", action="store_true", help="servers that may forget after a crash: for tests")
    run.add_argument("argv", nargs="+", metavar="COMMAND")
    return parser


def _run(options: argparse.Namespace, folder: DataFolder, supervisor: Supervisor) -> int:
    folder.prepare()
    if options.command == "exec" and (env := beside.running(folder)) is not None:
        return _call(options.argv, env, supervisor)
    folder.lock(options.command)
    end_leftovers(folder / "pids", supervisor.terminal)
    if options.command == "up":
        ports.require(environ.read("PORT"), environ.read("BIND"))
    env = start_servers(folder, supervisor, durable=not getattr(options, "fast", False))
    if options.command == "exec":
        return _call(options.argv, env, supervisor)
    beside.publish(folder, env)
    try:
        if options.command == "up":
            _start_application(folder, supervisor, env)
        else:
            supervisor.terminal.say(f"PostgreSQL and Redis run; their addresses are in {folder / beside.SERVERS_FILE}")
        supervisor.watch()
    finally:
        (folder / beside.SERVERS_FILE).unlink(missing_ok=True)
    return 0


def start_servers(folder: DataFolder, supervisor: Supervisor, *, durable: bool) -> dict[str, str]:
    """Start the servers that no variable replaces; returns the environment of everything else."""
    database_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    if not database_url:
        postgres = Postgres(folder, supervisor.terminal, durable=durable)
        supervisor.add(postgres.start())
        database_url = postgres.url
    if not redis_url:
        redis = Redis(folder, supervisor.terminal, durable=durable)
        supervisor.add(redis.start())
        redis_url = redis.url
    return application.environment(folder, database_url=database_url, redis_url=redis_url)


def _start_application(folder: DataFolder, supervisor: Supervisor, env: dict[str, str]) -> None:
    """Prepare the database, start web, workers and beat, and print the Ready lines once they answer."""
    began, port = time.monotonic(), environ.read("PORT")
    application.prepare(supervisor, folder, env)
    if supervisor.stopping.asked.is_set():
        return
    programs = [
        application.web(env, host=environ.read("BIND"), port=port, workers=environ.read("WEB_WORKERS")),
        application.worker(env, processes=environ.read("TASK_WORKERS")),
        application.deliverer(env),
        application.beat(env, folder),
    ]
    if mail_port := environ.read("MAIL_PORT"):
        programs.append(application.mail_listener(env, mail_port))
    children = [Child(program, supervisor.terminal, folder / "pids") for program in programs]
    for child in children:
        child.start()
    supervisor.add(*children)
    missing = application.wait_until_ready(supervisor, port)
    if supervisor.stopping.asked.is_set():
        return
    if missing:
        supervisor.terminal.say(f"tenure: not everything is ready after {application.READY_WITHIN} s: {missing}")
    for line in application.ready_lines(application.demo_logins(folder), port):
        supervisor.terminal.say(line)
    supervisor.terminal.say(f"Started in {time.monotonic() - began:.0f} s. Ctrl-C stops everything.")


def _call(argv: list[str], env: dict[str, str], supervisor: Supervisor) -> int:
    """Run a command in the foreground; returns its status. Ctrl-C reaches it from the terminal, SIGTERM from us."""
    command = subprocess.Popen(argv, env=env, preexec_fn=lambda: end_with_parent(signal.SIGTERM))  # noqa: PLW1509
    supervisor.watch(until=lambda: command.poll() is not None)
    if command.poll() is None and supervisor.stopping.signal != signal.SIGINT:
        command.terminate()
    try:
        status = command.wait(timeout=30 if supervisor.stopping.asked.is_set() else None)
    except subprocess.TimeoutExpired:
        command.kill()
        status = command.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
