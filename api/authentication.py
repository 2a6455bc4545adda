"""Who a request acts for: a token's user first, a signed-in person second, nobody otherwise."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from accounts.models import ApiToken
from accounts.tokens import user_of_token

CHALLENGE = 'Bearer realm="api"'


class BearerAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer tnr_…``; ``request.auth`` is the token. Tokens in the address are not looked at."""

    def authenticate(self, request: Request) -> tuple[Any, ApiToken] | None:
        """User and token; None without the header. One query.

        Raises AuthenticationFailed for a header without a valid token: a session beside it does not help.
        """
        header = request.headers.get("Authorization", "")
        if not header:
            return None
        kind, _space, raw = header.partition(" ")
        found = user_of_token(raw.strip(), at=timezone.now()) if kind.lower() == "bearer" and raw.isascii() else None
        if found is None:
            raise AuthenticationFailed("The token is unknown, over or revoked.")
        return found

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return f'{CHALLENGE}, error="invalid_token"' if "Authorization" in request.headers else CHALLENGE


class SessionAuthentication(authentication.SessionAuthentication):
    """A person signed in to the pages, who needs the CSRF token for everything but reading."""

    def enforce_csrf(self, request: Request | HttpRequest) -> None:
        """Raise PermissionDenied without the token. Looks at Django's request, whose body is not parsed as JSON."""
        try:
            super().enforce_csrf(getattr(request, "_request", request))
        except PermissionDenied as error:
            detail = "A request with a session needs its CSRF token; use an API token instead."
            raise PermissionDenied(detail) from error


def caller_key(request: Request) -> str:
    """What calls are counted by and idempotency keys belong to; empty for nobody."""
    if request.auth is not None:
        return f"token:{request.auth.pk}"
    return f"user:{request.user.pk}" if request.user.is_authenticated else ""


def door(request: Request) -> str:
    """How the audit log names the way in."""
    return f"api: {request.auth.name}" if request.auth is not None else "api"
