from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actions import create_contract, set_external_id
from accounts.models import Account, AuditEntry, ChangedAccount, ExternalId, Workspace
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def names(response):
    return [row["name"] for row in response.json()["results"]]


class TestList:
    def test_pages_lead_through_all_rows_and_back(self, api):
        for number in range(5):
            AccountFactory(name=f"Account {number}")
        first = api.get("accounts/?page_size=2")
        second = api.client.get(first.json()["next"], headers={"authorization": f"Bearer {api.token}"})
        third = api.client.get(second.json()["next"], headers={"authorization": f"Bearer {api.token}"})
        back = api.client.get(third.json()["previous"], headers={"authorization": f"Bearer {api.token}"})
        assert [names(page) for page in (first, second, third, back)] == [
            ["Account 0", "Account 1"],
            ["Account 2", "Account 3"],
            ["Account 4"],
            ["Account 2", "Account 3"],
        ]
        assert (first.json()["previous"], third.json()["next"]) == (None, None)

    def test_rows_without_a_value_come_last_either_way(self, api):
        AccountFactory(name="none")
        AccountFactory(name="early", renewal_on="2026-01-01")
        AccountFactory(name="late", renewal_on="2027-01-01")
        assert names(api.get("accounts/?ordering=renewal_on")) == ["early", "late", "none"]
        assert names(api.get("accounts/?ordering=-renewal_on")) == ["late", "early", "none"]

    def test_filters_narrow_the_list(self, api, owner, csm):
        AccountFactory(name="Alpha", owner=csm, arr=500)
        AccountFactory(name="Beta", owner=owner, status="churned", churned_on="2026-01-01")
        gamma = AccountFactory(name="Gamma", segment="smb")
        ExternalId.objects.create(account=gamma, source="crm", external_id="G-1")
        asked = {
            "": ["Alpha", "Gamma"],
            "?owner=carl@acme.example": ["Alpha"],
            "?owner=none": ["Gamma"],
            "?owner=me&status=churned": ["Beta"],
            "?segment=smb": ["Gamma"],
            "?q=alp": ["Alpha"],
            "?external_id=G-1": ["Gamma"],
            "?arr_min=500": ["Alpha"],
            "?arr_max=499.99": ["Gamma"],
        }
        assert {query: names(api.get(f"accounts/{query}")) for query in asked} == asked

    @pytest.mark.parametrize(
        "query",
        [
            "status=gone",
            "owner=stranger@acme.example",
            "tier=none-such",
            "page_size=501",
            "page_size=0",
            "page_size=two",
            "ordering=secret",
            "fields=password",
            "cursor=abc",
            "cursor=%00",
            "stauts=live",
            "arr_min=lots",
            "updated_since=yesterday",
        ],
    )
    def test_a_parameter_that_means_nothing_is_400(self, api, query):
        response = api.get(f"accounts/?{query}")
        assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")

    def test_fields_choose_what_is_shown(self, api):
        AccountFactory(name="Alpha")
        assert api.get("accounts/?fields=name,arr").json()["results"] == [{"name": "Alpha", "arr": "0.00"}]

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_number_of_queries_does_not_depend_on_the_rows(self, api, rows, django_assert_num_queries):
        for _number in range(rows):
            set_external_id(AccountFactory(), "crm", f"id-{_number}", actor=None, at=timezone.now())
        api.get("accounts/")
        # Choosing the workspace takes five; then the token, the workspace's day, the page and its external ids.
        with django_assert_num_queries(9):
            assert len(api.get("accounts/").json()["results"]) == rows

    def test_a_csm_confined_to_their_book_sees_no_other_account(self, csm_api, csm):
        Workspace.objects.update(csm_reads_all_accounts=False)
        AccountFactory(name="Mine", owner=csm)
        other = AccountFactory(name="CANARY")
        assert names(csm_api.get("accounts/")) == ["Mine"]
        hidden = csm_api.get(f"accounts/{other.pk}/").json()
        unknown = csm_api.get("accounts/00000000-0000-7000-8000-000000000000/").json()
        for body in (hidden, unknown):
            del body["request_id"]
        assert hidden == unknown


