"""Verbs on invitations: invite, send again, withdraw, accept."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, mail
from accounts.actions.people import create_user_with_password
from accounts.choices import PORTAL_ROLES, Role
from accounts.errors import RuleViolated
from accounts.invitations import LIFETIME, link_of, new_secret, state_of
from accounts.models import Invitation, User
from accounts.policy import may_grant
from accounts.quotas import check_user
from accounts.tokens import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import Account


@transaction.atomic
def invite_user(
    email: str,
    *,
    role: str,
    actor: User,
    at: datetime,
    name: str = "",
    portal_accounts: Iterable[Account] = (),
) -> tuple[Invitation, str]:
    """Invite ``email`` and mail the link. Returns the invitation and its link, which is kept nowhere.

    The link works once, for 72 hours, for this address only. Raises RuleViolated naming the field: a bad or
    taken address, an open invitation, a role ``actor`` may not give, a portal user without accounts; QuotaReached
    when users and open invitations together are as many as the workspace may have.
    """
    address, accounts = email.strip().lower(), list(portal_accounts)
    _check_address(address)
    if not may_grant(actor, role) or role not in Role.values:
        raise RuleViolated("user.role_not_yours_to_give", _("Only an owner makes owners."), "role")
    if (role in PORTAL_ROLES) != bool(accounts):
        text = _("A portal user belongs to at least one account, a colleague to none.")
        raise RuleViolated("invitation.accounts", text, "portal_accounts")
    Invitation.objects.filter(email__iexact=address, accepted_at=None, revoked_at=None, expires_at__lte=at).update(
        revoked_at=at
    )
    still_open = Invitation.objects.filter(accepted_at=None, revoked_at=None)
    if still_open.filter(email__iexact=address).exists():
        raise RuleViolated("invitation.open", _("This address has an open invitation. Send that again."), "email")
    check_user(promised=still_open.filter(expires_at__gt=at).count())
    secret = new_secret()
    invitation = Invitation.objects.create(
        email=address,
        name=name.strip(),
        role=role,
        digest=digest_of(secret),
        invited_by=actor,
        created_at=at,
        expires_at=at + LIFETIME,
    )
    invitation.portal_accounts.set(accounts)
    audit.record("invitation.sent", invitation, actor=actor, at=at, after={"email": address, "role": role})
    return invitation, _mail_link(invitation, secret)


@transaction.atomic
def resend_invitation(invitation: Invitation, *, actor: User, at: datetime) -> str:
    """Mail a fresh link for 72 more hours; the earlier link stops working. Returns the link."""
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    _check_open(invitation, at, expired_too=True)
    if not may_grant(actor, invitation.role):
        raise RuleViolated("user.role_not_yours_to_give", _("Only an owner makes owners."), "role")
    secret = new_secret()
    invitation.digest, invitation.expires_at = digest_of(secret), at + LIFETIME
    invitation.save(update_fields=["digest", "expires_at"])
    audit.record("invitation.sent_again", invitation, actor=actor, at=at)
    return _mail_link(invitation, secret)


@transaction.atomic
def revoke_invitation(invitation: Invitation, *, actor: User, at: datetime) -> Invitation:
    """Withdraw an invitation; its link stops working. Returns it; one withdrawn before is left as it is."""
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    if invitation.revoked_at is not None:
        return invitation
    _check_open(invitation, at, expired_too=True)
    invitation.revoked_at = at
    invitation.save(update_fields=["revoked_at"])
    audit.record("invitation.revoked", invitation, actor=actor, at=at)
    return invitation


@transaction.atomic
def accept_invitation(invitation: Invitation, *, name: str, password: str, at: datetime) -> User:
    """Make the invited person a user, with the invitation's address and role. Returns the user.

    The link went to the address, so holding it proves the address. Of two at once, one wins and the other
    gets RuleViolated, as does whoever comes with an accepted, revoked or expired invitation.
    """
    invitation = Invitation.objects.select_for_update(of=("self",)).get(pk=invitation.pk)
    _check_open(invitation, at)
    user = create_user_with_password(
        invitation.email,
        name=name,
        role=invitation.role,
        password=password,
        at=at,
        actor=invitation.invited_by,
        portal_accounts=invitation.portal_accounts.all(),
    )
    invitation.accepted_at = at
    invitation.save(update_fields=["accepted_at"])
    audit.record("invitation.accepted", invitation, actor=user, at=at)
    return user


def _check_address(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError as error:
        raise RuleViolated("user.email_invalid", _("Enter an address like ann@example.com."), "email") from error
    if User.objects.filter(email__iexact=address).exists():
        raise RuleViolated("user.email_taken", _("Somebody with this address is here already."), "email")


def _check_open(invitation: Invitation, at: datetime, *, expired_too: bool = False) -> None:
    state = state_of(invitation, at)
    if state == "open" or (expired_too and state == "expired"):
        return
    raise RuleViolated(f"invitation.{state}", _("This invitation was used, withdrawn or has run out."), "invitation")


def _mail_link(invitation: Invitation, secret: str) -> str:
    link = link_of(secret)
    until = mail.in_words(invitation.expires_at)
    mail.send_template("invitation", to=invitation.email, invitation=invitation, link=link, until=until)
    return link
