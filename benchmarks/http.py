"""The shipped web server as a process of its own, and a client that costs little: keep-alive, requests made ahead."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness import cpu_of

if TYPE_CHECKING:
    from config.stack.process import Program

# Less than this share of a core, looked at every so many seconds, is a server that waits.
QUIET, STEP = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    port: int
    pid: int

    def pids(self) -> list[int]:
        """The server's processes, for their CPU time."""
        return [self.pid, *_descendants(self.pid)]


def _descendants(pid: int) -> list[int]:
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += [int(child), *_descendants(int(child))]
    return found


@contextmanager
def running(program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the stack inside the block. Its session is its own: a signal to it must not reach this process."""
    process = subprocess.Popen(
        program.argv, env=program.env or None, cwd=program.cwd, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


@contextmanager
def serving(application: str = "", *, workers: int = 2, **env: str) -> Iterator[Server]:
    """The product, or another WSGI ``application``, behind the product's own server and options, on a free port."""
    from config.stack.application import web

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = web({**os.environ, **env}, host="127.0.0.1", port=port, workers=workers)
    if application:
        program = replace(program, argv=[*program.argv[:-1], application])
    with running(program) as process:
        _wait_until_up(process, port)
        server = Server(port, process.pid)
        _wait_until_idle(server)
        yield server


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            if b" 200 " in exchange(port, [request_bytes("GET", "/healthz", host="localhost")])[0][:20]:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the server did not come up in 60 s")


def _wait_until_idle(server: Server) -> None:
    """The first worker answers while the others still import the product, which would count as the first page's."""
    deadline = time.monotonic() + 60
    before = 0.0
    while time.monotonic() < deadline:
        spent = sum(cpu_of(server.pids()).values())
        if spent - before < QUIET * STEP:
            return
        before = spent
        time.sleep(STEP)
    raise TimeoutError("the server was still busy with itself after 60 s")


def request_bytes(method: str, path: str, *, host: str, headers: Sequence[str] = (), body: bytes = b"") -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def exchange(port: int, requests: Sequence[bytes]) -> list[bytes]:
    """Send the requests one after the other on one connection; the answers, heads included."""
    answers = []
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests:
            connection.sendall(request)
            answers.append(_read(connection))
    return answers


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        while not data.endswith(b"0\r\n\r\n"):
            data += connection.recv(65536)
        return data
    length = int(lower.split(b"content-length: ")[1].split(b"\r\n")[0]) if b"content-length: " in lower else 0
    while len(rest) < length:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


def exchange_together(port: int, requests: Sequence[bytes], *, connections: int) -> list[bytes]:
    """Send the requests over several connections at once; every answer, in any order. Raises what a thread raised."""
    answers: list[bytes] = []

    def run(share: Sequence[bytes]) -> None:
        answers.extend(exchange(port, share))

    _at_once([partial(run, requests[n::connections]) for n in range(connections)])
    return answers


def timed_together(port: int, request: bytes, *, connections: int, each: int) -> list[float]:
    """Send a request ``each`` times over every one of several connections at once; the seconds of each answer."""
    seconds: list[float] = []

    def run() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(each):
                began = time.perf_counter()
                connection.sendall(request)
                answer = _read(connection)
                seconds.append(time.perf_counter() - began)
                assert b" 200 " in answer[:20], answer[:400]

    _at_once([run] * connections)
    return seconds


def _at_once(runs: Sequence[Callable[[], None]]) -> None:
    """Each in a thread of its own. Raises what the first of them raised."""
    errors: list[BaseException] = []

    def guarded(run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
