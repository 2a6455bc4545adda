"""Keys of rows as texts: what addresses, forms and filters carry. Pure."""

from __future__ import annotations

from uuid import UUID


def is_key(text: str) -> bool:
    """Whether ``text`` is a key as addresses write it."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
