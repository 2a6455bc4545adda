"""Which host opens which tenant; and what load balancers and log readers get."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone
from django_tenants.utils import tenant_context

from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import Account
from tenants import backlog, readiness
from tenants.logs import TenantFilter
from tenants.middleware import HealthMiddleware, RequestIdMiddleware, TenantMiddleware
from tenants.models import Domain, Tenant


@pytest.fixture(autouse=True)
def public(db, workspace):
    connection.set_schema_to_public()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("acme.localhost", 200),
        ("acme.localhost:8000", 200),
        ("ACME.Localhost", 200),
        ("acme.localhost.", 200),
        ("www.acme.localhost", 200),
        ("nobody.localhost", 404),
        ("evil.example", 404),
        ("acme.localhost.evil.example", 404),
        ("127.0.0.1", 404),
        ("[::1]:8000", 404),
        ("a_b.localhost", 404),
        ("acme.localhost@evil.example", 404),
        ("acme.localhost/..", 404),
        ("", 404),
    ],
)
def test_hosts(host, status):
    answer = Client(HTTP_HOST=host).get("/auth/login/")
    assert answer.status_code == status
    assert connection.schema_name == "public"


@pytest.mark.parametrize("status", ["provisioning", "maintenance", "suspended", "offboarding", "failed", "gone"])
def test_a_tenant_that_is_not_ready_is_answered_like_an_unknown_one(status):
    unknown = Client(HTTP_HOST="nobody.localhost").get("/auth/login/")
    Tenant.objects.filter(slug="acme").update(status=status)
    answer = Client(HTTP_HOST="acme.localhost").get("/auth/login/")
    assert (
        (answer.status_code, answer.content)
        == (unknown.status_code, unknown.content)
        == (
            404,
            b"Unknown workspace\n",
        )
    )
    assert "Set-Cookie" not in answer


def test_a_custom_domain_opens_its_tenant(tenants):
    Domain.objects.create(domain="cs.acme.example", tenant=tenants["acme"], is_primary=False)
    assert Client(HTTP_HOST="cs.acme.example").get("/auth/login/").status_code == 200


def test_the_port_of_the_request_and_forwarded_hosts_are_not_believed():
    answer = Client(HTTP_HOST="acme.localhost", HTTP_X_FORWARDED_HOST="globex.localhost").get("/auth/login/")
    assert b"Acme" in answer.content
    assert b"Globex" not in answer.content


def run(tenant, view, host="acme.localhost"):
    return TenantMiddleware(view)(RequestFactory().get("/", HTTP_HOST=host))


def test_the_tenant_selected_before_is_selected_again(tenants):
    connection.set_tenant(tenants["globex"])
    seen = []
    run(tenants["acme"], lambda request: seen.append(connection.schema_name) or HttpResponse())
    assert seen == [tenants["acme"].schema_name]
    assert connection.schema_name == tenants["globex"].schema_name


def test_also_after_an_error(tenants):
    def view(request):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run(tenants["acme"], view)
    assert connection.schema_name == "public"


def test_a_streamed_body_is_made_in_the_tenant(tenants):
    with tenant_context(tenants["acme"]):
        Account.objects.create(name="Umbrella")

    def body():
        for _ in range(2):
            yield ",".join(Account.objects.values_list("name", flat=True))

    response = run(tenants["acme"], lambda request: StreamingHttpResponse(body()))
    with tenant_context(tenants["globex"]):
        assert list(response.streaming_content) == [b"Umbrella", b"Umbrella"]
        assert connection.schema_name == tenants["globex"].schema_name


def test_a_login_at_one_host_is_nobody_at_another(tenants):
    clients = {}
    for slug in ("acme", "globex"):
        with tenant_context(tenants[slug]):
            user = create_user_with_password(
                "eve@x.example", name="Eve", role=Role.OWNER, password="p" * 12, at=tenants[slug].created_at, actor=None
            )
            clients[slug] = Client(HTTP_HOST=f"{slug}.localhost")
            clients[slug].force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert clients["acme"].get("/people/").status_code == 200
    clients["globex"].cookies = clients["acme"].cookies
    answer = clients["globex"].get("/people/")
    assert (answer.status_code, answer.url) == (302, "/auth/login/?next=/people/")
    connection.set_schema_to_public()


class TestHealth:
    @pytest.mark.parametrize("host", ["10.0.0.7", "nobody.localhost", "acme.localhost", "bad host"])
    def test_any_host_is_answered(self, host):
        answer = Client(HTTP_HOST=host).get("/healthz")
        assert (answer.status_code, answer.content) == (200, b"ok\n")
        assert Client(HTTP_HOST=host).get("/readyz").status_code == 200

    def test_readiness_names_each_part(self):
        before = Client().get("/readyz").json()
        assert before == {
            "ready": True,
            "database": "ok",
            "broker": "ok",
            "workers": "no sign of life",
            "worker_seen_seconds_ago": None,
            "lag_seconds": {},
        }
        readiness.beat()
        backlog.note("usage.drain", None)
        after = Client().get("/readyz").json()
        assert (after["workers"], after["lag_seconds"]) == ("ok", {"usage.drain": 0.0})
        assert after["worker_seen_seconds_ago"] < 5

    def test_the_lag_is_the_age_of_the_oldest_thing(self):
        backlog.note("usage.drain", timezone.now() - timedelta(seconds=90))
        assert 90 <= Client().get("/readyz").json()["lag_seconds"]["usage.drain"] < 95

    def test_a_silent_worker_is_named(self, monkeypatch):
        readiness.beat()
        monkeypatch.setattr(readiness, "SILENT_SECONDS", 0)
        answer = Client().get("/readyz")
        assert (answer.status_code, answer.json()["workers"]) == (200, "no sign of life")

    def test_without_a_broker_it_is_not_ready(self, settings):
        away = {**settings.CACHES, "global": {**settings.CACHES["global"], "LOCATION": "redis://127.0.0.1:1/0"}}
        with override_settings(CACHES=away):
            answer = HealthMiddleware(lambda request: None)(RequestFactory().get("/readyz"))
        assert (answer.status_code, b"unreachable: ConnectionError" in answer.content) == (503, True)

    def test_without_a_database_it_is_not_ready(self, monkeypatch):
        def refuse():
            raise OperationalError

        with monkeypatch.context() as patch:
            patch.setattr(connection, "cursor", refuse)
            answer = HealthMiddleware(lambda request: None)(RequestFactory().get("/readyz"))
        assert answer.status_code == 503
        assert b'"database": "unreachable: OperationalError"' in answer.content


class TestRequestId:
    def ask(self, given=None):
        seen = []
        request = RequestFactory().get("/", headers={"X-Request-ID": given} if given else {})
        answer = RequestIdMiddleware(lambda request: seen.append(request.request_id) or HttpResponse())(request)
        assert answer["X-Request-ID"] == seen[0]
        return seen[0]

    def test_each_request_has_one(self):
        assert re.fullmatch(r"[0-9a-f-]{36}", self.ask())
        assert self.ask() != self.ask()

    def test_a_plain_one_of_the_caller_is_kept(self):
        assert self.ask("trace-1234.a_b") == "trace-1234.a_b"

    @pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f", "<script>alert(1)", "line\tbreak-x"])
    def test_any_other_is_not(self, given):
        assert re.fullmatch(r"[0-9a-f-]{36}", self.ask(given))


def test_a_line_of_the_log_names_its_tenant(tenants):
    record = logging.LogRecord("x", logging.INFO, "", 0, "", (), None)
    with tenant_context(tenants["acme"]):
        TenantFilter().filter(record)
    assert record.tenant == tenants["acme"].schema_name


class TestKeptHosts:
    """With ``HOSTS_KEPT_SECONDS`` a busy host is looked up once in so many seconds."""

    def answer(self, middleware):
        return middleware(RequestFactory().get("/", HTTP_HOST="acme.localhost"))

    def test_the_second_request_asks_nothing_and_has_a_tenant_of_its_own(self, django_assert_num_queries):
        seen = []
        middleware = TenantMiddleware(lambda request: seen.append(request.tenant) or HttpResponse())
        with override_settings(HOSTS_KEPT_SECONDS=60):
            self.answer(middleware)
            seen[0].name = "changed by a view"
            with django_assert_num_queries(0):
                self.answer(middleware)
        assert seen[1].slug == "acme"
        assert seen[1].name != "changed by a view"

    def test_a_suspended_tenant_is_served_no_longer_than_that(self, monkeypatch):
        clock = [1000.0]
        monkeypatch.setattr("tenants.middleware.time.monotonic", lambda: clock[0])
        middleware = TenantMiddleware(lambda request: HttpResponse())
        with override_settings(HOSTS_KEPT_SECONDS=1.0):
            assert self.answer(middleware).status_code == 200
            Tenant.objects.filter(slug="acme").update(status="suspended")
            clock[0] += 0.9
            assert self.answer(middleware).status_code == 200
            clock[0] += 0.1
            assert self.answer(middleware).status_code == 404

    def test_an_unknown_host_is_not_kept_and_known_ones_are_bounded(self, monkeypatch):
        middleware = TenantMiddleware(lambda request: HttpResponse())
        monkeypatch.setattr("tenants.middleware.MOST_KEPT", 1)
        with override_settings(HOSTS_KEPT_SECONDS=60):
            for host in ("nobody.localhost", "acme.localhost", "globex.localhost"):
                middleware(RequestFactory().get("/", HTTP_HOST=host))
        assert list(middleware._kept) == ["globex.localhost"]
