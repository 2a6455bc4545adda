"""Signing in: what gets in, what stays out, and that neither tells who exists."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import identify_hasher, make_password
from django.core import mail
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts.actions.people import create_user_with_password, deactivate_user
from accounts.choices import Role
from accounts.models import AuditEntry, User
from config.celery import app

PASSWORD = "correct horse battery staple"
EMAIL = "ann@acme.example"


@pytest.fixture(autouse=True)
def worker_at_once():
    """Mail leaves when it is handed over."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def ann(db):
    return create_user_with_password(
        EMAIL, name="Ann", role=Role.ADMIN, password=PASSWORD, at=timezone.now(), actor=None
    )


def knock(client, email=EMAIL, password=PASSWORD, **extra):
    return client.post("/auth/login/", {"login": email, "password": password}, **extra)


def at(host="acme.localhost", address="198.51.100.7", **options):
    return Client(headers={"host": host}, REMOTE_ADDR=address, **options)


def test_the_right_password_opens_and_is_audited(ann, client):
    response = knock(client)
    assert (response.status_code, response["Location"]) == (302, "/")
    entry = AuditEntry.objects.order_by("id").last()
    assert (entry.action, entry.actor_id, entry.via) == ("user.signed_in", ann.pk, "page")


def test_the_address_is_compared_without_case(ann, client):
    assert knock(client, "ANN@Acme.Example").status_code == 302


@pytest.mark.parametrize(
    ("email", "password"),
    [(EMAIL, "wrong"), ("nobody@acme.example", PASSWORD), (EMAIL, ""), ("", PASSWORD), (EMAIL, PASSWORD + " ")],
)
def test_anything_else_stays_out(ann, client, email, password):
    assert knock(client, email, password).status_code == 200
    assert client.get("/people/profile/").status_code == 302


def test_known_unknown_and_deactivated_look_the_same(ann):
    gone = create_user_with_password(
        "gone@acme.example", name="Gus", role=Role.CSM, password=PASSWORD, at=timezone.now(), actor=None
    )
    deactivate_user(gone, actor=ann, at=timezone.now())
    answers = set()
    for email in (EMAIL, "nobody@acme.example", "gone@acme.example"):
        response = knock(at(), email, "wrong password")
        body = response.content.decode().replace(email, "<email>").replace(str(response.context["csrf_token"]), "")
        answers.add((response.status_code, body))
    assert len(answers) == 1


@pytest.fixture
def real_hashers(settings):
    settings.PASSWORD_HASHERS = ["accounts.hashers.Argon2"]


def test_the_hasher_runs_once_whoever_knocks(ann, real_hashers):
    ann.set_password(PASSWORD)
    ann.save()
    for email in (EMAIL, "nobody@acme.example"):
        with (
            mock.patch("accounts.hashers.Argon2.encode", autospec=True, return_value="x") as encode,
            mock.patch("accounts.hashers.Argon2.verify", autospec=True, return_value=False) as verify,
        ):
            knock(at(), email, "wrong")
        assert encode.call_count + verify.call_count == 1


def test_passwords_cost_19_mib(real_hashers):
    hashed = make_password("x")
    assert identify_hasher(hashed).algorithm == "argon2"
    assert "$m=19456,t=2,p=1$" in hashed


def test_sign_up_is_closed(client):
    response = client.get("/auth/signup/")
    assert (response.status_code, "by invitation" in response.content.decode()) == (200, True)
    assert client.post("/auth/signup/", {"email": "x@y.example", "password1": PASSWORD}).status_code == 405
    assert not User.objects.filter(email="x@y.example").exists()


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example/",
        "//evil.example/",
        "http:///evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "http://globex.localhost/",
        "https:evil.example",
        "/\\evil.example",
        "http://acme.localhost@evil.example/",
        "http://acme.localhost.evil.example/",
        "ftp://acme.localhost/",
        "\thttps://evil.example",
    ],
)
def test_next_stays_on_this_host(ann, client, to):
    response = client.post("/auth/login/", {"login": EMAIL, "password": PASSWORD, "next": to})
    assert (response.status_code, response["Location"]) == (302, "/")


def test_next_on_this_host_is_followed(ann, client):
    response = client.post("/auth/login/", {"login": EMAIL, "password": PASSWORD, "next": "/people/?role=csm"})
    assert response["Location"] == "/people/?role=csm"


def test_the_session_key_changes_at_sign_in(ann, client):
    client.get("/auth/login/")
    session = client.session
    session["planted"] = "1"
    session.save()
    planted = session.session_key
    client.cookies["sid"] = planted
    knock(client)
    assert client.cookies["sid"].value != planted


def test_every_unsafe_address_of_sign_in_wants_the_csrf_token(ann):
    client = at(enforce_csrf_checks=True)
    for path in ("/auth/login/", "/auth/logout/", "/auth/password/reset/", "/auth/2fa/authenticate/"):
        assert client.post(path, {"login": EMAIL, "password": PASSWORD}).status_code == 403


