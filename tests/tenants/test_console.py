"""The operators' console: in ``platform`` alone, for its administrators alone, with every act in the audit log."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from django_tenants.utils import tenant_context

from accounts.actions.people import create_user_with_password
from accounts.choices import ADMIN_ROLES, Role
from accounts.models import Account, AuditEntry, User
from console import tasks
from tenants.actions import reserve_tenant
from tenants.models import Tenant
from tenants.quotas import DEFAULT, limits_of

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NEW = {
    "company": "Initech",
    "slug": "initech",
    "pack": "generic",
    "name": "Olga",
    "email": "olga@initech.example",
    "password": "a long password",
    "timezone": "Europe/Berlin",
}
ROUTES = [
    ("get", ""),
    ("get", "new/"),
    ("post", "new/"),
    ("get", "acme/"),
    ("post", "acme/suspend/"),
    ("post", "acme/resume/"),
    ("post", "acme/limits/"),
    ("post", "acme/off-board/"),
    ("get", "acme/export/"),
]


def person(role, email="pat@platform.example"):
    return create_user_with_password(email, name="Pat", role=role, password="a long password", at=AT, actor=None)


def browser(user, host):
    client = Client(HTTP_HOST=host)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def operator(tenants, db):
    with tenant_context(tenants["platform"]):
        client = browser(person(Role.OWNER), "platform.localhost")
    connection.set_tenant(tenants["platform"])
    return client


def audit():
    return [
        (entry.action, entry.actor.email if entry.actor else None) for entry in AuditEntry.objects.order_by("at", "pk")
    ]


def test_every_address_is_tried_below():
    [console] = [p for p in get_resolver("config.urls_platform").url_patterns if str(p.pattern) == "console/"]
    declared = {
        (method.lower(), str(leaf.pattern).replace("<slug:slug>", "acme"))
        for leaf in console.url_patterns
        for method in leaf.callback.policy
    }
    assert declared == set(ROUTES)


@pytest.mark.parametrize("role", Role)
def test_only_administrators_of_the_platform(tenants, db, role):
    for slug in ("platform", "acme"):
        with tenant_context(tenants[slug]):
            client = browser(person(role), f"{slug}.localhost")
        for method, path in ROUTES:
            answer = getattr(client, method)(f"/console/{path}")
            if slug == "acme":
                assert answer.status_code == 404, (role, path)
            elif role in ADMIN_ROLES:
                assert answer.status_code not in {302, 403} or "/console/acme/" in answer.url, (role, path)
            else:
                assert answer.status_code == 403, (role, path)
    connection.set_schema_to_public()
    assert Tenant.objects.get(slug="acme").status == "ready"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_is_asked_to_sign_in(tenants, db, method, path):
    connection.set_schema_to_public()
    answer = getattr(Client(HTTP_HOST="platform.localhost"), method)(f"/console/{path}")
    assert (answer.status_code, answer.url.split("?")[0]) == (302, "/auth/login/")
    assert getattr(Client(HTTP_HOST="localhost"), method)(f"/console/{path}").status_code == 404


def test_the_side_bar_leads_there_in_the_platform_alone(operator, tenants):
    assert b'href="/console/"' in operator.get("/console/").content
    with tenant_context(tenants["acme"]):
        client = browser(person(Role.OWNER), "acme.localhost")
    assert b'href="/console/"' not in client.get("/people/").content


def test_the_list_shows_each_workspace_with_what_it_uses(operator, tenants):
    with tenant_context(tenants["acme"]):
        for number in range(3):
            Account.objects.create(name=f"secret {number}")
    page = operator.get("/console/")
    assert [row.slug for row, _usage, _url in page.context["lines"]] == ["platform", "globex", "acme"]
    usage = {row.slug: usage for row, usage, _url in page.context["lines"]}
    assert (usage["acme"].accounts, usage["globex"].accounts, usage["platform"].users) == (3, 0, 1)
    assert usage["acme"].size > 0
    assert b"secret" not in page.content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=GLO", ["globex"]),
        ("?status=suspended", []),
        ("?status=gone", ["left"]),
        ("?status=nonsense", ["platform", "globex", "acme"]),
        ("?q=%27%3B--", []),
    ],
)
def test_the_list_is_narrowed(operator, query, found):
    tenant = reserve_tenant("left", name="Left", pack="", at=AT)
    with tenant_context(Tenant(schema_name="public")):
        Tenant.objects.filter(pk=tenant.pk).update(status="gone")
    assert [row.slug for row, *_ in operator.get(f"/console/{query}").context["lines"]] == found


def test_the_list_costs_the_same_for_one_and_for_three(operator):
    def cost(query):
        with CaptureQueriesContext(connection) as captured:
            operator.get(f"/console/{query}")
        return len(captured)

    cost("")
    assert cost("?q=globex") == cost("")


def test_create(operator):
    answer = operator.post("/console/new/", NEW)
    assert (answer.status_code, answer.url) == (302, "/console/initech/")
    tenant = Tenant.objects.get(slug="initech")
    assert (tenant.status, tenant.timezone, tenant.pack) == ("ready", "Europe/Berlin", "generic")
    with tenant_context(tenant):
        assert User.objects.get().email == "olga@initech.example"
    assert audit()[-1] == ("tenant.created", "pat@platform.example")
    assert operator.post("/console/new/", NEW).status_code == 422
    assert operator.post("/console/new/", NEW | {"slug": "other", "timezone": "Mars"}).status_code == 422


def test_suspend_and_resume(operator, client):
    assert operator.post("/console/acme/suspend/", {"reason": ""}).status_code == 422
    assert operator.post("/console/acme/suspend/", {"reason": "unpaid"}).status_code == 302
    assert client.get("/auth/login/").status_code == 404
    assert b"unpaid" in operator.get("/console/acme/").content
    operator.post("/console/acme/suspend/", {"reason": "again"})
    operator.post("/console/acme/resume/")
    assert client.get("/auth/login/").status_code == 200
    assert [name for name, _ in audit() if name.startswith("tenant.")] == ["tenant.suspended", "tenant.resumed"]


def test_the_operators_workspace_cannot_be_suspended_or_removed(operator):
    operator.post("/console/platform/suspend/", {"reason": "x"})
    operator.post("/console/platform/off-board/", {"confirmation": "platform"})
    assert Tenant.objects.get(slug="platform").status == "ready"
    assert [name for name, _ in audit() if name.startswith("tenant.")] == []


def test_limits(operator, tenants):
    assert operator.post("/console/acme/limits/", {"users": "0"}).status_code == 422
    operator.post("/console/acme/limits/", {"users": "7", "events_per_day": ""})
    assert limits_of(tenants["acme"].schema_name) == DEFAULT._replace(users=7)
    shown = " ".join(re.sub(r"<[^>]+>", " ", operator.get("/console/acme/").content.decode()).split())
    assert "Users 0 of 7" in shown
    assert "Events today 0 of 20,000,000" in shown
    operator.post("/console/acme/limits/", {})
    assert limits_of(tenants["acme"].schema_name) == DEFAULT
    operator.post("/console/acme/limits/", {})
    assert [name for name, _ in audit()].count("tenant.limits_changed") == 2


def test_off_boarding_wants_the_name_typed(operator):
    answer = operator.post("/console/acme/off-board/", {"confirmation": "ACME"})
    assert (answer.status_code, b"Type acme to confirm." in answer.content) == (422, True)
    assert Tenant.objects.get(slug="acme").status == "ready"


def test_off_boarding_closes_at_once_and_leaves_an_export(operator, client, tenants):
    with tenant_context(tenants["acme"]):
        Account.objects.create(name="Umbrella")
    assert operator.get("/console/acme/export/").status_code == 404
    operator.post("/console/acme/off-board/", {"confirmation": "acme"})
    assert Tenant.objects.get(slug="acme").status == "offboarding"
    assert client.get("/auth/login/").status_code == 404

    tasks.offboard.run(tenants["acme"].pk)
    tasks.offboard.run(tenants["acme"].pk)

    assert Tenant.objects.get(slug="acme").status == "gone"
    answer = operator.get("/console/acme/export/")
    data = b"".join(answer.streaming_content)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert b"Umbrella" in archive.read("tables/accounts_account.csv")
    assert [name for name, _ in audit() if name.startswith("tenant.")] == ["tenant.closed", "tenant.removed"]
    assert audit()[-1] == ("tenant.removed", None)
