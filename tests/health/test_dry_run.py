"""The dry run: the days ahead by the very functions that fire, in agreement with what then happens; nothing stored."""

from datetime import time, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.actions import log_activity
from accounts.errors import RuleViolated
from accounts.models import Account, Activity
from health.actions import (
    activate_draft,
    change_policy,
    create_segment,
    draft_trigger,
    enable_trigger,
    open_ctas,
    recompute,
    recompute_changed,
    record_event,
    snooze_trigger,
)
from health.actions.dry_runs import run, start_dry_run
from health.actions.rehearsal import MOST_ROUNDS
from health.models import DryRun, Trigger, TriggerFiring, TriggerRun, TriggerState
from playbooks.models import Cta
from tests.health import world
from tests.health.world import FLEET_BEST, FLEET_RED, NOON
from usage.actions import define_metric

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
RED = {"metric": "health_band", "op": "in", "value": ["red"]}


def draft(key, condition, **more):
    definition = {"key": key, "name": key.capitalize(), "actions": ["Call"], "condition": condition, **more}
    return draft_trigger(Trigger.objects.filter(key=key).first(), definition=definition, actor=None, at=NOON)


def dry(trigger=None, *, days=90, at=NOON):
    asked = start_dry_run(trigger, days=days, actor=None, at=at)
    run(asked.pk)
    done = DryRun.objects.get(pk=asked.pk)
    assert done.state == "done", done.message
    return done


def said(report, day=None):
    """(day, account's name, trigger, outcome), of one day or of all."""
    names = {str(pk): name for pk, name in Account.objects.values_list("pk", "name")}
    rows = [(row["day"], names[row["account"]], row["trigger"], row["outcome"]) for row in report.rows]
    return sorted(row for row in rows if day in (None, row[0]))


def happened():
    rows = TriggerFiring.objects.select_related("account", "version__trigger")
    return sorted(((row.fired_at - NOON).days, row.account.name, row.version.trigger.key, row.outcome) for row in rows)


@pytest.fixture
def rail():
    world.card()
    account = world.account(owner=world.person())
    world.measure(account, FLEET_BEST)
    recompute(at=NOON)
    return account


def test_silence_grows_and_a_renewal_comes_nearer(rail):
    Activity.objects.create(account=rail, kind="meeting", title="QBR", at=NOON - 40 * DAY)
    draft("quiet", {"absent": "meeting", "days": 100})
    near = draft("near", {"metric": "days_since_touch", "op": ">=", "value": 70})
    activate_draft(near, actor=None, at=NOON)

    report = dry(Trigger.objects.get(key="quiet"))

    assert said(report) == [(30, "Acme Rail", "near", "opened"), (60, "Acme Rail", "quiet", "opened")]
    assert (report.result["accounts"], report.result["fired"], report.day) == (1, 2, 90)
    assert report.result["by_day"][30] == report.result["by_day"][60] == 1
    assert report.result["by_owner"] == {rail.owner.email: 2}
    assert report.rows[0]["evidence"]["facts"] == {"days_since_touch": "70"}


def test_nothing_but_the_report_is_stored(rail):
    trigger = draft("score", {"metric": "health_score", "op": ">", "value": 10})
    runs = TriggerRun.objects.count()

    assert said(dry(trigger)) == [(0, "Acme Rail", "score", "opened")]

    assert (TriggerFiring.objects.count(), TriggerState.objects.count(), Cta.objects.count()) == (0, 0, 0)
    assert TriggerRun.objects.count() == runs
    assert not Trigger.objects.get().versions.exists()


def test_a_duration_a_snooze_and_a_cap_run_out_on_their_day(rail):
    held = draft("held", {"metric": "health_score", "op": ">", "value": 10}, hold_days=5)
    snoozed = draft("snoozed", {"metric": "health_score", "op": ">", "value": 10})
    activate_draft(snoozed, actor=None, at=NOON)
    snooze_trigger(rail, snoozed, until=NOON + 7 * DAY, reason="Known", actor=None, at=NOON)

    report = dry(held)

    assert said(report) == [(5, "Acme Rail", "held", "opened"), (7, "Acme Rail", "snoozed", "opened")]
    assert report.result["held"] == {"held": {"waiting": 1}, "snoozed": {"snoozed": 1}}


def test_an_open_cta_makes_the_next_a_duplicate(rail):
    for key in ("one", "two"):
        activate_draft(draft(key, {"absent": "meeting", "days": 90}, duplicate_key="quiet"), actor=None, at=NOON)
    assert sorted(row[3] for row in said(dry())) == ["duplicate", "opened"]