@pytest.fixture
def standing_clock():
    """The time stands still, so that a slow machine does not slip into the next window."""
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.mark.usefixtures("standing_clock")
class TestLimits:
    def test_the_sixth_try_from_one_network_is_refused_even_with_the_right_password(self, ann):
        for _ in range(5):
            knock(at(), password="wrong")
        assert knock(at()).status_code == 200
        assert knock(at(address="198.51.100.99")).status_code == 200

    def test_the_owner_gets_in_from_another_network(self, ann):
        for _ in range(8):
            knock(at(), password="wrong")
        assert knock(at(address="203.0.113.5")).status_code == 302

    def test_right_passwords_do_not_count(self, ann):
        for _ in range(12):
            assert knock(at()).status_code == 302

    def test_two_hosts_of_one_tenant_share_the_budget(self, ann, tenants):
        from tenants.models import Domain

        Domain.objects.create(domain="cs.acme.example", tenant=tenants["acme"], is_primary=False)
        for _ in range(5):
            knock(at("cs.acme.example"), password="wrong")
        assert knock(at()).status_code == 200

    def test_another_tenant_cannot_lock_anybody_out(self, ann):
        for _ in range(8):
            knock(at("globex.localhost"), password="wrong")
        assert knock(at()).status_code == 302

    def test_a_spread_attack_leaves_one_try_a_network(self, ann):
        for network in range(13):
            for _ in range(4):
                knock(at(address=f"198.18.{network}.1"), password="wrong")
        assert knock(at(address="203.0.113.5")).status_code == 302
        knock(at(address="203.0.114.5"), password="wrong")
        assert knock(at(address="203.0.114.5")).status_code == 200

    def test_one_address_has_one_budget_for_all_tenants(self, ann):
        for host in ("acme.localhost", "globex.localhost") * 30:
            status = knock(at(host), f"x{host}@x.example", "wrong").status_code
            assert status == 200
        refused = knock(at())
        assert (refused.status_code, refused["Retry-After"]) == (429, "60")
        assert knock(at(address="203.0.113.5")).status_code == 302

    def test_a_made_up_forwarded_address_is_not_believed(self, ann):
        for number in range(60):
            knock(at(), f"a{number}@x.example", "wrong", headers={"X-Forwarded-For": f"10.0.0.{number}"})
        assert knock(at(), headers={"X-Forwarded-For": "10.1.1.1"}).status_code == 429

    def test_the_window_ends(self, ann):
        for _ in range(6):
            knock(at(), password="wrong")
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert knock(at()).status_code == 302


