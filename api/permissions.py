"""The one policy table, asked for every call."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.policy import ANONYMOUS, CAPABILITIES, may


class PolicyPermission(BasePermission):
    """Lets through whoever holds the capability that the view's ``policy`` names for the method."""

    message = ""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the user's role, and the token's scopes where one is used, include it. No query.

        Raises MethodNotAllowed for a method the policy does not name.
        """
        if request.method == "OPTIONS":
            return True
        capability = view.policy.get("GET" if request.method == "HEAD" else request.method)
        if capability is None:
            raise MethodNotAllowed(request.method)
        if capability == ANONYMOUS:
            return True
        scope = CAPABILITIES[capability].scope
        self.message = f"This needs {capability}, and the scope {scope} where a token is used."
        return may(request.user, capability, None if request.auth is None else request.auth.scopes)
