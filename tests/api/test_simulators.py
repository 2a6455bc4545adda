"""The simulators of scorecards and triggers over the API: they answer as the store does, and keep nothing."""

import pytest
from django.utils import timezone

from health.actions import recompute_changed
from health.models import AccountHealth, HealthScore, TriggerFiring
from tests.health import world
from tests.health.test_scoring import ABC_LOGISTICS, BIS_EXAMPLE

pytestmark = pytest.mark.django_db


@pytest.mark.requirement("FLEET-10.18")
@pytest.mark.requirement("FLEET-7.14")
def test_the_worked_example_gives_the_same_through_the_store_and_the_simulator(api):
    world.card(at=timezone.now())
    rail = world.account()
    rows = [
        {"account": str(rail.pk), "metric": metric, "on": str(timezone.now().date()), "value": str(value)}
        for metric, value in ABC_LOGISTICS.items()
    ]
    assert api.post("usage/metrics/", {"metrics": rows}).status_code == 202
    recompute_changed(at=timezone.now())

    stored = api.get(f"accounts/{rail.pk}/health/").json()
    tried = api.post("health/scorecards/fleet-health/simulate/", {"inputs": ABC_LOGISTICS}).json()

    assert (stored["score"], stored["shown"], stored["band"]) == ("63", "63.0", "red")
    assert (tried["score"], tried["shown"], tried["band"], tried["coverage_pct"]) == ("63", "63.0", "red", "100")
    assert {part["key"]: part["score"] for part in stored["dimensions"]} == tried["dimensions"]


@pytest.mark.requirement("BIS-6.7")
@pytest.mark.requirement("BIS-6.15")
def test_the_bis_example_through_the_simulator(api):
    world.card("calculator", at=timezone.now())

    body = api.post("health/scorecards/calculator/simulate/", {"inputs": BIS_EXAMPLE}).json()

    assert (body["score"], body["shown"], body["band"]) == ("68.45", "68.5", "at-risk")
    assert body["dimensions"] == {
        "usage": "70.5",
        "satisfaction": "68.5",
        "business_value": "52",
        "relationship": "72",
        "support": "99",
    }
    assert body["measures"]["satisfaction.nps"] == {"value": "54", "level": None}
    assert body["red_flags"] == []
    assert [item["category"] for item in body["recommendations"]] == ["Satisfaction"]
    assert AccountHealth.objects.count() == HealthScore.objects.count() == 0


@pytest.mark.requirement("BIS-1.10")
def test_red_flags_of_the_components_card_stand_beyond_their_limits_and_not_on_them(api):
    world.card("components", at=timezone.now())
    full = {"usage_vs_expected_pct": 100, "value_target_pct": 100, "tickets_per_user_monthly": 1,
            "avg_resolution_hours": 1, "escalation_rate_percentage": 0, "meetings_per_quarter": 4,
            "stakeholder_engagement": 100, "advocacy_score": 100, "expansion_readiness": 100}  # fmt: skip
    edges = {"usage_vs_expected_pct": 50, "value_target_pct": 60, "tickets_per_user_monthly": 2,
             "meetings_per_quarter": 1, "new_requirements": 1}  # fmt: skip
    beyond = {"usage_vs_expected_pct": 49.9, "value_target_pct": 59.9, "tickets_per_user_monthly": 2.1,
              "meetings_per_quarter": 0, "new_requirements": 0}  # fmt: skip

    on_edge = api.post("health/scorecards/components/simulate/", {"inputs": {**full, **edges}}).json()
    one = api.post("health/scorecards/components/simulate/", {"inputs": {**full, "new_requirements": 0}}).json()
    all_five = api.post("health/scorecards/components/simulate/", {"inputs": {**full, **beyond}}).json()

    assert on_edge["red_flags"] == []
    assert (one["score"], one["band"], one["red_flags"]) == ("100", "at-risk", ["no-requirements"])
    assert all_five["red_flags"] == ["usage-low", "value-low", "tickets-high", "no-meetings", "no-requirements"]


@pytest.mark.parametrize(
    ("inputs", "pointer", "code"),
    [
        ({"nps": 101}, "/inputs/nps", "maximum"),
        ({"nps": "many"}, "/inputs/nps", "number"),
        ({"npss": 1}, "/inputs/npss", "unknown"),
        ({"advocacy_score": -1}, "/inputs/advocacy_score", "minimum"),
        ({"advocacy_score": {"a": 1}}, "/inputs/advocacy_score", "number"),
        ([], "/inputs", "object"),
        (None, "/inputs", "object"),
    ],
)
def test_a_simulator_refuses_bad_input_by_field_and_rule(api, inputs, pointer, code):
    world.card("calculator", at=timezone.now())

    answer = api.post("health/scorecards/calculator/simulate/", {"inputs": inputs})

    assert answer.status_code == 422
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [(pointer, code)]


def test_the_trigger_simulator_answers_and_names_what_it_ignored(api):
    world.trigger("generic:upsell", at=timezone.now())
    url = "health/triggers/upsell/simulate/"

    fires = api.post(url, {"facts": {"health_score": 80.1, "budget_season": True}}).json()
    rests = api.post(url, {"facts": {"health_score": 80, "nps": 60, "moon": "full"}}).json()

    assert fires == {"fires": True, "actions": ["expansion playbook"], "ignored": []}
    assert rests == {"fires": False, "actions": [], "ignored": ["moon"]}
    assert TriggerFiring.objects.count() == 0


@pytest.mark.parametrize(
    ("facts", "pointer", "code"),
    [
        ({"nps": True}, "/facts/nps", "number"),
        ({"nps": "NaN"}, "/facts/nps", "number"),
        ({"nps": "high"}, "/facts/nps", "number"),
        ({"negative_feedback_trend": 3}, "/facts/negative_feedback_trend", "boolean"),
    ],
)
def test_the_trigger_simulator_refuses_wrong_types(api, facts, pointer, code):
    world.trigger("mna:user-complaints", at=timezone.now())

    answer = api.post("health/triggers/user-complaints/simulate/", {"facts": facts})

    assert answer.status_code == 422
    assert [(item["pointer"], item["code"]) for item in answer.json()["errors"]] == [(pointer, code)]


def test_an_unknown_card_or_trigger_is_404(api):
    assert api.post("health/scorecards/none/simulate/", {"inputs": {}}).status_code == 404
    assert api.post("health/triggers/none/simulate/", {"facts": {}}).status_code == 404
