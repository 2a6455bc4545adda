"""What a scorecard finds measured, and a version that scores from less of it."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import RuleViolated
from health.actions import activate_version, draft_with_least_coverage, recompute
from health.models import AccountHealth, ScorecardVersion
from health.queries.coverage import coverage_of
from tests.health import world
from tests.health.world import FLEET_BEST, NOON

pytestmark = pytest.mark.django_db
# Of 100 points: tickets and their resolution 10, objectives 15, reference 5.
THIRTY = {key: FLEET_BEST[key] for key in ("tickets_month", "resolution_hours", "objectives", "reference")}


@pytest.fixture
def version():
    return world.card()


@pytest.fixture
def thin(version):
    """Three accounts: two with 30 % of the card, one with a tenth."""
    accounts = [world.account(f"Thin {at}") for at in range(3)]
    world.measure(accounts[:2], THIRTY)
    world.measure(accounts[2], {key: THIRTY[key] for key in ("tickets_month", "resolution_hours")})
    world.measure(accounts[2], {"reference": "active"}, on=NOON.date() - timedelta(days=200))
    return accounts


def by_key(coverage):
    return {one.key: one for one in coverage.measures}


def test_each_measure_says_for_how_many_it_has_figures(version, thin):
    found = coverage_of(version, at=NOON)

    measures = by_key(found)
    assert (found.accounts, found.scored, found.least) == (3, 0, 50)
    assert (measures["business-value.objectives"].measured, measures["business-value.objectives"].share) == (
        2,
        Decimal("66.7"),
    )
    reference = measures["business-value.reference"]
    assert (reference.measured, reference.stale, reference.sources) == (3, 1, ("test",))
    assert sum(one.weight for one in found.measures) == 100
    assert measures["product-usage.mobile-usage"].needs.startswith("Users on mobile: different users on a phone")
    assert measures["business-value.roi"].needs.startswith("roi_multiple: stated by an integration")
    assert {one.key for one in found.unmeasured} == {key for key, one in measures.items() if one.measured == 0}


def test_from_less_measured_the_accounts_are_scored_as_the_page_said(version, thin):
    found = coverage_of(version, at=NOON)
    assert (dict(found.steps)[30], dict(found.steps)[40], dict(found.steps)[10], found.suggested) == (2, 0, 3, 30)

    draft = draft_with_least_coverage(version, 30, actor=None, at=NOON)
    recompute(at=NOON)
    assert not AccountHealth.objects.filter(score__isnull=False).exists()

    activate_version(draft, actor=None, at=NOON)
    recompute(at=NOON + timedelta(minutes=1))
    scored = AccountHealth.objects.filter(score__isnull=False).order_by("account__name")
    assert [(row.account.name, row.shown, row.band, row.coverage_pct) for row in scored] == [
        ("Thin 0", 100, "green", 30),
        ("Thin 1", 100, "green", 30),
    ]
    again = coverage_of(draft, at=NOON)
    assert (again.scored, again.least, again.suggested) == (2, 30, None)


def test_the_same_least_coverage_is_no_new_version(version):
    with pytest.raises(RuleViolated, match="already"):
        draft_with_least_coverage(version, 50, actor=None, at=NOON)


def test_without_accounts_there_is_nothing_to_suggest(version):
    found = coverage_of(version, at=NOON)
    assert (found.accounts, found.suggested, found.steps[0]) == (0, None, (100, 0))


@pytest.mark.parametrize("accounts", [1, 3])
def test_the_queries_do_not_depend_on_the_accounts(version, accounts):
    for at in range(accounts):
        world.measure(world.account(f"A{at}"), FLEET_BEST)
    coverage_of(version, at=NOON)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        coverage_of(version, at=NOON)
    assert len(queries) == 7


def test_the_page_drafts_a_version_and_leads_to_its_preview(version, thin, client):
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    page = client.get("/health/scorecards/fleet-health/coverage/").content.decode()
    assert "0 of 3 accounts have enough data for a score" in page
    assert 'value="30"' in page

    refused = client.post("/health/scorecards/fleet-health/coverage/", {"least": "5"})
    assert (refused.status_code, ScorecardVersion.objects.count()) == (422, 1)

    answer = client.post("/health/scorecards/fleet-health/coverage/", {"least": "30"})
    assert answer["Location"] == "/health/scorecards/fleet-health/preview/?version=2"
    draft = ScorecardVersion.objects.get(number=2)
    assert (draft.state, draft.definition["min_coverage_pct"], draft.note) == ("draft", 30, "Scores from 30 % measured")


def test_the_portfolio_leads_there_when_few_are_scored(version, thin, client):
    recompute(at=NOON)
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    assert "See what each scorecard finds measured" in client.get("/portfolio/").content.decode()


def test_the_interface_says_the_same(version, thin, client):
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    where = "/api/v1/health/scorecards/fleet-health/versions/1/coverage/"
    found = client.get(where).json()
    assert (found["accounts"], found["scored"], found["least_pct"], found["suggested_pct"]) == (3, 0, "50", 30)
    assert {"least_pct": 30, "accounts": 2} in found["steps"]
    assert len(found["measures"]) == 12

    made = client.post(where, json.dumps({"least_pct": 25}), content_type="application/json")
    assert (made.status_code, made.json()["definition"]["min_coverage_pct"]) == (201, 25)
    refused = client.post(where, json.dumps({"least_pct": 50}), content_type="application/json")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/least_pct")
