"""The engine's own pages: scorecards, triggers, simulators, receipts."""

import json
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actions import update_account
from health.actions import draft_version, recompute
from health.models import (
    AccountHealth,
    HealthEvent,
    HealthScore,
    ScorecardVersion,
    Trigger,
    TriggerFiring,
    TriggerState,
)
from tests.health import world
from tests.health.definitions import CARDS
from tests.health.test_scoring import ABC_LOGISTICS, BIS_EXAMPLE
from tests.health.world import FLEET_BEST, NOON

pytestmark = pytest.mark.django_db


def test_the_list_names_every_card_with_its_running_version(client, admin):
    world.card()
    world.card("mna-health")

    page = client.get("/health/scorecards/")

    assert page.status_code == 200
    assert [(card.key, card.active, card.drafts) for card in page.context["cards"]] == [
        ("fleet-health", 1, 0),
        ("mna-health", 1, 0),
    ]
    assert "Customer Health Score" in page.content.decode()


@pytest.mark.requirement("FLEET-5.12")
@pytest.mark.requirement("FLEET-5.11")
def test_a_scorecard_page_lists_its_twelve_measures_with_100_points(client, admin):
    world.card()

    page = client.get("/health/scorecards/fleet-health/")

    measures = [measure for part in page.context["dimensions"] for measure in part["measures"]]
    assert [part["percent"] for part in page.context["dimensions"]] == [40, 30, 20, 10]
    assert [measure["most"] for measure in measures] == [10, 15, 10, 5, 15, 10, 5, 10, 5, 5, 5, 5]
    assert all(measure["name"] in page.content.decode() for measure in measures)


@pytest.mark.requirement("FMEA-7.2")
def test_the_fmea_card_shows_five_components_at_a_fifth_each(client, admin):
    world.card("fmea-health")

    page = client.get("/health/scorecards/fmea-health/")

    assert [part["percent"] for part in page.context["dimensions"]] == [20] * 5
    assert page.content.decode().count("20 % of the score") == 5


@pytest.mark.requirement("BIS-5.11")
def test_the_framework_card_has_four_dimensions_with_their_measures(client, admin):
    world.card("framework")

    page = client.get("/health/scorecards/framework/")

    assert [(part["name"], len(part["measures"])) for part in page.context["dimensions"]] == [
        ("Usage", 3),
        ("Support", 3),
        ("Value", 3),
        ("Relationship", 3),
    ]


@pytest.mark.requirement("CS-3.1")
def test_saving_weights_of_99_percent_is_refused_and_a_good_draft_is_kept(client, admin):
    world.card("generic-health")
    definition = json.loads(json.dumps(CARDS["generic-health"]))
    definition["dimensions"][0]["weight"] = 0.39

    refused = client.post("/health/scorecards/generic-health/draft/", {"definition": json.dumps(definition)})
    definition["dimensions"][1]["weight"] = 0.31
    kept = client.post("/health/scorecards/generic-health/draft/", {"definition": json.dumps(definition), "note": "n"})

    assert refused.status_code == 422
    assert "the weights add to 99 %" in refused.content.decode()
    assert kept.status_code == 302
    assert list(ScorecardVersion.objects.order_by("number").values_list("number", "state")) == [
        (1, "active"),
        (2, "draft"),
    ]


def test_activating_a_draft_retires_the_version_before(client, admin):
    version = world.card()
    draft_version(version.scorecard, definition=version.definition, note="again", actor=None, at=NOON)

    answer = client.post("/health/scorecards/fleet-health/?version=2")

    assert answer.status_code == 302
    assert list(ScorecardVersion.objects.order_by("number").values_list("state", flat=True)) == ["retired", "active"]


@pytest.mark.requirement("FLEET-7.14")
def test_the_worked_example_through_the_simulator_page(client, admin):
    world.card()

    page = client.post("/health/scorecards/fleet-health/simulator/", ABC_LOGISTICS)

    text = page.content.decode()
    assert page.status_code == 200
    assert '<b class="num" id="shown">63.0</b> <span id="band">Red</span>' in text
    assert HealthScore.objects.count() == AccountHealth.objects.count() == 0


@pytest.mark.requirement("BIS-6.15")
def test_the_bis_example_through_the_simulator_page(client, admin):
    world.card("calculator")

    page = client.post("/health/scorecards/calculator/simulator/", BIS_EXAMPLE)

    text = page.content.decode()
    assert '<b class="num" id="shown">68.5</b> <span id="band">At Risk</span>' in text
    assert '<dd class="num" id="score">68.45</dd>' in text
    assert "-100 to 100" in text


