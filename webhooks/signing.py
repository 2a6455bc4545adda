"""Signatures as Standard Webhooks 1.0 has them. Pure.

``webhook-signature`` holds one ``v1,<base64 of HMAC-SHA256>`` for each secret in force, over
``<webhook-id>.<webhook-timestamp>.<body>``. A secret is ``whsec_`` and the base64 of its bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret of 256 random bits."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """One signature of a message, with its version."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def headers(secrets_in_force: Iterable[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message; ``timestamp`` is in whole seconds since 1970."""
    signed = " ".join(signature(secret, message_id, timestamp, body) for secret in secrets_in_force)
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}
