"""The public host: a visitor becomes the owner of a workspace that can be used at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client
from django_tenants.utils import tenant_context

from accounts.choices import Role
from accounts.models import User, Workspace
from config import celery_app
from packs.models import PackInstall
from signup import tasks
from signup.views import SIGN_UPS
from tenants import signing
from tenants.models import Tenant

GOOD = {
    "company": "Initech",
    "slug": "initech",
    "timezone": "Europe/Berlin",
    "pack": "fleet",
    "name": "Olga Owner",
    "email": "olga@initech.example",
    "password": "a long password",
}


@pytest.fixture
def visitor(db):
    connection.set_schema_to_public()
    return Client(HTTP_HOST="localhost")


@pytest.fixture
def sent(monkeypatch, visitor):
    """What was queued, instead of queueing it."""
    messages = []
    monkeypatch.setattr(tasks.build, "apply_async", lambda args, kwargs, **_: messages.append(args))
    return messages


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_the_home_page_names_the_five_methodologies(visitor):
    page = visitor.get("/")
    assert page.status_code == 200
    for name in ("Fleet management", "Quality and FMEA", "M&amp;A", "Reporting and BI", "general"):
        assert name in page.content.decode()


@pytest.mark.parametrize("path", ["/", "/signup/", "/signup/sub-domain/?slug=acme"])
def test_a_stray_session_cookie_is_not_looked_up(visitor, path):
    visitor.cookies["sid"] = "x" * 32
    assert visitor.get(path).status_code == 200


def test_from_the_form_to_a_workspace_that_can_be_used(visitor, sent):
    answer = visitor.post("/signup/", GOOD)
    assert answer.status_code == 302
    waiting = visitor.get(answer.url)
    assert "Setting up Initech" in text(waiting)
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in waiting.content.decode()
    assert f'hx-get="{answer.url}"' in waiting.content.decode()

    [arguments] = sent
    tasks.build.run(*arguments)

    ready = visitor.get(answer.url, headers={"HX-Request": "true"})
    assert "Initech is ready" in text(ready)
    assert 'href="http://initech.localhost:8000/"' in ready.content.decode()
    assert "hx-get" not in ready.content.decode()
    with tenant_context(Tenant.objects.get(slug="initech")):
        owner = User.objects.get()
        assert (owner.email, owner.name, owner.role) == ("olga@initech.example", "Olga Owner", Role.OWNER)
        assert owner.check_password("a long password")
        assert not EmailAddress.objects.get().verified
        assert [install.key for install in PackInstall.objects.all()] == ["fleet"]


@pytest.fixture
def worker_at_once():
    celery_app.conf.task_always_eager = True
    yield
    celery_app.conf.task_always_eager = False


def test_the_first_sign_in_proves_the_address(
    visitor, sent, mailoutbox, django_capture_on_commit_callbacks, worker_at_once
):
    visitor.post("/signup/", GOOD)
    tasks.build.run(*sent[0])
    owner = Client(HTTP_HOST="initech.localhost")
    with django_capture_on_commit_callbacks(execute=True):
        owner.post("/auth/login/", {"login": "olga@initech.example", "password": "a long password"})
    assert owner.get("/people/").status_code == 302
    [mail] = mailoutbox
    with tenant_context(Tenant.objects.get(slug="initech")):
        code = owner.session["account_email_verification_code"]["code"]
    assert (mail.to, code in mail.body) == (["olga@initech.example"], True)
    owner.post("/auth/confirm-email/", {"code": code})
    assert owner.get("/people/").status_code == 200


def test_the_workspace_lives_in_the_time_zone_that_was_chosen(visitor, sent):
    visitor.post("/signup/", GOOD)
    tasks.build.run(*sent[0])

    with tenant_context(Tenant.objects.get(slug="initech")):
        assert Workspace.objects.get().timezone == "Europe/Berlin"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_refused_at_its_field(visitor, sent, zone):
    page = visitor.post("/signup/", GOOD | {"timezone": zone})
    assert (page.status_code, list(page.context["form"].errors)) == (422, ["timezone"])
    # Whoever has chosen is not overruled by the browser's own zone.
    assert ("data-own-zone" in page.content.decode(), "data-own-zone" in visitor.get("/signup/").content.decode()) == (
        False,
        True,
    )


def test_the_password_is_not_in_the_queue(visitor, sent):
    visitor.post("/signup/", GOOD)
    assert "a long password" not in repr(sent)
    assert "olga" not in repr(sent)


def test_a_failed_set_up_says_so_and_frees_the_name(visitor, sent, settings):
    page = visitor.post("/signup/", GOOD).url
    settings.TENANT_SETUP = ["tests.tenants.test_signup.explode"]
    with pytest.raises(RuntimeError):
        tasks.build.run(*sent[0])
    assert "The set-up failed" in text(visitor.get(page))
    assert "no pack today" not in text(visitor.get(page))
    assert visitor.post("/signup/", GOOD).status_code == 302


def explode(tenant, **_owner):
    raise RuntimeError("no pack today")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"slug": "acme"}, "This sub-domain is taken."),
        ({"slug": "platform"}, "This name is reserved."),
        ({"slug": "a_b"}, "Use small letters"),
        ({"slug": ""}, "This field is required."),
        ({"pack": "other"}, "Select a valid choice"),
        ({"company": " \n "}, "This field is required."),
        ({"email": "olga"}, "Enter a valid email address."),
        ({"password": "short"}, "too short"),
        ({"password": "olga@initech.example"}, "too similar"),
        ({"company": "x" * 121}, "at most 120 characters"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_made(visitor, sent, change, problem):
    answer = visitor.post("/signup/", GOOD | change)
    assert answer.status_code == 422
    assert problem in text(answer)
    assert sent == []
    assert not Tenant.objects.filter(slug="initech").exists()


def test_a_password_is_not_sent_back(visitor):
    assert b"a long password" not in visitor.post("/signup/", GOOD | {"slug": "acme"}).content


def test_line_breaks_do_not_reach_names(visitor, sent):
    visitor.post("/signup/", GOOD | {"company": "Ini\r\ntech: x"})
    assert Tenant.objects.get(slug="initech").name == "Ini tech: x"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ("slug=initech", "initech.localhost is free."),
        ("slug=ACME", "acme.localhost : This sub-domain is taken."),
        ("slug=www", "This name is reserved."),
        ("slug=&company=Initech+GmbH", "initech-gmbh.localhost is free."),
        ("", "Your address will be sub-domain.localhost"),
        ("slug=%3Cscript%3E", "Use small letters"),
    ],
)
def test_the_sub_domain_is_checked_while_typing(visitor, query, answer):
    page = visitor.get(f"/signup/sub-domain/?{query}")
    assert answer in text(page)
    assert b"<script" not in page.content


def test_ten_an_hour_from_one_address(visitor, sent):
    for number in range(SIGN_UPS.amount):
        assert visitor.post("/signup/", GOOD | {"slug": f"initech-{number}"}).status_code == 302
    refused = visitor.post("/signup/", GOOD | {"slug": "initech-x"})
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    assert visitor.post("/signup/", GOOD, REMOTE_ADDR="198.51.100.9").status_code == 302


def test_progress_takes_our_signature(visitor, tenants):
    number = tenants["acme"].pk
    with tenant_context(tenants["acme"]):
        foreign = signing.dumps(number, purpose="signup-progress")
    for token in ("x", foreign, signing.dumps(number, purpose="other"), signing.dumps(0, purpose="signup-progress")):
        assert visitor.get(f"/signup/{token}/").status_code == 404


@pytest.mark.parametrize("path", ["/signup/", "/signup/sub-domain/"])
def test_a_tenant_has_no_sign_up(client, path):
    assert client.get(path).status_code in {302, 404}
    connection.set_schema_to_public()


def test_it_starts_at_the_moment_of_signing_up(visitor, sent):
    before = datetime.now(UTC)
    visitor.post("/signup/", GOOD)
    tenant = Tenant.objects.get(slug="initech")
    assert before <= tenant.created_at <= datetime.now(UTC)
    assert (tenant.status, tenant.progress) == ("provisioning", [])
