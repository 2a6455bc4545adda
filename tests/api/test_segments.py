"""Segments and saved views over REST."""

import pytest

from health.models import Segment
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db
RULE = {"join": "all", "groups": [{"join": "all", "conditions": [{"field": "arr", "op": ">=", "value": 50}]}]}


def rows(response):
    return response.json()["results"]


class TestSegments:
    def test_made_read_changed_filtered_by_and_deleted(self, api):
        big, small = AccountFactory(name="big", arr=99), AccountFactory(name="small", arr=9)
        made = api.post("segments/", {"name": "Large", "rule": RULE})
        assert made.status_code == 201
        pk = made.json()["id"]
        assert made.json()["rule"]["groups"][0]["conditions"] == [{"field": "arr", "op": ">=", "value": "50"}]
        assert [row["id"] for row in rows(api.get(f"accounts/?segment={pk}"))] == [str(big.pk)]
        assert [row["account_name"] for row in rows(api.get(f"segments/{pk}/members/?state=in"))] == ["big"]
        assert rows(api.get(f"segments/{pk}/members/?state=left")) == []
        other = {"groups": [{"conditions": [{"field": "arr", "op": "<", "value": "50"}]}]}
        changed = api.patch(f"segments/{pk}/", {"rule": other}, if_match=made["ETag"])
        assert (changed.status_code, changed["ETag"]) == (200, '"2"')
        assert [row["id"] for row in rows(api.get(f"accounts/?segment={pk}"))] == [str(small.pk)]
        assert [row["account_name"] for row in rows(api.get(f"segments/{pk}/members/?state=left"))] == ["big"]
        assert api.patch(f"segments/{pk}/", {"name": "x"}, if_match='"1"').status_code == 412
        assert api.delete(f"segments/{pk}/").status_code == 204
        assert not Segment.objects.exists()

    def test_a_wrong_rule_is_refused_by_its_place(self, api):
        wrong = {"groups": [{"conditions": [{"field": "arr", "op": ">=", "value": "lots"}]}]}
        answer = api.post("segments/", {"name": "x", "rule": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/rule/groups/0/conditions/0/value"
        for rule in (None, [], 5, {"groups": [{"conditions": [{"field": {}, "op": []}]}]}):
            assert api.post("segments/", {"name": "x", "rule": rule}).status_code == 422

    def test_a_preview_counts_and_keeps_nothing(self, api):
        AccountFactory(arr=99)
        assert api.post("segments/preview/", {"rule": RULE}).json() == {"accounts": 1}
        assert not Segment.objects.exists()
        assert "arr" in {field["field"] for field in rows(api.get("segments/fields/"))}


class TestViews:
    def test_kept_in_canonical_order_and_changed_with_its_version(self, api):
        made = api.post("account-views/", {"name": "Red", "query": "?sort=name&band=red&junk=1", "shared": True})
        assert (made.status_code, made.json()["query"]) == (201, "band=red&sort=name")
        pk = made.json()["id"]
        assert "Red" in {row["name"] for row in rows(api.get("account-views/"))}
        assert api.patch(f"account-views/{pk}/", {"shared": False}, if_match='"1"').json()["version"] == 2
        assert api.patch(f"account-views/{pk}/", {"name": "x"}, if_match='"1"').status_code == 412
        assert api.post("account-views/", {"name": "red"}).status_code == 422
        assert api.delete(f"account-views/{pk}/").status_code == 204

    def test_those_of_the_portfolio_are_kept_apart(self, api):
        made = api.post("portfolio-views/", {"name": "Small", "query": "?period=90&segment=SMB&junk=1", "shared": True})
        assert (made.status_code, made.json()["query"]) == (201, "segment=SMB&period=90")
        pk = made.json()["id"]
        assert [row["name"] for row in api.get("portfolio-views/").json()["results"]] == ["Small"]
        assert "Small" not in [row["name"] for row in api.get("account-views/").json()["results"]]
        assert api.get(f"account-views/{pk}/").status_code == 404
        assert (
            api.patch(f"portfolio-views/{pk}/", {"query": "period=year"}, if_match='"1"').json()["query"]
            == "period=year"
        )
        assert api.patch(f"portfolio-views/{pk}/", {"name": "x"}, if_match='"1"').status_code == 412
        assert api.delete(f"portfolio-views/{pk}/").status_code == 204
