"""Why somebody does not get in: what colleagues see of tries to sign in, and what the outside does not."""

from datetime import timedelta
from unittest import mock

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.actions.invitations import invite_user, resend_invitation
from accounts.actions.people import create_user_with_password, deactivate_user
from accounts.actions.sign_in_tries import KEPT, forget_tries, note_try
from accounts.choices import Role, SignInOutcome
from accounts.models import Account, SignInTry, User
from config.celery import app
from tests.health.world import NOON

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
EMAIL = "cleo@halden.example"
HOUR = timedelta(hours=1)


@pytest.fixture
def halden():
    return Account.objects.create(name="Halden")


@pytest.fixture
def cleo(halden):
    """A customer who uses the portal."""
    return create_user_with_password(
        EMAIL, name="Cleo", role=Role.PORTAL_USER, password=PASSWORD, at=NOON, actor=None, portal_accounts=[halden]
    )


@pytest.fixture
def mara():
    return create_user_with_password(
        "mara@acme.example", name="Mara", role=Role.CSM, password=PASSWORD, at=NOON, actor=None
    )


@pytest.fixture(autouse=True)
def worker_at_once():
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def knock(django_capture_on_commit_callbacks):
    """Try to sign in; the worker then notes it."""

    def try_it(email=EMAIL, password=PASSWORD, client=None):
        with django_capture_on_commit_callbacks(execute=True):
            return (client or Client(HTTP_HOST="acme.localhost")).post(
                "/auth/login/", {"login": email, "password": password}
            )

    return try_it


def tries(user):
    return {row.outcome: row.times for row in user.sign_in_tries.all()}


def test_wrong_passwords_are_counted_and_begin_anew_after_a_success(cleo, knock):
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(2):
            knock(password="wrong")
        assert tries(cleo) == {"wrong_password": 2}
        clock.shift(HOUR)
        assert knock().status_code == 302
        assert tries(cleo) == {"wrong_password": 2, "signed_in": 1}
        clock.shift(HOUR)
        knock(email=f" {EMAIL.upper()}", password="wrong")
        row = cleo.sign_in_tries.get(outcome="wrong_password")
        assert (row.times, row.first_at, row.last_at) == (1, NOON + 2 * HOUR, NOON + 2 * HOUR)


def test_a_second_step_not_taken_is_told_and_a_sign_in_takes_it_away(cleo, knock):
    TOTP.activate(cleo, "JBSWY3DPEHPK3PXP")
    knock()
    assert tries(cleo) == {"unfinished": 1}
    note_try(EMAIL, SignInOutcome.SIGNED_IN, at=timezone.now())
    assert tries(cleo) == {"signed_in": 1}


def test_a_late_message_of_the_same_sign_in_leaves_nothing_unfinished(cleo):
    note_try(EMAIL, SignInOutcome.SIGNED_IN, at=NOON)
    note_try(EMAIL, SignInOutcome.UNFINISHED, at=NOON - timedelta(milliseconds=20))
    assert tries(cleo) == {"signed_in": 1}


def test_too_many_tries_are_told_as_that(cleo, knock):
    with time_machine.travel(NOON, tick=False):  # so that no window of the limit ends in between
        for _ in range(6):
            knock(password="wrong")
    assert tries(cleo) == {"wrong_password": 5, "too_many": 1}


def test_whoever_was_deactivated_is_told_that_whatever_they_type(cleo, mara, knock):
    User.objects.filter(pk=mara.pk).update(role=Role.OWNER)
    deactivate_user(cleo, actor=User.objects.get(pk=mara.pk), at=NOON)
    knock()
    knock(password="wrong")
    assert tries(cleo) == {"deactivated": 2}


