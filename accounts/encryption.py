"""Secrets at rest: encrypted with a key derived from SECRET_KEY, readable with any of its fallbacks."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@lru_cache(maxsize=8)
def _box(purpose: str, keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(purpose, key)) for key in keys])


def _derived(purpose: str, key: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"tenure:{purpose}".encode())
    return base64.urlsafe_b64encode(derivation.derive(key.encode()))


def encrypt(text: str, *, purpose: str) -> str:
    """``text`` sealed for ``purpose`` with the current SECRET_KEY; another purpose cannot open it."""
    return _box(purpose, _keys()).encrypt(text.encode()).decode()


def decrypt(sealed: str, *, purpose: str) -> str:
    """What ``encrypt`` sealed. Raises ``cryptography.fernet.InvalidToken`` for anything else."""
    return _box(purpose, _keys()).decrypt(sealed.encode()).decode()


def _keys() -> tuple[str, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
