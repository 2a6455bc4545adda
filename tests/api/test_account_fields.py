"""Own fields of accounts over REST: their definitions, values by kind, and filters."""

from __future__ import annotations

import pytest

from accounts.actions import archive_field, define_field
from accounts.models import Account, AuditEntry, OwnField
from tests.factories import AT, AccountFactory

pytestmark = pytest.mark.django_db


def define(label, kind, **given):
    return define_field(label=label, kind=kind, actor=None, at=AT, **given)


def problem(response, status=422):
    assert response.status_code == status, response.content
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]


class TestDefinitions:
    def test_fields_are_listed_in_order_and_by_state(self, csm_api):
        define("Seats", "number")
        archive_field(define("Old", "text"), actor=None, at=AT)
        define("Region", "choice", options=["North", "South"])

        def keys(query=""):
            return [row["key"] for row in csm_api.get(f"account-fields/{query}").json()["results"]]

        assert keys("?ordering=key") == ["old", "region", "seats"]
        assert (keys("?archived=false"), keys("?archived=true")) == (["seats", "region"], ["old"])

    def test_an_administrator_defines_changes_archives_and_restores(self, api):
        sent = {"label": "Region", "kind": "choice", "options": ["North", "South"], "help_text": "Where they are"}
        made = api.post("account-fields/", sent)
        shown = made.json()
        assert (made.status_code, made["ETag"], made["Location"][-37:-1]) == (201, '"1"', shown["id"])
        assert {name: shown[name] for name in sent} == sent
        assert (shown["key"], shown["position"], shown["archived_at"]) == ("region", 0, None)
        address = f"account-fields/{shown['id']}/"
        assert api.patch(address, {"label": "Area"}, if_match='"1"').json()["label"] == "Area"
        assert api.patch(address, {"label": "Part"}, if_match='"1"').status_code == 412
        assert api.patch(address, {"archived": True}).json()["archived_at"] is not None
        assert api.patch(address, {"archived": False, "label": "Region"}).json()["archived_at"] is None
        actions = AuditEntry.objects.filter(object_type="ownfield").order_by("pk").values_list("action", flat=True)
        assert [action.removeprefix("account_field.") for action in actions] == [
            "created", "changed", "archived", "changed", "restored",
        ]  # fmt: skip

    def test_what_makes_no_field_names_its_place(self, api):
        define("Region", "text")
        assert problem(api.post("account-fields/", {"label": "region", "kind": "text"})) == [("/label", "label_taken")]
        assert problem(api.post("account-fields/", {"label": "A", "kind": "hue"})) == [("/kind", "invalid_choice")]
        found = problem(api.post("account-fields/", {"label": "A", "kind": "choice"}))
        assert found == [("/options", "required")]
        AccountFactory(custom={"region": "North"})
        address = f"account-fields/{OwnField.objects.get().pk}/"
        assert problem(api.patch(address, {"kind": "number"})) == [("/kind", "kind_in_use")]
        assert problem(api.patch(address, {"key": "other"})) == [("/key", "unknown_field")]

    def test_a_csm_may_not_define(self, csm_api):
        assert csm_api.post("account-fields/", {"label": "A", "kind": "text"}).status_code == 403


