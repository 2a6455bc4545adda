"""The interventions the methodologies call for: each sign opens its work once, by name, with its tasks."""

from datetime import timedelta

import pytest

from accounts.models import Severity
from health.actions import open_ctas, recompute, recompute_nightly, record_event
from health.models import HealthRun, TriggerFiring
from playbooks.models import Cta, Task
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def worked(trigger, account):
    """What stands open for the account after three runs: title, owner, and the tasks."""
    for minutes in range(3):
        recompute(at=NOON + timedelta(minutes=minutes))
        open_ctas(at=NOON + timedelta(minutes=minutes))
    assert TriggerFiring.objects.filter(version__trigger=trigger, account=account).count() == 1
    cta = Cta.objects.get(account=account, trigger_key=trigger.key)
    assert cta.reason
    return cta.title, cta.owner, [task.title for task in Task.objects.filter(cta=cta).order_by("position")]


@pytest.mark.requirement("FMEA-7.3")
@pytest.mark.parametrize(
    ("key", "facts", "tasks"),
    [
        ("critical-incident", {"open_tickets_s1": "1"}, ["Executive outreach"]),
        ("low-adoption", {"active_users_pct": "49.9"}, ["Training refresh"]),
        ("approaching-renewal", {}, ["Health check assessment"]),
        ("stakeholder-change", {"stakeholder_changed": "1"}, ["Executive outreach", "Success plan review"]),
    ],
)
def test_each_fmea_intervention_opens_once_with_its_tasks(key, facts, tasks):
    world.card()
    Severity.objects.create(key="S1", name="S1", rank=1)
    trigger = world.trigger(f"fmea:{key}")
    rail = world.account(owner=world.person(), renewal_on=NOON.date() + 90 * DAY)
    world.measure(rail, {**FLEET_BEST, **facts})

    assert worked(trigger, rail) == (trigger.name, rail.owner, tasks)


@pytest.mark.requirement("FMEA-7.6")
@pytest.mark.parametrize(("days", "fires"), [(90, 1), (91, 0)])
def test_an_approaching_renewal_fires_at_90_days_and_not_at_91(days, fires):
    world.card()
    world.trigger("fmea:approaching-renewal")
    world.account(renewal_on=NOON.date() + days * DAY)

    recompute(at=NOON)

    assert TriggerFiring.objects.count() == fires


@pytest.mark.requirement("CS-10.6")
def test_the_generic_ladder_opens_action_plan_save_plan_executive_and_save_team_in_turn():
    world.card()
    for key in ("yellow", "red", "churn", "contract"):
        world.trigger(f"generic:{key}")
    rail = world.account(owner=world.person())
    steps = [
        lambda: world.measure(rail, {**FLEET_BEST, "objectives": "off_track"}),
        lambda: world.measure(rail, FLEET_RED, at=NOON + DAY),
        lambda: record_event(rail, "churn_risk", NOON + 2 * DAY),
        lambda: record_event(rail, "contract_at_risk", NOON + 3 * DAY),
    ]
    opened = []
    for day, step in enumerate(steps):
        step()
        recompute(at=NOON + day * DAY)
        open_ctas(at=NOON + day * DAY)
        new = Cta.objects.exclude(trigger_key__in=[key for key, _ in opened]).exclude(trigger_key="")
        opened += [(cta.trigger_key, Task.objects.filter(cta=cta).order_by("position").first().title) for cta in new]

    assert opened == [
        ("yellow", "Action plan"),
        ("red", "Save plan"),
        ("churn", "Executive"),
        ("contract", "Save team"),
    ]


@pytest.mark.requirement("CS-10.1")
def test_scores_are_recomputed_each_night_and_the_page_says_when(client):
    client.force_login(world.person("ada@acme.test", role="admin"))
    world.card()
    rail = world.account()
    world.measure(rail, FLEET_BEST)

    recompute_nightly(at=NOON)
    recompute_nightly(at=NOON + DAY)

    assert [run.accounts for run in HealthRun.objects.all()] == [1, 1]
    page = client.get(f"/health/accounts/{rail.pk}/receipt/").content.decode()
    assert "2026-11-25" in page
