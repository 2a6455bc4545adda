"""Drafts, previews, schedules, roll back, differences, backtests and five methodologies over REST."""

import copy
from datetime import timedelta

import pytest
from django.utils import timezone

from health.actions import draft_version
from health.actions.backtests import run
from health.models import Backtest, ScorecardVersion
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST

pytestmark = pytest.mark.django_db
CARD = "health/scorecards/fleet-health/versions/"


@pytest.fixture
def version():
    return world.card()


def stricter(edge=95):
    definition = copy.deepcopy(CARDS["fleet-health"])
    definition["bands"][0]["min"] = edge
    return definition


def draft(version, edge=95):
    return draft_version(version.scorecard, definition=stricter(edge), actor=None, at=timezone.now())


def test_a_draft_is_changed_and_broken_rules_are_named_by_their_place(api, version):
    draft(version)
    broken = stricter()
    broken["dimensions"][0]["weight"] = 41

    good = api.put(CARD + "2/draft/", {"definition": stricter(97), "note": "n"})
    bad = api.put(CARD + "2/draft/", {"definition": broken})
    live = api.put(CARD + "1/draft/", {"definition": stricter()})

    assert (good.status_code, good.json()["definition"]["bands"][0]["min"]) == (200, 97)
    assert bad.status_code == 422
    assert "/definition/dimensions" in {error["pointer"] for error in bad.json()["errors"]}
    assert live.status_code == 422


def test_preview_says_what_activation_does(api, version):
    account = world.account("Good Rail")
    world.measure(account, {**FLEET_BEST, "mobile_pct": "10"}, at=timezone.now())
    draft(version, 97)

    found = api.get(CARD + "2/preview/?show=all").json()

    assert (found["accounts"], found["change_band"], found["left_out"]) == (1, 1, 0)
    (change,) = found["changes"]
    assert (change["before"]["colour"], change["after"]["colour"], change["direction"]) == ("green", "yellow", "worse")
    assert api.get(CARD + "2/preview/?show=none").status_code == 400


def test_schedule_and_roll_back(api, version):
    draft(version)
    day = timezone.localdate() + timedelta(days=5)

    scheduled = api.post(CARD + "2/schedule/", {"on": day.isoformat()})
    today = api.post(CARD + "2/schedule/", {"on": timezone.localdate().isoformat()})
    taken_back = api.delete(CARD + "2/schedule/")
    api.post(CARD + "2/activate/", None)
    back = api.post(CARD + "1/roll-back/", None)

    assert (scheduled.status_code, scheduled.json()["scheduled_on"]) == (200, day.isoformat())
    assert (today.status_code, taken_back.status_code) == (422, 204)
    assert (back.json()["number"], back.json()["state"]) == (3, "active")
    assert ScorecardVersion.objects.get(number=3).definition == version.definition


def test_differences_and_discarding(api, version):
    draft(version)

    found = api.get(CARD + "2/differences/").json()
    gone = api.delete(CARD + "2/draft/")

    assert found["results"] == [
        {"place": ["Band Green"], "field": "from", "kind": "changed", "before": "90", "after": "95"}
    ]
    assert gone.status_code == 204
    assert ScorecardVersion.objects.count() == 1
    assert api.delete(CARD + "1/draft/").status_code == 422


def test_a_backtest_is_run_read_and_deleted(api, version):
    made = api.post("health/backtests/", {"scorecard": "fleet-health", "version": 1, "months": 3, "step": "month"})
    unknown = api.post("health/backtests/", {"scorecard": "fleet-health", "version": 9})
    address = f"health/backtests/{made.json()['id']}/"
    assert api.get(address).json()["result"] is None
    run(Backtest.objects.get().pk)

    found = api.get(address).json()

    assert (made.status_code, unknown.status_code) == (201, 422)
    assert (found["state"], found["position"], found["days"]) == ("done", 4, 4)
    assert found["result"]["champion"]["warnings"]["red"]["hit"] == 0
    assert api.get(address + "losses/").json() == {"yellow": [], "orange": [], "red": []}
    assert api.post(address + "cancel/", None).status_code == 422
    assert [row["id"] for row in api.get("health/backtests/?state=done").json()["results"]] == [found["id"]]
    assert api.delete(address).status_code == 204


def test_an_account_under_five_methodologies(api, version):
    account = world.account()
    world.measure(account, FLEET_BEST, at=timezone.now())

    found = api.get(f"accounts/{account.pk}/methodologies/").json()

    views = {view["pack"]: view for view in found["methodologies"]}
    assert list(views) == ["fmea", "mna", "fleet", "bis", "generic"]
    assert (views["fleet"]["colour"], views["fleet"]["version"]) == ("green", "version 1")
    assert (views["mna"]["score"], views["mna"]["version"]) == (None, "as shipped")
