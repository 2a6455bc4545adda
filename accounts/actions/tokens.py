"""Verbs on API tokens: issue and revoke."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit
from accounts.choices import Scope
from accounts.errors import RuleViolated
from accounts.models import ApiToken, User
from accounts.policy import may_grant
from accounts.tokens import LONGEST_DAYS, SHOWN, digest_of, new_token

if TYPE_CHECKING:
    from collections.abc import Iterable


@transaction.atomic
def issue_token(
    user: User,
    *,
    name: str,
    scopes: Iterable[str],
    actor: User | None,
    at: datetime,
    days: int = 90,
) -> tuple[ApiToken, str]:
    """Make a token that acts for ``user`` within ``scopes`` for ``days`` (1–365). Returns it and the secret.

    The secret is returned this once; only its digest is kept. A token never does more than its user's role.
    Raises RuleViolated naming the field; ``actor`` None is a command of the operator.
    """
    chosen = sorted(set(scopes))
    if not name.strip():
        raise RuleViolated("token.name", _("Give the token a name, such as the system that uses it."), "name")
    if not set(chosen) <= set(Scope.values):
        raise RuleViolated("token.scope_unknown", _("Scopes are read, write and admin."), "scopes")
    if not 1 <= days <= LONGEST_DAYS:
        raise RuleViolated("token.lifetime", _("A token lives between 1 and 365 days."), "days")
    if not user.is_active or user.is_portal:
        raise RuleViolated("token.user", _("Tokens act for active colleagues."), "user")
    if actor is not None and actor != user and not may_grant(actor, user.role):
        raise RuleViolated("token.user", _("Only an owner makes tokens for an owner."), "user")
    raw = new_token()
    token = ApiToken.objects.create(
        user=user,
        name=name.strip()[:80],
        prefix=raw[:SHOWN],
        digest=digest_of(raw),
        scopes=chosen,
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    after = {"name": token.name, "scopes": chosen, "user": user.email, "expires_at": token.expires_at.isoformat()}
    audit.record("token.issued", token, actor=actor, at=at, after=after)
    return token, raw


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User, at: datetime) -> ApiToken:
    """End a token from the next request on. Returns it; one revoked before keeps its moment."""
    token = ApiToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    if token.revoked_at is not None:
        return token
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    audit.record("token.revoked", token, actor=actor, at=at, after={"name": token.name})
    return token
