"""Triggers on real rows: once per episode, held back by time, snooze and cap, and each firing one CTA."""

from datetime import timedelta

import pytest

from accounts.actions import create_contact, mark_contact_left
from accounts.models import Activity
from engagement.models import Notification, OutboxMessage
from health.actions import (
    change_trigger,
    enable_trigger,
    open_ctas,
    recompute,
    record_event,
    snooze_trigger,
)
from health.models import AccountHealth, BandChange, TriggerFiring, TriggerState
from playbooks.models import Cta, Task
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NPS_LOW = {"condition": {"metric": "nps", "op": "<", "value": 50}}


def fired():
    return list(TriggerFiring.objects.order_by("id").values_list("version__trigger__key", flat=True))


def run(at):
    recompute(at=at)
    return open_ctas(at=at)


@pytest.mark.requirement("MNA-5.4")
def test_a_condition_that_goes_on_holding_opens_one_cta_with_its_tasks_owner_and_reason(rail):
    world.trigger("mna:usage-decline")
    world.measure(rail, {"usage_change_pct": "-20"})

    for minutes in range(3):
        run(NOON + timedelta(minutes=minutes))

    cta = Cta.objects.get()
    assert (cta.title, cta.owner, cta.trigger_key, cta.kind) == ("Usage decline", rail.owner, "usage-decline", "risk")
    assert cta.reason == ("Usage fell by at least 20 % over 14 days against the 14 before. Now: usage change -20 %.")
    assert [task.title for task in Task.objects.filter(cta=cta)] == ["Success plan"]
    assert cta.evidence["facts"] == {"usage_change_pct": "-20"}
    assert fired() == ["usage-decline"]
    assert Notification.objects.filter(kind="health_trigger").count() == 1


def test_a_reason_says_a_fact_once(rail):
    world.trigger("fleet:red-account")
    world.measure(rail, FLEET_RED)

    run(NOON)

    assert Cta.objects.get().reason == "The health band is Red."


def test_it_fires_again_only_after_it_was_released(rail):
    world.trigger("mna:user-complaints")
    for day, nps in enumerate(["40", "40", "60", "40"]):
        world.measure(rail, {"nps": nps}, at=NOON + day * DAY)
        recompute(at=NOON + day * DAY)

    assert fired() == ["user-complaints", "user-complaints"]
    assert [row.fired_at for row in TriggerFiring.objects.order_by("id")] == [NOON, NOON + 3 * DAY]


def test_an_open_cta_is_not_doubled_by_a_second_episode(rail):
    world.trigger("mna:user-complaints")
    for day, nps in enumerate(["40", "60", "40"]):
        world.measure(rail, {"nps": nps}, at=NOON + day * DAY)
        run(NOON + day * DAY)

    assert Cta.objects.count() == 1
    assert [row.outcome for row in TriggerFiring.objects.order_by("id")] == ["opened", "duplicate"]


def test_hysteresis_enters_below_one_limit_and_leaves_above_another(rail):
    world.trigger("mna:user-complaints", **NPS_LOW, release={"metric": "nps", "op": ">", "value": 65})
    for day, nps in enumerate(["40", "60", "40", "66", "40"]):
        world.measure(rail, {"nps": nps}, at=NOON + day * DAY)
        recompute(at=NOON + day * DAY)

    assert [row.fired_at for row in TriggerFiring.objects.order_by("id")] == [NOON, NOON + 4 * DAY]


@pytest.mark.parametrize(("after", "expected"), [(3 * DAY, 1), (3 * DAY - timedelta(seconds=1), 0)])
def test_a_minimum_duration_must_be_full(rail, after, expected):
    world.trigger("mna:user-complaints", **NPS_LOW, hold_days=3)
    world.measure(rail, {"nps": "40"})

    recompute(at=NOON)
    recompute(at=NOON + after)

    assert len(fired()) == expected


def test_a_duration_begins_anew_when_the_condition_broke_off(rail):
    world.trigger("mna:user-complaints", **NPS_LOW, hold_days=3)
    for day, nps in enumerate(["40", "40", "60", "40", "40"]):
        world.measure(rail, {"nps": nps}, at=NOON + day * DAY)
        recompute(at=NOON + day * DAY)

    assert fired() == []
    assert TriggerState.objects.get().holding_since == NOON + 3 * DAY


