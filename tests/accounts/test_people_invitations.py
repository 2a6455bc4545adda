"""Invitations: for one address, once, for 72 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.actions.invitations import accept_invitation, invite_user, resend_invitation, revoke_invitation
from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.invitations import invitation_of
from accounts.models import Account, Invitation, User

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def admin(db):
    return create_user_with_password(
        "adam@acme.example", name="Adam", role=Role.ADMIN, password="a long password", at=AT, actor=None
    )


def rule_of(call):
    with pytest.raises(RuleViolated) as broken:
        call()
    return broken.value.rule, broken.value.field


def secret_in(link):
    return link.rstrip("/").rsplit("/", 1)[-1]


def test_the_link_opens_the_invitation_and_only_its_digest_is_kept(admin):
    invitation, link = invite_user("Eva@Acme.Example", role=Role.CSM, actor=admin, at=AT, name="Eva")
    secret = secret_in(link)
    assert invitation_of(secret) == invitation
    assert (invitation.email, invitation.expires_at) == ("eva@acme.example", AT + timedelta(hours=72))
    assert secret not in str(Invitation.objects.filter(pk=invitation.pk).values().get())
    assert link.startswith("http://acme.localhost")


def test_accepting_makes_the_user_with_the_invited_address_and_role(admin):
    account = Account.objects.create(name="Halden")
    invitation, _link = invite_user(
        "pia@halden.example", role=Role.PORTAL_ADMIN, actor=admin, at=AT, portal_accounts=[account]
    )
    user = accept_invitation(invitation, name="Pia", password="a long password", at=AT)
    assert (user.email, user.role, user.name, list(user.portal_accounts.all())) == (
        "pia@halden.example",
        Role.PORTAL_ADMIN,
        "Pia",
        [account],
    )


def test_an_invitation_works_once(admin):
    invitation, _link = invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)
    accept_invitation(invitation, name="Eva", password="a long password", at=AT)
    assert rule_of(lambda: accept_invitation(invitation, name="Eve", password="a long password", at=AT)) == (
        "invitation.accepted",
        "invitation",
    )
    assert User.objects.filter(email="eva@acme.example").count() == 1


@pytest.mark.parametrize(
    ("later", "works"), [(timedelta(hours=72, microseconds=-1), True), (timedelta(hours=72), False)]
)
def test_an_invitation_ends_after_72_hours(admin, later, works):
    invitation, _link = invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)
    if works:
        assert accept_invitation(invitation, name="Eva", password="a long password", at=AT + later).name == "Eva"
    else:
        assert rule_of(lambda: accept_invitation(invitation, name="Eva", password="x" * 12, at=AT + later))[0] == (
            "invitation.expired"
        )


def test_sending_again_replaces_the_link_and_begins_anew(admin):
    invitation, first = invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)
    later = AT + timedelta(hours=100)
    second = resend_invitation(invitation, actor=admin, at=later)
    assert invitation_of(secret_in(first)) is None
    assert invitation_of(secret_in(second)).expires_at == later + timedelta(hours=72)


def test_a_withdrawn_invitation_is_dead_and_may_be_made_anew(admin):
    invitation, _link = invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)
    revoke_invitation(invitation, actor=admin, at=AT)
    assert rule_of(lambda: accept_invitation(invitation, name="Eva", password="x" * 12, at=AT))[0] == (
        "invitation.revoked"
    )
    assert rule_of(lambda: resend_invitation(invitation, actor=admin, at=AT))[0] == "invitation.revoked"
    assert invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)[0] != invitation


def test_one_open_invitation_per_address(admin):
    invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=AT)
    assert rule_of(lambda: invite_user("EVA@acme.example", role=Role.CSM, actor=admin, at=AT)) == (
        "invitation.open",
        "email",
    )
    late = AT + timedelta(hours=72)
    assert invite_user("eva@acme.example", role=Role.CSM, actor=admin, at=late)[0].created_at == late


@pytest.mark.parametrize(
    ("email", "rule"),
    [
        ("adam@acme.example", "user.email_taken"),
        ("Adam@Acme.Example", "user.email_taken"),
        ("not an address", "user.email_invalid"),
        ("", "user.email_invalid"),
        ("a@b.c\nBcc: x@y.z", "user.email_invalid"),
    ],
)
def test_addresses_that_cannot_be_invited(admin, email, rule):
    assert rule_of(lambda: invite_user(email, role=Role.CSM, actor=admin, at=AT)) == (rule, "email")


def test_only_an_owner_invites_owners(admin):
    assert rule_of(lambda: invite_user("eva@acme.example", role=Role.OWNER, actor=admin, at=AT))[1] == "role"


def test_portal_users_need_an_account_and_colleagues_none(admin):
    account = Account.objects.create(name="Halden")
    for role, accounts in ((Role.PORTAL_USER, []), (Role.CSM, [account])):
        assert rule_of(
            lambda role=role, accounts=accounts: invite_user(
                "eva@acme.example", role=role, actor=admin, at=AT, portal_accounts=accounts
            )
        ) == ("invitation.accounts", "portal_accounts")
