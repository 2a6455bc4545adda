"""A workspace that leaves takes its data along, whole, and nothing of it stays."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django_tenants.utils import tenant_context

from accounts.actions.people import create_user_with_password
from accounts.choices import Role
from accounts.models import Account, User
from tenants.actions import TenantRefused
from tenants.models import Tenant, TenantStatus
from tenants.offboarding import export_tenant, offboard_tenant
from tenants.quotas import DEFAULT, limits_of, set_limits

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NAME = 'Müller, "Söhne"\nGmbH'


@pytest.fixture
def acme(tenants, db):
    """A workspace with rows, a file and a cache entry."""
    create_user_with_password(
        "adam@acme.example", name="Adam", role=Role.ADMIN, password="a long password", at=AT, actor=None
    )
    Account.objects.create(name=NAME)
    Account.objects.create(name="", segment="x")
    default_storage.save("reports/q.txt", ContentFile(b"figures"))
    cache.set("kept", 1)
    set_limits(tenants["acme"], users=7)
    return tenants["acme"]


def table(archive, name):
    return list(csv.DictReader(io.TextIOWrapper(archive.open(f"tables/{name}.csv"), newline="")))


def schema_exists(name):
    with connection.cursor() as cursor:
        cursor.execute("select to_regnamespace(%s) is not null", [f'"{name}"'])
        return cursor.fetchone()[0]


def test_the_export_holds_every_row_and_file_and_says_so(acme, tmp_path):
    found = export_tenant(acme, tmp_path / "acme.zip", at=AT)
    with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
        assert {row["name"] for row in table(archive, "accounts_account")} == {NAME, ""}
        assert archive.read("files/reports/q.txt") == b"figures"
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["tenant"], manifest["exported_at"]) == ("acme", AT.isoformat())
        for entry in [*manifest["tables"], *manifest["files"]]:
            assert hashlib.sha256(archive.read(entry["file"])).hexdigest() == entry["sha256"]
        assert {entry["table"]: entry["rows"] for entry in manifest["tables"]} == found.tables
        assert (found.tables["accounts_account"], found.tables["accounts_user"], found.files) == (2, 1, 1)
        with tenant_context(acme), connection.cursor() as cursor:
            for name, rows in found.tables.items():
                cursor.execute(f'select count(*) from "{name}"')
                assert cursor.fetchone() == (rows,), name


def test_what_opens_doors_is_not_in_the_export(acme, tmp_path):
    export_tenant(acme, tmp_path / "acme.zip", at=AT)
    user = User.objects.get()
    with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
        names = set(archive.namelist())
        assert not names & {f"tables/{t}.csv" for t in ("django_session", "mfa_authenticator")}
        assert user.email in {row["email"] for row in table(archive, "accounts_user")}
        assert "password" not in table(archive, "accounts_user")[0]
        for name in names:
            assert user.password.encode() not in archive.read(name)


def test_an_export_that_breaks_off_leaves_no_file_under_its_name(acme, tmp_path):
    Path(default_storage.path("reports/loop")).symlink_to("/etc/hostname")  # a link is not followed
    export_tenant(acme, tmp_path / "acme.zip", at=AT)
    with zipfile.ZipFile(tmp_path / "acme.zip") as archive:
        assert [name for name in archive.namelist() if name.startswith("files/")] == ["files/reports/q.txt"]
    with pytest.raises(AttributeError):
        export_tenant(acme, tmp_path / "second.zip", at="not a moment")
    assert not (tmp_path / "second.zip").exists()


def test_offboarding_removes_schema_files_cache_and_limits(acme, client, tmp_path):
    file = default_storage.path("reports/q.txt")
    offboard_tenant(acme, export_to=tmp_path / "acme.zip", at=AT)
    acme_row = Tenant.objects.get(slug="acme")
    assert (acme_row.status, acme_row.gone_at) == (TenantStatus.GONE, AT)
    assert not schema_exists(acme.schema_name)
    assert not Path(file).exists()
    assert cache.get("kept") is None
    assert limits_of(acme.schema_name) == DEFAULT
    connection.set_schema_to_public()
    assert client.get("/auth/login/").status_code == 404


def test_the_neighbour_keeps_everything(acme, tenants, tmp_path):
    with tenant_context(tenants["globex"]):
        Account.objects.create(name="kept")
        default_storage.save("reports/q.txt", ContentFile(b"theirs"))
        cache.set("kept", 2)
    offboard_tenant(acme, export_to=tmp_path / "acme.zip", at=AT)
    with tenant_context(tenants["globex"]):
        assert [account.name for account in Account.objects.all()] == ["kept"]
        assert Path(default_storage.path("reports/q.txt")).read_bytes() == b"theirs"
        assert cache.get("kept") == 2


@pytest.mark.parametrize("status", ["gone", "provisioning", "failed"])
def test_there_must_be_something_to_export(acme, tmp_path, status):
    Tenant.objects.filter(pk=acme.pk).update(status=status)
    with pytest.raises(TenantRefused, match="has no data"):
        offboard_tenant(acme, export_to=tmp_path / "acme.zip", at=AT)
    assert schema_exists(acme.schema_name)


def test_the_operators_workspace_stays(tenants, tmp_path, db):
    with pytest.raises(TenantRefused, match="stays as it is"):
        offboard_tenant(tenants["platform"], export_to=tmp_path / "x.zip", at=AT)


def test_one_that_broke_off_is_finished_by_calling_it_again(acme, tmp_path):
    Tenant.objects.filter(pk=acme.pk).update(status=TenantStatus.OFFBOARDING)
    (tmp_path / "acme.zip.part").write_bytes(b"half")
    offboard_tenant(acme, export_to=tmp_path / "acme.zip", at=AT)
    assert zipfile.is_zipfile(tmp_path / "acme.zip")
    assert not (tmp_path / "acme.zip.part").exists()


def test_the_command_prints_what_it_wrote(acme, tmp_path):
    out = io.StringIO()
    call_command("offboard_tenant", "acme", export=tmp_path / "a.zip", stdout=out)
    answer = json.loads(out.getvalue())
    assert list(answer) == ["tenant", "export", "tables", "rows", "files", "bytes", "seconds"]
    assert (answer["tenant"], answer["files"], answer["bytes"]) == ("acme", 1, (tmp_path / "a.zip").stat().st_size)
    with pytest.raises(CommandError, match="exists already"):
        call_command("offboard_tenant", "globex", export=tmp_path / "a.zip")