def test_a_snooze_holds_it_back_until_its_end_and_then_it_fires(rail):
    trigger = world.trigger("mna:user-complaints")
    snooze_trigger(rail, trigger, until=NOON + 2 * DAY, reason="They know", actor=rail.owner, at=NOON - DAY)
    world.measure(rail, {"nps": "40"})

    recompute(at=NOON)
    quiet = fired()
    recompute(at=NOON + 2 * DAY)

    assert quiet == []
    assert fired() == ["user-complaints"]


def test_a_cap_allows_so_many_firings_in_so_many_days(rail):
    world.trigger("mna:user-complaints", **NPS_LOW, reentry_max=2, reentry_days=10)
    for day in range(14):
        world.measure(rail, {"nps": "40" if day % 2 == 0 else "60"}, at=NOON + day * DAY)
        recompute(at=NOON + day * DAY)

    assert [(row.fired_at - NOON).days for row in TriggerFiring.objects.order_by("id")] == [0, 2, 10, 12]


def test_a_disabled_trigger_rests_and_a_changed_one_goes_by_its_new_version(rail):
    trigger = world.trigger("mna:user-complaints")
    world.measure(rail, {"nps": "55"})
    enable_trigger(trigger, is_enabled=False, actor=None, at=NOON)
    recompute(at=NOON)
    definition = {**trigger.versions.first().definition, "condition": {"metric": "nps", "op": "<", "value": 60}}
    change_trigger(trigger, definition=definition, actor=None, at=NOON)
    recompute(at=NOON + DAY)
    resting = fired()

    enable_trigger(trigger, is_enabled=True, actor=None, at=NOON)
    recompute(at=NOON + 2 * DAY)

    assert resting == []
    assert [row.version.number for row in TriggerFiring.objects.all()] == [2]


@pytest.mark.requirement("MNA-5.9")
def test_each_new_event_fires_once(rail):
    world.trigger("mna:competitive-activity")
    record_event(rail, "competitor_evaluated", NOON, {"note": "Rivalsoft"}, actor=rail.owner)
    run(NOON)
    run(NOON + timedelta(minutes=1))
    Cta.objects.update(status="closed", outcome="resolved", closed_at=NOON + timedelta(minutes=2))
    record_event(rail, "competitor_evaluated", NOON + DAY, actor=rail.owner)

    run(NOON + DAY)
    run(NOON + DAY + timedelta(minutes=1))

    assert fired() == ["competitive-activity"] * 2
    assert Cta.objects.count() == 2
    assert Activity.objects.filter(body="Rivalsoft").count() == 1


def test_a_second_event_fires_even_if_no_run_came_between(rail):
    world.trigger("mna:competitive-activity")
    record_event(rail, "competitor_evaluated", NOON)
    recompute(at=NOON)
    record_event(rail, "competitor_evaluated", NOON + timedelta(seconds=30))

    recompute(at=NOON + timedelta(minutes=1))

    assert len(fired()) == 2


def test_a_flag_metric_raises_the_event(rail):
    world.trigger("fleet:churn-threat")
    world.measure(rail, {"churn_threat": "1"})

    recompute(at=NOON)
    recompute(at=NOON + DAY)

    assert fired() == ["churn-threat"]


@pytest.mark.requirement("FMEA-7.5")
def test_a_sponsor_who_leaves_is_a_stakeholder_change(rail):
    world.trigger("fmea:stakeholder-change")
    user = create_contact(rail, actor=None, at=NOON, name="Uma", stakeholder_role="end_user")
    sponsor = create_contact(rail, actor=None, at=NOON, name="Sam", stakeholder_role="executive_sponsor")
    mark_contact_left(user, left_on=NOON.date(), actor=None, at=NOON)
    recompute(at=NOON)
    before = fired()

    mark_contact_left(sponsor, left_on=NOON.date(), actor=None, at=NOON)
    recompute(at=NOON + timedelta(minutes=1))

    assert before == []
    assert fired() == ["stakeholder-change"]


def test_silence_fires_when_it_has_lasted(rail):
    world.trigger("mna:user-complaints", condition={"absent": "qbr", "days": 100})
    record_event(rail, "qbr", NOON - 99 * DAY, now=NOON)

    recompute(at=NOON)
    before = fired()
    recompute(at=NOON + DAY)

    assert before == []
    assert fired() == ["user-complaints"]


