"""Signed texts that are worth something in one workspace and for one purpose only."""

from __future__ import annotations

import base64
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connection
from django.utils.crypto import constant_time_compare, salted_hmac

BadSignature = signing.BadSignature


def _salt(purpose: str) -> str:
    return f"tenure:{purpose}:{connection.schema_name}"


def dumps(obj: Any, *, purpose: str) -> str:
    """``obj`` (JSON) as a signed text for links; readable by whoever has it, but not alterable."""
    return signing.dumps(obj, salt=_salt(purpose), compress=True)


def loads(text: str, *, purpose: str, max_age: float | None = None) -> Any:
    """What was signed here for ``purpose``, within ``max_age`` seconds. Raises BadSignature otherwise."""
    return signing.loads(text, salt=_salt(purpose), max_age=max_age)


def seal(text: str, *, purpose: str) -> str:
    """20 small letters and digits that only this workspace can make of ``text``: 100 bits, fit for a mail address."""
    return _seal(text, purpose, settings.SECRET_KEY)


def is_sealed(text: str, seal: str, *, purpose: str) -> bool:
    """Whether ``seal`` was made here of ``text``, with the key of today or one that is being rotated out."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    given = seal.lower().encode()
    return any(constant_time_compare(_seal(text, purpose, key).encode(), given) for key in keys)


def _seal(text: str, purpose: str, key: str) -> str:
    digest = salted_hmac(_salt(purpose), text, secret=key, algorithm="sha256").digest()
    return base64.b32encode(digest).decode()[:20].lower()
