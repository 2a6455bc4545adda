"""Contacts, contracts, activities, users, audit, quotas and the documents that describe them."""

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from openapi_spec_validator import validate

from accounts.actions import create_contact, create_contract, log_activity
from accounts.models import Account, Activity, AuditEntry, Contact, Contract
from api import openapi
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def rows(response):
    return response.json()["results"]


class TestContacts:
    def test_added_changed_and_marked_as_left(self, api):
        account = AccountFactory()
        body = {"account": str(account.pk), "name": "Ada", "email": "Ada@X.example", "stakeholder_role": "champion"}
        made = api.post("contacts/", body)
        assert (made.status_code, made.json()["email"], made.json()["account_name"]) == (
            201,
            "ada@x.example",
            account.name,
        )
        pk = made.json()["id"]
        left = api.patch(f"contacts/{pk}/", {"left_on": "2026-11-01"}, if_match='"1"')
        assert (left.json()["left_on"], left["ETag"]) == ("2026-11-01", '"2"')
        assert Activity.objects.filter(account=account, title="Champion Ada left").exists()
        assert [row["id"] for row in rows(api.get("contacts/?present=false"))] == [pk]
        assert rows(api.get(f"contacts/?account={account.pk}&present=true")) == []
        assert api.delete(f"contacts/{pk}/").status_code == 204
        assert not Contact.objects.exists()

    def test_an_address_is_one_persons(self, api):
        account = AccountFactory()
        create_contact(account, actor=None, at=timezone.now(), name="Ada", email="ada@x.example")
        response = api.post("contacts/", {"account": str(account.pk), "name": "Bob", "email": "ADA@x.example"})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/email")

    def test_in_bulk_by_external_id(self, api):
        api.post("accounts/bulk/", {"source": "crm", "accounts": [{"external_id": "a", "name": "A"}]})
        items = [
            {"external_id": "1", "account": "a", "name": "Ada", "email": "ada@x.example"},
            {"external_id": "2", "account": "b", "name": "Bob"},
            {"external_id": "3", "account": "a", "name": "Cy", "email": "ada@x.example"},
            {"external_id": "4", "account": "a", "name": "Di", "stakeholder_role": "king"},
        ]
        body = {"source": "crm", "contacts": items}
        outcomes = [row["outcome"] for row in api.post("contacts/bulk/", body).json()["results"]]
        assert outcomes == ["created", "rejected", "rejected", "rejected"]
        assert api.post("contacts/bulk/", body).json()["unchanged"] == 1

    def test_a_csm_adds_only_to_their_book(self, csm_api, csm):
        mine, other = AccountFactory(owner=csm), AccountFactory()
        assert csm_api.post("contacts/", {"account": str(mine.pk), "name": "Ada"}).status_code == 201
        assert csm_api.post("contacts/", {"account": str(other.pk), "name": "Ada"}).status_code == 403


class TestContracts:
    def test_made_with_lines_changed_and_removed(self, api):
        account = AccountFactory()
        body = {
            "account": str(account.pk),
            "start_on": "2026-01-01",
            "end_on": "2027-12-31",
            "lines": [{"product": "Core", "seats": 5, "arr": "900"}, {"product": "Extra", "arr": 100.5}],
        }
        made = api.post("contracts/", body)
        assert (made.status_code, made.json()["arr"], len(made.json()["lines"])) == (201, "1000.50", 2)
        pk = made.json()["id"]
        assert api.get(f"accounts/{account.pk}/").json()["renewal_on"] == "2027-12-31"
        changed = api.patch(f"contracts/{pk}/", {"lines": [{"product": "Core", "arr": "800"}]})
        assert changed.json()["arr"] == "800.00"
        assert api.patch(f"contracts/{pk}/", {"arr": "1"}).json()["errors"][0]["code"] == "contract.arr_follows_lines"
        assert [row["id"] for row in rows(api.get("contracts/?in_force_on=2026-06-01"))] == [pk]
        assert rows(api.get("contracts/?in_force_on=2025-12-31")) == []
        assert api.delete(f"contracts/{pk}/").status_code == 204
        assert not Contract.objects.exists()

    def test_sent_flat_it_has_one_line(self, api):
        body = {"account": str(AccountFactory().pk), "start_on": "2026-01-01", "seats": 3, "arr": "12"}
        assert api.post("contracts/", body).json()["lines"] == [{"product": "Subscription", "seats": 3, "arr": "12.00"}]

    @pytest.mark.parametrize(
        ("change", "pointer", "code"),
        [
            ({"end_on": "2025-12-31"}, "/end_on", "contract.ends_before_start"),
            ({"status": "churned"}, "/end_on", "contract.churned_without_end"),
            ({"currency": "EUR"}, "/currency", "contract.currency_differs"),
            ({"lines": [{"product": "x"}]}, "/lines", "required"),
            ({"lines": [{"product": "x", "arr": "-1"}]}, "/lines", "negative"),
            ({"lines": "x"}, "/lines", "lines"),
            ({"notice_days": -1}, "/notice_days", "range"),
            ({"start_on": None}, "/start_on", "required"),
        ],
    )
    def test_what_is_wrong_is_named(self, api, change, pointer, code):
        account = AccountFactory()
        create_contract(account, actor=None, at=timezone.now(), start_on=timezone.now().date(), arr=Decimal(1))
        response = api.post("contracts/", {"account": str(account.pk), "start_on": "2026-01-01", **change})
        error = response.json()["errors"][0]
        assert (response.status_code, error["pointer"], error["code"]) == (422, pointer, code)

    @pytest.mark.parametrize("number", [1, 3])
    def test_queries_do_not_depend_on_the_rows(self, api, number, django_assert_num_queries):
        for _row in range(number):
            create_contract(AccountFactory(), actor=None, at=timezone.now(), start_on=timezone.now().date())
        api.get("contracts/")
        with django_assert_num_queries(8):
            assert len(rows(api.get("contracts/"))) == number


