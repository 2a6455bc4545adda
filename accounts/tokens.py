"""API tokens: made, recognised and kept only as a digest.

A token is ``tnr_`` and 32 random bytes. 256 random bits need no slow hash: SHA-256 is enough, and one look-up
by index answers. The fixed beginning lets secret scanners find a token that was committed somewhere.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.models import ApiToken

if TYPE_CHECKING:
    from accounts.models import User

PREFIX = "tnr_"
SHOWN = 12
LONGEST_DAYS = 365
SEEN_EVERY = timedelta(minutes=1)


def new_token() -> str:
    """A fresh token, to be shown once."""
    return PREFIX + secrets.token_urlsafe(32)


def digest_of(raw: str) -> str:
    """What is kept of a secret: its SHA-256 in hex."""
    return hashlib.sha256(raw.encode()).hexdigest()


def user_of_token(raw: str, *, at: datetime) -> tuple[User, ApiToken] | None:
    """The active user ``raw`` acts for and the token itself, or None for an unknown, ended or revoked one.

    Notes the use, at most once a minute: one query, and a second one then.
    """
    if not raw.startswith(PREFIX):
        return None
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=digest_of(raw), revoked_at=None, expires_at__gt=at, user__is_active=True)
        .first()
    )
    if token is None:
        return None
    _note_use(token, at)
    return token.user, token


def _note_use(token: ApiToken, at: datetime) -> None:
    if token.last_used_at is not None and token.last_used_at > at - SEEN_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=at - SEEN_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=at)
