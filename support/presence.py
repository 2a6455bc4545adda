"""Who else has a ticket open, and who is writing: told from beats that are forgotten within a minute.

Kept in the cache alone: it is worth nothing tomorrow, and losing it loses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.core.cache import cache
from django.db import connection

KEPT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who has the ticket open."""

    name: str
    is_typing: bool


def beat(ticket: UUID, user: UUID, name: str, *, is_typing: bool, at: datetime) -> list[Visitor]:
    """Note that ``user`` has the ticket open. Returns the others who have, by name. Two cache calls.

    Two beats in the same instant may lose one of them; its owner beats again within seconds.
    """
    key = f"presence.{connection.schema_name}.{ticket}"
    seen: dict[str, tuple[str, bool, float]] = cache.get(key) or {}
    now = at.timestamp()
    seen = {who: entry for who, entry in seen.items() if now - entry[2] < KEPT_SECONDS}
    others = [Visitor(entry[0], entry[1]) for who, entry in seen.items() if who != str(user)]
    seen[str(user)] = (name, is_typing, now)
    cache.set(key, seen, KEPT_SECONDS)
    return sorted(others, key=lambda visitor: visitor.name)
