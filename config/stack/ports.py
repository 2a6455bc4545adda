"""TCP ports of this machine."""

from __future__ import annotations

import socket

from config.stack import StackError

LOOPBACK = "127.0.0.1"


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """True if a server could listen on ``port`` now; connections that are only fading away do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_from(first: int, *, tries: int = 100) -> int:
    """The first free port of ``first``, ``first + 1``, …; raises StackError after ``tries`` taken ones."""
    for port in range(first, min(first + tries, 65536)):
        if is_free(port):
            return port
    raise StackError(f"None of the ports {first} to {first + tries - 1} is free.")


def require(port: int, host: str = LOOPBACK) -> None:
    """Raise StackError, saying how to choose another, unless ``port`` is free on ``host``."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except PermissionError:
        raise StackError(f"This user may not use port {port}. Choose another: make run PORT=8001") from None
    except OSError:
        pass
    if not is_free(port, host):
        raise StackError(
            f"Port {port} is in use by another program. Stop it, or choose another port: make run PORT={_next(port)}"
        )


def _next(port: int) -> int:
    """A free port to propose instead of ``port``."""
    return free_from(port + 1 if port < 65435 else 8001)
