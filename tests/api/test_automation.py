"""Triggers over REST from draft to dry run to in force, and what the checker finds."""

import pytest
from django.utils import timezone

from health.actions import recompute
from health.actions.dry_runs import run
from health.models import Trigger
from tests.health import world
from tests.health.world import FLEET_BEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def rail():
    now = timezone.now()
    world.card(at=now)
    account = world.account()
    world.measure(account, FLEET_BEST, at=now)
    world.trigger("mna:user-complaints", at=now)
    recompute(at=now)
    return account


def test_a_draft_is_tried_read_and_put_in_force(api, rail):
    definition = {
        "key": "user-complaints",
        "name": "User complaints",
        "actions": ["Call"],
        "condition": {"metric": "health_score", "op": ">", "value": 50},
    }
    kept = api.put("health/triggers/user-complaints/draft/", {"definition": definition})
    assert kept.json()["draft"] == definition
    asked = api.post("health/triggers/user-complaints/dry-run/", {"days": 30})
    assert (asked.status_code, asked.json()["state"], asked.json()["trigger"]) == (201, "queued", "user-complaints")
    key = asked.json()["id"]
    assert api.get(f"health/dry-runs/{key}/firings/").status_code == 404

    run(key)

    read = api.get(f"health/dry-runs/{key}/").json()
    assert (read["state"], read["day"], read["result"]["by_trigger"]) == (
        "done", 30, {"user-complaints": {"opened": 1}},
    )  # fmt: skip
    (row,) = api.get(f"health/dry-runs/{key}/firings/").json()["results"]
    assert (row["day"], row["account"], row["trigger"]) == (0, str(rail.pk), "user-complaints")
    assert row["evidence"]["condition"] == "the health score is over 50"
    assert [each["id"] for each in api.get("health/dry-runs/").json()["results"]] == [key]

    assert api.post("health/triggers/user-complaints/draft/", {}).json()["draft"] is None
    assert Trigger.objects.get().versions.first().definition == definition
    again = api.post("health/triggers/user-complaints/draft/", {})
    assert (again.status_code, again.json()["detail"]) == (422, "There is no draft to put in force.")


def test_a_draft_that_breaks_rules_names_each_place(api, rail):
    definition = {"key": "user-complaints", "name": "", "actions": [], "condition": {"absent": "qbr", "days": 0}}
    answer = api.put("health/triggers/user-complaints/draft/", {"definition": definition})
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {
        "/definition/name", "/definition/actions", "/definition/condition/days",
    }  # fmt: skip
    assert api.post("health/triggers/user-complaints/dry-run/", {"days": 91}).status_code == 422


def test_the_checkers_findings(api, rail):
    now = timezone.now()
    world.trigger("mna:usage-decline", at=now)
    world.trigger("fmea:declining-usage", at=now)
    (overlap,) = api.get("health/trigger-findings/").json()["results"]
    assert (overlap["code"], overlap["severity"]) == ("overlap", "warning")
    assert set(overlap["triggers"]) == {"usage-decline", "declining-usage"}
