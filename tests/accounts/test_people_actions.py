"""Verbs on users: who may do what to whom, and what stays true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django_tenants.utils import tenant_context

from accounts.actions.people import (
    change_role,
    create_user_with_password,
    deactivate_user,
    reactivate_user,
    update_profile,
)
from accounts.actions.tokens import issue_token
from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import Account, AuditEntry, User
from accounts.tokens import user_of_token

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def person(name, role, **fields):
    return create_user_with_password(
        f"{name}@acme.example", name=name.title(), role=role, password="a long password", at=AT, actor=None, **fields
    )


@pytest.fixture
def owner(db):
    User.objects.filter(role=Role.OWNER).update(is_active=False, deactivated_at=AT)
    return person("olga", Role.OWNER)


@pytest.fixture
def admin(owner):
    return person("adam", Role.ADMIN)


def rule_of(call):
    with pytest.raises(RuleViolated) as broken:
        call()
    return broken.value.rule, broken.value.field


def actions():
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_a_created_user_has_a_verified_address_in_lower_case(owner):
    user = create_user_with_password(
        " Carl@Acme.Example ", name="Carl", role=Role.CSM, password="a long password", at=AT, actor=owner
    )
    address = user.emailaddress_set.get()
    assert (user.email, address.email, address.verified, address.primary) == (
        "carl@acme.example",
        "carl@acme.example",
        True,
        True,
    )
    assert user.check_password("a long password")


def test_an_address_is_taken_once_whatever_its_case(owner):
    person("carl", Role.CSM)
    assert rule_of(lambda: person("CARL", Role.CSM)) == ("user.email_taken", "email")


@pytest.mark.parametrize(
    ("actor", "target", "role", "allowed"),
    [
        (Role.OWNER, Role.CSM, Role.OWNER, True),
        (Role.OWNER, Role.ADMIN, Role.OWNER, True),
        (Role.OWNER, Role.OWNER, Role.ADMIN, True),
        (Role.ADMIN, Role.CSM, Role.ADMIN, True),
        (Role.ADMIN, Role.ADMIN, Role.CSM, True),
        (Role.ADMIN, Role.CSM, Role.OWNER, False),
        (Role.ADMIN, Role.OWNER, Role.CSM, False),
        (Role.VP_CS, Role.CSM, Role.TRAINER, False),
        (Role.CSM, Role.CSM, Role.TRAINER, False),
        (Role.READ_ONLY, Role.READ_ONLY, Role.ADMIN, False),
    ],
)
def test_who_may_give_which_role(owner, actor, target, role, allowed):
    doer, subject = person("doer", actor), person("subject", target)
    if allowed:
        assert change_role(subject, role, actor=doer, at=AT).role == role
    else:
        assert rule_of(lambda: change_role(subject, role, actor=doer, at=AT)) == (
            "user.role_not_yours_to_give",
            "role",
        )
        subject.refresh_from_db()
        assert subject.role == target


def test_the_last_owner_stays_owner(owner):
    assert rule_of(lambda: change_role(owner, Role.ADMIN, actor=owner, at=AT)) == ("user.last_owner", "role")
    second = person("otto", Role.OWNER)
    assert change_role(owner, Role.ADMIN, actor=second, at=AT).role == Role.ADMIN
    assert rule_of(lambda: change_role(second, Role.ADMIN, actor=second, at=AT)) == ("user.last_owner", "role")


def test_a_deactivated_owner_does_not_count_as_one(owner):
    second = person("otto", Role.OWNER)
    deactivate_user(second, actor=owner, at=AT)
    assert rule_of(lambda: change_role(owner, Role.ADMIN, actor=owner, at=AT)) == ("user.last_owner", "role")


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one(transactional_db, tenants):
    first, second = person("olga", Role.OWNER), person("otto", Role.OWNER)
    barrier, refused = Barrier(2), []

    def step_down(user):
        with tenant_context(tenants["acme"]):
            try:
                barrier.wait()
                change_role(user, Role.ADMIN, actor=user, at=AT)
            except RuleViolated as broken:
                refused.append(broken.rule)
            finally:
                connection.close()

    threads = [Thread(target=step_down, args=[user]) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["user.last_owner"]
    assert User.objects.active().filter(role=Role.OWNER).count() == 1


def test_colleagues_do_not_become_portal_users(owner):
    csm = person("carl", Role.CSM)
    assert rule_of(lambda: change_role(csm, Role.PORTAL_USER, actor=owner, at=AT)) == ("user.role_side", "role")
    assert rule_of(lambda: change_role(csm, "emperor", actor=owner, at=AT)) == ("user.role_side", "role")


def test_a_role_change_is_audited_with_before_and_after(owner, admin):
    csm = person("carl", Role.CSM)
    change_role(csm, Role.RENEWALS, actor=admin, at=AT)
    entry = AuditEntry.objects.order_by("id").last()
    assert (entry.action, entry.actor_id, entry.object_id, entry.before, entry.after) == (
        "user.role_changed",
        admin.pk,
        str(csm.pk),
        {"role": "csm"},
        {"role": "renewals"},
    )


def test_the_same_role_again_changes_and_audits_nothing(owner):
    csm = person("carl", Role.CSM)
    before = actions()
    change_role(csm, Role.CSM, actor=owner, at=AT)
    assert actions() == before


def test_deactivation_ends_tokens_and_sessions(owner, client):
    csm = person("carl", Role.CSM)
    _token, raw = issue_token(csm, name="sync", scopes=["read"], actor=owner, at=AT)
    client.post("/auth/login/", {"login": csm.email, "password": "a long password"})
    assert client.get("/people/profile/").status_code == 200
    deactivate_user(csm, actor=owner, at=AT)
    assert client.get("/people/profile/").status_code == 302
    assert user_of_token(raw, at=AT) is None
    entry = AuditEntry.objects.get(action="user.deactivated")
    assert entry.after == {"accounts_handed_over": 0, "tokens_revoked": 1, "sessions_ended": 1}


def test_nobody_deactivates_themselves(owner):
    assert rule_of(lambda: deactivate_user(owner, actor=owner, at=AT)) == ("user.oneself", "user")


def test_an_administrator_does_not_deactivate_an_owner(owner, admin):
    assert rule_of(lambda: deactivate_user(owner, actor=admin, at=AT)) == ("user.role_not_yours_to_give", "role")


def test_accounts_are_handed_over_before_their_owner_goes(owner):
    csm, heir = person("carl", Role.CSM), person("cleo", Role.CSM)
    kept = Account.objects.create(name="Halden", owner=csm)
    archived = Account.objects.create(name="Gone", owner=csm, archived_at=AT)
    assert rule_of(lambda: deactivate_user(csm, actor=owner, at=AT)) == ("user.owns_accounts", "reassign_to")
    assert rule_of(lambda: deactivate_user(csm, actor=owner, at=AT, reassign_to=csm))[1] == "reassign_to"
    portal = person("pia", Role.PORTAL_USER)
    assert rule_of(lambda: deactivate_user(csm, actor=owner, at=AT, reassign_to=portal))[1] == "reassign_to"
    deactivate_user(csm, actor=owner, at=AT, reassign_to=heir)
    kept.refresh_from_db()
    archived.refresh_from_db()
    assert (kept.owner, archived.owner) == (heir, csm)


def test_a_user_comes_back_without_their_tokens(owner):
    csm = person("carl", Role.CSM)
    _token, raw = issue_token(csm, name="sync", scopes=["read"], actor=owner, at=AT)
    deactivate_user(csm, actor=owner, at=AT)
    user = reactivate_user(csm, actor=owner, at=AT)
    assert (user.is_active, user.deactivated_at) == (True, None)
    assert user_of_token(raw, at=AT) is None


@pytest.mark.parametrize(
    ("field", "value"), [("timezone", "Europe/Atlantis"), ("theme", "pink"), ("timezone", "../etc/passwd")]
)
def test_a_profile_takes_only_known_zones_and_themes(owner, field, value):
    fields = {"name": "Olga", "title": "", "timezone": "Europe/Berlin", "theme": "dark"} | {field: value}
    assert rule_of(lambda: update_profile(owner, actor=owner, at=AT, **fields))[1] == field


def test_a_profile_change_audits_only_what_changed(owner):
    fields = {"name": "Olga", "title": "Founder", "timezone": "Europe/Berlin", "theme": "auto"}
    update_profile(owner, actor=owner, at=AT, **fields)
    entry = AuditEntry.objects.order_by("id").last()
    assert (entry.before, entry.after) == (
        {"title": "", "timezone": ""},
        {"title": "Founder", "timezone": "Europe/Berlin"},
    )


class TestTokens:
    def test_only_a_digest_is_kept_and_the_beginning(self, owner):
        token, raw = issue_token(owner, name="sync", scopes=["write", "read", "read"], actor=owner, at=AT)
        assert (raw[:4], len(raw)) == ("tnr_", 47)
        assert (token.prefix, token.scopes, raw in str(token.__dict__)) == (raw[:12], ["read", "write"], False)

    @pytest.mark.parametrize(("days", "good"), [(0, False), (1, True), (365, True), (366, False)])
    def test_a_token_lives_between_a_day_and_a_year(self, owner, days, good):
        if good:
            token, _raw = issue_token(owner, name="x", scopes=[], actor=owner, at=AT, days=days)
            assert token.expires_at == AT + timedelta(days=days)
        else:
            assert rule_of(lambda: issue_token(owner, name="x", scopes=[], actor=owner, at=AT, days=days)) == (
                "token.lifetime",
                "days",
            )

    def test_a_token_ends_at_its_moment(self, owner):
        token, raw = issue_token(owner, name="x", scopes=["read"], actor=owner, at=AT, days=1)
        assert user_of_token(raw, at=token.expires_at - timedelta(microseconds=1)) == (owner, token)
        assert user_of_token(raw, at=token.expires_at) is None

    @pytest.mark.parametrize("raw", ["", "tnr_", "tnr_" + "x" * 43, "Bearer", "tnr_\x00"])
    def test_an_unknown_token_is_nobody(self, owner, raw):
        assert user_of_token(raw, at=AT) is None

    def test_its_use_is_noted_once_a_minute(self, owner, django_assert_num_queries):
        token, raw = issue_token(owner, name="x", scopes=["read"], actor=owner, at=AT)
        with django_assert_num_queries(2):
            user_of_token(raw, at=AT)
        with django_assert_num_queries(1):
            user_of_token(raw, at=AT + timedelta(seconds=59))
        with django_assert_num_queries(2):
            user_of_token(raw, at=AT + timedelta(seconds=60))
        token.refresh_from_db()
        assert token.last_used_at == AT + timedelta(seconds=60)

    def test_an_administrator_makes_no_token_for_an_owner(self, owner, admin):
        assert rule_of(lambda: issue_token(owner, name="x", scopes=["admin"], actor=admin, at=AT)) == (
            "token.user",
            "user",
        )

    def test_no_token_for_portal_users_and_the_deactivated(self, owner):
        portal, gone = person("pia", Role.PORTAL_USER), person("gus", Role.CSM)
        gone = deactivate_user(gone, actor=owner, at=AT)
        for user in (portal, gone):
            assert rule_of(lambda user=user: issue_token(user, name="x", scopes=[], actor=owner, at=AT))[1] == "user"

    def test_scopes_are_known(self, owner):
        assert rule_of(lambda: issue_token(owner, name="x", scopes=["root"], actor=owner, at=AT))[1] == "scopes"