class TestOne:
    def test_created_read_changed_and_archived(self, api):
        created = api.post(
            "accounts/", {"name": "Northwind", "country": "de", "arr": "1200.50", "custom": {"region": "north"}}
        )
        assert created.status_code == 201
        pk = created.json()["id"]
        assert created["Location"].endswith(f"/api/v1/accounts/{pk}/")
        read = api.get(f"accounts/{pk}/")
        assert (read.json()["country"], read.json()["arr"], read["ETag"]) == ("DE", "1200.50", '"1"')
        changed = api.patch(f"accounts/{pk}/", {"segment": "mid"}, if_match='"1"')
        assert (changed.json()["segment"], changed["ETag"]) == ("mid", '"2"')
        assert api.delete(f"accounts/{pk}/").status_code == 204
        assert names(api.get("accounts/")) == []
        assert names(api.get("accounts/?status=archived")) == ["Northwind"]
        actions = list(AuditEntry.objects.filter(account_id=pk).order_by("pk").values_list("action", "via"))
        assert actions == [
            ("account.created", "api: test"),
            ("account.updated", "api: test"),
            ("account.archived", "api: test"),
        ]
        assert ChangedAccount.objects.filter(account_id=pk).exists()

    def test_a_lost_race_is_412_and_changes_nothing(self, api):
        account = AccountFactory(name="Before")
        assert api.patch(f"accounts/{account.pk}/", {"name": "First"}, if_match='"1"').status_code == 200
        lost = api.patch(f"accounts/{account.pk}/", {"name": "Second"}, if_match='"1"')
        assert (lost.status_code, lost["ETag"]) == (412, '"2"')
        assert api.delete(f"accounts/{account.pk}/", if_match='"1"').status_code == 412
        account.refresh_from_db()
        assert (account.name, account.archived_at) == ("First", None)

    def test_unchanged_is_304(self, api):
        account = AccountFactory()
        assert api.get(f"accounts/{account.pk}/?fields=id,name", if_none_match='"1"').status_code == 304
        assert api.get(f"accounts/{account.pk}/?fields=id,name", if_none_match='"2"').status_code == 200

    def test_a_score_moves_without_the_version_and_is_never_taken_for_unchanged(self, api):
        read = api.get(f"accounts/{AccountFactory().pk}/", if_none_match='"1"')
        assert (read.status_code, read["ETag"]) == (200, '"1"')
        assert "health_band" in read.json()

    def test_every_wrong_field_is_named(self, api):
        wrong = {
            "name": "",
            "country": "Germany",
            "arr": "-1",
            "seats": 1.5,
            "renewal_on": "soon",
            "tier": "none-such",
            "owner": "stranger@acme.example",
            "parent": "no account",
            "currency": "EURO",
            "timezone": "Mars/Olympus",
            "website": "java script:alert(1)",
            "custom": {"deep": {"er": 1}},
            "status": "happy",
            "secret": 1,
            "segment": "a\u0007b",
        }
        response = api.post("accounts/", wrong)
        assert response.status_code == 422
        found = {error["pointer"]: error["code"] for error in response.json()["errors"]}
        assert found == {
            "/name": "required",
            "/country": "country",
            "/arr": "negative",
            "/seats": "whole_number",
            "/renewal_on": "date",
            "/tier": "unknown",
            "/owner": "unknown",
            "/parent": "unknown",
            "/currency": "currency",
            "/timezone": "timezone",
            "/website": "website",
            "/custom": "custom",
            "/status": "choice",
            "/secret": "unknown_field",
            "/segment": "control_characters",
        }
        assert not Account.objects.exists()

    def test_a_csm_reads_but_does_not_change_another_book(self, csm_api):
        account = AccountFactory(name="Other")
        assert csm_api.get(f"accounts/{account.pk}/").status_code == 200
        assert csm_api.patch(f"accounts/{account.pk}/", {"name": "Mine now"}).status_code == 403
        assert csm_api.delete(f"accounts/{account.pk}/").status_code == 403

    def test_an_account_of_another_workspace_does_not_exist(self, api, tenants):
        connection.set_tenant(tenants["globex"])
        foreign = AccountFactory(name="CANARY")
        connection.set_tenant(tenants["acme"])
        for response in (
            api.get(f"accounts/{foreign.pk}/"),
            api.patch(f"accounts/{foreign.pk}/", {"name": "x"}),
            api.post("contacts/", {"account": str(foreign.pk), "name": "x"}),
            api.post("accounts/", {"name": "child", "parent": str(foreign.pk)}),
        ):
            assert response.status_code in {404, 422}
            assert b"CANARY" not in response.content

    def test_an_account_cannot_stand_above_itself(self, api):
        top = AccountFactory()
        below = AccountFactory(parent=top)
        response = api.patch(f"accounts/{top.pk}/", {"parent": str(below.pk)})
        assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "account.parent_cycle")

    def test_what_follows_from_contracts_cannot_be_entered(self, api):
        account = AccountFactory()
        create_contract(
            account,
            actor=None,
            at=timezone.now(),
            start_on=timezone.now().date(),
            lines=[{"product": "Core", "seats": 5, "arr": Decimal(900)}],
        )
        assert api.get(f"accounts/{account.pk}/").json()["arr"] == "900.00"
        response = api.patch(f"accounts/{account.pk}/", {"arr": "1"})
        assert (response.status_code, response.json()["errors"][0]["code"]) == (422, "account.follows_contracts")
        assert api.patch(f"accounts/{account.pk}/", {"status": "churned"}).status_code == 422


