"""Who a request acts for: a token's user first, a signed-in person second, nobody otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.utils import timezone

from accounts.models import ApiToken
from accounts.policy import ANONYMOUS, CAPABILITIES, may
from accounts.tokens import user_of_token
from api.problems import Problem

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="api"'}


@dataclass(frozen=True, slots=True)
class Principal:
    """The acting user, and the token when one was used."""

    user: Any
    token: ApiToken | None

    @property
    def scopes(self) -> list[str] | None:
        """The token's scopes; None for a person, whose role alone decides."""
        return None if self.token is None else self.token.scopes

    @property
    def key(self) -> str:
        """What limits are counted by and idempotency keys belong to."""
        return f"token:{self.token.pk}" if self.token else f"user:{self.user.pk}"

    @property
    def via(self) -> str:
        """How the audit log names the door."""
        return f"api: {self.token.name}" if self.token else "api"


NOBODY = Principal(AnonymousUser(), None)


def identify(request: HttpRequest) -> Principal:
    """The principal of ``request``. One query with a token.

    Raises Problem 401 for a header that holds no valid token (a session beside it does not help), and 403 for
    a session's unsafe request without its CSRF token. Tokens in the address are not looked at.
    """
    header = request.headers.get("Authorization", "")
    if header:
        return _of_token(header)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_active:
        return NOBODY
    reason = _Csrf(lambda _request: None).process_view(request, lambda: None, (), {})  # type: ignore[arg-type]
    if reason is not None:
        raise Problem("forbidden", "A request with a session needs its CSRF token; use an API token instead.")
    return Principal(user, None)


def check(principal: Principal, policy: Mapping[str, str], method: str) -> None:
    """Raise Problem unless ``principal`` may use ``method`` by the declared ``policy``."""
    capability = policy.get("GET" if method == "HEAD" else method)
    if capability is None:
        raise Problem("method-not-allowed", f"{method} is not possible here.", headers=allow(policy))
    if capability == ANONYMOUS:
        return
    if not principal.user.is_authenticated:
        raise Problem("unauthenticated", "Send a token: Authorization: Bearer …", headers=CHALLENGE)
    if not may(principal.user, capability, principal.scopes):
        scope = CAPABILITIES[capability].scope
        raise Problem("forbidden", f"This needs {capability}, and the scope {scope} where a token is used.")


def allow(policy: Mapping[str, str]) -> dict[str, str]:
    """The Allow header of a view with this policy."""
    return {"Allow": ", ".join(sorted({*policy, "OPTIONS"} | ({"HEAD"} if "GET" in policy else set())))}


def _of_token(header: str) -> Principal:
    kind, _space, raw = header.partition(" ")
    found = user_of_token(raw.strip(), at=timezone.now()) if kind.lower() == "bearer" and raw.isascii() else None
    if found is None:
        challenge = {"WWW-Authenticate": 'Bearer realm="api", error="invalid_token"'}
        raise Problem("unauthenticated", "The token is unknown, over or revoked.", headers=challenge)
    user, token = found
    return Principal(user, token)


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:  # type: ignore[override]
        return reason

    def process_view(self, request: HttpRequest, callback: Any, args: Any, kwargs: Any) -> Any:
        # The API is exempt from the middleware so that tokens need no cookie; here it is asked after all.
        request._dont_enforce_csrf_checks = getattr(request, "_dont_enforce_csrf_checks", False)  # type: ignore[attr-defined]
        request.csrf_processing_done = False  # type: ignore[attr-defined]
        self.process_request(request)
        return super().process_view(request, callback, args, kwargs)