class TestReset:
    def test_the_link_is_on_the_primary_domain_whatever_the_host_says(
        self, ann, tenants, django_capture_on_commit_callbacks
    ):
        from tenants.models import Domain

        Domain.objects.create(domain="old.acme.example", tenant=tenants["acme"], is_primary=False)
        with django_capture_on_commit_callbacks(execute=True):
            at("old.acme.example").post("/auth/password/reset/", {"email": EMAIL})
        (message,) = mail.outbox
        assert "http://acme.localhost" in message.body
        assert "old.acme.example" not in message.body

    def test_the_mailed_link_works_once(self, ann, client, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            client.post("/auth/password/reset/", {"email": EMAIL})
        path = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http")).split("/", 3)[3]
        form = client.get(f"/{path}")["Location"]
        changed = client.post(form, {"password1": "another long password", "password2": "another long password"})
        assert (changed.status_code, changed["Location"]) == (302, "/auth/password/reset/key/done/")
        assert "no longer works" in at().get(f"/{path}").content.decode()
        assert knock(at(), password="another long password").status_code == 302
        assert AuditEntry.objects.filter(action="security.password_reset").count() == 1

    def test_known_and_unknown_addresses_are_answered_alike(self, ann, client):
        answers = [client.post("/auth/password/reset/", {"email": e}) for e in (EMAIL, "nobody@acme.example")]
        assert [(a.status_code, a["Location"]) for a in answers] == [(302, "/auth/password/reset/done/")] * 2

    def test_three_mails_an_hour_to_one_address(self, ann):
        statuses = [
            at(address=f"203.0.113.{n}").post("/auth/password/reset/", {"email": EMAIL}).status_code for n in range(4)
        ]
        assert statuses == [302, 302, 302, 429]

    def test_a_reset_does_not_skip_the_second_factor(self, ann, client):
        TOTP.activate(ann, "JBSWY3DPEHPK3PXP")
        response = knock(client)
        assert response["Location"] == "/auth/2fa/authenticate/"
        assert client.get("/people/profile/").status_code == 302


@pytest.mark.usefixtures("standing_clock")
class TestSecondFactor:
    def code(self):
        return format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", next(yield_hotp_counters_from_time())))

    def test_a_code_opens_once(self, ann, client):
        TOTP.activate(ann, "JBSWY3DPEHPK3PXP")
        code = self.code()
        knock(client)
        assert client.post("/auth/2fa/authenticate/", {"code": code})["Location"] == "/"
        second = at(address="203.0.113.5")
        knock(second)
        assert second.post("/auth/2fa/authenticate/", {"code": code}).status_code == 200

    def test_its_secret_is_sealed_in_the_database(self, ann):
        TOTP.activate(ann, "JBSWY3DPEHPK3PXP")
        row = Authenticator.objects.get(user=ann)
        assert "JBSWY3DPEHPK3PXP" not in str(row.data)
        assert TOTP(row).validate_code(self.code())

    def test_it_is_set_up_on_the_page_and_gives_recovery_codes(self, ann, client, django_capture_on_commit_callbacks):
        knock(client)
        assert client.get("/auth/2fa/totp/activate/")["Location"].startswith("/auth/reauthenticate/")
        client.post("/auth/reauthenticate/", {"password": PASSWORD})
        page = client.get("/auth/2fa/totp/activate/")
        secret = page.context["form"].secret
        code = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
        with django_capture_on_commit_callbacks(execute=True):
            done = client.post("/auth/2fa/totp/activate/", {"code": code})
        assert done["Location"] == "/auth/2fa/recovery-codes/"
        codes = client.get("/auth/2fa/recovery-codes/").context["unused_codes"]
        assert (len(codes), AuditEntry.objects.filter(action="security.totp_activated").count()) == (10, 1)
        other = at(address="203.0.113.5")
        knock(other)
        assert other.post("/auth/2fa/authenticate/", {"code": codes[0]})["Location"] == "/"

    def test_passkeys_are_bound_to_the_host(self, ann, client):
        knock(client)
        client.post("/auth/reauthenticate/", {"password": PASSWORD})
        options = client.get("/auth/2fa/passkeys/add/").context["js_data"]["creation_options"]
        assert options["publicKey"]["rp"]["id"] == "acme.localhost"


class TestVerification:
    def test_an_unverified_address_gets_a_code_and_no_session(self, ann, client, django_capture_on_commit_callbacks):
        EmailAddress.objects.update(verified=False)
        with django_capture_on_commit_callbacks(execute=True):
            assert knock(client)["Location"] == "/auth/confirm-email/"
        code = client.session["account_email_verification_code"]["code"]
        assert code in mail.outbox[0].body
        assert "http" not in mail.outbox[0].body.split(code)[0]
        assert client.get("/people/profile/").status_code == 302
        assert client.post("/auth/confirm-email/", {"code": "wrong"}).status_code == 200
        assert client.post("/auth/confirm-email/", {"code": code})["Location"] == "/"
        assert client.get("/people/profile/").status_code == 200


class TestSessions:
    def test_a_session_ends_after_30_days_however_busy(self, ann, client):
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            knock(client)
            for day in range(1, 30):
                clock.move_to(start + timedelta(days=day))
                assert client.get("/people/profile/").status_code == 200
            clock.move_to(start + timedelta(days=30, seconds=-1))
            assert client.get("/people/profile/").status_code == 200
            clock.move_to(start + timedelta(days=30))
            assert client.get("/people/profile/").status_code == 302

    @pytest.mark.parametrize(("idle", "status"), [(timedelta(days=7, seconds=-1), 200), (timedelta(days=7), 302)])
    def test_a_session_ends_after_7_days_without_use(self, ann, client, idle, status):
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            knock(client)
            clock.move_to(start + idle)
            assert client.get("/people/profile/").status_code == status

    def test_a_session_of_another_schema_is_ended(self, ann, client):
        knock(client)
        session = client.session
        session["schema"] = "t_globex"
        session.save()
        assert client.get("/people/profile/").status_code == 302
        assert not client.session.get("_auth_user_id")

    def test_a_changed_password_ends_the_others(self, ann, client):
        other = at(address="203.0.113.5")
        knock(client)
        knock(other)
        form = {"oldpassword": PASSWORD, "password1": "another long password", "password2": "another long password"}
        assert client.post("/auth/password/change/", form).status_code == 302
        assert other.get("/people/profile/").status_code == 302

    def test_the_others_can_be_signed_out(self, ann, client):
        other = at(address="203.0.113.5")
        knock(client)
        knock(other)
        assert "Sign out the others" in client.get("/auth/sessions/").content.decode()
        assert client.post("/auth/sessions/").status_code == 302
        assert (client.get("/people/profile/").status_code, other.get("/people/profile/").status_code) == (200, 302)

    def test_a_page_notes_the_use_once_in_five_minutes(self, ann, client):
        start = timezone.now()
        with time_machine.travel(start, tick=False) as clock:
            knock(client)
            client.get("/people/profile/")
            clock.move_to(start + timedelta(seconds=1))
            client.get("/people/profile/")
            assert UserSession.objects.get(user=ann).last_seen_at == start
            caches["default"].clear()  # its clock does not travel
            clock.move_to(start + timedelta(seconds=300))
            client.get("/people/profile/")
            assert UserSession.objects.get(user=ann).last_seen_at == start + timedelta(seconds=300)

    def test_signing_out_takes_a_post(self, ann, client):
        knock(client)
        assert client.get("/auth/logout/").status_code == 200
        assert client.get("/people/profile/").status_code == 200
        client.post("/auth/logout/")
        assert client.get("/people/profile/").status_code == 302