class TestByExternalId:
    def test_put_creates_then_updates_the_same_account(self, api):
        first = api.put("accounts/by-external-id/crm/00A-1/", {"name": "Northwind"})
        second = api.put("accounts/by-external-id/crm/00A-1/", {"name": "Northwind Freight"})
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["id"] == second.json()["id"]
        assert second.json()["external_ids"] == {"crm": ["00A-1"]}
        assert api.get("accounts/by-external-id/crm/00A-1/").json()["name"] == "Northwind Freight"
        assert api.get("accounts/by-external-id/erp/00A-1/").status_code == 404

    def test_a_name_belongs_to_one_account(self, api):
        one, two = AccountFactory(), AccountFactory()
        body = {"source": "crm", "external_id": "1"}
        assert api.post(f"accounts/{one.pk}/external-ids/", body).status_code == 201
        assert api.post(f"accounts/{one.pk}/external-ids/", body).status_code == 201
        assert api.post(f"accounts/{two.pk}/external-ids/", body).status_code == 422


class TestBulk:
    def test_each_item_is_answered_and_the_good_ones_are_kept(self, api):
        items = [
            {"external_id": "1", "name": "One"},
            {"external_id": "2"},
            {"name": "nameless"},
            "text",
            {"external_id": "4", "name": "Four", "arr": "many"},
            {"external_id": "5", "name": "Five", "parent": "1"},
            {"external_id": "1", "name": "One again"},
        ]
        response = api.post("accounts/bulk/", {"source": "crm", "accounts": items})
        answered = response.json()
        assert [result["outcome"] for result in answered["results"]] == [
            "created",
            "rejected",
            "rejected",
            "rejected",
            "rejected",
            "created",
            "updated",
        ]
        assert (answered["created"], answered["updated"], answered["unchanged"], answered["rejected"]) == (2, 1, 0, 4)
        assert answered["results"][4]["errors"] == [
            {"pointer": "/arr", "code": "number", "detail": "This must be a number with a point for decimals."}
        ]
        assert sorted(Account.objects.values_list("name", "parent__name")) == [
            ("Five", "One again"),
            ("One again", None),
        ]

    def test_the_same_again_changes_nothing(self, api):
        body = {"accounts": [{"external_id": str(n), "name": f"A{n}", "custom": {"n": n}, "arr": 5} for n in range(3)]}
        api.post("accounts/bulk/", body)
        before = list(Account.objects.order_by("pk").values())
        entries = AuditEntry.objects.count()
        assert api.post("accounts/bulk/", body).json()["unchanged"] == 3
        assert list(Account.objects.order_by("pk").values()) == before
        assert AuditEntry.objects.count() == entries

    def test_an_account_outside_the_book_is_rejected(self, csm_api, csm):
        other = AccountFactory(name="Other")
        set_external_id(other, "api", "x", actor=None, at=timezone.now())
        result = csm_api.post("accounts/bulk/", {"accounts": [{"external_id": "x", "name": "Mine"}]}).json()
        assert result["results"][0]["errors"][0]["code"] == "not_yours"
        other.refresh_from_db()
        assert other.name == "Other"

    @pytest.mark.parametrize("rows", [1, 3])
    def test_the_number_of_statements_does_not_depend_on_the_rows(self, api, rows, django_assert_max_num_queries):
        items = [{"external_id": str(n), "name": f"A{n}"} for n in range(rows)]
        with django_assert_max_num_queries(25):
            assert api.post("accounts/bulk/", {"accounts": items}).json()["created"] == rows

    def test_too_many_items_are_413(self, api):
        response = api.post("accounts/bulk/", {"accounts": [{}] * 5001})
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (413, "/accounts")