@pytest.mark.requirement("FMEA-7.4")
@pytest.mark.requirement("FMEA-7.3")
def test_a_fall_of_ten_or_a_worse_band_is_a_decline(rail):
    world.trigger("fmea:health-decline")
    other = world.account("Road")
    world.measure([rail, other], {**FLEET_BEST, "resolution_hours": "100"}, on=(NOON - 40 * DAY).date())
    world.measure([rail, other], {**FLEET_BEST, "resolution_hours": "100"}, at=NOON - 35 * DAY)
    recompute(at=NOON - 31 * DAY)
    world.measure(rail, {"resolution_hours": "100", "response_pct": "10", "reference": "unwilling"})
    world.measure(other, {"resolution_hours": "100", "response_pct": "10"})

    recompute(at=NOON)

    changes = {row.account.name: row.change_30d for row in AccountHealth.objects.select_related("account")}
    assert (changes, fired()) == ({"Acme Rail": -10, "Road": -5}, ["health-decline"])
    world.measure(other, {"roi_multiple": "0"}, at=NOON + DAY)
    world.measure(rail, {"reference": "active"}, at=NOON + DAY)
    recompute(at=NOON + DAY)
    assert fired() == ["health-decline"] * 2


def test_no_band_trigger_fires_under_half_coverage():
    world.card()
    world.trigger("fleet:red-account")
    rail = world.account()
    world.measure(rail, {"login_pct": "1", "objectives": "off_track"})

    recompute(at=NOON)

    assert fired() == []


@pytest.mark.requirement("CS-10.6")
def test_red_twice_running_is_churn_risk_and_near_renewal_a_contract_at_risk(rail):
    for key in ("generic:churn", "generic:contract"):
        world.trigger(key)
    world.measure(rail, FLEET_RED, at=NOON)
    recompute(at=NOON)
    first = fired()

    recompute(at=NOON + DAY)
    second = fired()

    assert (first, second) == ([], ["churn"])


# --- Crossings and sweeps


def test_a_fall_without_a_trigger_for_it_opens_one_cta_that_says_why(rail):
    recompute(at=NOON)
    world.measure(rail, FLEET_RED, at=NOON + DAY)

    handled = run(NOON + DAY)
    again = run(NOON + DAY)

    assert (handled.crossings, handled.ctas, again.crossings) == (1, 1, 0)
    cta = Cta.objects.get()
    assert (cta.title, cta.priority) == ("Health fell from Green to Red", "high")
    assert cta.reason.startswith("Feature Adoption High → Low; ")
    assert [task.title for task in Task.objects.order_by("position")] == [
        "Immediate intervention",
        "Executive escalation",
        "Problem resolution plan",
    ]
    assert Notification.objects.filter(user=rail.owner, kind="health_band").count() == 1
    assert OutboxMessage.objects.filter(user=rail.owner, kind="health_band").count() == 1
    assert Activity.objects.filter(account=rail, kind="health").count() == 1


def test_a_fall_that_a_trigger_answers_opens_that_triggers_cta_only(rail):
    world.trigger("fleet:red-account")
    recompute(at=NOON)
    world.measure(rail, FLEET_RED, at=NOON + DAY)

    run(NOON + DAY)

    assert [cta.trigger_key for cta in Cta.objects.all()] == ["red-account"]
    assert BandChange.objects.filter(handled_at=NOON + DAY).count() == 1


def test_a_rise_is_told_and_opens_nothing(rail):
    world.measure(rail, FLEET_RED)
    recompute(at=NOON)
    world.measure(rail, FLEET_BEST, at=NOON + DAY)

    run(NOON + DAY)

    assert Cta.objects.count() == 0
    assert Notification.objects.get(kind="health_band").title == "Acme Rail: health rose from Red to Green"


def test_a_row_that_fails_waits_for_the_next_sweep_and_spoils_no_other(rail, monkeypatch):
    world.trigger("mna:user-complaints")
    other = world.account("Road")
    world.measure([rail, other], {"nps": "10"})
    recompute(at=NOON)
    broken = TriggerFiring.objects.get(account=rail)
    TriggerFiring.objects.filter(pk=broken.pk).update(evidence={})

    handled = open_ctas(at=NOON)

    assert (handled.firings, handled.ctas, handled.failed) == (2, 1, 1)
    assert TriggerFiring.objects.get(account=rail).handled_at is None
    assert Cta.objects.get().account == other
