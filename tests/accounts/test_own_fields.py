"""Fields of the workspace's own on accounts: defined, changed, ordered, archived, and kept apart by workspace."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from accounts.actions import (
    archive_field,
    change_field,
    create_account,
    define_field,
    move_field,
    restore_field,
    update_account,
    upsert_accounts,
)
from accounts.audit import verify_chain
from accounts.choices import Role
from accounts.errors import RuleViolated, StaleVersion
from accounts.models import Account, AuditEntry, OwnField
from accounts.queries.own_fields import known_fields, live_fields, undefined
from tests.factories import AT, AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def define(admin):
    def define(label, kind="text", **given):
        return define_field(label=label, kind=kind, **{"actor": admin, "at": AT, **given})

    return define


@pytest.fixture
def desk(client, admin):
    client.force_login(admin)
    return client


def refused(act):
    with pytest.raises(RuleViolated) as broken:
        act()
    return broken.value.field, broken.value.rule, str(broken.value)


def labels():
    return list(OwnField.objects.live().values_list("label", flat=True))


class TestDefining:
    def test_a_field_comes_last_with_a_key_of_its_label_and_an_audit_entry(self, define):
        define("Data centre", "choice", options=["Riga", " Oulu ", "Riga", ""], help_text=" Where it  runs ")
        define("Größe", key="Data centre")
        shown = OwnField.objects.values_list("key", "label", "kind", "options", "help_text", "position")
        assert list(shown) == [
            ("data_centre", "Data centre", "choice", ["Riga", "Oulu"], "Where it runs", 0),
            ("Data centre", "Größe", "text", [], "", 1),
        ]
        entry = AuditEntry.objects.order_by("pk").first()
        assert (entry.action, entry.after["options"]) == ("account_field.created", ["Riga", "Oulu"])
        assert verify_chain().intact

    @pytest.mark.parametrize(
        ("given", "field", "rule"),
        [
            ({"label": " "}, "label", "required"),
            ({"label": "x" * 81}, "label", "too_long"),
            ({"label": "region"}, "label", "label_taken"),
            ({"label": "Other", "key": "region"}, "key", "key_taken"),
            ({"label": "Old"}, "label", "key_taken"),
            ({"label": "Other", "key": "a/b"}, "key", "key"),
            ({"label": "Other", "key": "x" * 61}, "key", "key"),
            ({"label": "Other", "kind": "colour"}, "kind", "kind"),
            ({"label": "Other", "kind": "choice", "options": ["", " "]}, "options", "required"),
            ({"label": "Other", "kind": "choice", "options": ["North", "NORTH"]}, "options", "options"),
            ({"label": "Other", "kind": "choice", "options": ["~none"]}, "options", "options"),
            ({"label": "Other", "kind": "choice", "options": [str(n) for n in range(101)]}, "options", "options"),
            ({"label": "Other", "help_text": "x" * 201}, "help_text", "too_long"),
        ],
    )
    def test_what_makes_no_field_is_refused_at_its_place(self, define, given, field, rule):
        define("Region")
        archive_field(define("Old"), actor=None, at=AT)
        assert refused(lambda: define(**given))[:2] == (field, rule)
        assert OwnField.objects.count() == 2

    def test_sixty_fields_at_most(self, define, monkeypatch):
        monkeypatch.setattr("accounts.actions.own_fields.MOST_FIELDS", 2)
        first = define("A")
        define("B")
        assert refused(lambda: define("C"))[:2] == ("label", "too_many")
        archive_field(first, actor=None, at=AT)
        define("C")
        assert refused(lambda: restore_field(first, actor=None, at=AT))[1] == "too_many"


class TestChanging:
    def test_a_kind_that_values_would_not_fit_is_refused_with_their_number(self, define):
        field = define("Seats", key="seats")
        for value in ("12", "many", 7, None, "lots"):
            AccountFactory(custom={"seats": value})
        found = refused(lambda: change_field(field, kind="number", actor=None, at=AT))
        assert found == (
            "kind", "kind_in_use", "What 2 accounts hold does not fit this kind. Change those values first.",
        )  # fmt: skip
        Account.objects.filter(custom__seats__in=["many", "lots"]).update(custom={})
        assert change_field(field, kind="number", actor=None, at=AT).kind == "number"

    def test_values_that_did_not_fit_before_are_no_reason(self, define):
        field = define("Seats", "number", key="seats")
        AccountFactory(custom={"seats": "many"})
        assert change_field(field, kind="date", actor=None, at=AT).kind == "date"

    def test_an_option_in_use_stays(self, define):
        field = define("Region", "choice", options=["North", "South", "West"])
        AccountFactory(custom={"region": "North"})
        found = refused(lambda: change_field(field, options=["South"], actor=None, at=AT))
        text = "1 account holds an option that is not listed any more. Keep it, or give them another first."
        assert found == ("options", "options_in_use", text)
        assert change_field(field, options=["West", "North"], actor=None, at=AT).options == ["West", "North"]

    def test_a_change_leaves_one_audit_entry_of_what_changed_and_the_same_again_none(self, define, admin):
        field = define("Region")
        for _time in range(2):
            field = change_field(field, label="Area", help_text="", actor=admin, at=AT, expected_version=field.version)
        assert (field.key, field.version) == ("region", 2)
        entry = AuditEntry.objects.get(action="account_field.changed")
        assert (entry.before, entry.after) == ({"label": "Region"}, {"label": "Area"})

    def test_a_lost_race_is_told(self, define):
        field = define("Region")
        change_field(field, label="Area", actor=None, at=AT)
        with pytest.raises(StaleVersion):
            change_field(field, label="Part", actor=None, at=AT, expected_version=1)

    def test_fields_move_among_those_that_are_not_archived(self, define):
        first, old, _second, third = (define(label) for label in "ABCD")
        archive_field(old, actor=None, at=AT)
        move_field(third, -1, actor=None, at=AT)
        assert labels() == ["A", "D", "C"]
        move_field(first, -1, actor=None, at=AT)
        assert AuditEntry.objects.filter(action="account_field.moved").count() == 1
        assert refused(lambda: move_field(old, 1, actor=None, at=AT))[1] == "archived"

    def test_an_archived_field_keeps_what_accounts_hold_and_comes_back_with_it(self, define, admin):
        account = AccountFactory(custom={"region": "North"})
        field, _other = define("Region", "choice", options=["North"]), define("Tier of theirs")
        archive_field(field, actor=admin, at=AT)
        assert (list(live_fields()), list(known_fields())) == (["tier_of_theirs"], ["region", "tier_of_theirs"])
        update_account(account, actor=admin, at=AT, custom={"region": "anything"})
        taken = define("Region", key="region2")
        assert refused(lambda: restore_field(field, actor=admin, at=AT))[:2] == ("label", "label_taken")
        change_field(taken, label="Area", actor=admin, at=AT)
        restore_field(field, actor=admin, at=AT)
        assert labels() == ["Tier of theirs", "Area", "Region"]
        account.refresh_from_db()
        assert account.custom == {"region": "anything"}


class TestValues:
    def test_an_account_is_made_and_changed_by_kind(self, define, admin):
        define("Seats", "number", key="seats")
        account = create_account(actor=admin, at=AT, name="A", custom={"seats": "12", "free": "x"})
        assert account.custom == {"seats": 12, "free": "x"}
        message = "Seats: This must be a number with a point for decimals."
        found = refused(lambda: update_account(account, actor=admin, at=AT, custom={"seats": "many"}))
        assert found == ("custom/seats", "number", message)
        account.refresh_from_db()
        assert (account.custom, account.version) == ({"seats": 12, "free": "x"}, 1)

    def test_a_bulk_row_is_rejected_by_field_and_rule_and_the_others_are_kept(self, define, admin):
        define("Seats", "number", key="seats")
        rows = [{"external_id": str(n), "name": "A", "custom": {"seats": seats}} for n, seats in enumerate(("7", "x"))]
        results = upsert_accounts(rows, source="crm", actor=admin, at=AT)
        errors = [[(error.field, error.rule) for error in result.errors] for result in results]
        assert errors == [[], [("custom.seats", "number")]]
        assert list(Account.objects.values_list("custom", flat=True)) == [{"seats": 7}]

    def test_own_fields_that_a_bulk_row_does_not_name_stay(self, define, admin):
        given = {"source": "crm", "actor": admin, "at": AT}
        upsert_accounts([{"external_id": "1", "name": "A", "custom": {"a": 1, "b": 2}}], **given)
        upsert_accounts([{"external_id": "1", "custom": {"b": 3}}, {"external_id": "1", "custom": {"c": 4}}], **given)
        assert Account.objects.get().custom == {"a": 1, "b": 3, "c": 4}
        upsert_accounts([{"external_id": "1", "custom": {"c": None}}], **given)
        assert Account.objects.get().custom == {"a": 1, "b": 3}
        (again,) = upsert_accounts([{"external_id": "1", "custom": {"c": None, "a": 1}}], **given)
        assert again.outcome == "unchanged"

    def test_what_an_account_holds_in_all_stays_within_its_limit(self, define, admin):
        account = create_account(actor=admin, at=AT, name="A", custom={f"k{n}": n for n in range(99)})
        account = update_account(account, actor=admin, at=AT, custom={"k99": 99})
        assert refused(lambda: update_account(account, actor=admin, at=AT, custom={"k100": 100}))[:2] == (
            "custom", "custom",
        )  # fmt: skip
        account = update_account(account, actor=admin, at=AT, custom={"k0": None, "k100": 100})
        assert (len(account.custom), account.custom["k100"]) == (100, 100)


class TestPages:
    def test_an_administrator_defines_orders_archives_and_restores(self, desk):
        page = desk.get("/settings/account-fields/").content.decode()
        assert "No fields of your own" in page
        sent = {"label": "Region", "kind": "choice", "options": "North\nSouth\n"}
        assert desk.post("/settings/account-fields/new/", sent).status_code == 302
        desk.post("/settings/account-fields/new/", {"label": "Go-live", "kind": "date", "key": "go_live"})
        first, second = OwnField.objects.all()
        assert desk.post(f"/settings/account-fields/{second.pk}/move/", {"to": "up"}).status_code == 302
        assert labels() == ["Go-live", "Region"]
        change = {"label": "Area", "kind": "choice", "options": "North\nSouth", "version": first.version}
        desk.post(f"/settings/account-fields/{first.pk}/", change)
        desk.post(f"/settings/account-fields/{second.pk}/archive/")
        page = desk.get("/settings/account-fields/").content.decode()
        assert page.index("Area") < page.index("Archived") < page.index("Go-live")
        desk.post(f"/settings/account-fields/{second.pk}/restore/")
        assert labels() == ["Area", "Go-live"]

    def test_what_is_refused_stands_at_its_field_and_nothing_typed_is_lost(self, desk):
        AccountFactory(custom={"region": "West"})
        response = desk.post("/settings/account-fields/new/", {"label": "Region", "kind": "choice", "options": " "})
        page = response.content.decode()
        assert (response.status_code, 'value="Region"' in page) == (422, True)
        assert "A choice needs at least one option." in page
        field = define_field(label="Region", kind="text", actor=None, at=AT)
        sent = {"label": "Region", "kind": "number", "version": 1}
        page = desk.post(f"/settings/account-fields/{field.pk}/", sent).content.decode()
        assert "What 1 account holds does not fit this kind." in page
        page = desk.post(
            f"/settings/account-fields/{field.pk}/", {**sent, "kind": "text", "version": 0}
        ).content.decode()
        assert "Somebody changed this in the meantime." in page

    def test_keys_on_accounts_that_are_no_field_are_offered_with_their_kind(self, desk, define):
        for n in range(3):
            AccountFactory(
                custom={"region": ["North", "South"][n % 2], "seats": n, "defined": 1, "a/b": 1, "none": None}
            )
        define("Defined", key="defined")
        assert [(each.key, each.accounts, each.kind.value) for each in undefined()] == [
            ("region", 3, "choice"), ("seats", 3, "number"),
        ]  # fmt: skip
        page = desk.get("/settings/account-fields/").content.decode()
        assert '<a class="btn" data-size="sm" href="/settings/account-fields/new/?key=region">' in page
        page = desk.get("/settings/account-fields/new/?key=region").content.decode()
        assert "stands on 3 accounts" in page
        assert 'value="region"' in page
        assert "North\nSouth" in page
        assert desk.get("/settings/account-fields/new/?key=gone").status_code == 200

    def test_colleagues_read_the_list_and_change_nothing(self, client, define):
        define("Region", help_text="Where they are")
        AccountFactory(custom={"loose": 1})
        client.force_login(UserFactory(role=Role.READ_ONLY))
        page = client.get("/settings/account-fields/").content.decode()
        assert "Where they are" in page
        assert "loose" not in page
        assert "New field" not in page
        assert client.get("/settings/account-fields/new/").status_code == 403

    def test_the_number_of_queries_does_not_grow_with_the_fields(self, desk, define):
        AccountFactory(custom={"f0": 1, "loose": 2})
        counts = []
        for total in (1, 3):
            for n in range(OwnField.objects.count(), total):
                define(f"F{n}")
            desk.get("/settings/account-fields/")
            with CaptureQueriesContext(connection) as queries:
                desk.get("/settings/account-fields/")
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 12


def test_fields_and_their_cache_are_kept_apart_by_workspace(tenants, define, desk, other_client):
    define("Secret region", key="secret")
    AccountFactory(custom={"secret": "Riga", "loose": "x"})
    assert list(known_fields()) == ["secret"]
    with tenant_context(tenants["globex"]):
        other = UserFactory(role=Role.ADMIN)
        assert known_fields() == {}
        assert undefined() == []
        other_client.force_login(other)
        for address in (
            "/settings/account-fields/",
            "/accounts/?custom.secret=Riga&cols=custom.secret&sort=custom.secret",
        ):
            page = other_client.get(address).content.decode()
            assert "Secret region" not in page
            assert "custom.secret" not in page
        field = OwnField.objects.create(
            key="secret", label="Theirs", kind="number", created_at=AT, updated_at=AT
        )  # fmt: skip
        other_client.post(f"/settings/account-fields/{field.pk}/archive/")
    assert live_fields()["secret"].label == "Secret region"
    assert desk.get(f"/settings/account-fields/{field.pk}/").status_code == 404


class TestAccountForm:
    @pytest.fixture
    def held(self, define):
        define("Region", "choice", key="region", options=["North", "South"])
        define("Docks", "number", key="docks", help_text="Of the <main> yard")
        define("Live", "date", key="live")
        return AccountFactory(custom={"region": "East", "docks": "12", "live": None, "loose": "x"})

    def test_they_are_filled_in_with_the_rest_and_what_nobody_touched_stays(self, desk, held):
        page = desk.get(f"/accounts/{held.pk}/edit/").content.decode()
        assert '<option value="East" selected>East (does not fit)</option>' in page
        assert "Of the &lt;main&gt; yard" in page
        sent = {"name": held.name, "status": "active", "currency": "USD", "version": 1}
        sent |= {"own-region": "East", "own-docks": "12", "own-live": ""}
        desk.post(f"/accounts/{held.pk}/edit/", sent)
        held.refresh_from_db()
        assert (held.version, held.custom["docks"]) == (1, "12")
        desk.post(f"/accounts/{held.pk}/edit/", sent | {"own-docks": "13.5", "own-live": "2026-12-01"})
        held.refresh_from_db()
        assert held.custom == {"region": "East", "docks": 13.5, "live": "2026-12-01", "loose": "x"}
        desk.post(f"/accounts/{held.pk}/edit/", sent | {"own-region": "", "own-docks": "", "version": 2})
        held.refresh_from_db()
        assert held.custom == {"loose": "x"}

    def test_what_does_not_fit_is_told_at_its_field(self, desk, held):
        sent = {"name": held.name, "status": "active", "currency": "USD", "version": 1, "own-docks": "many"}
        response = desk.post(f"/accounts/{held.pk}/edit/", sent)
        page = response.content.decode()
        assert response.status_code == 422
        assert '<a href="#id_own-docks">Docks</a>: This must be a number' in page
        assert 'value="many"' in page

    def test_a_field_defined_since_the_form_was_drawn_is_not_emptied(self, desk, held):
        sent = {"name": "Other", "status": "active", "currency": "USD", "version": 1, "own-docks": "12"}
        desk.post(f"/accounts/{held.pk}/edit/", sent)
        held.refresh_from_db()
        assert (held.name, held.custom["region"]) == ("Other", "East")

    def test_a_new_account_has_them_from_the_start(self, desk, held):
        sent = {"name": "New", "status": "active", "currency": "USD", "own-region": "North"}
        desk.post("/accounts/new/", sent)
        assert Account.objects.get(name="New").custom == {"region": "North"}
