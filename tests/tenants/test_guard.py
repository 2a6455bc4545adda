"""Rows and querysets of one tenant refuse to work in another; and what would happen without that."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from django.db import connection, models
from django_tenants.utils import tenant_context

from accounts.models import Account, Contact, Workspace
from tenants.guard import TenantModel, TenantQuerySet, WrongTenant, describe


@pytest.fixture
def globex(tenants, db):
    return tenants["globex"]


@pytest.fixture
def account(db):
    """A row of acme."""
    return Account.objects.create(name="Umbrella", segment="a")


@contextmanager
def unguarded(monkeypatch_context):
    """Django as it comes."""
    with monkeypatch_context() as patch:
        patch.setattr("tenants.guard.check_schema", lambda owner, schema: None)
        yield


class TestWithoutTheGuard:
    """The leaks that the guard is for. If one of these fails, Django has changed and the guard may go."""

    def test_a_lazy_queryset_of_acme_answers_with_rows_of_globex(self, globex, account, monkeypatch):
        with unguarded(monkeypatch.context):
            rows = Account.objects.all()
            with tenant_context(globex):
                Account.objects.create(name="Theirs")
                assert [row.name for row in rows] == ["Theirs"]

    def test_a_row_of_acme_overwrites_the_row_of_the_same_key_in_globex(self, globex, account, monkeypatch):
        with tenant_context(globex):
            Account.objects.create(pk=account.pk, name="Theirs")
        with unguarded(monkeypatch.context):
            account.name = "Umbrella 2"
            with tenant_context(globex):
                account.save()
                assert Account.objects.get().name == "Umbrella 2"

    def test_a_foreign_key_leads_to_the_row_of_the_same_key_in_globex(self, globex, account, monkeypatch):
        contact = Contact.objects.create(account=account, name="Eve")
        contact = Contact.objects.get(pk=contact.pk)
        with tenant_context(globex):
            Account.objects.create(pk=account.pk, name="Theirs")
        with unguarded(monkeypatch.context), tenant_context(globex):
            assert contact.account.name == "Theirs"


READS = {
    "iteration": list,
    "len": len,
    "bool": bool,
    "get": lambda rows: rows.get(),
    "first": lambda rows: rows.first(),
    "index": lambda rows: rows[0],
    "slice": lambda rows: list(rows[:1]),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "contains": lambda rows: rows.contains(Account(name="x")),
    "aggregate": lambda rows: rows.aggregate(models.Count("pk")),
    "values": lambda rows: list(rows.values("name")),
    "values_list": lambda rows: list(rows.values_list("name", flat=True)),
    "iterator": lambda rows: list(rows.iterator()),
    "in_bulk": lambda rows: rows.in_bulk(["0198f2f0-0000-7000-8000-000000000000"]),
    "dates": lambda rows: list(rows.dates("created_at", "year")),
    "explain": lambda rows: rows.explain(),
    "filtered": lambda rows: list(rows.filter(name="Umbrella")),
    "union": lambda rows: list(rows.union(rows)),
    "select_related": lambda rows: list(rows.select_related("parent")),
    "prefetch_related": lambda rows: list(rows.prefetch_related("contacts")),
    "update": lambda rows: rows.update(segment="b"),
    "delete": lambda rows: rows.delete(),
    "create": lambda rows: rows.create(name="x"),
    "get_or_create": lambda rows: rows.get_or_create(name="x"),
    "update_or_create": lambda rows: rows.update_or_create(name="x", defaults={"segment": "b"}),
    "bulk_create": lambda rows: rows.bulk_create([Account(name="x")]),
    "raw": lambda rows: list(rows.raw("select * from accounts_account")),
    "subquery": lambda rows: list(Account.objects.filter(pk__in=rows)),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_queryset_of_acme_refuses_in_globex(globex, account, read):
    rows = Account.objects.all()
    with tenant_context(globex):
        theirs = Account.objects.create(name="Theirs", segment="c")
        with pytest.raises(WrongTenant, match="belongs to t_"):
            read(rows)
        assert [(row.pk, row.segment) for row in Account.objects.all()] == [(theirs.pk, "c")]


@pytest.mark.parametrize(
    "read", [read for name, read in READS.items() if name not in {"delete", "contains"}], ids=lambda read: ""
)
def test_the_same_works_at_home(globex, account, read):
    rows = Account.objects.filter(name="Umbrella")
    read(rows)


def test_a_raw_query_of_acme_refuses_in_globex(globex, account):
    rows = Account.objects.raw("select * from accounts_account")
    with tenant_context(globex), pytest.raises(WrongTenant):
        list(rows)
    assert [row.name for row in rows] == ["Umbrella"]


class TestRows:
    WRITES = {
        "save": lambda row: row.save(),
        "delete": lambda row: row.delete(),
        "refresh": lambda row: row.refresh_from_db(),
        "related rows": lambda row: list(row.contacts.all()),
        "related count": lambda row: row.contacts.count(),
        "related create": lambda row: row.contacts.create(name="Eve"),
        "bulk_create": lambda row: Account.objects.bulk_create([row]),
        "bulk_update": lambda row: Account.objects.bulk_update([row], ["segment"]),
        "prefetch": lambda row: models.prefetch_related_objects([row], "contacts"),
    }

    @pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
    @pytest.mark.parametrize("made", ["read", "saved", "bulk created"])
    def test_a_row_of_acme_refuses_in_globex(self, globex, made, write):
        if made == "bulk created":
            [row] = Account.objects.bulk_create([Account(name="Umbrella", segment="a")])
        else:
            row = Account.objects.create(name="Umbrella", segment="a")
            row = Account.objects.get() if made == "read" else row
        with tenant_context(globex):
            theirs = Account.objects.create(pk=row.pk, name="Theirs", segment="c")
            row.segment = "b"
            with pytest.raises(WrongTenant, match="Account"):
                write(row)
            assert list(Account.objects.values_list("name", "segment")) == [("Theirs", "c")]
            assert theirs.contacts.count() == 0

    def test_a_foreign_key_of_a_row_of_acme_is_not_followed_in_globex(self, globex, account):
        contact = Contact.objects.get(pk=Contact.objects.create(account=account, name="Eve").pk)
        with tenant_context(globex):
            Account.objects.create(pk=account.pk, name="Theirs")
            with pytest.raises(WrongTenant):
                _ = contact.account
        assert contact.account == account

    def test_a_deferred_column_is_not_read_in_globex(self, globex, account):
        row = Account.objects.only("pk").get()
        with tenant_context(globex), pytest.raises(WrongTenant):
            _ = row.segment
        assert row.segment == "a"

    def test_a_new_row_belongs_where_it_is_saved(self, globex):
        row = Account(name="New")
        with tenant_context(globex):
            row.save()
        with pytest.raises(WrongTenant):
            row.save()

    def test_what_was_read_may_be_shown_elsewhere(self, globex, account):
        rows = Account.objects.all()
        assert len(rows) == 1
        with tenant_context(globex):
            assert [row.name for row in rows] == ["Umbrella"]

    def test_the_error_names_no_content(self, account):
        assert describe(account) == f"Account {account.pk}"
        assert describe(Account.objects.filter(name="Umbrella")) == "a queryset of Account"


class TestWithin:
    """``within`` asks for a relation only where asking can leave somebody out."""

    def test_all_of_them_need_no_condition(self, account):
        Contact.objects.create(account=account, name="Eve")
        rows = Contact.objects.within("account", Account.objects.all())
        assert "accounts_account" not in str(rows.query)
        assert [row.name for row in rows] == ["Eve"]

    def test_some_of_them_and_none_do(self, account):
        Contact.objects.create(account=account, name="Eve")
        other = Account.objects.create(name="Other")
        found = Contact.objects.within("account", Account.objects.filter(pk=account.pk))
        assert [row.name for row in found] == ["Eve"]
        for rows in (Account.objects.filter(pk=other.pk), Account.objects.none(), Account.objects.order_by("name")[:0]):
            assert not Contact.objects.within("account", rows).exists()

    def test_a_row_without_the_relation_is_within_nothing(self, account):
        child = Account.objects.create(name="Child", parent=account)
        assert list(Account.objects.within("parent", Account.objects.all())) == [child]

    def test_rows_of_acme_are_refused_in_globex(self, globex, account):
        rows = Account.objects.all()
        with tenant_context(globex), pytest.raises(WrongTenant):
            Contact.objects.within("account", rows)


def test_the_guard_costs_no_query(db, django_assert_num_queries):
    connection.ensure_connection()
    list(Account.objects.all())
    with django_assert_num_queries(1):
        list(Account.objects.all())


def test_every_model_of_a_tenant_is_guarded():
    from django.apps import apps
    from django.conf import settings

    ours = {app.split(".")[0] for app in settings.TENANT_APPS if "." not in app} - {"allauth", "rest_framework"}
    unguarded_models = [
        model.__name__
        for model in apps.get_models()
        if model._meta.app_label in ours and not isinstance(model._default_manager.all(), TenantQuerySet)
    ]
    assert unguarded_models == []
    assert issubclass(Workspace, TenantModel)
