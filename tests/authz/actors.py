"""Who knocks: people of every kind, and tokens in every state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PASSWORD = "correct horse battery staple"


@dataclass(slots=True)
class Actor:
    """Somebody or something that sends requests.

    ``tenant`` is the host they knock at. ``role`` is None for whoever should count as nobody. ``sees`` and
    ``edits`` hold the numbers of the accounts they may read and change. ``scopes`` None means a session.
    """

    name: str
    tenant: str = "a"
    role: str | None = None
    sees: frozenset[int] = frozenset()
    edits: frozenset[int] = frozenset()
    scopes: frozenset[str] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    user: Any = None

    @property
    def host(self) -> str:
        """The kind of host they knock at, as ``Route.host``."""
        return {"public": "public", "p": "platform"}.get(self.tenant, "tenant")

    @property
    def is_token(self) -> bool:
        return "Authorization" in self.headers
