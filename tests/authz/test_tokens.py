"""A secret of one tenant opens nothing in another, not even in a clone where keys and passwords are equal."""

from __future__ import annotations

import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing as raw_signing
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.actions.invitations import invite_user
from accounts.actions.people import create_user_with_password
from accounts.actions.tokens import issue_token
from accounts.choices import Role
from accounts.models import Account, Invitation, User
from accounts.password_reset import TokenGenerator
from myday.feed import renew_feed
from support.queries import addresses, ratings
from tenants import signing

PASSWORD = "correct horse battery staple"


@pytest.fixture
def twins(db, in_tenant):
    """The same person, to the last column, in two tenants."""
    owner = create_user_with_password(
        "ann@example.com", name="Ann", role=Role.OWNER, password=PASSWORD, at=timezone.now(), actor=None
    )
    row = User.objects.filter(pk=owner.pk).values().get()
    with in_tenant("globex"):
        twin = create_user_with_password(
            "ann@example.com",
            name="Ann",
            role=Role.OWNER,
            password=PASSWORD,
            at=timezone.now(),
            actor=None,
            id=owner.pk,
        )
        User.objects.filter(pk=twin.pk).update(**{k: v for k, v in row.items() if k != "id"})
        twin.refresh_from_db()
    return owner, twin


def at(host):
    return Client(headers={"host": f"{host}.localhost"})


def test_password_reset_link(twins):
    owner, _twin = twins
    path = f"/auth/password/reset/key/{user_pk_to_url_str(owner)}-{TokenGenerator().make_token(owner)}/"
    here, there = at("acme").get(path), at("globex").get(path)
    assert (here.status_code, here["Location"].endswith("set-password/")) == (302, True)
    assert (there.status_code, "This link no longer works" in there.content.decode()) == (200, True)


def test_invitation_link(twins):
    _invitation, link = invite_user("new@example.com", role=Role.CSM, actor=twins[0], at=timezone.now())
    path = link.split(".localhost", 1)[1].partition("/")[2]
    assert at("acme").get(f"/{path}").status_code == 200
    assert at("globex").get(f"/{path}").status_code == 404
    assert at("globex").post(f"/{path}", {"name": "Eve", "password": PASSWORD}).status_code == 404


def test_api_token(twins):
    _token, raw = issue_token(twins[0], name="x", scopes=["read"], actor=None, at=timezone.now())
    headers = {"Authorization": f"Bearer {raw}"}
    assert at("acme").get("/api/v1/accounts/", headers=headers).status_code == 200
    refused = at("globex").get("/api/v1/accounts/", headers=headers)
    assert (refused.status_code, refused["WWW-Authenticate"][:6]) == (401, "Bearer")


def test_session_cookie(twins, in_tenant):
    client = at("acme")
    assert client.post("/auth/login/", {"login": "ann@example.com", "password": PASSWORD}).status_code == 302
    key = client.cookies["sid"].value
    other = at("globex")
    other.cookies["sid"] = key
    assert other.get("/people/profile/").status_code == 302
    # A restored copy has the session's row as well: the schema in it does not fit.
    row = Session.objects.get(session_key=key)
    with in_tenant("globex"):
        Session.objects.create(session_key=key, session_data=row.session_data, expire_date=row.expire_date)
    copied = at("globex")
    copied.cookies["sid"] = key
    assert copied.get("/people/profile/").status_code == 302
    assert at("globex").get("/people/profile/")["Location"].startswith("/auth/login/")


def test_code_of_an_address_to_be_verified(twins, in_tenant):
    from allauth.account.models import EmailAddress

    EmailAddress.objects.filter(user=twins[0]).update(verified=False)
    client = at("acme")
    response = client.post("/auth/login/", {"login": "ann@example.com", "password": PASSWORD})
    assert response["Location"] == "/auth/confirm-email/"
    code = client.session["account_email_verification_code"]["code"]
    other = at("globex")
    other.cookies["sid"] = client.cookies["sid"].value
    refused = other.post("/auth/confirm-email/", {"code": code})
    assert (refused.status_code, refused["Location"]) == (302, "/auth/login/")
    assert client.post("/auth/confirm-email/", {"code": code})["Location"] == "/"


def test_signed_values(in_tenant):
    token = signing.dumps({"export": 1}, purpose="export")
    assert signing.loads(token, purpose="export", max_age=3600) == {"export": 1}
    with pytest.raises(raw_signing.BadSignature):
        signing.loads(token, purpose="survey", max_age=3600)
    with in_tenant("globex"), pytest.raises(raw_signing.BadSignature):
        signing.loads(token, purpose="export", max_age=3600)


