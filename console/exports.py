"""Where the exports of workspaces that left are kept: among the operators' own files."""

from __future__ import annotations

from pathlib import Path

from django.core.files.storage import default_storage

from tenants.models import Tenant


def path_of(tenant: Tenant) -> Path:
    """The file of ``tenant``'s export, below the selected workspace's (``platform``'s) files."""
    return Path(default_storage.path(f"exports/{tenant.slug}-{tenant.pk}.zip"))
