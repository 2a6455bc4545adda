"""Two who make something of one name at the same moment: one gets it, the other is told at the field."""

from __future__ import annotations

import json

import pytest
from django.db.models import QuerySet

from accounts.models import WorkCalendar
from support.models import HolidayList, SlaPolicy, Team, TicketField
from tests.support.levels import OFFICE, own_calendar
from tests.support.world import agent

pytestmark = pytest.mark.django_db
PROMISE = [{"severity": "*", "response": {"value": 4, "unit": "hours", "op": "<="}}]


@pytest.fixture
def desk(client):
    client.force_login(agent("owner"))
    return client


@pytest.fixture
def looks_too_early(monkeypatch):
    """Whoever looks whether the key is free does so before the other one has it."""
    real, looked = QuerySet.exists, []

    def exists(rows):
        if "key" in str(rows.query.where) and not looked:
            looked.append(rows.model)
            return False
        return real(rows)

    return lambda: (looked.clear(), monkeypatch.setattr(QuerySet, "exists", exists))


@pytest.mark.parametrize(
    ("address", "model", "body", "pointer"),
    [
        ("teams/", Team, {"key": "nights", "name": "Nights"}, "/key"),
        ("teams/", Team, {"name": "Nights"}, "/name"),
        ("ticket-fields/", TicketField, {"label": "Wing"}, "/label"),
        ("holiday-lists/", HolidayList, {"name": "Feast", "days": ["12-24"]}, "/name"),
        ("sla-policies/", SlaPolicy, {"key": "gold", "name": "Gold", "calendar": "office", "rules": PROMISE}, "/key"),
        ("calendars/", WorkCalendar, {"key": "nights", "name": "Nights", "definition": OFFICE}, "/key"),
    ],
)
def test_the_second_of_two_at_once_is_told_and_makes_nothing(desk, looks_too_early, address, model, body, pointer):
    own_calendar()
    path, sent = f"/api/v1/support/{address}", {"content_type": "application/json"}
    made = desk.post(path, json.dumps(body), **sent)
    assert made.status_code == 201, made.content
    count = model.objects.count()
    looks_too_early()
    refused = desk.post(path, json.dumps(body), **sent)
    assert refused.status_code == 422, refused.content
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert model.objects.count() == count
