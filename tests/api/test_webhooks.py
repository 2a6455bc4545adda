"""Webhooks over the API: set up, watched, tested and replayed by a program."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.actions import create_account
from api.models import IdempotencyKey
from tests.webhooks.receiver import receiver
from webhooks.catalogue import EVENT_TYPES
from webhooks.collecting import collect
from webhooks.delivery import deliver_due
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db
NEW = {"url": "https://example.com/hooks", "event_types": ["account.created"], "description": "CRM"}


@pytest.fixture
def there(settings):
    settings.WEBHOOKS_UNGUARDED = True
    with receiver() as server:
        yield server


def made(api, **changes):
    answer = api.post("webhooks/", {**NEW, **changes})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_webhook_is_made_read_changed_and_deleted_and_shows_its_secret_once(api):
    answer = api.post("webhooks/", NEW)
    body = answer.json()
    assert body["secret"].startswith("whsec_")
    assert answer["ETag"] == '"1"'
    path = f"webhooks/{body['webhook']['id']}/"
    shown = api.get(path)
    assert shown.json() == body["webhook"]
    assert (shown.json()["state"], shown.json()["failed_pct"], shown.json()["waiting"]) == ("active", None, 0)
    assert body["secret"][6:] not in shown.content.decode() + api.get("webhooks/").content.decode()
    assert api.patch(path, {"event_types": ["cta.opened"]}, if_match='"1"').json()["event_types"] == ["cta.opened"]
    assert api.patch(path, {"description": "Late"}, if_match='"1"').status_code == 412
    assert api.delete(path, if_match='"2"').status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.parametrize(("changes", "pointer"), [
    ({"url": "http://127.0.0.1/"}, "/url"),
    ({"url": "https://10.0.0.1/"}, "/url"),
    ({"event_types": ["no.such"]}, "/event_types"),
    ({"event_types": []}, "/event_types"),
    ({"secret": "whsec_mine"}, "/secret"),
])  # fmt: skip
def test_what_is_refused_names_the_field(api, changes, pointer):
    answer = api.post("webhooks/", {**NEW, **changes})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Endpoint.objects.exists()


def test_a_repeated_call_gives_the_same_secret_which_is_kept_sealed(api):
    first = api.post("webhooks/", NEW, idempotency_key="one").json()
    kept = bytes(IdempotencyKey.objects.get().body)
    assert first["secret"][6:].encode() not in kept
    again = api.post("webhooks/", NEW, idempotency_key="one")
    assert (again.json(), again["Idempotent-Replayed"]) == (first, "true")
    assert Endpoint.objects.count() == 1


def test_a_new_secret_is_shown_once_and_names_the_end_of_the_old(api):
    body = made(api)
    path = f"webhooks/{body['webhook']['id']}/"
    rotated = api.post(f"{path}rotate/", {}, if_match='"1"')
    assert rotated.status_code == 200
    assert rotated.json()["secret"] != body["secret"]
    assert rotated.json()["webhook"]["previous_until"] is not None
    assert api.post(f"{path}rotate/", {}, if_match='"1"').status_code == 412


def test_a_webhook_is_paused_and_resumed(api):
    path = f"webhooks/{made(api)['webhook']['id']}/"
    assert api.post(f"{path}pause/", {}).json()["state"] == "paused"
    assert [row["state"] for row in api.get("webhooks/?state=paused").json()["results"]] == ["paused"]
    assert api.post(f"{path}resume/", {"catch_up": True}).json()["state"] == "active"


def test_a_real_event_is_tested_with_delivered_read_and_replayed(api, there, owner):
    path = f"webhooks/{made(api, url=there.url)['webhook']['id']}/"
    nothing = api.post(f"{path}test/", {"event_type": "account.created"})
    assert (nothing.status_code, nothing.json()["errors"][0]["pointer"]) == (422, "/event_type")
    create_account(name="Halden", actor=owner, at=timezone.now())
    collect(at=timezone.now())
    tested = api.post(f"{path}test/", {"event_type": "account.created"})
    assert (tested.status_code, tested.json()["state"], tested.json()["is_test"]) == (202, "waiting", True)
    assert deliver_due(now=timezone.now())["delivered"] == 2
    listed = api.get(f"{path}deliveries/?state=delivered&is_test=false").json()["results"]
    assert [row["type"] for row in listed] == ["account.created"]
    assert api.get(f"{path}deliveries/?state=failed").json()["results"] == []
    one = api.get(f"{path}deliveries/{tested.json()['id']}/").json()
    sent = there.received[-1] if there.received[-1].headers["webhook-id"] == one["event"] else there.received[0]
    assert one["body"].encode() == sent.body
    assert (one["tries"][0]["status"], one["tries"][0]["response_body"]) == (200, "ok")
    assert one["tries"][0]["request_headers"]["webhook-signature"] == sent.headers["webhook-signature"]
    again = api.post(f"{path}deliveries/{listed[0]['id']}/replay/", {})
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    assert deliver_due(now=timezone.now())["delivered"] == 1


def test_what_was_given_up_is_replayed_since_a_moment(api, there, owner):
    path = f"webhooks/{made(api, url=there.url)['webhook']['id']}/"
    create_account(name="Halden", actor=owner, at=timezone.now())
    collect(at=timezone.now())
    Delivery.objects.update(failed_at=timezone.now())
    assert api.get(path).json()["failed_pct"] == 100.0
    assert api.post(f"{path}replay/", {"since": "2099-01-01T00:00:00Z"}).json() == {"deliveries": 0}
    answer = api.post(f"{path}replay/", {"since": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()) == (202, {"deliveries": 1})


def test_figures_that_move_without_the_version_are_not_hidden(api, there, owner):
    path = f"webhooks/{made(api, url=there.url)['webhook']['id']}/"
    etag = api.get(path)["ETag"]
    create_account(name="Halden", actor=owner, at=timezone.now())
    collect(at=timezone.now())
    shown = api.get(path, if_none_match=etag)
    assert (shown.status_code, shown["ETag"], shown.json()["waiting"]) == (200, etag, 1)
    assert api.get(f"{path}?fields=id,url,event_types", if_none_match=etag).status_code == 304


def test_the_types_are_listed_and_described(api):
    found = {row["name"]: row for row in api.get("webhooks/event-types/").json()["results"]}
    assert found["ticket.sla_breached"]["resource"] == "ticket"
    assert all(row["description"] for row in found.values())


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_cost_the_same_for_one_row_and_three(api, owner, rows, django_assert_num_queries):
    for number in range(rows):
        made(api, description=f"CRM {number}")
        create_account(name=f"Account {number}", actor=owner, at=timezone.now())
    Endpoint.objects.update(position=0)
    collect(at=timezone.now())
    api.get("webhooks/")
    with django_assert_num_queries(8):
        assert len(api.get("webhooks/").json()["results"]) == rows
    path = f"webhooks/{Endpoint.objects.first().pk}/deliveries/"
    with django_assert_num_queries(8):
        assert len(api.get(path).json()["results"]) == rows


def test_a_csm_may_not(csm_api):
    assert csm_api.get("webhooks/").status_code == 403


def test_the_openapi_document_describes_every_type_by_the_resources_schema(api):
    document = api.get("openapi.json").json()
    assert set(document["webhooks"]) == {known.name for known in EVENT_TYPES}
    for known in EVENT_TYPES:
        schema = document["webhooks"][known.name]["post"]["requestBody"]["content"]["application/json"]["schema"]
        reference = schema["properties"]["data"]["properties"][known.resource]["anyOf"][0]["$ref"]
        assert reference.rpartition("/")[2] in document["components"]["schemas"]
