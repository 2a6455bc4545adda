"""What every address promises: identity, policy, limits, idempotency, problems."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import path
from drf_spectacular.drainage import reset_generator_stats
from rest_framework.response import Response

from accounts.actions.tokens import revoke_token
from accounts.choices import Role
from accounts.models import Account, ApiToken
from api import openapi, schema
from api.idempotency import forget_old
from api.models import IdempotencyKey
from api.views import Endpoint
from tests.api.conftest import Api, token_for
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


class TestIdentity:
    def test_without_a_token_it_is_401_with_a_challenge(self, nobody):
        response = nobody.get("accounts/")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="api"')
        assert response.json()["type"] == "/api/docs/#problem-unauthenticated"

    @pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer tnr_wrong", "Basic abc", "Bearer ä", "tnr_x"])
    def test_a_header_without_a_valid_token_is_401_even_beside_a_session(self, client, owner, header):
        client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get("/api/v1/accounts/", headers={"authorization": header}).status_code == 401

    def test_a_token_in_the_address_is_not_looked_at(self, client, owner):
        assert client.get(f"/api/v1/accounts/?token={token_for(owner)}").status_code == 401

    def test_a_revoked_token_ends_with_the_next_request(self, api, owner, yesterday):
        assert api.get("accounts/").status_code == 200
        revoke_token(ApiToken.objects.get(), actor=owner, at=yesterday)
        assert api.get("accounts/").status_code == 401

    def test_a_token_of_one_workspace_is_nothing_in_another(self, api, other_client, tenants):
        connection.set_tenant(tenants["globex"])
        assert Api(other_client, api.token).get("accounts/").status_code == 401

    def test_a_session_reads_but_writes_only_with_its_csrf_token(self, tenants, owner):
        from django_tenants.test.client import TenantClient

        client = TenantClient(tenants["acme"], HTTP_HOST="acme.localhost", enforce_csrf_checks=True)
        client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get("/api/v1/accounts/").status_code == 200
        refused = client.post("/api/v1/accounts/", {"name": "x"}, content_type="application/json")
        assert (refused.status_code, Account.objects.count()) == (403, 0)

    @pytest.mark.parametrize(
        ("scopes", "expected"),
        [(("read",), (200, 403, 403)), (("write",), (403, 201, 403)), (("admin",), (403, 403, 204))],
    )
    def test_each_scope_is_given_by_itself(self, client, owner, scopes, expected):
        account = AccountFactory()
        api = Api(client, token_for(owner, *scopes))
        got = (
            api.get("accounts/").status_code,
            api.post("accounts/", {"name": "New"}).status_code,
            api.delete(f"accounts/{account.pk}/").status_code,
        )
        assert got == expected

    def test_a_portal_users_session_is_403(self, client, db):
        user = UserFactory(role=Role.PORTAL_USER)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get("/api/v1/accounts/").status_code == 403


class TestIdempotency:
    def test_the_same_key_and_body_happen_once(self, api):
        first = api.post("accounts/", {"name": "Once"}, idempotency_key="k1")
        again = api.post("accounts/", {"name": "Once"}, idempotency_key="k1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert (again["Idempotent-Replayed"], again["Location"]) == ("true", first["Location"])
        assert Account.objects.count() == 1

    def test_another_body_is_422(self, api):
        api.post("accounts/", {"name": "Once"}, idempotency_key="k1")
        other = api.post("accounts/", {"name": "Twice"}, idempotency_key="k1")
        assert (other.status_code, other.json()["errors"][0]["code"]) == (422, "idempotency_key_reused")
        assert Account.objects.count() == 1

    def test_a_refusal_is_replayed_too(self, api):
        first = api.post("accounts/", {"name": ""}, idempotency_key="k1")
        again = api.post("accounts/", {"name": ""}, idempotency_key="k1")
        assert (first.status_code, again.status_code, again.content) == (422, 422, first.content)

    def test_under_way_is_409_until_its_lease_ends(self, api, yesterday):
        api.post("accounts/", {"name": "Once"}, idempotency_key="k1")
        IdempotencyKey.objects.update(status=None)
        assert api.post("accounts/", {"name": "Once"}, idempotency_key="k1").status_code == 409
        IdempotencyKey.objects.update(leased_until=yesterday)
        assert api.post("accounts/", {"name": "Once"}, idempotency_key="k1").status_code == 201

    def test_keys_belong_to_their_token(self, api, csm_api):
        api.post("accounts/", {"name": "One"}, idempotency_key="k1")
        assert csm_api.post("accounts/", {"name": "Two"}, idempotency_key="k1").status_code == 201

    def test_keys_are_kept_for_72_hours(self, api):
        from datetime import timedelta

        api.post("accounts/", {"name": "Once"}, idempotency_key="k1")
        made = IdempotencyKey.objects.get().created_at
        assert forget_old(at=made + timedelta(hours=72)) == 0
        assert forget_old(at=made + timedelta(hours=72, seconds=1)) == 1

    @pytest.mark.parametrize("key", ["x" * 256, "a\tb", "", "\xe9t\xe9"])
    def test_an_unusable_key_is_400(self, api, key):
        assert api.post("accounts/", {"name": "x"}, idempotency_key=key).status_code == 400


class TestLimits:
    def test_every_answer_says_what_is_left(self, api, nobody):
        first, second = api.get("accounts/"), api.get("accounts/nonsense/")
        assert int(first["RateLimit-Remaining"]) - int(second["RateLimit-Remaining"]) == 1
        assert 0 < int(first["RateLimit-Reset"]) <= 60
        assert nobody.get("accounts/")["RateLimit-Limit"] == "300"

    def test_above_the_limit_it_is_429(self, api, settings):
        settings.API_CALLS_PER_MINUTE = 2
        answers = [api.get("quotas/") for _call in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2]["Retry-After"] == answers[2]["RateLimit-Reset"]

    def test_the_workspace_has_a_limit_of_its_own(self, api, csm_api, settings):
        settings.API_CALLS_PER_MINUTE_TENANT = 2
        assert [c.get("quotas/").status_code for c in (api, csm_api, api)] == [200, 200, 429]


class TestProblems:
    @pytest.mark.parametrize(
        ("body", "headers", "status", "kind"),
        [
            (b"{", {}, 400, "malformed"),
            (b"", {}, 415, "unsupported-media-type"),
            (b"\xff\xfe{\x00}\x00", {}, 400, "malformed"),
            ("{}".encode("utf-16"), {}, 400, "malformed"),
            (b"\xef\xbb\xbf{}", {}, 400, "malformed"),
            (b"[" * 2000 + b"]" * 2000, {}, 400, "malformed"),
            (b'{"custom":' * 40 + b"1" + b"}" * 40, {}, 400, "malformed"),
            (b"[]", {}, 400, "malformed"),
            (b"NaN", {}, 400, "malformed"),
            (b'{"name": "\\ud800"}', {}, 400, "malformed"),
            (b"name=x", {"content_type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
            (b"<a/>", {"content_type": "application/xml"}, 415, "unsupported-media-type"),
            (b"{}", {"content_type": "application/json; charset=latin-1"}, 415, "unsupported-media-type"),
            (b" " * (8 * 1024 * 1024 + 1), {}, 413, "too-large"),
            (b" " * (17 * 1024 * 1024), {}, 413, "too-large"),
        ],
    )
    def test_a_body_that_cannot_be_read(self, api, body, headers, status, kind):
        response = api("POST", "accounts/", body, **headers)
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
        problem = response.json()
        assert (problem["type"], problem["status"]) == (f"/api/docs/#problem-{kind}", status)
        assert problem["request_id"] == response["X-Request-ID"]

    def test_unknown_addresses_and_methods_are_problems(self, api):
        assert api.get("no/such/thing/").json()["status"] == 404
        response = api.put("accounts/", {})
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
        assert api("OPTIONS", "accounts/").status_code == 204
        assert api("BREW", "accounts/").status_code == 405

    def test_a_nul_in_the_address_is_400(self, api):
        assert api.get("accounts/?q=a%00b").status_code == 400
        assert api.get("accounts/by-external-id/a%00/b/").status_code == 400

    def test_our_mistake_is_a_problem_without_detail(self, api, monkeypatch):
        api.client.raise_request_exception = False
        monkeypatch.setattr("api.v1.accounts.visible_account", lambda *_: 1 / 0)
        monkeypatch.setattr("api.v1.accounts.AccountNames._names", lambda *_: 1 / 0)
        response = api.get(f"accounts/{AccountFactory().pk}/external-ids/")
        assert (response.status_code, response.json()["status"]) == (500, 500)
        assert b"ZeroDivision" not in response.content


class TestFramework:
    """What REST framework would do otherwise."""

    @pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*;q=0.1", ";"])
    def test_every_answer_is_json_whatever_is_accepted(self, api, accept):
        answers = [api.get("quotas/", accept=accept), api.get("no/such/thing/", accept=accept)]
        assert [(a.status_code, a["Content-Type"]) for a in answers] == [
            (200, "application/json"),
            (404, "application/problem+json"),
        ]

    def test_format_is_no_parameter(self, api):
        assert api.get("accounts/?format=api").status_code == 400

    def test_a_merge_patch_is_a_change(self, api):
        account = AccountFactory(segment="x")
        response = api.patch(
            f"accounts/{account.pk}/", {"segment": "Metro"}, content_type="application/merge-patch+json"
        )
        assert (response.status_code, response.json()["segment"]) == (200, "Metro")

    def test_a_refused_call_counts_against_the_limit(self, csm_api, settings):
        settings.API_CALLS_PER_MINUTE = 2
        assert [csm_api.get("audit/").status_code for _call in range(3)] == [403, 403, 429]

    def test_a_guessed_token_counts_against_the_limit_of_its_address(self, client, settings):
        settings.API_CALLS_PER_MINUTE_ANONYMOUS = 2
        nobody = Api(client, "")
        assert [nobody.get("accounts/").status_code for _call in range(3)] == [401, 401, 429]

    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("colour=red", "unknown_parameter"),
            ("account=x", "account"),
            ("present=perhaps", "present"),
            ("stakeholder_role=king", "stakeholder_role"),
            ("ordering=phone", "ordering"),
            ("fields=id,shoe_size", "fields"),
            ("page_size=501", "page_size"),
            ("cursor=x", "cursor"),
        ],
    )
    def test_a_parameter_that_means_nothing_is_400_and_named(self, api, query, name):
        response = api.get(f"contacts/?{query}")
        assert (response.status_code, response.json()["errors"][0]["code"]) == (400, name)

    def test_an_empty_body_is_400_and_one_without_a_type_415(self, api):
        assert api("POST", "contacts/", b"", content_type="application/json").status_code in {400, 415}
        assert api("POST", "contacts/", b" ", content_type="application/json").status_code == 400

    def test_the_document_fails_for_an_operation_without_a_summary(self, monkeypatch):
        class Bare(Endpoint):
            policy = {"GET": "accounts.view"}

            def get(self, request):
                return Response({})

        monkeypatch.setattr("api.urls.RESOURCES", [path("bare/", Bare.as_view(), name="bare")])
        for cached in (openapi.document, schema._names):
            cached.cache_clear()
        try:
            with pytest.raises(CommandError):
                call_command("openapi", stdout=StringIO())
        finally:
            for cached in (openapi.document, schema._names):
                cached.cache_clear()
            reset_generator_stats()
