"""Incidents over HTTP, as a program works them from alert to review."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actions import create_contact
from playbooks.models import Cta
from support.models import Incident
from tests.factories import UserFactory
from tests.support.world import agent, customer, install, ticket

pytestmark = pytest.mark.django_db
BASE = "/api/v1/support/incidents/"


@pytest.fixture
def call(client):
    install("fmea")
    client.force_login(agent("vp_cs"))

    def send(method, path="", body=None, status=200, **headers):
        address = BASE + path
        response = (
            client.get(address, body)
            if method == "GET"
            else client.generic(method, address, json.dumps(body or {}), "application/json", headers=headers)
        )
        assert response.status_code == status, response.content
        return response.json() if response.content else None

    return send


def named(name, **fields):
    account = customer("basic", pack="fmea", name=name, owner=UserFactory(role="csm"), **fields)
    create_contact(account, name=f"Ann {name}", email=f"ann@{name.lower()}.example", actor=None, at=timezone.now())
    return account


def down(**fields):
    known = {"title": "Down", "severity": "S1", "impact": 1, "component": "sign-in", "summary": "Nobody can sign in."}
    return known | fields


def test_from_alert_to_review(call):
    rail, road = named("Rail"), named("Road")
    asked = ticket(rail, timezone.now(), severity="S1", requester=rail.contacts.get())
    made = call("POST", body=down(accounts=[str(road.pk)], tickets=[str(asked.pk)], commander=""), status=201)
    assert (made["number"], made["status"], made["stage"], made["account_count"]) == (1, "open", "detection", 2)
    assert made["stage_keys"][-1] == "post-mortem"
    one = f"{made['id']}/"
    assert {row["kind"] for row in call("GET", one + "clocks/")["results"]} == {"first_response", "update"}
    refused = call("POST", one + "letters/", {"letter": "status-update"}, 422)
    assert [error["pointer"] for error in refused["errors"]] == ["/progress"]
    told = call("POST", one + "letters/", {"letter": "incident-alert"}, 201)
    assert sorted((row["account_name"], row["state"]) for row in told) == [("Rail", "ticket"), ("Road", "waiting")]
    assert len(call("GET", one + "letters/")["results"]) == 2
    entry = call("POST", one + "timeline/", {"body": "Found it"}, 201)
    assert (entry["kind"], entry["body"]) == ("update", "Found it")
    call("POST", one + "timeline/", {"kind": "note", "body": "For us", "happened_at": "2026-01-01T00:00:00Z"}, 201)
    words = [row["words"] for row in call("GET", one + "timeline/", {"page_size": 100})["results"]]
    assert "Road added" in words
    assert f"#{asked.number} It does not work linked" in words
    call("POST", one + "stage/", {"to": "resolution"}, 422)
    given = {"to": "closure", "resolution": "Renewed", "confirmed": True}
    assert call("POST", one + "stage/", given)["status"] == "resolved"
    call("POST", one + "answer/", {"body": "It works", "status": "resolved"})
    call("POST", one + "close/", {}, 422)
    call("GET", one + "review/", status=404)
    parts = dict.fromkeys(["root cause", "contributing factors", "timeline", "impact", "lessons"], "Told")
    call("PUT", one + "review/", {"parts": {"root cause": "x"}, "publish": True}, 422)
    assert call("PUT", one + "review/", {"parts": parts, "publish": True})["published_at"]
    day = (timezone.localdate() + timedelta(days=7)).isoformat()
    (measure,) = call("POST", one + "actions/", {"title": "Watch", "due_on": day, "accounts": [str(road.pk)]}, 201)
    assert (measure["status"], measure["owner"]) == ("open", road.owner.email)
    assert Cta.objects.get().account == road
    call("DELETE", f"{one}actions/{measure['id']}/", status=204)
    assert call("POST", one + "close/", {})["status"] == "closed"
    assert call("POST", one + "reopen/", {"reason": "It is back"})["status"] == "open"


def test_accounts_by_tier_and_one_by_one_and_tickets_linked_and_unlinked(call):
    rail, road = named("Rail"), named("Road")
    made = call("POST", body=down(of_tier=rail.tier.key), status=201)
    one = f"{made['id']}/"
    assert made["account_count"] == 2
    call("POST", one + "accounts/remove/", {}, 422)
    call("POST", one + "accounts/remove/", {"of_tier": rail.tier.key}, 422)
    call("POST", one + "letters/", {"letter": "incident-alert", "values": {"issue": "x" * 10_001}}, 422)
    assert call("POST", one + "accounts/remove/", {"accounts": [str(rail.pk)]})["account_count"] == 1
    assert call("POST", one + "accounts/", {"accounts": [str(rail.pk)]})["account_count"] == 2
    rows = call("GET", one + "accounts/")["results"]
    assert [(row["account_name"], row["origin"], bool(row["removed_at"])) for row in rows] == [
        ("Rail", "tier", True), ("Road", "tier", False), ("Rail", "hand", False),
    ]  # fmt: skip
    asked = ticket(road, timezone.now(), severity="S1")
    call("POST", one + "tickets/", {"ticket": str(asked.pk)})
    assert Incident.objects.get().tickets.get() == asked
    call("POST", one + "tickets/", {"ticket": str(asked.pk), "linked": False})
    assert not Incident.objects.get().tickets.exists()


def test_a_lost_race_is_412_and_the_list_is_narrowed(call):
    made = call("POST", body=down(), status=201)
    one = f"{made['id']}/"
    changed = call("PATCH", one, {"component": "api", "update_minutes": 30}, **{"If-Match": f'"{made["version"]}"'})
    assert (changed["component"], changed["update_minutes"]) == ("api", 30)
    call("PATCH", one, {"title": "Late"}, 412, **{"If-Match": f'"{made["version"]}"'})
    assert len(call("GET", body={"component": "API", "severity": "S1", "status": "open"})["results"]) == 1
    assert call("GET", body={"severity": "S4"})["results"] == []
    call("GET", body={"status": "burning"}, status=400)


def test_no_verb_acts_on_what_somebody_changed_in_the_meantime(call):
    rail = named("Rail")
    asked = ticket(rail, timezone.now(), severity="S1")
    made = call("POST", body=down(tickets=[str(asked.pk)]), status=201)
    one, before = f"{made['id']}/", {"If-Match": f'"{made["version"]}"'}
    now = call("POST", one + "timeline/", {"body": "Found it"}, 201, **before) and call("GET", one)["version"]
    late = {
        "timeline/": {"body": "Second"},
        "stage/": {"to": "resolution", "resolution": "Renewed"},
        "letters/": {"letter": "incident-alert"},
        "accounts/": {"of_tier": rail.tier.key},
        "accounts/remove/": {"accounts": [str(rail.pk)]},
        "tickets/": {"ticket": str(asked.pk), "linked": False},
        "answer/": {"body": "It works"},
        "close/": {"confirmed": True},
        "reopen/": {"reason": "Back"},
    }
    for verb, body in late.items():
        call("POST", one + verb, body, 412, **before)
    call("POST", one + "timeline/", {"kind": "note", "body": "Second"}, 412, **before)
    assert call("GET", one)["version"] == now
    assert call("POST", one + "stage/", late["stage/"], **{"If-Match": f'"{now}"'})["status"] == "resolved"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"severity": "S9"}, "/severity"),
        ({"severity": ""}, "/severity"),
        ({"impact": None}, "/impact"),
        ({"title": ""}, "/title"),
        ({"title": {}}, "/title"),
        ({"accounts": ["x"]}, "/accounts"),
        ({"accounts": "x"}, "/accounts"),
        ({"accounts": ["00000000-0000-7000-8000-000000000000"]}, "/accounts"),
        ({"tickets": ["00000000-0000-7000-8000-000000000000"]}, "/tickets"),
        ({"of_tier": "none-such"}, "/of_tier"),
        ({"of_segment": "' or 1=1"}, "/of_segment"),
        ({"of_component": "none"}, "/of_component"),
        ({"calendar": "none"}, "/calendar"),
        ({"update_minutes": -1}, "/update_minutes"),
        ({"detected_at": "2199-01-01"}, "/detected_at"),
        ({"commander": "nobody@example.com"}, "/commander"),
        ({"status": "closed"}, "/status"),
    ],
)
def test_a_bad_body_names_the_field_and_opens_nothing(call, body, pointer):
    refused = call("POST", body=down(**body), status=422)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    assert not Incident.objects.exists()


def test_pages_of_one_and_three_take_the_same_number_of_queries(call, django_assert_max_num_queries):
    rail = named("Rail")
    for number in range(3):
        call("POST", body=down(title=f"Down {number}", accounts=[str(rail.pk)]), status=201)
        with django_assert_max_num_queries(14):
            rows = call("GET")["results"]
        assert [row["account_count"] for row in rows] == [1] * (number + 1)
