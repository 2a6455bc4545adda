"""The desk over HTTP: simulators, tickets and escalations as a program sees them."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from support.models import Ticket
from tests.support.world import agent, customer, install

pytestmark = pytest.mark.django_db
OFFICE = {
    "timezone": "Europe/Berlin",
    "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}

CLOCKS = ("first_response", "update", "resolution")


@pytest.fixture
def post(client):
    client.force_login(agent("vp_cs"))

    def send(path, body, status=200):
        response = client.post(f"/api/v1/support/{path}/", json.dumps(body), content_type="application/json")
        assert response.status_code == status, response.content
        return response.json()

    return send


def event(kind, moment):
    return {"type": kind, "at": f"2026-11-{moment}+01:00"}


def simulated(post, *events, status=200, **more):
    body = {"calendar": OFFICE, "target_minutes": {"first_response": 240, "update": 120, "resolution": 480}}
    return post("sla/simulate", body | {"events": list(events)} | more, status)


class TestSlaSimulator:
    def test_every_clock_runs_from_the_start_and_the_earliest_deadline_is_next(self, post):
        found = simulated(post, event("created", "23T09:00"), evaluated_at="2026-11-23T10:00:00+01:00")
        assert found == {
            "first_response_due": "2026-11-23T13:00:00+01:00",
            "first_response_business_minutes": 60,
            "first_response_remaining_minutes": 180,
            "first_response_breached": False,
            "update_due": "2026-11-23T11:00:00+01:00",
            "update_business_minutes": 60,
            "update_remaining_minutes": 60,
            "update_breached": False,
            "resolution_due": "2026-11-23T17:00:00+01:00",
            "resolution_business_minutes": 60,
            "resolution_remaining_minutes": 420,
            "resolution_breached": False,
            "next_due": "2026-11-23T11:00:00+01:00",
        }

    def test_each_event_stops_its_own_clock(self, post):
        found = simulated(
            post, event("created", "23T09:00"), event("first_response", "23T10:00"), event("agent_reply", "23T12:00"),
            event("closed", "24T10:00"),
        )  # fmt: skip
        assert [found[f"{name}_business_minutes"] for name in CLOCKS] == [
            60,
            180,
            540,
        ]
        assert [found[f"{name}_breached"] for name in CLOCKS] == [False, True, True]
        assert found["next_due"] is None

    def test_an_open_pause_pushes_the_deadline_on_and_a_closed_ticket_keeps_the_one_it_had(self, post):
        paused = event("created", "23T09:00"), event("waiting", "23T11:00")
        found = simulated(post, *paused, evaluated_at="2026-11-24T11:00:00+01:00")
        assert (
            found["resolution_due"] == "2026-11-25T09:00:00+01:00"
            or found["resolution_due"] == "2026-11-24T17:00:00+01:00"
        )
        assert found["resolution_due"] == "2026-11-24T17:00:00+01:00"
        assert found["first_response_breached"] is True
        closed = simulated(post, *paused, event("resolved", "24T10:00"), evaluated_at="2026-11-27T11:00:00+01:00")
        assert closed["resolution_due"] == "2026-11-24T16:00:00+01:00"
        assert (closed["resolution_business_minutes"], closed["resolution_breached"]) == (120, False)

    def test_pause_rules_can_be_turned_round(self, post):
        rules = {"first_response": {"pausable": True}, "resolution": {"pausable": False}}
        found = simulated(
            post, event("created", "23T09:00"), event("waiting", "23T10:00"), event("resumed", "23T12:00"),
            evaluated_at="2026-11-23T13:00:00+01:00", clock_rules=rules,
        )  # fmt: skip
        assert found["first_response_due"] == "2026-11-23T15:00:00+01:00"
        assert found["resolution_due"] == "2026-11-23T17:00:00+01:00"

    def test_reopened_goes_on_without_the_time_it_was_done(self, post):
        found = simulated(
            post, event("created", "23T09:00"), event("resolved", "23T11:00"), event("reopened", "24T09:00"),
            event("customer_reply", "24T09:00"), evaluated_at="2026-11-24T10:00:00+01:00",
        )  # fmt: skip
        assert (found["resolution_business_minutes"], found["resolution_due"]) == (180, "2026-11-24T15:00:00+01:00")

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"events": []}, "/events"),
            ({"events": [{"type": "created"}]}, "/events/0/at"),
            ({"events": [{"type": "opened", "at": "2026-11-23T09:00:00Z"}]}, "/events/0/type"),
            ({"events": [{"type": "resolved", "at": "2026-11-23T09:00:00Z"}]}, "/events"),
            ({"target_minutes": {"resolution": 0}}, "/target_minutes/resolution"),
            ({"target_minutes": {"resolution": 1e300}}, "/target_minutes/resolution"),
            ({"target_minutes": {"resolution": None}}, "/target_minutes"),
            ({"target_minutes": {"solution": 10}}, "/target_minutes/solution"),
            ({"events": [{"type": "created", "at": "2026-11-23T09:00:00"}]}, "/events/0/at"),
            ({"evaluated_at": "2026-11-23T10:00:00"}, "/evaluated_at"),
            ({"clock_rules": {"update": {"pausable": "no"}}}, "/clock_rules/update/pausable"),
            ({"calendar": {"timezone": "Mars/Base"}}, "/calendar/timezone"),
            ({"evaluated_at": "2020-01-01T00:00:00Z"}, "/evaluated_at"),
            ({"more": 1}, "/more"),
        ],
    )
    def test_a_question_that_means_nothing_is_refused_where_it_is_wrong(self, post, change, pointer):
        body = {
            "calendar": OFFICE,
            "target_minutes": {"resolution": 60},
            "events": [{"type": "created", "at": "2026-11-23T09:00:00Z"}],
        }
        found = post("sla/simulate", body | change, 422)
        assert pointer in [error["pointer"] for error in found["errors"]]

    def test_a_clock_without_a_promise_a_fraction_and_what_happened_at_its_creation_are_taken(self, post):
        found = simulated(
            post, event("first_response", "23T09:00"), event("created", "23T09:00"), clock_rules=None,
            target_minutes={"first_response": 100 / 3, "update": None},
        )  # fmt: skip
        assert found["first_response_due"] == "2026-11-23T09:33:20+01:00"
        assert (found["first_response_business_minutes"], found["next_due"], "update_due" in found) == (0, None, False)


class TestPolicySimulator:
    def test_answers_each_promise_or_null(self, post):
        install("mna")
        body = {"tier": "fortune-500", "severity": "critical", "created_at": "2026-11-28T23:30:00Z"}
        found = post("sla-policies/fortune-500/simulate", body)
        assert {name: value and datetime.fromisoformat(value).isoformat() for name, value in found.items()} == {
            "response_due": "2026-11-29T00:30:00+00:00",
            "first_action_due": None,
            "resolution_due": "2026-11-29T03:30:00+00:00",
            "first_update_due": None,
        }

    def test_zone_and_holidays_stand_in_for_the_customers(self, post):
        install("fmea")
        body = {
            "tier": "basic", "severity": "S1", "created_at": "2026-11-26T12:00:00-06:00",
            "timezone": "America/Chicago", "holidays": ["2026-11-27"],
        }  # fmt: skip
        assert post("sla-policies/standard/simulate", body)["response_due"] == "2026-11-30T12:00:00-06:00"
        assert post("sla-policies/standard/simulate", body | {"tier": "enterprise"})["response_due"] is None
        nobodys = post("sla-policies/standard/simulate", body | {"tier": "platinum-plus"}, 422)["errors"][0]
        assert (nobodys["pointer"], nobodys["code"]) == ("/tier", "choice")

    def test_an_unknown_severity_zone_or_policy_is_refused(self, post):
        install("fmea")
        body = {"severity": "S9", "created_at": "2026-11-26T12:00:00Z"}
        assert post("sla-policies/standard/simulate", body, 422)["errors"][0]["pointer"] == "/severity"
        body = {"severity": "S1", "created_at": "2026-11-26T12:00:00Z", "timezone": "Nowhere"}
        assert post("sla-policies/standard/simulate", body, 422)["errors"][0]["pointer"] == "/timezone"
        post("sla-policies/none/simulate", body, 404)

    def test_a_moment_without_an_offset_is_refused(self, post):
        install("fmea")
        body = {"severity": "S1", "created_at": "2026-11-26T12:00:00", "holidays": None}
        assert [e["pointer"] for e in post("sla-policies/standard/simulate", body, 422)["errors"]] == ["/created_at"]


def test_the_decision_says_who_owns_and_who_joins(post):
    install("fleet")
    facts = {"csm_can_resolve": True, "needs_contract_change": True, "is_strategic": True}
    assert post("escalations/decide", {"facts": facts}) == {"owner": "T4", "with": ["T1", "T3", "sales", "vp_cs"]}
    assert post("escalations/decide", {"facts": {"mood": True}}, 422)["errors"][0]["pointer"] == "/facts/mood"


class TestTickets:
    @pytest.mark.requirement("FMEA-6.2")
    def test_opening_needs_severity_and_impact(self, post):
        install("fmea")
        body = {"account": str(customer("basic", pack="fmea").pk), "subject": "Down", "impact": 1, "severity": "S1"}
        for name in ("impact", "severity"):
            without = {key: value for key, value in body.items() if key != name}
            assert post("tickets", without, 422)["errors"][0]["pointer"] == f"/{name}"
        found = post("tickets", body, 201)
        assert (found["number"], found["priority"], found["next_due_clock"]) == (1, 2, "first_response")

    def test_a_ticket_is_answered_explained_and_closed(self, post, client):
        install("fmea")
        body = {
            "account": str(customer("basic", pack="fmea").pk), "subject": "Down", "impact": 1, "severity": "S1",
            "body": "All is down", "created_at": "2026-11-20T16:00:00Z",
        }  # fmt: skip
        key = post("tickets", body, 201)["id"]
        post(f"tickets/{key}/messages", {"body": "We are looking"}, 201)
        [held] = client.get(f"/api/v1/support/tickets/{key}/clocks/").json()["results"]
        [told] = client.get(f"/api/v1/support/tickets/{key}/explain/").json()["clocks"]
        assert (held["kind"], held["policy"]) == (told["clock"], told["policy"]) == ("first_response", "standard")
        assert sum(part["seconds"] for part in told["intervals"] if part["counts"]) == told["counted_seconds"]
        post(f"tickets/{key}/status", {"status": "closed"}, 422)
        post(f"tickets/{key}/status", {"status": "resolved"})
        done = post(f"tickets/{key}/status", {"status": "closed", "confirmed": True})
        assert done["status"] == "closed"
        assert Ticket.objects.get(pk=key).confirmed_by_customer is True

    @pytest.mark.requirement("FMEA-6.3")
    def test_tickets_are_found_by_type_and_component(self, post, client):
        account = str(customer().pk)
        for kind, part in (("bug", "Reports"), ("how_to", "Reports"), ("bug", "Login")):
            post("tickets", {"account": account, "subject": "x", "impact": 3, "type": kind, "component": part}, 201)
        found = client.get("/api/v1/support/tickets/?type=bug&component=Reports").json()["results"]
        assert [(row["type"], row["component"]) for row in found] == [("bug", "Reports")]

    @pytest.mark.parametrize("count", [1, 3])
    def test_a_list_costs_the_same_however_long(self, post, client, count, django_assert_max_num_queries):
        account = str(customer().pk)
        for _ in range(count):
            post("tickets", {"account": account, "subject": "x", "impact": 3}, 201)
        client.get("/api/v1/support/tickets/")
        with django_assert_max_num_queries(9):
            assert len(client.get("/api/v1/support/tickets/").json()["results"]) == count


def test_a_service_level_of_ones_own_is_added_changed_and_retired(post, client):
    install("fmea")
    rule = {"severity": "*", "response": {"value": 4, "unit": "hours", "op": "<="}}
    body = {"key": "gold", "name": "Gold", "calendar": "bh-9-17", "tiers": ["basic"], "rules": [rule]}
    assert post("sla-policies", body, 201)["number"] == 1
    rule["response"]["value"] = 2
    path = "/api/v1/support/sla-policies/gold/"
    changed = client.patch(path, json.dumps({"rules": [rule]}), content_type="application/json").json()
    assert (changed["number"], changed["rules"][0]["response"]["value"]) == (2, 2)
    assert client.delete(path).status_code == 204
    assert client.get(path).json()["retired_at"] is not None
    refused = client.patch(
        "/api/v1/support/sla-policies/standard/", json.dumps({"name": "x"}), content_type="application/json"
    )
    assert refused.status_code == 422
