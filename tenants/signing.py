"""Signed texts that are worth something in one workspace and for one purpose only."""

from __future__ import annotations

from typing import Any

from django.core import signing
from django.db import connection

BadSignature = signing.BadSignature


def _salt(purpose: str) -> str:
    return f"tenure:{purpose}:{connection.schema_name}"


def dumps(obj: Any, *, purpose: str) -> str:
    """``obj`` (JSON) as a signed text for links; readable by whoever has it, but not alterable."""
    return signing.dumps(obj, salt=_salt(purpose), compress=True)


def loads(text: str, *, purpose: str, max_age: float | None = None) -> Any:
    """What was signed here for ``purpose``, within ``max_age`` seconds. Raises BadSignature otherwise."""
    return signing.loads(text, salt=_salt(purpose), max_age=max_age)