class TestActivities:
    def test_a_call_is_logged_and_found(self, api, owner):
        account = AccountFactory()
        body = {
            "account": str(account.pk),
            "kind": "call",
            "title": "Asked about the rollout",
            "at": "2026-11-01T10:00:00+02:00",
        }
        made = api.post("activities/", body)
        assert (made.status_code, made.json()["at"], made.json()["actor"]) == (201, "2026-11-01T08:00:00Z", owner.email)
        assert [row["id"] for row in rows(api.get(f"activities/?account={account.pk}&kind=call"))] == [
            made.json()["id"]
        ]
        assert rows(api.get("activities/?since=2026-11-01T08:00:01Z")) == []
        assert api.get(f"activities/{made.json()['id']}/").status_code == 200

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            ({"kind": "health"}, "activity.kind"),
            ({"at": "2199-01-01T00:00:00Z"}, "activity.future"),
            ({"kind": "x"}, "choice"),
        ],
    )
    def test_what_only_the_product_writes_or_lies_ahead_is_refused(self, api, change, code):
        body = {"account": str(AccountFactory().pk), "kind": "note", "title": "x", **change}
        response = api.post("activities/", body)
        assert (response.status_code, response.json()["errors"][0]["code"]) == (422, code)
        assert not Activity.objects.exists()


class TestUsersAndAudit:
    def test_colleagues_are_listed_without_their_secrets(self, api, owner, csm):
        listed = rows(api.get("users/?role=csm"))
        assert [row["email"] for row in listed] == [csm.email]
        assert set(listed[0]) == {"id", "email", "name", "title", "role", "is_active", "created_at"}
        me = api.get("users/me/").json()
        assert (me["user"]["id"], me["token"]["scopes"]) == (str(owner.pk), ["admin", "read", "write"])

    def test_the_log_can_be_read_and_verified(self, api):
        made = api.post("accounts/", {"name": "Northwind"}).json()
        listed = rows(api.get(f"audit/?account={made['id']}"))
        assert [(row["action"], row["object_label"], row["after"]["name"]) for row in listed] == [
            ("account.created", "Northwind", "Northwind")
        ]
        verified = api.get("audit/verification/").json()
        assert verified == {
            "intact": True,
            "entries": AuditEntry.objects.count(),
            "broken_at": None,
            "head": listed[0]["hash"],
        }
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER USER")
            cursor.execute("UPDATE accounts_auditentry SET object_label = 'Southwind'")
        assert api.get("audit/verification/").json()["intact"] is False

    def test_a_csm_may_not_read_the_log(self, csm_api):
        assert csm_api.get("audit/").status_code == 403


