"""The pages on which service levels are read and tried."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.world import agent, install

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    client.force_login(agent())
    return client


def test_service_levels_say_what_is_promised_for_each_severity(desk):
    install("fmea")
    shown = desk.get("/support/service-levels/").content.decode()
    assert "Standard Support" in shown
    assert "8 business hours" in shown
    assert "no promise" in shown


def test_one_level_and_nineteen_are_shown_in_the_same_number_of_queries(desk):
    install("mna")
    desk.get("/support/service-levels/")
    cache.clear()
    with CaptureQueriesContext(connection) as one:
        desk.get("/support/service-levels/")
    for pack in ("fmea", "fleet", "bis"):
        install(pack)
    cache.clear()
    with CaptureQueriesContext(connection) as many:
        assert "immediate, at most 15 minutes" in desk.get("/support/service-levels/").content.decode()
    assert len(many) <= len(one)


def test_a_service_level_is_tried(desk):
    install("fmea")
    form = {
        "policy": "standard", "tier": "basic", "severity": "S1", "created_at": "2026-11-27T16:00",
        "timezone": "America/Chicago", "holidays": "2026-11-30",
    }  # fmt: skip
    shown = desk.post("/support/service-levels/try/", form)
    assert shown.status_code == 200
    assert "2026-12-01T16:00:00-06:00" in shown.content.decode()
    for change, words in (({"severity": "S9"}, "Use S1, S2"), ({"timezone": "Mars"}, "is not a time zone")):
        refused = desk.post("/support/service-levels/try/", form | change)
        assert refused.status_code == 422
        assert words in refused.content.decode()


def test_clocks_are_tried(desk):
    install("fmea")
    form = {"calendar": "bh-9-17", "resolution": "480", "events": "created 2026-11-23 09:00\nwaiting 2026-11-23 11:00"}
    shown = desk.post("/support/service-levels/clocks/", form | {"evaluated_at": "2026-11-24T11:00"}).content.decode()
    assert "2026-11-24T17:00:00" in shown
    refused = desk.post("/support/service-levels/clocks/", form | {"events": "created yesterday"})
    assert (refused.status_code, "Line 1" in refused.content.decode()) == (422, True)


def test_a_decision_is_tried(desk):
    install("fleet")
    shown = desk.post("/support/escalations/decide/", {"is_strategic": "on"}).content.decode()
    assert "C-level executive" in shown


def test_a_workspace_without_service_levels_says_so(desk):
    assert "No service levels yet" in desk.get("/support/service-levels/").content.decode()
    assert "No decision tree" in desk.get("/support/escalations/decide/").content.decode()
