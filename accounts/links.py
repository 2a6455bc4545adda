"""Addresses that stand in mail: absolute, on the tenant's primary domain."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

from tenants.models import Domain


def absolute(path: str) -> str:
    """``path`` with scheme and the primary domain of the selected tenant. One query.

    SECURITY: the host of the request is never used. Whoever asks for a mail may choose that.
    """
    domain = Domain.objects.get(tenant__schema_name=connection.schema_name, is_primary=True).domain
    if settings.HTTPS:
        return f"https://{domain}{path}"
    port = "" if settings.PORT == 80 else f":{settings.PORT}"
    return f"http://{domain}{port}{path}"