class TestValues:
    def test_values_are_stored_by_kind_and_others_as_they_come(self, api):
        define("Seats", "number")
        define("Pilot", "yes_no")
        sent = {"seats": "12", "pilot": "yes", "free": 1.5, "nothing": None}
        made = api.post("accounts/", {"name": "A", "custom": sent})
        assert made.json()["custom"] == {"seats": 12, "pilot": True, "free": 1.5}

    @pytest.mark.parametrize(
        ("sent", "held"),
        [
            ({"seats": 15}, {"seats": 15, "pilot": True, "free": "x"}),
            ({"seats": None, "free": None, "gone": None}, {"pilot": True}),
            ({"note": "new"}, {"seats": 12, "pilot": True, "free": "x", "note": "new"}),
            ({}, {"seats": 12, "pilot": True, "free": "x"}),
            (None, {"seats": 12, "pilot": True, "free": "x"}),
        ],
    )
    def test_a_change_is_of_the_keys_it_names(self, api, sent, held):
        define("Seats", "number")
        custom = {"seats": 12, "pilot": True, "free": "x"}
        account = AccountFactory(custom=custom)
        assert api.patch(f"accounts/{account.pk}/", {"custom": sent}).json()["custom"] == held
        named = api.put("accounts/by-external-id/crm/1/", {"name": "B", "custom": custom})
        assert named.json()["custom"] == custom
        assert api.put("accounts/by-external-id/crm/1/", {"custom": sent}).json()["custom"] == held

    def test_what_does_not_fit_is_422_at_its_key_and_changes_nothing(self, api):
        define("Seats", "number")
        define("Go-live", "date", key="Go.live on")
        account = AccountFactory(custom={"seats": "many"})
        path = f"accounts/{account.pk}/"
        assert problem(api.patch(path, {"custom": {"seats": "more"}})) == [("/custom/seats", "number")]
        assert problem(api.patch(path, {"custom": {"Go.live on": "soon"}})) == [("/custom/Go.live on", "date")]
        assert problem(api.post("accounts/", {"name": "B", "custom": {"seats": []}})) == [("/custom", "custom")]
        assert Account.objects.get().custom == {"seats": "many"}
        kept = api.patch(path, {"custom": {"seats": "many", "Go.live on": "2026-12-01"}})
        assert kept.json()["custom"] == {"seats": "many", "Go.live on": "2026-12-01"}

    def test_bulk_calls_and_ids_of_other_systems_name_the_key_too(self, api):
        define("Seats", "number")
        body = {"source": "crm", "accounts": [{"external_id": "1", "name": "A", "custom": {"seats": "x"}}]}
        (item,) = api.post("accounts/bulk/", body).json()["results"]
        assert [(error["pointer"], error["code"]) for error in item["errors"]] == [("/custom/seats", "number")]
        found = problem(api.put("accounts/by-external-id/crm/1/", {"name": "A", "custom": {"seats": "x"}}))
        assert found == [("/custom/seats", "number")]
        made = api.put("accounts/by-external-id/crm/1/", {"name": "A", "custom": {"seats": "4"}})
        assert (made.status_code, made.json()["custom"]) == (201, {"seats": 4})


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("custom.region=North", ["a"]),
            ("custom.region=North,South", ["a", "b"]),
            ("custom.region=~none", ["c"]),
            ("custom_min.seats=5", ["b"]),
            ("custom_min.seats=3&custom_max.seats=5", ["a", "b"]),
            ("custom.seats=~bad", ["c"]),
            ("custom.note=CARGO", ["a"]),
            ("custom.pilot=true&custom.region=South", ["b"]),
        ],
    )
    def test_accounts_are_found_by_what_they_hold(self, api, query, found):
        define("Region", "choice", options=["North", "South"])
        define("Seats", "number")
        define("Note", "text")
        define("Pilot", "yes_no")
        AccountFactory(name="a", custom={"region": "North", "seats": 3, "note": "Air cargo"})
        AccountFactory(name="b", custom={"region": "South", "seats": "5", "pilot": "yes"})
        AccountFactory(name="c", custom={"seats": "many"})
        answer = api.get(f"accounts/?{query}")
        assert [row["name"] for row in answer.json()["results"]] == found

    @pytest.mark.parametrize("query", ["custom.gone=1", "custom.region=Nort", "custom.region=", "custom_min.region=1"])
    def test_a_misspelt_filter_is_400(self, api, query):
        define("Region", "choice", options=["North", "South"])
        AccountFactory()
        assert problem(api.get(f"accounts/?{query}"), 400)[0][1] == query.partition("=")[0]


class TestOrder:
    @pytest.fixture
    def fields(self):
        define("Seats", "number")
        define("Region", "choice", options=["South", "North"])
        define("Note", "text")
        define("Pilot", "yes_no")
        held = {
            "a": {"seats": 30, "region": "North", "note": "b", "pilot": True},
            "b": {"seats": "4", "region": "South", "note": "a", "pilot": "no"},
            "c": {"seats": 30, "region": "South", "note": "c"},
            "d": {"seats": "many", "region": "West"},
            "e": {},
        }
        for number, (name, custom) in enumerate(held.items(), 1):
            AccountFactory(pk=f"00000000-0000-0000-0000-00000000000{number}", name=name, custom=custom)

    @pytest.mark.parametrize(
        ("ordering", "found"),
        [
            ("custom.seats", "bacde"),
            ("-custom.seats", "acbde"),
            ("custom.region", "bcade"),
            ("custom.note", "bacde"),
            ("-custom.pilot", "abcde"),
        ],
    )
    @pytest.mark.parametrize("size", [1, 2, 5])
    def test_pages_follow_an_own_field_and_the_key_among_equals(self, api, fields, ordering, found, size):
        address, walked = f"accounts/?ordering={ordering}&page_size={size}", ""
        while address:
            page = api.get(address.rpartition("/api/v1/")[2]).json()
            walked += "".join(row["name"] for row in page["results"])
            back, address = page["previous"], page["next"]
        assert walked == found
        if size < len(found):
            before = api.get(back.rpartition("/api/v1/")[2]).json()
            assert "".join(row["name"] for row in before["results"]) in found

    def test_a_field_nobody_has_is_refused_with_what_there_is(self, api, fields):
        refused = api.get("accounts/?ordering=custom.gone")
        assert refused.status_code == 400
        assert refused.json()["errors"] == [
            {
                "pointer": "",
                "code": "ordering",
                "detail": "ordering: one of id, name, arr, renewal_on, created_at, updated_at, health, or custom. and"
                " the key of an own field, with - in front to turn it round.",
            }
        ]
        assert api.get("account-fields/?ordering=custom.seats").status_code == 400
