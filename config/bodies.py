"""What a client still sends after it was refused is read and thrown away, so that it gets to see the answer.

A server that closes while a body is on its way resets the connection, and the client reports a broken pipe
instead of the 401 or 413 that was meant for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

# What a connection buffers by itself; and what is not waited for any more.
SMALL, LARGE = 512 * 1024, 64 * 1024 * 1024
CHUNK = 256 * 1024
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class ReadToTheEnd:
    """``application`` with the rest of every larger body read before its answer leaves, up to ``LARGE`` bytes."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self.application(environ, start_response)
        length = environ.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and SMALL < int(length) <= LARGE:
            body = environ["wsgi.input"]
            while body.read(CHUNK):
                pass
        return answer
