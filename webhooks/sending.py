"""One request to a receiver: bounded in time and size, never redirected, and what came of it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from time import monotonic
from typing import Any

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from webhooks.addresses import PublicOnly, Refused

# From the connection to the last byte of the answer; resolving the name has the resolver's own limit.
TIMEOUT_SECONDS = 15.0
CONNECT_SECONDS = 5.0
MOST_READ = 64 * 1024
# Of an answer so much is kept for people to read.
MOST_KEPT = 4 * 1024
MOST_HEADERS = 30
_TOO_LATE = f"No answer within {TIMEOUT_SECONDS:.0f} s."


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver did: its status (None: it gave none, for the reason in ``error``), and the time it took.

    ``error`` is for people, ``detail`` what the machine said below it; empty where that adds nothing.
    ``unreachable``: no connection, or no answer in time, so that others to it would only wait as long.
    """

    status: int | None
    duration_ms: int
    error: str = ""
    detail: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    retry_after: str = ""
    unreachable: bool = False

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send ``body`` to ``url``. Never raises for what a receiver does; takes 15 seconds at most."""
    started = monotonic()
    with requests.Session() as session, _deadline(_doors(session)) as late:
        session.trust_env = False
        try:
            with session.post(
                url, data=body, headers=dict(headers), allow_redirects=False, stream=True,
                timeout=(CONNECT_SECONDS, TIMEOUT_SECONDS),
            ) as response:  # fmt: skip
                text = _read(response)
        except (requests.RequestException, OSError, ValueError) as error:
            why, detail = (_TOO_LATE, "") if late.is_set() else in_words(error)
            return Answer(None, _ms(started), why, detail, unreachable=not isinstance(error, Refused))
        if late.is_set():
            # What was cut in the middle of its headers looks like an answer that ended there.
            return Answer(None, _ms(started), _TOO_LATE, unreachable=True)
    status = response.status_code
    error = "" if 200 <= status < 300 else _of_status(status)
    kept = {_plain(name): _plain(value)[:500] for name, value in list(response.headers.items())[:MOST_HEADERS]}
    wish = response.headers.get("Retry-After", "")
    return Answer(status, _ms(started), error, headers=kept, body=text, retry_after=wish)


def _plain(text: str) -> str:
    """Without what a column of text or JSON cannot hold."""
    return text.replace("\x00", "")


def _of_status(status: int) -> str:
    if 300 <= status < 400:
        return f"Answered {status}. Redirects are not followed: give the address it leads to."
    return f"Answered {status}."


def _doors(session: requests.Session) -> list[Any]:
    """Connections that ``session`` will have opened, each by an adapter that judges addresses."""
    opened: list[Any] = []
    unguarded = settings.WEBHOOKS_UNGUARDED
    for scheme in ("https://", "http://"):
        kind: Any = _Watched if unguarded else _WatchedPublic
        adapter = kind() if unguarded else kind(scheme == "https://")
        adapter.opened = opened
        session.mount(scheme, adapter)
    return opened


class _Watching:
    """An adapter whose connections can be cut from outside: a timeout of reads alone never ends a slow drip."""

    opened: list[Any]

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool = super().get_connection_with_tls_context(*args, **kwargs)  # type: ignore[misc]
        made = type(pool).ConnectionCls

        def connection(**options: Any) -> Any:
            self.opened.append(made(**options))
            return self.opened[-1]

        pool.ConnectionCls = connection
        return pool


class _Watched(_Watching, HTTPAdapter):
    """To any address: for development and tests."""


class _WatchedPublic(_Watching, PublicOnly):
    """To public addresses only."""


@contextlib.contextmanager
def _deadline(opened: list[Any]) -> Any:
    """Cuts the opened connections when the time is up; yields whether it was."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        for connection in opened:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()


def _read(response: requests.Response) -> str:
    """The beginning of the answer; the rest of a long one is left unread."""
    read = b""
    for chunk in response.iter_content(4096):
        read += chunk
        if len(read) >= MOST_READ:
            break
    return _plain(read[:MOST_KEPT].decode("utf-8", "replace"))


def in_words(error: Exception) -> tuple[str, str]:
    """Why there was no answer, for people, and the innermost reason as the machine says it."""
    if isinstance(error, Refused):
        return str(error), ""
    causes = _causes(error)
    # The innermost that says something; what libraries put around it says less, but of a timeout what it waited for.
    told = (words for cause in causes for kind, words in _REASONS if isinstance(cause, kind))
    return next(told, "No connection could be made."), _plain(f"{type(causes[0]).__name__}: {causes[0]}")[:300]


_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (requests.ConnectTimeout, f"No connection within {CONNECT_SECONDS:.0f} s."),
    (requests.Timeout, _TOO_LATE),
    (socket.gaierror, "The name of the host was not found."),
    (ssl.SSLCertVerificationError, "The certificate could not be verified."),
    (ssl.SSLError, "The host does not speak TLS, or no version of it that is safe."),
    (ConnectionRefusedError, "The host refused the connection."),
    (ConnectionError, "The host broke off before it answered."),
    (HTTPException, "The answer is none that HTTP knows."),
)


def _causes(error: BaseException) -> list[BaseException]:
    """The reasons of ``error``, the innermost first."""
    found: list[BaseException] = [error]
    while (inner := found[0].__cause__ or found[0].__context__) is not None:
        found.insert(0, inner)
    return found


def _ms(started: float) -> int:
    return round((monotonic() - started) * 1000)
