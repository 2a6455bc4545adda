"""Verbs on users: create, change role, deactivate and bring back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils.translation import gettext as _

from accounts import audit, sessions
from accounts.choices import PORTAL_ROLES, Role
from accounts.errors import RuleViolated
from accounts.models import Account, ApiToken, User
from accounts.policy import may_grant
from accounts.quotas import check_user

if TYPE_CHECKING:
    from collections.abc import Iterable

THEMES = frozenset({"auto", "light", "dark"})


@transaction.atomic
def create_user_with_password(
    email: str,
    *,
    name: str,
    role: str,
    password: str,
    at: datetime,
    actor: User | None,
    portal_accounts: Iterable[Account] = (),
    verified: bool = True,
    **fields: Any,
) -> User:
    """Create an active user, ready to sign in. Returns the user.

    For provisioning, demo data and accepted invitations. ``verified`` says that whoever calls has proof of the
    address or needs none; without it the first sign-in asks for a code sent there. Raises RuleViolated for a taken
    address, QuotaReached when the workspace has as many users as it may. The password is not validated here: a form
    did.
    """
    address = email.strip().lower()
    if User.objects.filter(email__iexact=address).exists():
        raise RuleViolated("user.email_taken", _("Somebody with this address is here already."), "email")
    check_user()
    user = User.objects.create_user(address, password, name=name.strip(), role=role, **fields)
    EmailAddress.objects.create(user=user, email=address, verified=verified, primary=True)
    user.portal_accounts.set(portal_accounts)
    audit.record("user.created", user, actor=actor, at=at, after={"email": address, "role": role})
    return user


@transaction.atomic
def change_role(user: User, role: str, *, actor: User, at: datetime) -> User:
    """Give ``user`` another role of the same side (staff or portal). Returns the user, changed.

    Raises RuleViolated when ``actor`` may not grant or take the role, when the last active owner would be
    gone, and between staff and portal. Concurrent changes of owners wait for each other.
    """
    owners = _lock_owners()
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if (user.role in PORTAL_ROLES) != (role in PORTAL_ROLES) or role not in Role.values:
        raise RuleViolated("user.role_side", _("A colleague cannot become a portal user, nor the reverse."), "role")
    _check_grant(actor, user.role, role)
    if role == user.role:
        return user
    if user.role == Role.OWNER:
        _keep_an_owner(user, owners)
    before, user.role = user.role, role
    user.save(update_fields=["role"])
    audit.record("user.role_changed", user, actor=actor, at=at, before={"role": before}, after={"role": role})
    return user


@transaction.atomic
def deactivate_user(user: User, *, actor: User, at: datetime, reassign_to: User | None = None) -> User:
    """Shut ``user`` out: no sign-in, no session, no token, from the next request on. Returns the user.

    Owned accounts pass to ``reassign_to``; without one, a user who owns any cannot go (RuleViolated, field
    ``reassign_to``). Raises RuleViolated for oneself, for an owner unless by an owner, and for the last owner.
    A few statements, and one hand-over per owned account.
    """
    owners = _lock_owners()
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if not user.is_active:
        return user
    if user == actor:
        raise RuleViolated("user.oneself", _("You cannot deactivate yourself; ask another administrator."), "user")
    _check_grant(actor, user.role)
    if user.role == Role.OWNER:
        _keep_an_owner(user, owners)
    handed_over = _hand_over(user, reassign_to, actor=actor, at=at)
    user.is_active, user.deactivated_at = False, at
    user.save(update_fields=["is_active", "deactivated_at"])
    revoked = ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=at)
    ended = sessions.end_all(user)
    after = {"accounts_handed_over": handed_over, "tokens_revoked": revoked, "sessions_ended": ended}
    audit.record("user.deactivated", user, actor=actor, at=at, after=after)
    return user


@transaction.atomic
def reactivate_user(user: User, *, actor: User, at: datetime) -> User:
    """Let a deactivated user sign in again with the old password. Tokens stay revoked. Returns the user.

    Raises RuleViolated when ``actor`` may not grant the role, QuotaReached when there is no place.
    """
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if user.is_active:
        return user
    _check_grant(actor, user.role)
    check_user()
    user.is_active, user.deactivated_at = True, None
    user.save(update_fields=["is_active", "deactivated_at"])
    audit.record("user.reactivated", user, actor=actor, at=at)
    return user


@transaction.atomic
def update_profile(user: User, *, actor: User, at: datetime, name: str, title: str, timezone: str, theme: str) -> User:
    """Change what people see of a user and how the product looks to them. Returns the user.

    ``timezone`` is an IANA name or empty for the workspace's. Raises RuleViolated naming the field.
    """
    if timezone and timezone not in available_timezones():
        raise RuleViolated("user.timezone_unknown", _("Choose a time zone of the list."), "timezone")
    if theme not in THEMES:
        raise RuleViolated("user.theme_unknown", _("Choose one of the themes."), "theme")
    fields = {"name": name.strip(), "title": title.strip(), "timezone": timezone, "theme": theme}
    before = {field: getattr(user, field) for field in fields if getattr(user, field) != fields[field]}
    if not before:
        return user
    for field, value in fields.items():
        setattr(user, field, value)
    user.save(update_fields=list(fields))
    audit.record(
        "user.profile_changed",
        user,
        actor=actor,
        at=at,
        before=before,
        after={field: fields[field] for field in before},
    )
    return user


def _check_grant(actor: User, *roles: str) -> None:
    for role in roles:
        if not may_grant(actor, role):
            raise RuleViolated("user.role_not_yours_to_give", _("Only an owner decides about owners."), "role")


def _lock_owners() -> list[User]:
    """The active owners, locked in one order before any other user, so that two changes wait and do not deadlock."""
    return list(User.objects.select_for_update(of=("self",)).active().filter(role=Role.OWNER).order_by("pk"))


def _keep_an_owner(leaving: User, owners: list[User]) -> None:
    if owners == [leaving]:
        raise RuleViolated("user.last_owner", _("This is the last owner. Make somebody else an owner first."), "role")


def _hand_over(user: User, successor: User | None, *, actor: User, at: datetime) -> int:
    owned = list(Account.objects.unarchived().filter(owner=user))
    if not owned:
        return 0
    if successor is None or successor == user:
        text = _("Say who takes over the accounts (%(n)d) that this person owns.") % {"n": len(owned)}
        raise RuleViolated("user.owns_accounts", text, "reassign_to")
    from accounts.actions.accounts import assign_owner  # Its package imports this module first.

    try:
        for account in owned:
            assign_owner(account, successor, actor=actor, at=at, reason=f"{user} was deactivated")
    except RuleViolated as broken:
        raise RuleViolated(broken.rule, broken.message, "reassign_to") from broken
    return len(owned)
