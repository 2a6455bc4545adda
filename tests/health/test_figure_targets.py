"""Targets of the portfolio: who sets them, where they stand beside their figures, and where they do not apply."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.choices import Role
from accounts.errors import RuleViolated
from accounts.models import AuditEntry, Workspace
from documents.models import Document
from health.actions.figure_targets import set_targets
from health.book.figures import FIGURES, TARGETED, is_met
from health.models import FigureTarget
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def vp():
    return UserFactory(role=Role.VP_CS, name="Victoria Hale")


@pytest.fixture
def client(client, vp):
    client.force_login(vp)
    AccountFactory(name="Halden", arr=300, segment="SMB")
    AccountFactory(name="Orchid", arr=100)
    return client


def text(answer):
    return answer.content.decode()


def test_figures_have_a_target_where_one_direction_is_good():
    assert set(TARGETED) == {
        "nrr", "grr", "churn", "arr", "risk", "accounts", "scored", "coverage", "fresh", "score",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "target", "met"),
    [("arr", 100, 100, True), ("arr", 99, 100, False), ("risk", 100, 100, True), ("risk", 101, 100, False),
     ("nrr", None, 100, None), ("nrr", 100, None, None)],
)  # fmt: skip
def test_its_own_direction_says_whether_a_figure_meets_it(key, value, target, met):
    numbers = (None if number is None else Decimal(number) for number in (value, target))
    assert is_met(FIGURES[key], *numbers) is met


def test_setting_is_audited_with_what_was_before_and_once(vp):
    set_targets({"nrr": Decimal(107), "churn": Decimal(5)}, actor=vp, at=NOW)
    assert set_targets({"nrr": Decimal(110), "churn": None}, actor=vp, at=NOW) == {"nrr": Decimal(110)}
    set_targets({"nrr": Decimal(110)}, actor=vp, at=NOW)
    entries = AuditEntry.objects.filter(action="portfolio.targets_set").order_by("pk")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"nrr": None, "churn": None}, {"nrr": "107", "churn": "5"}),
        ({"nrr": "107.00", "churn": "5.00"}, {"nrr": "110", "churn": None}),
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("nrr", "-1"), ("nrr", "1001"), ("score", "101"), ("band", "1"), ("x", "1")]
)
def test_what_no_figure_can_reach_is_refused_by_its_name(vp, key, value):
    with pytest.raises(RuleViolated) as refused:
        set_targets({key: Decimal(value)}, actor=vp, at=NOW)
    assert refused.value.field == key
    assert not FigureTarget.objects.exists()


def test_the_form_sets_them_and_the_portfolio_shows_them_at_once(client):
    page = text(client.get("/portfolio/targets/"))
    assert ("ARR: at least … USD" in page, "$400 today." in page) == (True, True)
    assert client.post("/portfolio/targets/", {"arr": "1000", "risk": "50"})["Location"] == "/portfolio/"
    page = text(client.get("/portfolio/"))
    assert ("Target $1k, $600 to go" in page, "Target $50, met" in page) == (True, True)
    assert "Target $1k, $600 to go." in text(client.get("/portfolio/figures/arr/"))
    client.post("/portfolio/targets/", {"arr": "400"})
    page = text(client.get("/portfolio/"))
    assert ("Target $400, met" in page, "Target $50" in page) == (True, False)


def test_a_wrong_value_is_told_at_its_field_and_nothing_is_set(client):
    answer = client.post("/portfolio/targets/", {"arr": "400", "nrr": "2000"})
    assert (answer.status_code, "Between 0 and 1,000." in text(answer), 'value="400"' in text(answer)) == (
        422,
        True,
        True,
    )
    assert not FigureTarget.objects.exists()


def test_they_are_said_of_the_whole_portfolio_alone(client, vp):
    set_targets({"arr": Decimal(1000)}, actor=vp, at=NOW)
    assert "Target $" not in text(client.get("/portfolio/?segment=SMB"))
    csm = UserFactory(role=Role.CSM)
    Workspace.objects.update(csm_reads_all_accounts=False)
    AccountFactory(arr=5, owner=csm)
    client.force_login(csm)
    assert "$1k" not in text(client.get("/portfolio/"))
    assert client.get("/portfolio/targets/").status_code == 403


def test_a_board_pack_freezes_them(client, vp):
    set_targets({"arr": Decimal(1000)}, actor=vp, at=NOW)
    client.post("/portfolio/board-packs/")
    figures = {figure["key"]: figure for figure in Document.objects.get().data["figures"]}
    assert (figures["arr"]["target"], figures["arr"]["missed"]) == ("Target $1k, $600 to go", True)
    assert (figures["nrr"]["target"], figures["nrr"]["missed"]) == ("", False)


def test_the_api_sets_and_gives_them(client):
    answer = client.patch("/api/v1/portfolio/targets/", {"arr": "300", "nrr": None}, content_type="application/json")
    assert (answer.status_code, answer.json()["arr"], answer.json()["nrr"]) == (200, "300.00", None)
    assert client.get("/api/v1/portfolio/targets/").json() == answer.json()
    figures = {figure["key"]: figure for figure in client.get("/api/v1/portfolio/").json()["figures"]}
    assert (figures["arr"]["target"], figures["arr"]["is_met"], figures["nrr"]["target"]) == ("300.00", True, None)
    part = client.get("/api/v1/portfolio/?segment=SMB").json()["figures"]
    assert {figure["target"] for figure in part} == {None}
    for body, field in (({"arr": "-1"}, "arr"), ({"nrr": "2000"}, "nrr"), ({"band": "1"}, "band")):
        refused = client.patch("/api/v1/portfolio/targets/", body, content_type="application/json")
        assert (refused.status_code, field in text(refused)) == (422, True), text(refused)
