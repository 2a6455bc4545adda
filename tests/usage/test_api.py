"""Usage over REST: the answers of the interface, what is stored behind them, and who may."""

import datetime as dt
import json
import uuid

import pytest

from accounts.actions.tokens import issue_token
from accounts.choices import Role
from accounts.models import User
from tenants.quotas import set_limits
from tests.usage.world import make_account
from usage.actions import define_metric, drain
from usage.models import AccountDay, IngestReceipt, MetricValue, UsageEvent

pytestmark = pytest.mark.django_db
EVENTS, METRICS = "/api/v1/usage/events/", "/api/v1/usage/metrics/"


def now():
    return dt.datetime.now(dt.UTC)


def token_of(role=Role.OWNER, *, scopes=("read", "write", "admin"), email=None):
    user = User.objects.create_user(email or f"{role}@example.com", "a long password", role=role)
    _, secret = issue_token(user, name="integration", scopes=scopes, actor=user, at=now())
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def send(client, path, body, headers, **more):
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(path, data, content_type="application/json", **headers, **more)


AN_HOUR_AGO = (now() - dt.timedelta(hours=1)).isoformat()


def an_event(number=0, **fields):
    return {"id": f"e{number}", "account": "A-1", "user": "ada", "event": "login", "at": AN_HOUR_AGO, **fields}


@pytest.fixture
def key():
    return token_of()


def test_events_are_stored_before_they_are_answered_and_counted_after(client, key):
    make_account(external_id="A-1")
    answer = send(client, EVENTS, {"events": [an_event(0), an_event(1, quantity=0), an_event(0)]}, key)

    assert answer.status_code == 202
    body = answer.json()
    assert (body["received"], [(one["index"], one["code"], one["field"]) for one in body["rejected"]]) == (
        3, [(1, "out_of_range", "quantity")],
    )  # fmt: skip
    receipt = f"/api/v1/usage/receipts/{body['receipt']}/"
    pending = client.get(receipt, **key).json()
    assert (pending["state"], pending["rejected"]) == ("pending", 1)
    drain(at=now())
    done = client.get(receipt, **key).json()
    assert {name: done[name] for name in ("state", "received", "accepted", "duplicates", "parked", "rejected")} == {
        "state": "done", "received": 3, "accepted": 1, "duplicates": 1, "parked": 0, "rejected": 1,
    }  # fmt: skip


def test_the_same_idempotency_key_answers_again_and_stores_nothing(client, key):
    body = {"events": [an_event(0)]}
    first = send(client, EVENTS, body, key, HTTP_IDEMPOTENCY_KEY="k-1")
    again = send(client, EVENTS, body, key, HTTP_IDEMPOTENCY_KEY="k-1")
    other = send(client, EVENTS, {"events": [an_event(1)]}, key, HTTP_IDEMPOTENCY_KEY="k-1")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert again.json() == first.json()
    assert IngestReceipt.objects.count() == 1


def test_above_the_days_events_nothing_is_kept_and_the_answer_says_when_to_come_back(client, key, tenants):
    set_limits(tenants["acme"], events_per_day=3)
    first = send(client, EVENTS, {"events": [an_event(0), an_event(1)]}, key)
    refused = send(client, EVENTS, {"events": [an_event(2), an_event(3)]}, key)
    last = send(client, EVENTS, {"events": [an_event(2)]}, key)
    quotas = client.get("/api/v1/quotas/", **key).json()

    assert (first.status_code, refused.status_code, last.status_code) == (202, 429, 202)
    assert refused.json()["errors"][0]["code"] == "quota.events_per_day"
    assert 0 < int(refused["Retry-After"]) <= 86_401
    assert (IngestReceipt.objects.count(), quotas["events_used_today"], quotas["events_per_day"]) == (2, 3, 3)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b"\xff", 400), (b"[]", 400), (b"{}", 400), (b'{"events": 1}', 400), (b"[" * 50_000, 400),
        (json.dumps({"events": [{}] * 5001}).encode(), 413), (b'{"events": [], "source": "A b"}', 422),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_a_problem(client, key, body, status):
    answer = send(client, EVENTS, body, key)

    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["errors"][0]["code"]
    assert not IngestReceipt.objects.exists()


def test_another_media_type_and_an_oversized_body(client, key):
    assert client.post(EVENTS, "a=b", content_type="text/plain", **key).status_code == 415
    huge = b'{"events": ["' + b"x" * (16 * 1024 * 1024) + b'"]}'
    assert send(client, EVENTS, huge, key).status_code == 413


def test_five_thousand_in_one_call(client, key):
    make_account(external_id="A-1")
    answer = send(client, EVENTS, {"events": [an_event(n, user=f"u{n % 100}") for n in range(5000)]}, key)

    assert (answer.status_code, answer.json()["received"]) == (202, 5000)
    assert drain(at=now()).accepted == 5000


def test_rate_limit_headers_are_there(client, key):
    answer = send(client, EVENTS, {"events": []}, key)

    assert any(name.lower().startswith("ratelimit") for name in answer.headers)


WHO = [
    (Role.OWNER, ("write",), 202), (Role.VP_CS, ("write",), 202), (Role.OWNER, ("read",), 403),
    (Role.CSM, ("write",), 403), (Role.READ_ONLY, ("read", "write"), 403),
]  # fmt: skip


@pytest.mark.parametrize(("role", "scopes", "status"), WHO)
def test_who_may_send_events(client, role, scopes, status):
    assert send(client, EVENTS, {"events": []}, token_of(role, scopes=scopes)).status_code == status