def test_triggers_that_set_each_other_off_are_seen_within_the_day_and_a_ring_ends(rail):
    activate_draft(draft("first", {"event": "ping"}, raises="pong", duplicate_key="a"), actor=None, at=NOON)
    second = draft("second", {"event": "pong"}, raises="ping", duplicate_key="b")
    record_event(rail, "ping", NOON)

    report = dry(second, days=3)

    outcomes = [(row["trigger"], row["outcome"]) for row in report.rows]
    assert outcomes[:2] == [("first", "opened"), ("second", "opened")]
    assert ("first", "duplicate") in outcomes
    assert len(outcomes) <= MOST_ROUNDS * 2


def test_what_a_cta_records_after_quiet_hours_sets_off_the_next_trigger_only_then(rail):
    change_policy(actor=None, at=NOON, quiet_from=time(9), quiet_until=time(15))
    green = {**RED, "value": ["green"]}
    first, second = draft("first", green, raises="nudged"), draft("second", {"event": "nudged"})
    activate_draft(first, actor=None, at=NOON)
    report = dry(second, days=2)

    activate_draft(second, actor=None, at=NOON)
    recompute(at=NOON)
    open_ctas(at=NOON)
    assert TriggerFiring.objects.count() == 1
    due = TriggerFiring.objects.get().due_at
    open_ctas(at=due)
    recompute_changed(at=due + timedelta(minutes=1))
    open_ctas(at=due + timedelta(minutes=1))

    later = next(row for row in report.rows if row["trigger"] == "second")
    assert (later["evidence"]["events"], later["due_at"]) == ({"nudged": due.isoformat()}, None)
    assert said(report) == happened()


def test_a_resting_trigger_is_tried_as_if_it_were_on_and_the_others_as_they_are(rail):
    trigger = world.trigger("mna:user-complaints")
    world.measure(rail, {"nps": "20"})
    enable_trigger(trigger, is_enabled=False, actor=None, at=NOON)
    assert said(dry(days=1)) == []
    assert said(dry(trigger, days=1)) == [(0, "Acme Rail", "user-complaints", "opened")]


def test_what_cannot_be_run_is_refused_with_field_and_rule(rail):
    with pytest.raises(RuleViolated, match="From 1 to 90 days") as refused:
        start_dry_run(days=91, actor=None, at=NOON)
    assert refused.value.field == "days"
    for _ in range(2):
        start_dry_run(actor=None, at=NOON)
    with pytest.raises(RuleViolated, match="under way"):
        start_dry_run(actor=None, at=NOON)


def test_an_error_of_ours_ends_it_with_a_message(rail, monkeypatch):
    asked = start_dry_run(actor=None, at=NOON)
    monkeypatch.setattr("health.actions.dry_runs.newest_versions", lambda: 1 / 0)
    run(asked.pk)
    asked.refresh_from_db()
    assert (asked.state, asked.message) == ("failed", "Our mistake; it has been noted. Nothing was changed.")


@pytest.mark.parametrize("policy", [{}, {"account_max": 1, "account_days": 5}, {"quiet_weekends": True}])
def test_day_by_day_it_says_what_then_happens_when_nothing_new_does(rail, policy):
    change_policy(actor=None, at=NOON, **policy)
    red = world.account("Red", owner=rail.owner)
    world.measure(red, FLEET_RED)
    Activity.objects.create(account=red, kind="meeting", title="QBR", at=NOON - 94 * DAY)
    record_event(rail, "churn_threat", NOON - DAY, now=NOON)
    recompute(at=NOON)
    rules = [
        draft("red", RED, hold_days=2, priority="high"),
        draft("quiet", {"absent": "meeting", "days": 100}, priority="low"),
        draft("threat", {"any": [{"event": "churn_threat"}, RED]}, duplicate_key="quiet"),
        draft("touch", {"metric": "days_since_touch", "op": ">=", "value": 97}),
    ]
    for rule in rules[:-1]:
        activate_draft(rule, actor=None, at=NOON)
    report = dry(rules[-1], days=10)

    activate_draft(rules[-1], actor=None, at=NOON)
    for day in range(10):
        recompute(at=NOON + day * DAY)
        open_ctas(at=NOON + day * DAY)
    open_ctas(at=NOON + 20 * DAY)  # what was put off

    assert said(report) == happened()
    assert len(happened()) >= 3


