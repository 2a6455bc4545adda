"""One account under all five methodologies."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from health.models import AccountHealth, HealthScore
from health.simulation import simulate_scorecard
from packs.comparing import main_cards
from tests.health import world
from tests.health.definitions import CARDS, best

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(client):
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    for key in ("fleet-health", "fmea-health", "mna-health", "generic-health", "calculator"):
        world.card(key)
    return world.account("Acme Rail")


def test_each_methodology_scores_the_same_figures_as_its_simulator(client, account):
    figures = {}
    for _pack, _name, _version, card in main_cards():
        figures.update({k: v for k, v in best(card.definition).items() if k not in figures})
    figures["nps"] = "-40"
    world.measure(account, figures, at=timezone.now())

    page = client.get(f"/methodology/accounts/{account.pk}/")

    views = page.context["comparison"].views
    assert [view.pack for view in views] == ["fmea", "mna", "fleet", "bis", "generic"]
    for view, (*_, card) in zip(views, main_cards(), strict=True):
        reads = set(card.evidence_inputs)
        said = simulate_scorecard(card.card, {k: v for k, v in figures.items() if k in reads})
        assert (str(view.standing.shown), view.standing.band) == (said["shown"], said["band"])
    assert "nps" in {row.metric for row in page.context["comparison"].rows}
    assert HealthScore.objects.count() == AccountHealth.objects.count() == 0


def test_where_they_disagree_is_said_with_what_is_missing(client, account):
    world.measure(account, best(CARDS["fleet-health"]), at=timezone.now())

    body = client.get(f"/methodology/accounts/{account.pk}/").content.decode()

    assert "Not enough data" in body
    assert "Technical performance" in body
    assert "Only Fleet management onboarding playbook has enough data" in body


def test_a_bad_figure_in_one_makes_them_disagree(client, account):
    world.measure(account, best(CARDS["fleet-health"]), at=timezone.now())
    world.measure(account, dict.fromkeys(best(CARDS["mna-health"]), "10"), at=timezone.now())

    page = client.get(f"/methodology/accounts/{account.pk}/")

    assert page.context["comparison"].colours == ["red", "green"]
    assert "The methodologies disagree: red, green" in page.content.decode()


def test_the_health_tab_leads_there(client, account):
    world.measure(account, best(CARDS["fleet-health"]), at=timezone.now())
    world.score(account, at=timezone.now() + timedelta(seconds=1))

    assert f"/methodology/accounts/{account.pk}/" in client.get(f"/accounts/{account.pk}/health/").content.decode()


def test_the_queries_do_not_depend_on_what_is_measured(client, account):
    world.measure(account, best(CARDS["fleet-health"]), at=timezone.now())
    client.get(f"/methodology/accounts/{account.pk}/")

    with CaptureQueriesContext(connection) as seen:
        client.get(f"/methodology/accounts/{account.pk}/")

    assert len(seen) <= 28