def test_without_a_token_401_and_of_another_workspace_401(client, other_client, key):
    assert send(client, EVENTS, {"events": []}, {}).status_code == 401
    assert send(other_client, EVENTS, {"events": []}, key).status_code == 401


def test_an_unknown_receipt_is_404(client, key):
    assert client.get(f"/api/v1/usage/receipts/{uuid.uuid4()}/", **key).status_code == 404


def metric(value, *, account="A-1", key="nps", on=None):
    return {"account": account, "metric": key, "on": on or now().date().isoformat(), "value": value}


def define_nps():
    define_metric("nps", name="NPS", lowest=-100, highest=100, at=now())


def test_metric_values_over_rest(client, key):
    account = make_account(external_id="A-1")
    define_nps()
    answer = send(client, METRICS, {"metrics": [metric("8"), metric("101"), metric(12.5), metric(1, key="x")]}, key)

    assert answer.status_code == 202
    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [
        (1, "out_of_bounds"),
        (3, "unknown_metric"),
    ]
    listed = client.get(f"{METRICS}?account={account.pk}&metric=nps", **key).json()["results"]
    assert [(row["value"], row["source"], row["superseded_at"]) for row in listed] == [("12.5", "api", None)]
    whole = client.get(f"{METRICS}?account={account.pk}&history=1", **key).json()["results"]
    assert sorted(row["value"] for row in whole) == ["12.5", "8"]
    receipt = client.get(f"/api/v1/usage/receipts/{answer.json()['receipt']}/", **key).json()
    assert (receipt["state"], receipt["accepted"], receipt["rejected"]) == ("done", 2, 2)


def test_a_csm_states_metrics_of_their_own_accounts_only(client):
    define_nps()
    headers = token_of(Role.CSM, scopes=("read", "write"))
    mine = make_account("Mine", external_id="A-1", owner=User.objects.get(role=Role.CSM))
    make_account("Not mine", external_id="A-2")
    answer = send(
        client, METRICS, {"metrics": [metric(1), metric(1, account="A-2"), metric(1, account="A-3")]}, headers
    )

    assert [(one["index"], one["code"]) for one in answer.json()["rejected"]] == [
        (1, "unknown_account"), (2, "unknown_account"),
    ]  # fmt: skip
    assert list(MetricValue.objects.values_list("account", flat=True)) == [mine.pk]


@pytest.mark.parametrize(
    "query", ["colour=red", "account=x", "from=yesterday", "history=2", "page_size=501", "cursor=x"]
)
def test_a_filter_that_means_nothing_is_refused(client, key, query):
    assert client.get(f"{METRICS}?{query}", **key).status_code == 400


def test_metric_definitions_are_listed_and_made(client, key):
    made = send(
        client, "/api/v1/usage/metric-definitions/",
        {"key": "uptime_pct", "name": "Uptime", "lowest": "0", "highest": 100, "unit": "percent"}, key,
    )  # fmt: skip
    assert made.status_code == 201
    assert (made.json()["key"], made.json()["kind"], made.json()["options"]) == ("uptime_pct", "number", [])
    listed = client.get("/api/v1/usage/metric-definitions/", **key).json()["results"]
    assert "uptime_pct" in [row["key"] for row in listed]


BAD_DEFINITIONS = [
    {}, {"key": "a"}, {"key": "A b", "name": "x"}, {"key": "a", "name": 5}, {"key": "a", "name": "x" * 121},
    {"key": "a", "name": "x", "kind": "shape"}, {"key": "a", "name": "x", "lowest": "low"},
    {"key": "a", "name": "x", "lowest": 2, "highest": 1}, {"key": "a", "name": "x", "options": ["a"]},
    {"key": "a", "name": "x", "kind": "choice"}, {"key": "a", "name": "x", "colour": 1},
    {"key": "a", "name": "x", "options": [1], "kind": "choice"},
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_DEFINITIONS, ids=range(len(BAD_DEFINITIONS)))
def test_a_wrong_definition_is_refused_with_its_field(client, key, body):
    answer = send(client, "/api/v1/usage/metric-definitions/", body, key)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/")


def test_the_figures_of_an_account_as_of_a_day(client, key):
    account = make_account(external_id="A-1", assigned_users=4)
    send(client, EVENTS, {"events": [an_event(n, user=f"u{n}") for n in range(3)]}, key)
    drain(at=now())
    today = client.get(f"/api/v1/accounts/{account.pk}/metrics/", **key).json()
    before = client.get(f"/api/v1/accounts/{account.pk}/metrics/?on=2026-01-01", **key).json()

    assert (today["metrics"]["login_pct"]["value"], today["metrics"]["login_pct"]["source"]) == ("75", "usage events")
    assert before["metrics"] == {}
    assert client.get(f"/api/v1/accounts/{uuid.uuid4()}/metrics/", **key).status_code == 404


def test_two_workspaces_take_the_same_ids_apart(client, other_client, key, tenants):
    from django_tenants.utils import tenant_context

    make_account(external_id="A-1")
    batch = {"events": [an_event(0)]}
    with tenant_context(tenants["globex"]):
        make_account("Theirs", external_id="A-1")
        theirs = token_of()
    assert send(client, EVENTS, batch, key).status_code == 202
    assert send(other_client, EVENTS, batch, theirs).status_code == 202
    drain(at=now())
    assert (UsageEvent.objects.count(), AccountDay.objects.count()) == (1, 1)
    with tenant_context(tenants["globex"]):
        assert UsageEvent.objects.count() == 0
        drain(at=now())
        assert UsageEvent.objects.count() == 1