def resolved(document, schema):
    """The component a schema refers to."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


class TestDocuments:
    def test_the_document_is_valid_and_needs_no_token(self, nobody):
        response = nobody.get("openapi.json")
        document = response.json()
        validate(document)
        assert (response.status_code, document["openapi"]) == (200, "3.1.0")

    def test_nothing_is_left_to_guess(self):
        """drf-spectacular found every serializer, and no two of them have one name."""
        openapi.document.cache_clear()
        call_command("openapi", stdout=StringIO())

    def test_every_operation_is_described_and_says_what_it_needs(self, nobody):
        for path, item in nobody.get("openapi.json").json()["paths"].items():
            for method, operation in item.items():
                assert not operation["summary"].startswith(method.upper()), path
                assert "Needs " in operation["description"], path
                assert len(operation["summary"]) < 90, path

    def test_answers_are_as_described(self, api):
        """The shape of what is answered is the shape that the document promises."""
        account = AccountFactory()
        create_contract(account, actor=None, at=timezone.now(), start_on=timezone.now().date())
        create_contact(account, actor=None, at=timezone.now(), name="Ada")
        document = api.get("openapi.json").json()
        for path in ("accounts/", "contacts/", "contracts/", "users/", "audit/"):
            schema = document["paths"][f"/api/v1/{path}"]["get"]["responses"]["200"]["content"]["application/json"]
            page = resolved(document, schema["schema"])
            item = resolved(document, page["properties"]["results"]["items"])
            assert set(rows(api.get(path))[0]) == set(item["properties"]), path

    def test_the_page_shows_limits_errors_and_every_operation(self, client):
        page = client.get("/api/docs/").content.decode()
        for text in ("1200 calls a minute", "13 months", "72 hours", "problem-rate-limited", "/api/v1/accounts/bulk/"):
            assert text in page
        assert "style=" not in page
        assert "<script>" not in page

    def test_quotas_are_those_in_force(self, api, settings):
        settings.API_CALLS_PER_MINUTE = 77
        found = api.get("quotas/").json()
        assert (found["calls_per_minute"], found["page_size"], found["bulk_items"]) == (77, 500, 5000)
        assert (found["users_used"], found["users"], found["accounts_used"]) == (1, 1000, 0)


def test_nothing_is_left_of_a_refused_account(api):
    assert api.post("accounts/", {"name": "x", "owner": "nobody@x.example"}).status_code == 422
    assert not Account.objects.exists()


@pytest.mark.parametrize(
    "path", ["accounts/", "contacts/", "contracts/", "activities/", "users/", "audit/", "imports/"]
)
def test_every_order_of_every_list_leads_through_all_rows(api, path):
    for number in range(3):
        account = AccountFactory()
        create_contract(account, actor=None, at=timezone.now(), start_on=timezone.now().date(), arr=Decimal(number))
        create_contact(account, actor=None, at=timezone.now(), name=f"Ada {number}")
    every = [row["id"] for row in rows(api.get(path))]
    document = api.get("openapi.json").json()["paths"][f"/api/v1/{path}"]["get"]
    schema = next(item["schema"] for item in document["parameters"] if item["name"] == "ordering")
    orders = schema["enum"] if "enum" in schema else schema["anyOf"][0]["enum"]
    for order in orders:
        found, url = [], f"{path}?page_size=1&ordering={order}"
        while url:
            page = api.get(url.rsplit("/api/v1/", maxsplit=1)[-1]).json()
            found += [row["id"] for row in page["results"]]
            url = page["next"]
        assert sorted(map(str, found)) == sorted(map(str, every)), order


class TestNextSteps:
    def test_one_is_agreed_moved_handed_over_and_done(self, api, owner, csm):
        account = AccountFactory(owner=csm)
        body = {
            "account": str(account.pk), "kind": "meeting", "title": "Review", "attendees": ["Pieter", "Ann"],
            "next_step": "Send the plan", "next_step_at": "2099-01-02T10:00:00Z",
        }  # fmt: skip
        made = api.post("activities/", body).json()
        expected = {"attendees": ["Pieter", "Ann"], "next_step": "Send the plan", "next_step_on": "2099-01-02"}
        assert {name: made[name] for name in expected} == expected
        assert made["next_step_owner"] == owner.email
        path = f"activities/{made['id']}/next-step/"
        moved = api.patch(path, {"until": "2099-02-02", "reason": "They are away", "owner": csm.email}).json()
        assert (moved["next_step_at"], moved["next_step_owner"]) == ("2099-02-02T10:00:00Z", csm.email)
        assert len(api.get("activities/?step=open").json()["results"]) == 1
        assert api.patch(path, {"done": True}).json()["next_step_done_at"]
        assert len(api.get("activities/?step=open").json()["results"]) == 0
        assert len(api.get("activities/?step=done").json()["results"]) == 1
        assert api.get("activities/?step=both").status_code == 400

    @pytest.mark.parametrize("body", [{"next_step": "Call"}, {"next_step_on": "2099-01-01"}, {"attendees": [1, {}]}])
    def test_half_of_one_is_refused(self, api, body):
        answer = api.post("activities/", {"account": str(AccountFactory().pk), "kind": "note", "title": "x", **body})
        assert answer.status_code == 422


class TestEntries:
    def test_one_is_corrected_pinned_deleted_and_brought_back(self, api, csm):
        body = {"account": str(AccountFactory(owner=csm).pk), "kind": "call", "title": "Thay called", "body": "Twice"}
        made = api.post("activities/", body).json()
        path = f"activities/{made['id']}/"
        fixed = api.patch(path, {"title": "They called", "pinned": True}).json()
        assert (fixed["title"], fixed["body"], fixed["attendees"]) == ("They called", "Twice", [])
        assert fixed["edited_at"]
        assert fixed["pinned_at"]
        assert api.patch(path, {"pinned": False}).json()["pinned_at"] is None
        before = api.get(path).json()
        assert (api.delete(path).status_code, api.get(path).status_code) == (204, 404)
        assert api.post(f"{path}restore/", {}).json() == before
        assert api.post(f"activities/{body['account']}/restore/", {}).status_code == 404

    def test_what_the_product_wrote_and_what_lies_ahead_is_refused(self, api):
        account = AccountFactory()
        made = log_activity(account, kind="system", title="Made", actor=None, at=timezone.now())
        assert api.patch(f"activities/{made.pk}/", {"title": "x"}).status_code == 422
        assert api.delete(f"activities/{made.pk}/").status_code == 422
        note = api.post("activities/", {"account": str(account.pk), "kind": "note", "title": "x"}).json()
        for wrong in ({"at": "2099-01-01T00:00:00Z"}, {"title": ""}, {"kind": "system"}, {"next_step": "Call"}):
            assert api.patch(f"activities/{note['id']}/", wrong).status_code == 422
