"""What a new workspace begins with: its settings and the person who owns it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import User, Workspace

if TYPE_CHECKING:
    from tenants.models import Tenant


@transaction.atomic
def prepare_workspace(
    tenant: Tenant,
    *,
    owner_email: str,
    owner_password: str,
    owner_name: str,
    at: datetime,
    owner_verified: bool = True,
    **_more: Any,
) -> User:
    """Write the settings row and the first owner in the selected schema. Returns the owner.

    Safe to repeat: what is there already stays as it is, the owner's password included.
    """
    Workspace.objects.get_or_create(
        only=True,
        defaults={"name": tenant.name, "timezone": tenant.timezone, "currency": tenant.currency},
    )
    present = User.objects.filter(email__iexact=owner_email.strip()).first()
    if present is not None:
        return present
    return create_user_with_password(
        owner_email,
        name=owner_name,
        role=Role.OWNER,
        password=owner_password,
        at=at,
        actor=None,
        verified=owner_verified,
    )
