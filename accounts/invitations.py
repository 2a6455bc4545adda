"""The link in an invitation: a secret that opens one invitation of one tenant, once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.urls import reverse

from accounts.links import absolute
from accounts.models import Invitation
from accounts.tokens import digest_of

LIFETIME = timedelta(hours=72)


def new_secret() -> str:
    """A fresh secret for a link; only its digest is kept."""
    return secrets.token_urlsafe(32)


def link_of(secret: str) -> str:
    """The address at which an invitation is accepted, on the tenant's primary domain."""
    return absolute(reverse("people:invitation-accept", args=[secret]))


def invitation_of(secret: str) -> Invitation | None:
    """The invitation a link opens, whatever its state; None for a made-up or foreign one."""
    return Invitation.objects.filter(digest=digest_of(secret)).first()


def state_of(invitation: Invitation, at: datetime) -> str:
    """``open``, ``accepted``, ``revoked`` or ``expired`` at ``at``."""
    if invitation.accepted_at is not None:
        return "accepted"
    if invitation.revoked_at is not None:
        return "revoked"
    return "open" if at < invitation.expires_at else "expired"
