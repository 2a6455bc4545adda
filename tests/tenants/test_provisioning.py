"""A workspace is created whole or not at all, from a name that never becomes SQL."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django_tenants.utils import tenant_context
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.choices import Role
from accounts.models import User, Workspace
from tenants.actions import (
    TenantRefused,
    build_tenant,
    create_tenant,
    problem_with_new,
    reserve_tenant,
    resume_tenant,
    suspend_tenant,
    url_of,
)
from tenants.models import Domain, Tenant, TenantStatus
from tenants.slugs import problem_with, slug_from

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
OWNER = {"owner_email": "olga@initech.example", "owner_password": "a long password", "owner_name": "Olga"}


@pytest.fixture(autouse=True)
def public(db, workspace):
    connection.set_schema_to_public()


def schemas():
    with connection.cursor() as cursor:
        cursor.execute("select nspname from pg_namespace where nspname like 't\\_%%' order by 1")
        return [name for (name,) in cursor.fetchall()]


def explode(tenant, **_owner):
    User.objects.create(email="half@initech.example")
    raise RuntimeError("the methodology is broken")


class TestCreate:
    def test_it_is_ready_with_its_owner_settings_and_pack(self):
        tenant = create_tenant("initech", name="Initech", pack="fleet", timezone="Europe/Berlin", at=AT, **OWNER)
        assert (tenant.status, tenant.progress[-1], tenant.ready_at) == (TenantStatus.READY, "Ready", AT)
        assert [d.domain for d in tenant.domains.all()] == ["initech.localhost"]
        assert connection.schema_name == "public"
        with tenant_context(tenant):
            owner = User.objects.get()
            assert (owner.email, owner.name, owner.role) == ("olga@initech.example", "Olga", Role.OWNER)
            assert Workspace.objects.get().timezone == "Europe/Berlin"
            from packs.models import PackInstall

            assert [install.key for install in PackInstall.objects.all()] == ["fleet"]

    def test_its_schema_is_ours_whatever_the_name(self):
        tenant = reserve_tenant("initech", name='x"; drop schema public; --', pack="", at=AT)
        assert tenant.schema_name.startswith("t_")
        assert "initech" not in tenant.schema_name

    def test_the_owner_signs_in_at_once(self, settings):
        from django.test import Client

        create_tenant("initech", name="Initech", pack="generic", at=AT, **OWNER)
        client = Client(HTTP_HOST="initech.localhost")
        page = client.get("/auth/login/")
        assert page.status_code == 200
        assert "Initech" in page.content.decode()

    def test_a_failure_leaves_no_schema_and_no_row(self, settings):
        settings.TENANT_SETUP = [*settings.TENANT_SETUP, f"{__name__}.explode"]
        before = schemas()
        with pytest.raises(RuntimeError, match="methodology is broken"):
            create_tenant("initech", name="Initech", pack="", at=AT, **OWNER)
        assert schemas() == before
        assert not Tenant.objects.filter(slug="initech").exists()
        assert not Domain.objects.filter(domain="initech.localhost").exists()

    def test_a_reserved_workspace_whose_set_up_failed_says_why_and_can_be_built_again(self, settings):
        before, hooks = schemas(), settings.TENANT_SETUP
        tenant = reserve_tenant("initech", name="Initech", pack="", at=AT)
        settings.TENANT_SETUP = [*hooks, f"{__name__}.explode"]
        with pytest.raises(RuntimeError):
            build_tenant(tenant, at=AT, **OWNER)
        tenant.refresh_from_db()
        assert (tenant.status, tenant.status_reason) == (
            TenantStatus.FAILED,
            "RuntimeError: the methodology is broken",
        )
        assert schemas() == before
        settings.TENANT_SETUP = hooks
        assert build_tenant(tenant, at=AT, **OWNER).status == TenantStatus.READY

    def test_a_schema_left_by_a_killed_process_is_replaced(self):
        tenant = reserve_tenant("initech", name="Initech", pack="", at=AT)
        with connection.cursor() as cursor:
            cursor.execute(f'create schema "{tenant.schema_name}"')
            cursor.execute(f'create table "{tenant.schema_name}".accounts_account ()')
        assert build_tenant(tenant, at=AT, **OWNER).status == TenantStatus.READY

    def test_building_a_ready_workspace_again_changes_nothing(self):
        tenant = create_tenant("initech", name="Initech", pack="", at=AT, **OWNER)
        build_tenant(tenant, owner_email="eve@x.example", owner_password="another password", at=AT)
        with tenant_context(tenant):
            assert [user.email for user in User.objects.all()] == ["olga@initech.example"]

    def test_from_inside_a_workspace_it_comes_back_to_it(self, tenants):
        connection.set_tenant(tenants["acme"])
        create_tenant("initech", name="Initech", pack="", at=AT, **OWNER)
        assert connection.schema_name == tenants["acme"].schema_name


class TestNames:
    @pytest.mark.parametrize(
        ("slug", "problem"),
        [
            ("abc", ""),
            ("ab", "Use 3 to 40 characters."),
            ("a" * 40, ""),
            ("a" * 41, "Use 3 to 40 characters."),
            ("acme-2", ""),
            ("2acme", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("acme-", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("ac--me", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("ac_me", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("Acme", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("acme\n", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("xn--80ak6aa92e", "Use small letters, digits and single hyphens, beginning with a letter."),
            ("www", "This name is reserved."),
            ("api", "This name is reserved."),
            ("platform", "This name is reserved."),
            ("public", "This name is reserved."),
        ],
    )
    def test_shape(self, slug, problem):
        assert problem_with(slug) == problem

    def test_upper_case_is_lowered(self):
        assert reserve_tenant("  InITech ", name="x", pack="", at=AT).slug == "initech"

    def test_taken(self):
        reserve_tenant("initech", name="x", pack="", at=AT)
        assert problem_with_new("initech", at=AT) == "This sub-domain is taken."
        with pytest.raises(TenantRefused, match="taken"):
            reserve_tenant("initech", name="x", pack="", at=AT)

    def test_a_custom_domain_is_not_given_away_as_a_sub_domain(self, tenants):
        Domain.objects.create(domain="initech.localhost", tenant=tenants["acme"], is_primary=False)
        assert problem_with_new("initech", at=AT) == "This sub-domain is taken."
        with pytest.raises(TenantRefused, match="taken"):
            reserve_tenant("initech", name="x", pack="", at=AT)

    def test_the_operators_name_is_only_for_operators(self):
        Tenant.objects.filter(slug="platform").delete()
        with pytest.raises(TenantRefused, match="reserved"):
            reserve_tenant("platform", name="x", pack="", at=AT)
        assert reserve_tenant("platform", name="x", pack="", at=AT, reserved=True).slug == "platform"
        with pytest.raises(TenantRefused, match="reserved"):
            reserve_tenant("www", name="x", pack="", at=AT, reserved=True)

    def test_the_name_of_a_failed_set_up_is_free(self):
        Tenant.objects.filter(pk=reserve_tenant("initech", name="x", pack="", at=AT).pk).update(status="failed")
        assert problem_with_new("initech", at=AT) == ""
        assert reserve_tenant("initech", name="y", pack="", at=AT).name == "y"

    @pytest.mark.parametrize(("days", "free"), [(89, False), (90, True)])
    def test_the_name_of_a_gone_workspace_rests_90_days(self, days, free):
        tenant = reserve_tenant("initech", name="x", pack="", at=AT)
        Tenant.objects.filter(pk=tenant.pk).update(status=TenantStatus.GONE, gone_at=AT)
        later = AT + timedelta(days=days)
        assert (problem_with_new("initech", at=later) == "") is free
        if free:
            assert reserve_tenant("initech", name="y", pack="", at=later).name == "y"
        else:
            with pytest.raises(TenantRefused):
                reserve_tenant("initech", name="y", pack="", at=later)

    @pytest.mark.parametrize("schema", ["acme", "PUBLIC", "pg_x", 't_"; drop', "t_AB", "t_ab", "extensions"])
    def test_the_database_refuses_a_schema_name_that_is_not_ours(self, schema):
        with pytest.raises(IntegrityError, match="tenant_schema_name_is_ours"), transaction.atomic():
            Tenant.objects.bulk_create([Tenant(schema_name=schema, slug="some", name="x", created_at=AT)])

    @hypothesis_settings(max_examples=200, deadline=None)
    @given(st.text(max_size=50))
    def test_any_text_is_refused_or_is_a_host_name(self, text):
        if not problem_with(text):
            assert text.isascii()
            assert text.replace("-", "").isalnum()
            assert text == text.lower()

    @pytest.mark.parametrize(
        ("name", "slug"), [("Acme GmbH & Co.", "acme-gmbh-co"), ("3M", "m"), ("  ", ""), ("Ärger", "rger")]
    )
    def test_a_proposal(self, name, slug):
        assert slug_from(name) == slug


class TestSuspension:
    def test_a_suspended_host_is_404_and_comes_back(self, client, tenants):
        suspend_tenant(tenants["acme"], reason="unpaid")
        assert client.get("/auth/login/").status_code == 404
        assert Tenant.objects.get(slug="acme").status_reason == "unpaid"
        resume_tenant(tenants["acme"])
        assert client.get("/auth/login/").status_code == 200

    def test_it_needs_a_reason(self, tenants):
        with pytest.raises(TenantRefused, match="Say why"):
            suspend_tenant(tenants["acme"], reason=" ")

    def test_the_operators_workspace_stays(self, tenants):
        with pytest.raises(TenantRefused, match="stays as it is"):
            suspend_tenant(tenants["platform"], reason="x")

    def test_only_ready_ones_are_suspended_and_only_suspended_ones_resumed(self, tenants):
        with pytest.raises(TenantRefused, match="A workspace that is ready cannot become ready"):
            resume_tenant(tenants["acme"])
        suspend_tenant(tenants["acme"], reason="x")
        with pytest.raises(TenantRefused, match="A workspace that is suspended cannot become suspended"):
            suspend_tenant(tenants["acme"], reason="x")


class TestCommands:
    def run(self, *arguments, **options):
        out = io.StringIO()
        call_command(*arguments, stdout=out, **options)
        return json.loads(out.getvalue())

    def create(self, slug="initech", **more):
        options = {"name": "Initech", "pack": "generic", "owner_email": "o@x.example", "owner_password": "long enough!"}
        return self.run("create_tenant", slug, **(options | more))

    def test_create_prints_exactly_three_things(self):
        answer = self.create()
        assert list(answer) == ["tenant", "host", "seconds"]
        assert (answer["tenant"], answer["host"]) == ("initech", "initech.localhost")
        assert 0 < answer["seconds"] < 30

    def test_create_says_what_is_wrong(self):
        with pytest.raises(CommandError, match="slug: This name is reserved"):
            self.create("www")

    def test_suspend_and_resume(self):
        assert self.run("suspend_tenant", "acme", reason="unpaid") == {"tenant": "acme", "status": "suspended"}
        assert self.run("resume_tenant", "acme") == {"tenant": "acme", "status": "ready"}
        with pytest.raises(CommandError, match="There is no tenant nobody"):
            self.run("suspend_tenant", "nobody", reason="x")


def test_addresses(settings):
    tenant = Tenant(slug="initech")
    settings.HTTPS, settings.PORT = False, 8123
    assert url_of(tenant) == "http://initech.localhost:8123/"
    settings.PORT = 80
    assert url_of(tenant) == "http://initech.localhost/"
    settings.HTTPS = True
    assert url_of(tenant) == "https://initech.localhost/"