def test_a_refused_input_is_named_at_its_field(client, admin):
    world.card("calculator")

    page = client.post("/health/scorecards/calculator/simulator/", {"nps": "101", "advocacy_score": "x"})

    assert page.status_code == 422
    assert page.context["form"].errors == {
        "nps": ["“NPS” must be 100 or less"],
        "advocacy_score": ["“Advocacy” must be a number"],
    }


@pytest.mark.parametrize(("facts", "says"), [({"nps": "49.9"}, "It fires"), ({"nps": "50"}, "It does not fire")])
def test_the_trigger_simulator_page(client, admin, facts, says):
    world.trigger("mna:user-complaints")

    page = client.post("/health/triggers/user-complaints/simulator/", facts)

    assert says in page.content.decode()
    assert TriggerFiring.objects.count() == 0


def test_trigger_pages_say_the_condition_and_switch_it_off(client, admin):
    world.trigger("mna:usage-decline")

    listed = client.get("/health/triggers/")
    page = client.get("/health/triggers/usage-decline/")
    client.post("/health/triggers/usage-decline/", {"do": "off"})

    words = "usage fell by at least 20 % over 14 days against the 14 before"
    assert words.capitalize() in listed.content.decode()
    assert f"Fires when {words}." in page.content.decode()
    assert Trigger.objects.get().is_enabled is False


def test_lists_cost_the_same_for_one_and_three(client, admin):
    world.card()
    world.trigger("mna:usage-decline")
    for url in ("/health/scorecards/", "/health/triggers/") * 2:
        client.get(url)
    counts = {}
    for extra in ((), ("mna:user-complaints", "mna:competitive-activity")):
        for key in extra:
            world.trigger(key)
        if extra:
            world.card("mna-health")
            world.card("generic-health")
        for url in ("/health/scorecards/", "/health/triggers/"):
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            counts.setdefault(url, []).append(len(queries))

    assert all(three <= one for one, three in counts.values()), counts


def test_a_receipt_shows_the_evidence_and_scores_it_again(client, admin):
    world.card()
    rail = world.account()
    world.measure(rail, {**FLEET_BEST, "renewals": "late"})
    recompute(at=NOON)

    page = client.get(f"/health/accounts/{rail.pk}/receipt/")
    kept = client.get(f"/health/accounts/{rail.pk}/receipt/?format=json")

    text = page.content.decode()
    assert page.status_code == 200
    assert "Scored again: agrees" in text
    assert "95.0" in text
    document = json.loads(kept.content)
    assert document["agrees"] is True
    assert document["health"]["score"] == "95"
    assert len(document["sha256"]) == 64


def test_a_tampered_score_does_not_agree_with_its_evidence(client, admin):
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)
    recompute(at=NOON)
    AccountHealth.objects.update(score=99)

    page = client.get(f"/health/accounts/{rail.pk}/receipt/")

    assert "Scored again: differs" in page.content.decode()


def test_a_receipt_compares_with_an_earlier_day(client, admin):
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST, on=NOON.date() - timedelta(days=40))
    recompute(at=NOON - timedelta(days=31))
    world.measure(rail, {"login_pct": "10"})
    recompute(at=NOON)

    page = client.get(f"/health/accounts/{rail.pk}/receipt/?since=2026-10-25")

    change = page.context["receipt"].change
    assert [(step.key, step.change) for step in change.steps if step.change] == [("product-usage", -10)]
    assert change.words == ("Login Frequency High → Low",)


def test_noting_an_event_is_for_those_who_may_edit_the_account(client, admin):
    rail = world.account()
    url = f"/health/accounts/{rail.pk}/events/"

    client.post(url, {"event": "competitor_evaluated", "note": "Rivalsoft"})
    client.force_login(world.person("cs@acme.test", role="csm"))
    refused = client.post(url, {"event": "churn_threat"})

    assert refused.status_code == 403
    assert list(HealthEvent.objects.values_list("key", "data")) == [("competitor_evaluated", {"note": "Rivalsoft"})]
    assert HealthEvent.objects.get().at <= timezone.now()


def test_nobody_sees_a_receipt_of_an_account_outside_their_book(client):
    from accounts.models import Workspace

    Workspace.objects.update(csm_reads_all_accounts=False)
    world.card()
    rail = world.account()
    recompute(at=NOON)
    client.force_login(world.person("cs@acme.test", role="csm"))

    assert client.get(f"/health/accounts/{rail.pk}/receipt/").status_code == 404


