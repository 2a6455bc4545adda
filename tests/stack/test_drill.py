import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account
from tenants.drill import DrillFailed, drill, fingerprint
from tenants.models import Tenant, TenantStatus
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def acme(tenants):
    AccountFactory.create_batch(3)
    return tenants["acme"]


@pytest.fixture
def no_new_schemas():
    """A server on which nothing can be restored."""
    with connection.cursor() as cursor:
        cursor.execute(
            "create function public.refuse() returns event_trigger language plpgsql as "
            "$$ begin raise exception 'no new schemas today'; end $$"
        )
        cursor.execute(
            "create event trigger refuse on ddl_command_start when tag in ('CREATE SCHEMA') "
            "execute function public.refuse()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("drop event trigger refuse")
        cursor.execute("drop function public.refuse()")


def test_a_workspace_comes_back_from_its_dump_as_it_was(acme, tenants):
    before, other = fingerprint(acme.schema_name), fingerprint(tenants["globex"].schema_name)
    connection.set_schema_to_public()
    found = drill(acme)
    assert fingerprint(acme.schema_name) == before
    assert fingerprint(tenants["globex"].schema_name) == other
    assert found.rows == sum(count for count, _ in before["tables"].values()) > 3
    assert found.tables == len(before["tables"]) > 30
    assert Tenant.objects.get(pk=acme.pk).status == TenantStatus.READY
    connection.set_tenant(acme)
    assert Account.objects.count() == 3


def test_a_drill_that_fails_leaves_the_workspace_as_it_was(acme, no_new_schemas):
    before = fingerprint(acme.schema_name)
    connection.set_schema_to_public()
    with pytest.raises(DrillFailed, match="no new schemas today"):
        drill(acme)
    assert fingerprint(acme.schema_name) == before
    assert Tenant.objects.get(pk=acme.pk).status == TenantStatus.READY


def test_the_fingerprint_sees_a_changed_row(acme):
    before = fingerprint(acme.schema_name)
    account = Account.objects.first()
    account.name = f"{account.name}!"
    account.save()
    after = fingerprint(acme.schema_name)
    assert [name for name in before["tables"] if before["tables"][name] != after["tables"][name]] == [
        "accounts_account"
    ]


def test_the_command_prints_what_it_found_and_names_an_unknown_tenant(acme):
    connection.set_schema_to_public()
    said = StringIO()
    call_command("restore_drill", "acme", stdout=said)
    assert {"tenant": "acme", "equal": True}.items() <= json.loads(said.getvalue()).items()
    with pytest.raises(CommandError, match=r"There is no tenant nowhere\."):
        call_command("restore_drill", "nowhere")