def test_invitation_of_a_clone_is_bound_to_its_digest_not_its_key(twins, in_tenant):
    invitation, link = invite_user("new@example.com", role=Role.CSM, actor=twins[0], at=timezone.now())
    with in_tenant("globex"):
        invite_user("new@example.com", role=Role.CSM, actor=twins[1], at=timezone.now())
        assert Invitation.objects.filter(digest=invitation.digest).count() == 0
    assert at("globex").get(link.split("localhost", 1)[1].lstrip(":0123456789")).status_code == 404


@pytest.fixture
def bearers(twins, in_tenant):
    """The headers of a token of each tenant."""
    made = {"acme": issue_token(twins[0], name="x", scopes=["read", "write"], actor=None, at=timezone.now())[1]}
    with in_tenant("globex"):
        made["globex"] = issue_token(twins[1], name="x", scopes=["read", "write"], actor=None, at=timezone.now())[1]
    return {host: {"Authorization": f"Bearer {raw}"} for host, raw in made.items()}


def test_idempotency_key(bearers):
    """The same key and payload in another tenant is another call: nothing of the first answer comes back."""
    body, key = {"name": "Halden"}, {"Idempotency-Key": "matrix-0001"}
    answers = [
        at(host).post("/api/v1/accounts/", body, content_type="application/json", headers=bearers[host] | key)
        for host in ("acme", "acme", "globex")
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    first, again, other = (answer.json()["id"] for answer in answers)
    assert (again == first, other == first) == (True, False)


def test_cursor(bearers, in_tenant):
    """A cursor says where a page ended and opens nothing: in another tenant it pages through that one's rows."""
    for host in ("acme", "globex"):
        with in_tenant(host):
            Account.objects.bulk_create(Account(name=f"{host} {number}") for number in range(3))
    page = at("acme").get("/api/v1/accounts/?page_size=1&ordering=name", headers=bearers["acme"]).json()
    query = page["next"].split("?", 1)[1]
    other = at("globex").get(f"/api/v1/accounts/?{query}", headers=bearers["globex"])
    assert (other.status_code, "acme" in other.json()["results"][0]["name"]) == (200, False)


TICKET = SimpleNamespace(pk=uuid4(), cycle=1, number=7)


def test_rating_link(db, in_tenant):
    token = ratings.rating_token(TICKET)
    assert signing.loads(token, purpose=ratings.PURPOSE, max_age=60) == [str(TICKET.pk), 1]
    with in_tenant("globex"):
        assert ratings.asked_with(token) is None
        with pytest.raises(raw_signing.BadSignature):
            signing.loads(token, purpose=ratings.PURPOSE, max_age=60)


def test_reply_address(db, in_tenant):
    """Here its seal is good, though the ticket is gone; elsewhere nobody gave it out, whatever host it names."""
    with pytest.raises(addresses.ForgedReply, match="is gone"):
        addresses.answered([addresses.reply_address(TICKET, "acme.localhost")], "acme.localhost")
    address = addresses.reply_address(TICKET, "globex.localhost")
    with in_tenant("globex"), pytest.raises(addresses.ForgedReply, match="not given out here"):
        addresses.answered([address], "globex.localhost")


def test_calendar_address(twins):
    path = f"/day/calendar/{renew_feed(twins[0], at=timezone.now())}.ics"
    assert at("acme").get(path).status_code == 200
    assert at("globex").get(path).status_code == 404


def test_nothing_is_signed_that_is_not_tried_here():
    """Whoever signs something new adds its test above and its module here."""
    signers = {
        path.relative_to(settings.BASE_DIR).as_posix()
        for app in settings.TENANT_APPS
        for path in (settings.BASE_DIR / app).rglob("*.py")
        if re.search(r"\bsigning\.|Signer\(|token_urlsafe|make_token", path.read_text())
    }
    assert signers == {
        "accounts/invitations.py",
        "accounts/tokens.py",
        "myday/feed.py",
        "signup/views.py",
        "support/queries/addresses.py",
        "support/queries/ratings.py",
    }


def test_progress_of_a_sign_up(tenants, db):
    """The token of the public host names a workspace and is worth nothing inside one, nor altered."""
    connection.set_schema_to_public()
    token = signing.dumps(tenants["acme"].pk, purpose="signup-progress")
    visitor = Client(headers={"host": "localhost"})
    assert visitor.get(f"/signup/{token}/").status_code == 200
    assert visitor.get(f"/signup/{token[:-1]}{'A' if token[-1] != 'A' else 'B'}/").status_code == 404
    assert at("globex").get(f"/signup/{token}/").status_code == 404