@pytest.mark.requirement("CS-4.3")
@pytest.mark.requirement("FMEA-10.1")
@pytest.mark.requirement("CS-4.4")
def test_each_early_warning_puts_the_account_on_the_risk_list_with_time_and_reason(client, admin):
    world.card()
    signs = {
        "fmea:declining-usage": {"usage_change_pct": "-20"},
        "fmea:ticket-increase": {"tickets_opened": "4"},
        "fmea:missed-milestone": {"milestone_overdue": "1"},
        "fmea:competitive-mention": {"competitor_mentioned": "1"},
    }
    calm = world.account("Calm")
    for at, (key, figures) in enumerate(signs.items()):
        world.trigger(key)
        world.measure(world.account(f"Sign {at}", renewal_on=date(2027, 1, 1) if at == 2 else None), figures)
    world.trigger("fmea:stakeholder-change")
    left = world.account("Sign 4")
    left.contacts.create(name="Sam", stakeholder_role="champion", left_on=NOON.date())
    recompute(at=NOON)

    page = client.get("/health/risks/")

    risks = {risk.name: [name for _, name, _, _ in risk.triggers] for risk in page.context["risks"]}
    assert risks == {
        "Sign 0": ["Declining usage"],
        "Sign 1": ["Support ticket increase"],
        "Sign 2": ["Missed success milestone"],
        "Sign 3": ["Competitive mention"],
        "Sign 4": ["Stakeholder change"],
    }
    assert calm.name not in page.content.decode()
    assert "usage fell by at least 20 % over 14 days against the 14 before" in page.content.decode()


def test_the_risk_list_ranks_by_colour_renewal_and_triggers_and_says_so(client, admin):
    today = timezone.localdate()
    world.card()
    world.trigger("mna:user-complaints")
    red = world.account("Red", renewal_on=today + timedelta(days=30))
    green = world.account("Green")
    world.measure(red, {**world.FLEET_RED, "nps": "1"})
    world.measure(green, {**FLEET_BEST, "nps": "1"})
    recompute(at=NOON)

    risks = client.get("/health/risks/").context["risks"]

    assert [(risk.name, risk.rank) for risk in risks] == [("Red", 70), ("Green", 10)]
    assert risks[0].reasons == ("Red since 24 Nov 2026", "renewal in 30 days")


def test_the_risk_list_follows_whatever_it_is_made_of(client, admin):
    """Its order is kept between looks: every change of what it follows from is seen at the next one."""

    def ranked():
        return [(risk.name, risk.rank) for risk in client.get("/health/risks/").context["risks"]]

    world.card()
    trigger = world.trigger("mna:user-complaints")
    first, second = world.account("First"), world.account("Second")
    for account in (first, second):
        world.measure(account, {**FLEET_BEST, "nps": "1"})
    recompute(at=NOON)
    assert ranked() == [("First", 10), ("Second", 10)]
    assert ranked() == [("First", 10), ("Second", 10)]
    world.measure(second, world.FLEET_RED)
    recompute(at=NOON + timedelta(hours=1))
    assert ranked() == [("Second", 50), ("First", 10)]
    update_account(first, actor=admin, at=NOON, renewal_on=timezone.localdate() + timedelta(days=9))
    assert ranked() == [("Second", 50), ("First", 30)]
    update_account(first, actor=admin, at=NOON, name="Alpha")
    assert ranked() == [("Second", 50), ("Alpha", 30)]
    states = TriggerState.objects.filter(account=second)
    states.update(is_active=False)
    assert ranked() == [("Alpha", 30)]
    states.update(is_active=True, fired_at=NOON + timedelta(hours=2))
    assert ranked() == [("Second", 50), ("Alpha", 30)]
    type(trigger).objects.update(group="expansion")
    assert ranked() == []


def test_a_long_risk_list_has_pages(client, admin, monkeypatch):
    monkeypatch.setattr("health.views.RISKS_ON_PAGE", 1)
    world.card()
    world.trigger("mna:user-complaints")
    for name in ("One", "Two"):
        world.measure(world.account(name), {**FLEET_BEST, "nps": "1"})
    recompute(at=NOON)
    first, second = client.get("/health/risks/"), client.get("/health/risks/?page=2")
    assert [risk.name for page in (first, second) for risk in page.context["risks"]] == ["One", "Two"]
    assert "1–1 of 2 accounts" in first.content.decode()
    assert 'rel="next" href="?page=2"' in first.content.decode()
    assert 'rel="prev" href="?page=1"' in second.content.decode()
    for wrong in ("3", "0", "-1", "two", "9" * 30):
        page = client.get("/health/risks/", {"page": wrong})
        assert [risk.name for risk in page.context["risks"]] == ["One"], wrong
        assert page.context["page"].number == 1, wrong
