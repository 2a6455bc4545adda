"""Every address with every method, fed with what nobody should send: an answer each time, and never a 500."""

import itertools
import random

import orjson
import pytest
from django.test import override_settings

from accounts.fields import read_row
from accounts.models import User
from api.openapi import document
from api.v1.ticket_inputs import EDIT
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

TEXTS = [
    "", " ", "x" * 70_000, "=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "'; DROP TABLE accounts_account; --",
    "{{ 7*7 }}", "../../etc/passwd", "a\u0000b", "\u202e", "🚚" * 50, "%s%n", "NaN", "1e999", "-0", "9" * 400, "true",
    "2026-02-30", "2026-13-01T99:00:00Z", "0001-01-01", "9999-12-31", "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
VALUES = [*TEXTS, None, True, 0, -1, 2**63, 10**30, 1.5, -1e308, [], {}, [[]], [{}], {"a": {"b": [1]}}, ["x"] * 200]
SEED = 20261124


def operations():
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            inside = [each for each in operation.get("parameters", []) if each["in"] == "path"]
            yield path, method, operation, inside


OPERATIONS = list(operations())


def address(path, parameters, draw):
    for parameter in parameters:
        kind = parameter["schema"].get("format") or parameter["schema"]["type"]
        known = {"uuid": [str(AccountFactory().pk), "00000000-0000-7000-8000-000000000000"], "integer": ["1", "0"]}
        value = draw.choice(known.get(kind, ["x", "crm", "a%00b", "..%2f..", "%F0%9F%9A%9A", "x" * 300]))
        path = path.replace(f"{{{parameter['name']}}}", value)
    return path


def resolved(schema):
    """The component a schema refers to."""
    name = (schema or {}).get("$ref", "").rpartition("/")[2]
    return document()["components"]["schemas"][name] if name else schema


def body_of(schema, draw):
    """A body of the described shape with one field spoilt, or one that is no such thing at all."""
    schema = resolved(schema)
    if schema is None or draw.random() < 0.15:
        return draw.choice(VALUES)
    properties = schema.get("properties", {})
    body = {name: sample(item) for name, item in properties.items() if draw.random() < 0.7}
    for name in draw.sample(sorted(properties), min(2, len(properties))):
        body[name] = draw.choice(VALUES)
    if draw.random() < 0.2:
        body[draw.choice(TEXTS)[:100] or "x"] = draw.choice(VALUES)
    return body


def sample(schema):
    schema = resolved(schema)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "array":
        return [sample(schema.get("items", {})), "x", {}]
    if kind == "object":
        return {name: sample(item) for name, item in schema.get("properties", {}).items()}
    formats = {
        "date": "2026-01-01",
        "date-time": "2026-01-01T00:00:00Z",
        "uuid": "00000000-0000-7000-8000-000000000000",
    }
    return {"integer": 1, "boolean": True, "number": 1}.get(kind, formats.get(schema.get("format"), "1"))


@pytest.mark.parametrize(
    ("path", "method", "operation", "parameters"), OPERATIONS, ids=[f"{o[1]} {o[0]}" for o in OPERATIONS]
)
def test_hostile_input_is_answered(api, path, method, operation, parameters):
    draw = random.Random(f"{SEED} {method} {path}")
    UserFactory(email="somebody@acme.example")
    content = operation.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()), {}).get("schema")
    names = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
    with override_settings(API_CALLS_PER_MINUTE=10**6, API_CALLS_PER_MINUTE_TENANT=10**6):
        for turn in range(8):
            query = "&".join(
                f"{name}={value}"
                for name, value in zip(names, itertools.cycle(odd(draw)), strict=False)
                if draw.random() < 0.2
            )
            raw = b"" if method == "get" else encode(body_of(schema, draw))
            target = address(path.removeprefix("/api/v1/"), parameters, draw)
            response = api(
                method.upper(), f"{target}?{query}" if query else target, raw, if_match=draw.choice(['"1"', "*", "x"])
            )
            assert response.status_code < 500, (turn, target, query, raw[:300], response.content[:300])
            if response.status_code >= 400:
                assert response["Content-Type"] == "application/problem+json"
    assert User.objects.filter(email="somebody@acme.example").exists()


def odd(draw):
    values = [
        "",
        "x",
        "%00",
        "-1",
        "99999999999999999999",
        "2026-02-30",
        "%F0%9F%9A%9A",
        "true",
        "a,b",
        "%27%20OR%201=1",
    ]
    return draw.sample(values, len(values))


def encode(body):
    try:
        return orjson.dumps(body)
    except TypeError:  # A number of more than 64 bits.
        return str(body).replace("'", '"').replace("None", "null").replace("True", "true").encode()


@pytest.mark.parametrize(
    ("method", "path", "body", "pointer"),
    [
        ("POST", "accounts/", {"name": "New", "website": "a\0b"}, "/website"),
        ("POST", "accounts/", {"name": "New", "custom": {"a\0b": 1}}, "/custom"),
        ("POST", "support/calendars/calculate/", {"calendar": "a\0b", "operation": "is_open"}, "/calendar"),
        ("POST", "health/triggers/", {"definition": {"key": "x", "actions": ["a\0"]}}, "/definition/actions/0"),
    ],
)
def test_a_nul_is_refused_at_its_place(api, method, path, body, pointer):
    answer = api(method, path, orjson.dumps(body))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)


def test_one_item_with_a_nul_does_not_stop_the_others(api):
    items = [{"external_id": "A", "name": "A", "website": "a\0b"}, {"external_id": "B", "name": "B"}]
    items += [{"external_id": "C", "name": "C", "website": "w" * 201}, {"external_id": "D", "name": "D\0"}]
    answer = api("POST", "accounts/bulk/", orjson.dumps({"accounts": items})).json()
    codes = [[error["code"] for error in item.get("errors", [])] for item in answer["results"]]
    assert (answer["created"], codes) == (1, [["website"], [], ["too_long"], ["control_characters"]])


def test_a_blank_day_of_a_calendar_is_the_usual_one(api):
    new = {"key": "own", "name": "Own", "definition": {"timezone": "UTC", "weekly": {"mon": [["09:00", "17:00"]]}}}
    answer = api("POST", "support/calendars/", orjson.dumps({**new, "minutes_per_day": ""}))
    assert (answer.status_code, answer.json()["minutes_per_day"]) == (201, 480)


def test_a_number_beyond_64_bits_that_was_kept_can_be_shown(api):
    created = api("POST", "accounts/", b'{"name": "New", "custom": {"atoms": 1e30, "none": true, "few": -1e19}}')
    shown = api("GET", f"accounts/{created.json()['id']}/")
    assert [created.status_code, shown.status_code] == [201, 200]
    assert shown.json()["custom"] == {"atoms": 1e30, "none": True, "few": -1e19}


def test_a_blank_text_is_no_list():
    reading = read_row(EDIT, {"tags": " "}, partial=True)
    assert (reading.values, [(error.field, error.rule) for error in reading.errors]) == ({}, [("tags", "type")])
