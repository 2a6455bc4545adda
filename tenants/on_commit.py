"""After the commit, in the workspace in which it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django_tenants.utils import tenant_context


def run_on_commit(function: Callable[[], Any]) -> None:
    """Call ``function`` once the transaction commits, with the present workspace selected again.

    Django's own hook runs in whatever schema is selected at the commit, which may be the public one.
    """
    tenant = connection.tenant

    def run() -> None:
        with tenant_context(tenant):
            function()

    transaction.on_commit(run)
