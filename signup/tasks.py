"""Building a workspace that somebody signed up for, behind the progress page."""

from __future__ import annotations

import json

from celery import shared_task
from django.utils import timezone

from accounts.encryption import decrypt, encrypt
from tenants.actions import build_tenant
from tenants.models import Tenant
from tenants.tasks import TenantTask

PURPOSE = "signup-owner"


def seal(*, email: str, name: str, password: str) -> str:
    """The owner as it may lie in the queue: sealed, because a queue is no place for a password."""
    return encrypt(json.dumps({"owner_email": email, "owner_name": name, "owner_password": password}), purpose=PURPOSE)


@shared_task(base=TenantTask, name="signup.build", scope="public")
def build(tenant_id: int, owner: str) -> None:
    """Build the reserved workspace for its ``owner`` (sealed). Safe to run twice; a failure is on its row."""
    tenant = Tenant.objects.filter(pk=tenant_id).first()
    if tenant is not None:
        build_tenant(tenant, at=timezone.now(), owner_verified=False, **json.loads(decrypt(owner, purpose=PURPOSE)))
