"""What every page may ask for besides its own rows."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Workspace
from accounts.policy import CAPABILITIES, may


class Permissions:
    """``{{ may.users_manage }}`` in a template: whether the user holds ``users.manage``."""

    def __init__(self, user: Any) -> None:
        self.user = user

    def __getitem__(self, name: str) -> bool:
        capability = name.replace("_", ".", 1)
        if capability not in CAPABILITIES:
            raise KeyError(name)
        return may(self.user, capability)


def workspace(request: HttpRequest) -> dict[str, Any]:
    """``workspace`` (the settings row, read when first used), ``may``, and ``page_frame``: what a page that colleagues
    and customers share stands in.
    """
    user = getattr(request, "user", None)
    if connection.schema_name == "public" or user is None:
        return {}
    return {
        "workspace": SimpleLazyObject(lambda: user.workspace_settings if user.is_authenticated else _settings()),
        "may": Permissions(user),
        "page_frame": "portal_own.html" if getattr(user, "is_portal", False) else "app.html",
    }


def _settings() -> Any:
    """The settings before sign-in; the tenant itself while its workspace is still being made."""
    return Workspace.objects.first() or connection.tenant
