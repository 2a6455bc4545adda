"""Health over the API: the account's score, receipts, overrides and definitions."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from health.actions import open_ctas, recompute, recompute_changed
from health.models import HealthEvent, HealthOverride
from playbooks.models import Cta
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.world import FLEET_BEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def rail():
    world.card(at=timezone.now())
    account = world.account()
    world.measure(account, {**FLEET_BEST, "renewals": "late", "tickets_month": "5"}, at=timezone.now())
    recompute(at=timezone.now())
    return account


def test_the_health_of_an_account_is_answered_with_its_evidence(api, rail):
    answer = api.get(f"accounts/{rail.pk}/health/")

    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in ("score", "shown", "band", "band_name", "colour", "coverage_pct")} == {
        "score": "92",
        "shown": "92.0",
        "band": "green",
        "band_name": "Green",
        "colour": "green",
        "coverage_pct": "100",
    }
    assert (body["scorecard"], body["version"], body["previous"], body["change"], body["override"]) == (
        "fleet-health", 1, None, None, None,
    )  # fmt: skip
    support = body["dimensions"][-1]
    assert (support["key"], support["score"], support["weight"]) == ("support", "7", "10")
    tickets = support["measures"][0]
    assert {name: tickets[name] for name in ("key", "inputs", "level", "points", "max_points", "stale")} == {
        "key": "ticket-volume",
        "inputs": {"tickets_month": "5"},
        "level": "Moderate",
        "points": "2",
        "max_points": "5",
        "stale": False,
    }


def test_previous_and_change_are_against_the_score_before(api, rail):
    world.measure(rail, {"login_pct": "60"}, at=timezone.now())
    recompute(at=timezone.now())

    body = api.get(f"accounts/{rail.pk}/health/").json()

    assert (body["score"], body["previous"], body["change"]) == ("87", "92", "-5")


def test_under_half_coverage_score_band_and_colour_are_null(api):
    world.card(at=timezone.now())
    rail = world.account()
    world.measure(rail, {"login_pct": "60"}, at=timezone.now())
    recompute(at=timezone.now())

    body = api.get(f"accounts/{rail.pk}/health/").json()

    assert [body[name] for name in ("score", "shown", "band", "band_name", "colour")] == [None] * 5
    assert body["coverage_pct"] == "10"


def test_before_the_first_run_the_answer_has_the_same_shape(api):
    body = api.get(f"accounts/{world.account().pk}/health/").json()

    assert (body["score"], body["coverage_pct"], body["dimensions"], body["as_of"]) == (None, "0", [], None)


@pytest.mark.requirement("CS-3.1")
def test_a_draft_whose_weights_are_99_percent_is_refused_and_a_good_one_goes_live(api):
    world.card("generic-health", at=timezone.now())
    definition = json.loads(json.dumps(CARDS["generic-health"]))
    definition["dimensions"][0]["weight"] = 0.39
    url = "health/scorecards/generic-health/versions/"

    refused = api.post(url, {"definition": definition})
    definition["dimensions"][1]["weight"] = 0.31
    drafted = api.post(url, {"definition": definition, "note": "Product first"})
    active = api.post(f"{url}2/activate/", {})
    again = api.post(f"{url}2/activate/", {})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/definition/dimensions"
    assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")
    assert (active.status_code, active.json()["state"]) == (200, "active")
    assert again.status_code == 422
    assert [row["state"] for row in api.get(url).json()["results"]] == ["active", "retired"]
    assert api.get("health/scorecards/generic-health/").json()["active_version"] == 2


def test_overrides_are_set_listed_and_ended(api, rail):
    until = (timezone.now() + timedelta(days=7)).isoformat()

    made = api.post(
        "health/overrides/", {"account": str(rail.pk), "band": "red", "reason": "Sponsor left", "expires_at": until}
    )
    health = api.get(f"accounts/{rail.pk}/health/").json()
    ended = api.delete(f"health/overrides/{made.json()['id']}/")

    assert made.status_code == 201
    assert (health["band"], health["current_band"], health["override"]["reason"]) == ("green", "red", "Sponsor left")
    assert ended.status_code == 204
    assert api.get(f"accounts/{rail.pk}/health/").json()["override"] is None
    assert HealthOverride.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"band": "purple"}, "/band"),
        ({"reason": ""}, "/reason"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "soon"}, "/expires_at"),
        ({"account": "x"}, "/account"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_bad_override_is_refused_by_field(api, rail, change, pointer):
    body = {"account": str(rail.pk), "band": "red", "reason": "r",
            "expires_at": (timezone.now() + timedelta(days=1)).isoformat(), **change}  # fmt: skip

    answer = api.post("health/overrides/", body)

    assert answer.status_code == 422
    assert pointer in [item["pointer"] for item in answer.json()["errors"]]
    assert HealthOverride.objects.count() == 0


def test_scores_are_listed_with_filters_in_a_constant_number_of_queries(api, rail):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert api.get("health/scores/").status_code == 200
        return len(queries)

    count()
    count()
    one = count()
    world.measure([world.account(f"R{at}") for at in range(3)], FLEET_BEST, at=timezone.now())
    recompute(at=timezone.now())

    assert count() <= one
    listed = api.get("health/scores/?band=green&ordering=-score").json()["results"]
    assert [row["score"] for row in listed] == ["100.000000", "100.000000", "100.000000", "92.000000"]
    assert api.get("health/scores/?colour=red").json()["results"] == []


def test_a_receipt_can_be_kept_and_proves_itself(api, rail):
    body = api.get(f"accounts/{rail.pk}/receipt/").json()

    assert (body["agrees"], body["health"]["score"], body["definition"]["key"]) == (True, "92", "fleet-health")
    assert api.get(f"accounts/{rail.pk}/receipt/?on=2001-01-01").status_code == 404
    assert api.get(f"accounts/{rail.pk}/receipt/?on=yesterday").status_code == 400


def test_the_history_lists_stored_days(api, rail):
    body = api.get(f"accounts/{rail.pk}/health/history/").json()

    assert [point["shown"] for point in body["results"]] == ["92.0"]


@pytest.mark.parametrize(
    ("pack", "kpi", "value", "met"),
    [
        pytest.param(pack, kpi, value, met, marks=[pytest.mark.requirement(row)], id=f"{row}-{value}")
        for row, pack, kpi, value, met in [
            ("MNA-3.1", "mna", "platform-uptime", "99.9", True),
            ("MNA-3.1", "mna", "platform-uptime", "99.89", False),
            ("MNA-3.2", "mna", "migration-success", "95", True),
            ("MNA-3.2", "mna", "migration-success", "94.9", False),
            ("MNA-3.3", "mna", "gui-response", "100", False),
            ("MNA-3.3", "mna", "gui-response", "99", True),
            ("MNA-3.3", "mna", "throughput", "100", True),
            ("MNA-3.3", "mna", "throughput", "99", False),
            ("MNA-3.4", "mna", "error-rate", "0.5", False),
            ("MNA-3.4", "mna", "error-rate", "0.49", True),
            ("MNA-3.5", "mna", "rollback-time", "5", False),
            ("MNA-3.5", "mna", "rollback-time", "4.9", True),
            ("MNA-3.6", "mna", "cost-savings", "70", True),
            ("MNA-3.6", "mna", "cost-savings", "69.9", False),
            ("MNA-3.9", "mna", "process-efficiency", "80", True),
            ("MNA-3.9", "mna", "process-efficiency", "79.9", False),
            ("MNA-3.7", "mna", "time-to-value", "30", False),
            ("MNA-3.7", "mna", "time-to-value", "29", True),
            ("MNA-3.8", "mna", "nps", "70", True),
            ("MNA-3.8", "mna", "nps", "69.9", False),
            ("BIS-1.8", "bis", "time-to-first-value", "30", False),
            ("BIS-1.8", "bis", "time-to-first-value", "29", True),
            ("BIS-1.8", "bis", "mau", "80", False),
            ("BIS-1.8", "bis", "mau", "80.1", True),
            ("BIS-1.8", "bis", "mean-recommend", "7", False),
            ("BIS-1.8", "bis", "mean-recommend", "7.1", True),
            ("BIS-1.8", "bis", "fcr", "70", False),
            ("BIS-1.8", "bis", "query-response", "5", False),
            ("BIS-1.8", "bis", "query-response", "4.9", True),
            ("BIS-1.8", "bis", "data-accuracy", "99", False),
            ("BIS-1.8", "bis", "data-accuracy", "99.1", True),
            ("BIS-1.8", "bis", "fcr", "70.1", True),
            ("FLEET-5.3", "fleet", "user-adoption-month-1", "70", False),
            ("FLEET-5.3", "fleet", "user-adoption-month-1", "70.1", True),
            ("FLEET-5.3", "fleet", "user-adoption-month-2", "85", False),
            ("FLEET-5.3", "fleet", "user-adoption-month-2", "85.1", True),
            ("FLEET-4.11", "fleet", "time-to-competency", "14", False),
            ("FLEET-4.11", "fleet", "time-to-competency", "13", True),
            ("FLEET-4.13", "fleet", "training-satisfaction", "8", False),
            ("FLEET-4.13", "fleet", "training-satisfaction", "8.1", True),
            ("CS-7.3", "generic", "nrr", "130", True),
            ("CS-7.3", "generic", "logo-churn", "5", False),
        ]
    ],
)
def test_a_kpi_is_met_or_missed_by_what_the_api_was_told(api, pack, kpi, value, met):
    world.kpis(pack, at=timezone.now())
    rail = world.account()
    row = {"account": str(rail.pk), "metric": kpi.replace("-", "_"), "on": str(timezone.now().date()), "value": value}
    sent = api.post("usage/metrics/", {"metrics": [row]})

    readings = {item["key"]: item for item in api.get(f"accounts/{rail.pk}/kpis/").json()["results"]}

    assert (sent.status_code, sent.json()["rejected"]) == (202, [])
    assert (readings[kpi]["value"], readings[kpi]["met"]) == (value, met)


@pytest.mark.requirement("BIS-1.9")
def test_kpis_are_listed_with_their_frequency_and_owner_and_an_overdue_reading_is_marked(api):
    now = timezone.now()
    world.kpis("bis", at=now)
    rail = world.account()
    world.measure(rail, {"query_response": "4"}, on=now.date() - timedelta(days=2), at=now)
    world.measure(rail, {"data_accuracy": "99.5"}, on=now.date() - timedelta(days=7), at=now)

    listed = {item["key"]: item for item in api.get(f"accounts/{rail.pk}/kpis/").json()["results"]}

    six = ("time-to-first-value", "mau", "mean-recommend", "query-response", "data-accuracy", "fcr")
    assert [(listed[key]["category"], listed[key]["frequency"], listed[key]["owner_role"]) for key in six] == [
        ("adoption", "monthly", "csm"),
        ("engagement", "monthly", "analytics"),
        ("satisfaction", "quarterly", "csm"),
        ("efficiency", "daily", "engineering"),
        ("quality", "weekly", "data_team"),
        ("support", "weekly", "support"),
    ]
    assert listed["mau"]["definition"] == "unique users / licensed users"
    assert {key: listed[key]["overdue"] for key in six[3:]} == {
        "query-response": True,
        "data-accuracy": False,
        "fcr": True,
    }


@pytest.mark.requirement("MNA-5.3")
def test_telemetry_posted_by_rest_changes_the_score(api):
    world.card("mna-health", at=timezone.now())
    world.kpis("mna", at=timezone.now())
    rail = world.account()
    world.measure(rail, {"business_outcomes": "80", "user_adoption": "80"}, at=timezone.now())
    recompute(at=timezone.now())
    before = api.get(f"accounts/{rail.pk}/health/").json()["score"]
    row = {"account": str(rail.pk), "metric": "platform_uptime", "on": str(timezone.now().date()), "value": "99.9"}

    api.post("usage/metrics/", {"metrics": [row]})
    recompute_changed(at=timezone.now())

    after = api.get(f"accounts/{rail.pk}/health/").json()
    assert (before, after["score"]) == ("80", "87.5")


@pytest.mark.requirement("MNA-5.9")
def test_a_competitor_noted_by_rest_opens_an_intervention_with_its_name(api):
    world.card(at=timezone.now())
    world.trigger("mna:competitive-activity", at=timezone.now())
    rail = world.account()

    made = api.post(f"accounts/{rail.pk}/health/events/", {"event": "competitor_evaluated", "note": "Rivalsoft"})
    recompute_changed(at=timezone.now())
    open_ctas(at=timezone.now())

    cta = Cta.objects.get()
    assert made.status_code == 201
    assert (cta.title, "Rivalsoft" in cta.reason) == ("Competitive activity", True)
    assert HealthEvent.objects.get().data == {"note": "Rivalsoft"}


def test_a_csm_may_look_and_try_and_not_configure(csm_api):
    world.card(at=timezone.now())
    definition = CARDS["fleet-health"]

    assert csm_api.post("health/scorecards/fleet-health/simulate/", {"inputs": {}}).status_code == 200
    assert csm_api.post("health/scorecards/fleet-health/versions/", {"definition": definition}).status_code == 403
    assert csm_api.post("health/scorecards/fleet-health/versions/1/activate/", {}).status_code == 403