def test_a_link_to_a_new_password_is_noted_when_asked_for_and_when_it_is_over(
    cleo, client, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/auth/password/reset/", {"email": EMAIL})
    assert tries(cleo) == {"reset_asked": 1}
    link = next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http"))
    with django_capture_on_commit_callbacks(execute=True):
        assert "no longer works" in client.get("/" + link.split("/", 3)[3].replace("-", "-x", 1)).content.decode()
        assert "no longer works" in client.get("/auth/password/reset/key/zz-made-up/").content.decode()
    assert tries(cleo) == {"reset_asked": 1, "link_over": 1}


def test_the_reset_mail_prints_the_one_end_of_its_link(cleo, client, settings, django_capture_on_commit_callbacks):
    with time_machine.travel(NOON, tick=False), django_capture_on_commit_callbacks(execute=True):
        client.post("/auth/password/reset/", {"email": EMAIL})
    end = NOON + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    assert f"until {end:%a %-d %b %Y, %H:%M} (UTC)" in mail.outbox[0].body
    path = "/" + next(line for line in mail.outbox[0].body.splitlines() if line.startswith("http")).split("/", 3)[3]
    for moment, status in ((end, 302), (end + timedelta(seconds=1), 200)):
        with time_machine.travel(moment, tick=False):
            assert Client(HTTP_HOST="acme.localhost").get(path).status_code == status


def test_the_invitation_prints_its_end_and_sending_it_again_prints_the_new_one(
    halden, mara, django_capture_on_commit_callbacks
):
    mara.role = Role.OWNER
    mara.save()
    with django_capture_on_commit_callbacks(execute=True):
        invitation, _link = invite_user(EMAIL, role=Role.PORTAL_USER, actor=mara, at=NOON, portal_accounts=[halden])
        resend_invitation(invitation, actor=mara, at=NOON + HOUR)
    first, second = (message.body for message in mail.outbox)
    assert f"until {invitation.expires_at:%a %-d %b %Y, %H:%M} (UTC):" in first
    assert f"until {invitation.expires_at + HOUR:%a %-d %b %Y, %H:%M} (UTC):" in second


def test_nobody_outside_learns_who_is_here(cleo, mara):
    """A known, an unknown and a deactivated address send the worker the same and ask the database the same."""
    sent = []
    for email in (EMAIL, "nobody@halden.example"):
        with (
            mock.patch("accounts.tasks.note_sign_in.apply_async") as send,
            mock.patch("accounts.signing_in.run_on_commit", side_effect=lambda function: function()),
        ):
            Client(HTTP_HOST="acme.localhost").post("/auth/login/", {"login": email, "password": "wrong"})
        (call,) = send.call_args_list
        sent.append({**call.kwargs["kwargs"], "email": "", "at": ""})
    assert sent[0] == sent[1]
    assert note_try("nobody@halden.example", SignInOutcome.WRONG_PASSWORD, at=NOON) is None


def test_signing_in_goes_on_without_a_broker(cleo, knock):
    with mock.patch("accounts.tasks.note_sign_in.apply_async", side_effect=OperationalError):
        assert knock().status_code == 302


def test_typing_the_password_once_more_is_no_try(cleo, client, django_capture_on_commit_callbacks):
    client.force_login(cleo, backend="allauth.account.auth_backends.AuthenticationBackend")
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/auth/reauthenticate/", {"password": "wrong"})
        client.post("/auth/reauthenticate/", {"password": PASSWORD})
    assert tries(cleo) == {}


def test_tries_are_forgotten_after_90_days(cleo):
    note_try(EMAIL, SignInOutcome.WRONG_PASSWORD, at=NOON)
    assert forget_tries(at=NOON + KEPT - timedelta(seconds=1)) == 0
    assert forget_tries(at=NOON + KEPT) == 1
    assert not SignInTry.objects.exists()


def people_tab(viewer, account):
    client = Client(HTTP_HOST="acme.localhost")
    client.force_login(viewer)
    return client.get(f"/accounts/{account.pk}/people/").content.decode()


def test_the_people_tab_says_who_does_not_get_in_and_why(halden, cleo, mara):
    assert "Has never signed in" in people_tab(mara, halden)
    note_try(EMAIL, SignInOutcome.SIGNED_IN, at=NOON)
    User.objects.filter(pk=cleo.pk).update(last_login=NOON)
    for minutes in (1, 2, 3):
        note_try(EMAIL, SignInOutcome.WRONG_PASSWORD, at=NOON + timedelta(minutes=minutes))
    body = people_tab(mara, halden)
    assert "Does not get in" in body
    assert "Wrong password (3 times)" in body
    User.objects.filter(pk=cleo.pk).update(last_login=NOON + HOUR)
    body = people_tab(mara, halden)
    assert "Does not get in" not in body
    assert "Wrong password (3 times)" in body


def test_the_people_tab_shows_open_invitations_and_only_of_this_account(halden, mara):
    other = Account.objects.create(name="Other")
    mara.role = Role.OWNER
    mara.save()
    with time_machine.travel(NOON):
        invite_user(EMAIL, role=Role.PORTAL_USER, actor=mara, at=NOON, portal_accounts=[halden])
        body = people_tab(mara, halden)
        assert (EMAIL in body, "The link works until" in body, "Send again" in body) == (True, True, True)
        assert EMAIL not in people_tab(mara, other)
    with time_machine.travel(NOON + timedelta(hours=72)):
        assert "The link ran out" in people_tab(mara, halden)


def test_the_cost_of_the_tab_does_not_grow_with_its_people(halden, cleo, mara, django_assert_num_queries):
    from accounts.queries.people import portal_access

    for number in range(3):
        other = create_user_with_password(
            f"p{number}@halden.example",
            name="",
            role=Role.PORTAL_ADMIN,
            password=PASSWORD,
            at=NOON,
            actor=None,
            portal_accounts=[halden],
        )
        note_try(other.email, SignInOutcome.WRONG_PASSWORD, at=NOON)
    with django_assert_num_queries(2):
        users, invitations = portal_access(halden)
    assert ([access.failed for access in users].count("Wrong password"), invitations) == (3, [])


def test_the_api_shows_portal_users_with_their_last_tries(halden, cleo, mara):
    note_try(EMAIL, SignInOutcome.WRONG_PASSWORD, at=NOON)
    note_try(EMAIL, SignInOutcome.RESET_ASKED, at=NOON + HOUR)
    client = Client(HTTP_HOST="acme.localhost")
    client.force_login(mara)
    (row,) = client.get(f"/api/v1/portal-users/?account={halden.pk}").json()["results"]
    assert (row["email"], row["last_try"], row["last_failure"], row["failures"]) == (
        EMAIL,
        "reset_asked",
        "wrong_password",
        1,
    )
    assert client.get(f"/api/v1/portal-users/{mara.pk}/").status_code == 404
    assert client.get(f"/api/v1/portal-users/{cleo.pk}/").json()["last_failure_at"].startswith("2026")
