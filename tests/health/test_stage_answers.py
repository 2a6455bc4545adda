"""What the methodologies answer to a sign of a stage, and playbooks that are started from what was found."""

from __future__ import annotations

import pytest

from accounts.choices import Role
from health.actions import open_ctas, recompute, record_event
from packs.actions import install_pack
from playbooks.models import Cta, Playbook, Task
from tests.factories import AccountFactory, UserFactory
from tests.health import world
from tests.health.definitions import CARDS, best
from tests.health.world import FLEET_BEST, NOON

pytestmark = pytest.mark.django_db


def answered(account):
    """The tasks that the account's signs opened."""
    recompute(at=NOON)
    open_ctas(at=NOON)
    return [task.title for task in Task.objects.filter(cta__account=account).order_by("cta", "position")]


@pytest.mark.requirement("BIS-1.12")
@pytest.mark.parametrize(("adopted", "tasks"), [("69", ["Usage coaching", "Feature training"]), ("70", [])])
def test_low_feature_adoption_opens_coaching_and_training(rail, adopted, tasks):
    world.trigger("bis:adoption-low")
    world.measure(rail, {"feature_adoption_rate": adopted})

    assert answered(rail) == tasks


@pytest.mark.requirement("BIS-1.13")
def test_stagnant_use_offers_advanced_training_and_consulting(rail):
    world.trigger("bis:stagnant")
    before = answered(rail)
    record_event(rail, "stagnant_usage", NOON)

    assert (before, answered(rail)) == ([], ["Advanced training", "Solution consulting"])


@pytest.mark.requirement("FMEA-10.2")
def test_an_intervention_offers_five_actions_with_owner_and_date(client):
    install_pack("fmea", actor=None, at=NOON)
    lead = UserFactory(role=Role.VP_CS)
    account = AccountFactory(owner=lead)
    client.force_login(lead)
    playbook = Playbook.objects.get(key="retention-intervention")

    opened = client.post(
        "/ctas/new/",
        {"account": account.pk, "title": "Usage fell", "kind": "risk", "priority": "high", "playbook": playbook.pk},
    )

    cta = Cta.objects.get()
    assert (opened.status_code, cta.owner) == (302, lead)
    assert [task.title for task in cta.tasks.order_by("position")] == [
        "Executive outreach",
        "Health check assessment",
        "Success plan review",
        "Training refresh",
        "Value demonstration",
    ]
    assert all(task.due_on for task in cta.tasks.all())
    page = client.get(f"/ctas/{cta.pk}/").content.decode()
    assert all(title in page for title in ("Executive outreach", "Value demonstration"))


@pytest.mark.requirement("CS-4.5")
def test_a_playbook_is_started_from_the_risk_list(client, rail):
    install_pack("fmea", actor=None, at=NOON)
    world.trigger("mna:usage-decline")
    world.measure(rail, {"usage_change_pct": "-20"})
    recompute(at=NOON)
    client.force_login(UserFactory(role=Role.VP_CS))
    link = f"/ctas/new/?account={rail.pk}"

    listed = client.get("/health/risks/").content.decode()
    form = client.get(link)
    playbook = Playbook.objects.get(key="retention-intervention")
    client.post(link, form.context["form"].initial | {
        "account": rail.pk, "title": "Save", "kind": "risk", "priority": "high", "playbook": playbook.pk,
    })  # fmt: skip

    assert f'href="{link}"' in listed
    assert str(form.context["form"]["account"].value()) == str(rail.pk)
    cta = Cta.objects.get(title="Save")
    page = client.get(f"/ctas/{cta.pk}/").content.decode()
    account_page = client.get(f"/accounts/{rail.pk}/ctas/").content.decode()
    assert (cta.owner, cta.tasks.count()) == (rail.owner, 5)
    assert "Executive outreach" in page
    assert "Save" in account_page


@pytest.mark.requirement("CS-3.4")
def test_the_relationship_dimension_has_three_measures_and_a_moderate_sponsor_is_worth_half(client):
    world.card("generic-health")
    account = world.account()
    values = best(CARDS["generic-health"]) | {"executive_engagement": "moderate"}
    world.measure(account, values)
    client.force_login(UserFactory(role=Role.VP_CS))
    world.score(account)

    context = client.get(f"/accounts/{account.pk}/health/").context["score"]

    (line,) = [line for line, _, _ in context["components"] if line.name == "Relationship"]
    points = [(measure.name, measure.points) for measure in line.measures]
    assert points == [("Executive sponsor engagement", 50), ("QBR attendance", 100), ("NPS/CSAT", 100)]


@pytest.mark.requirement("FMEA-5.13")
def test_the_customer_success_team_sees_portfolio_health_and_renewals(client):
    world.card()
    account = world.account(owner=world.person("other@acme.test"))
    world.measure(account, FLEET_BEST)
    world.score(account)
    client.force_login(world.person("cs@acme.test", role=Role.CSM))

    pages = [
        "/portfolio/",
        f"/accounts/{account.pk}/health/",
        "/accounts/?renewal=90",
        f"/accounts/{account.pk}/contracts/",
    ]

    assert [client.get(path).status_code for path in pages] == [200] * 4


@pytest.mark.requirement("MNA-3.8")
@pytest.mark.parametrize(("nps", "fires"), [("70", False), ("50", False), ("49.9", True)])
def test_a_target_that_is_missed_is_no_alarm_yet(rail, nps, fires):
    """AMB-55: the target is 70, the trigger is below 50."""
    world.trigger("mna:user-complaints")
    world.measure(rail, {"nps": nps})

    assert bool(answered(rail)) is fires
