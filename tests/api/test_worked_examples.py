"""The worked examples through every door: API, the account's page, and both simulators say the same."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.utils import timezone

from health.actions import recompute_changed
from tests.health import world
from tests.health.test_scoring import ABC_LOGISTICS, BIS_EXAMPLE

pytestmark = pytest.mark.django_db


def words(response):
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize(
    ("card", "inputs", "score", "shown", "band"),
    [
        pytest.param(
            "fleet-health", ABC_LOGISTICS, "63", "63.0", "Red", marks=pytest.mark.requirement("FLEET-7.14"),
        ),
        pytest.param(
            "calculator", BIS_EXAMPLE, "68.45", "68.5", "At Risk", marks=pytest.mark.requirement("BIS-6.15"),
        ),
    ],
)  # fmt: skip
def test_page_api_and_simulators_agree(api, owner, client, card, inputs, score, shown, band):
    now = timezone.now()
    world.card(card, at=now)
    account = world.account(owner=owner)
    rows = [
        {"account": str(account.pk), "metric": metric, "on": str(now.date()), "value": str(value)}
        for metric, value in inputs.items()
    ]
    assert api.post("usage/metrics/", {"metrics": rows}).json()["rejected"] == []
    recompute_changed(at=timezone.now())

    stored = api.get(f"accounts/{account.pk}/health/").json()
    tried = api.post(f"health/scorecards/{card}/simulate/", {"inputs": inputs}).json()
    client.force_login(owner)
    page = client.get(f"/accounts/{account.pk}/health/")
    simulator = client.post(f"/health/scorecards/{card}/simulator/", inputs).content.decode()

    assert [(answer["score"], answer["shown"]) for answer in (stored, tried)] == [(score, shown)] * 2
    assert (stored["band_name"], stored["band"], page.context["score"]["band"]) == (band, tried["band"], band)
    assert page.context["score"]["health"].score == Decimal(score)
    assert re.search(rf"{shown.removesuffix('.0')}(\.0)? {band}", words(page))
    assert f'id="shown">{shown}</b> <span id="band">{band}</span>' in simulator