figures = st.sampled_from([None, 10, 40, 50, 60, 90])
tests = st.one_of(
    st.builds(
        lambda metric, op, value: {"metric": metric, "op": op, "value": value},
        st.sampled_from(["nps", "login_pct", "health_score"]), st.sampled_from(["<", ">=", "=="]),
        st.sampled_from([40, 50, 90]),
    ),
    st.just(RED),
    st.just({"metric": "health_band", "op": "in", "value": ["yellow", "red"]}),
    st.just({"metric": "nps", "op": "between", "value": [40, 60]}),
    st.just({"metric": "objectives", "op": "in", "value": ["off_track", "partial"]}),
    st.just({"metric": "days_to_renewal", "op": "<=", "value": 31}),
    st.just({"metric": "days_since_touch", "op": ">=", "value": 30}),
    st.sampled_from([{"event": "churn_threat"}, {"event": "churn_threat", "window_days": 2}]),
    st.sampled_from([{"event": "health_band_worsened"}, {"event": "churn_risk"}, {"event": "contract_at_risk"}]),
    st.sampled_from([{"absent": "qbr", "days": 11}, {"absent": "meeting", "days": 30}]),
    st.just({"segment": "large"}),
)  # fmt: skip
conditions = st.one_of(
    tests,
    st.builds(
        lambda join, parts: {join: parts}, st.sampled_from(["any", "all"]), st.lists(tests, min_size=2, max_size=3)
    ),
)


extras = st.fixed_dictionaries(
    {},
    optional={
        "hold_days": st.sampled_from([0, 1]),
        "duplicate_key": st.just("one"),
        "priority": st.sampled_from(["high", "low"]),
        "ignores_quiet_hours": st.just(True),
        "release": st.just({"metric": "nps", "op": ">", "value": 55}),
    },
)
# Days to the renewal, yearly value, days since the last meeting.
terms = st.tuples(st.sampled_from([None, 20, 32, 33, 90]), st.sampled_from([500, 5000]), st.sampled_from([None, 5, 29]))


def _in_segment(condition, key):
    """The condition with the segment by its key, which is only known once it is there."""
    joiner = next((name for name in ("any", "all") if name in condition), None)
    if joiner:
        return {joiner: [_in_segment(part, key) for part in condition[joiner]]}
    return {"segment": key, "name": "Large"} if "segment" in condition else condition


@settings(
    max_examples=16, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rules=st.lists(st.tuples(conditions, extras), min_size=1, max_size=3),
    people=st.lists(st.tuples(figures, st.booleans(), st.booleans(), terms), min_size=1, max_size=4),
    limits=st.sampled_from(
        [
            {},
            {"account_max": 1, "account_days": 3},
            {"quiet_from": time(9), "quiet_until": time(15)},
            {"quiet_weekends": True, "account_max": 2, "account_days": 1},
        ]
    ),
)
def test_activation_does_account_by_account_what_the_dry_run_said(rail, rules, people, limits):
    """A property over every kind of condition, three days long: who gets what, when, why, and who is held back."""
    with transaction.atomic():
        point = transaction.savepoint()
        _agree(rules, people, limits)
        transaction.savepoint_rollback(point)


def _agree(rules, people, limits):
    define_metric("nps", name="NPS", at=NOON)
    change_policy(actor=None, at=NOON, **limits)
    large = {"groups": [{"conditions": [{"field": "arr", "op": ">", "value": "1000"}]}]}
    segment = create_segment(name="Large", rule=large, actor=None, at=NOON - DAY)
    for at, (nps, is_red, threatens, (renews_in, arr, touched)) in enumerate(people):
        renewal = renews_in and (NOON + renews_in * DAY).date()
        account = world.account(f"Account {at}", arr=arr, renewal_on=renewal)
        if touched is not None:
            log_activity(account, kind="meeting", title="Met", actor=None, at=NOON - touched * DAY)
        world.measure(account, FLEET_RED if is_red else FLEET_BEST)
        if nps is not None:
            world.measure(account, {"nps": str(nps)})
        if threatens:
            record_event(account, "churn_threat", NOON - DAY, now=NOON)
            record_event(account, "qbr", NOON - 10 * DAY, now=NOON)
    recompute(at=NOON)
    drafts = [
        draft(f"rule-{at}", _in_segment(condition, str(segment.pk)), **more)
        for at, (condition, more) in enumerate(rules)
    ]
    for each in drafts[:-1]:
        activate_draft(each, actor=None, at=NOON)
    report = dry(drafts[-1], days=3)
    evidence = {(row["account"], row["trigger"], row["day"]): row["evidence"] for row in report.rows}

    activate_draft(drafts[-1], actor=None, at=NOON)
    for day in range(3):
        recompute(at=NOON + day * DAY)
        open_ctas(at=NOON + day * DAY)
    open_ctas(at=NOON + 5 * DAY)  # what was put off

    assert said(report) == happened()
    for firing in TriggerFiring.objects.select_related("version__trigger"):
        expected = evidence[str(firing.account_id), firing.version.trigger.key, (firing.fired_at - NOON).days]
        assert {name: firing.evidence[name] for name in expected} == expected
