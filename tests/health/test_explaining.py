"""Why a trigger fires on an account or not: test by test, in agreement with the run that follows."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from health.actions import (
    activate_draft,
    change_policy,
    draft_trigger,
    enable_trigger,
    recompute,
    record_event,
    snooze_trigger,
)
from health.actions.explaining import why_on
from health.models import Trigger, TriggerFiring, TriggerRun
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON
from usage.actions import define_metric

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
RED = {"metric": "health_band", "op": "in", "value": ["red"]}
THREAT = {"event": "churn_threat"}
NPS = {"metric": "nps", "op": "<", "value": 50}


def rule(condition, key="rule", **more):
    definition = {"key": key, "name": "Rule", "actions": ["Call"], "condition": condition, **more}
    trigger = draft_trigger(Trigger.objects.filter(key=key).first(), definition=definition, actor=None, at=NOON)
    activate_draft(trigger, actor=None, at=NOON)
    trigger.refresh_from_db()
    return trigger, definition


@pytest.fixture
def rail():
    world.card()
    define_metric("nps", name="NPS", at=NOON)
    account = world.account(owner=world.person(), renewal_on=(NOON + 40 * DAY).date())
    world.measure(account, FLEET_RED)
    recompute(at=NOON)
    return account


@pytest.mark.parametrize(
    ("condition", "holds", "known"),
    [
        (RED, True, "the health band red"),
        (THREAT, False, "not noted in the last 30 days"),
        (NPS, False, "not measured"),
        ({"metric": "days_to_renewal", "op": "<=", "value": 40}, True, "days to renewal 39"),
        ({"absent": "meeting", "days": 10}, True, "never"),
    ],
)
def test_each_kind_of_test_is_told_and_agrees_with_the_run(rail, condition, holds, known):
    trigger, definition = rule(condition)

    why = why_on(trigger, definition, rail, at=NOON + DAY)
    recompute(at=NOON + DAY)

    assert [(test.holds, test.known) for test in why.tests] == [(holds, known)]
    assert why.fires is holds is TriggerFiring.objects.filter(version__trigger=trigger).exists()


def test_it_says_which_part_of_a_condition_does_not_hold(rail):
    trigger, definition = rule({"all": [RED, {"any": [NPS, THREAT]}]})
    record_event(rail, "churn_threat", NOON, now=NOON)

    why = why_on(trigger, definition, rail, at=NOON + DAY)

    assert [(test.words, test.holds) for test in why.tests] == [
        ("The health band is Red", True), ("NPS is under 50", False), ("“Churn threat” is noted", True),
    ]  # fmt: skip
    assert (why.fires, why.verdict) == (True, "It fires with the next run.")


def test_what_holds_it_back_is_said(rail):
    trigger, definition = rule(RED, hold_days=3)
    recompute(at=NOON)
    assert why_on(trigger, definition, rail, at=NOON + DAY).verdict == (
        "It holds, and is held back: has not held long enough; it fires on 27 Nov 2026 if it still holds."
    )
    recompute(at=NOON + 3 * DAY)
    assert TriggerFiring.objects.count() == 1
    fired = why_on(trigger, definition, rail, at=NOON + 4 * DAY)
    assert (fired.holds, fired.fires) == (True, False)
    assert "is not released yet" in fired.verdict

    world.measure(rail, FLEET_BEST, at=NOON + 4 * DAY, on=(NOON + 4 * DAY).date())
    recompute(at=NOON + 4 * DAY)
    assert why_on(trigger, definition, rail, at=NOON + 4 * DAY).verdict == (
        "It does not fire: the condition does not hold."
    )

    other, definition = rule(THREAT, key="other")
    snooze_trigger(rail, other, until=NOON + 9 * DAY, reason="Waits for the board", actor=None, at=NOON)
    record_event(rail, "churn_threat", NOON + 4 * DAY, now=NOON + 4 * DAY)
    assert why_on(other, definition, rail, at=NOON + 5 * DAY).verdict == (
        "It holds, and is held back: snoozed until 3 Dec 2026."
    )


def test_day_by_day_its_own_cap_holds_back_in_the_answer_what_it_holds_back_in_the_run(rail):
    trigger, definition = rule(NPS, reentry_max=2, reentry_days=10)
    told, came = [], []
    for day in range(14):
        at = NOON + day * DAY
        world.measure(rail, {"nps": "40" if day % 2 == 0 else "60"}, at=at)
        why = why_on(trigger, definition, rail, at=at)
        recompute(at=at)
        counts = TriggerRun.objects.latest("at").counts.get("rule", {})
        told.append((why.fires, "over its own cap of 2 in 10 days" in why.verdict))
        came.append(("fired" in counts, "capped" in counts))
    assert told == came
    assert [day for day, (fires, _) in enumerate(told) if fires] == [0, 2, 10, 12]
    assert [day for day, (_, is_capped) in enumerate(told) if is_capped] == [4, 6, 8]


def test_the_workspaces_cap_goes_to_the_most_pressing_in_the_answer_as_in_the_run(rail):
    change_policy(account_max=1, account_days=7, actor=None, at=NOON)
    low, pressing = rule(RED, key="low", priority="low"), rule(RED, key="pressing", priority="high")

    told = {trigger.key: why_on(trigger, definition, rail, at=NOON + DAY) for trigger, definition in (low, pressing)}
    recompute(at=NOON + DAY)

    assert TriggerRun.objects.latest("at").counts == {"pressing": {"fired": 1}, "low": {"full": 1}}
    assert (told["pressing"].fires, told["pressing"].verdict) == (True, "It fires with the next run.")
    assert (told["low"].fires, told["low"].verdict) == (
        False, "It holds, and is held back: over the workspace's cap of 1 in 7 days.",
    )  # fmt: skip
    assert why_on(*low, rail, at=NOON + 2 * DAY).verdict == (
        "A cap held it back on 25 Nov 2026, and it is not released yet; it does not fire before that."
    )


def test_quiet_hours_put_the_cta_off_in_the_answer_as_in_the_run(rail):
    change_policy(quiet_from=time(10), quiet_until=time(14), actor=None, at=NOON)
    quiet, urgent = rule(RED, key="quiet"), rule(RED, key="urgent", ignores_quiet_hours=True)

    told = {trigger.key: why_on(trigger, definition, rail, at=NOON + DAY) for trigger, definition in (quiet, urgent)}
    recompute(at=NOON + DAY)

    due = dict(TriggerFiring.objects.values_list("version__trigger__key", "due_at"))
    assert due == {"quiet": (NOON + DAY).replace(hour=14), "urgent": None}
    off = "put off by quiet hours until 25 Nov 2026, 14:00"
    assert {key: (why.fires, why.verdict) for key, why in told.items()} == {
        "quiet": (
            True,
            f"It fires with the next run, and its CTA is held back: {off}.",
        ),
        "urgent": (True, "It fires with the next run."),
    }  # fmt: skip


def test_an_event_it_fired_for_already_does_not_count_again(rail):
    trigger, definition = rule(THREAT)
    record_event(rail, "churn_threat", NOON, now=NOON)
    for days in (0, 1):
        recompute(at=NOON + days * DAY)
    assert TriggerFiring.objects.count() == 1

    why = why_on(trigger, definition, rail, at=NOON + 2 * DAY)
    recompute(at=NOON + 2 * DAY)

    assert (why.holds, why.fires) == (False, False)
    assert why.tests[0].known.endswith(", for which it fired already")
    assert TriggerFiring.objects.count() == 1
    record_event(rail, "churn_threat", NOON + 2 * DAY, now=NOON + 2 * DAY)
    assert why_on(trigger, definition, rail, at=NOON + 3 * DAY).fires


def test_one_that_is_switched_off_does_not_fire(rail):
    trigger, definition = rule(RED)
    enable_trigger(trigger, is_enabled=False, actor=None, at=NOON)
    trigger.refresh_from_db()
    why = why_on(trigger, definition, rail, at=NOON + DAY)
    assert (why.holds, why.fires) == (True, False)
    assert why.verdict == "It holds, but the trigger is switched off."


def test_who_is_no_customer_is_not_looked_at(rail):
    trigger, definition = rule(RED)
    gone = world.account("Gone", churned_on=(NOON - 9 * DAY).date())
    assert why_on(trigger, definition, gone, at=NOON).verdict == (
        "It is no customer today, and triggers look at customers."
    )


def test_the_number_of_queries_does_not_grow_with_the_workspace(rail):
    trigger, definition = rule({"all": [RED, THREAT, {"absent": "meeting", "days": 9}]})
    change_policy(account_max=5, account_days=7, quiet_from=time(10), quiet_until=time(14), actor=None, at=NOON)
    counts = []
    for number in range(3):
        world.account(f"A{number}")
        rule({"any": [RED, NPS, {"absent": "qbr", "days": 9}]}, key=f"other-{number}", reentry_max=2, reentry_days=3)
        with CaptureQueriesContext(connection) as seen:
            why_on(trigger, definition, rail, at=NOON, zone="UTC")
        counts.append(sum(not query["sql"].startswith("SET search_path") for query in seen))
    assert counts[0] == counts[-1] <= 12


def test_the_page_costs_twelve_queries_for_a_rule_about_the_score_with_a_cap(client, rail):
    rule(RED, reentry_max=2, reentry_days=9)
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    url = "/health/triggers/rule/simulator/"
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        page = client.get(url, {"account": rail.pk}).content.decode()
    assert "It fires with the next run." in page
    asked = [query["sql"] for query in seen]
    assert sum("tenants_domain" not in sql and "search_path" not in sql for sql in asked) == 12


def test_the_page_explains_an_account_and_a_draft(client, rail):
    trigger, definition = rule(RED)
    enable_trigger(trigger, is_enabled=True, actor=None, at=NOON)
    draft_trigger(trigger, definition={**definition, "condition": NPS}, actor=None, at=NOON)
    client.force_login(world.person("vera@acme.test", role="vp_cs"))
    url = "/health/triggers/rule/simulator/"

    page = client.get(url, {"account": rail.pk}).content.decode()
    assert "The health band is Red" in page
    assert "the health band red" in page
    assert "NPS is under 50" in client.get(url, {"account": rail.pk, "draft": "1"}).content.decode()
    assert client.get(url, {"account": "nobody"}).status_code == 200
    rail.archived_at = NOON
    rail.save()
    assert 'id="why"' not in client.get(url, {"account": rail.pk}).content.decode()
