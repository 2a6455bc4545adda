"""Which accounts a condition holds for: both sides of every limit, windows, severities, events, silence."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from health.conditions import Facts, absences_of, accounts_where, events_of, metrics_of, named_metrics
from health.scoring import number
from tests.health.definitions import TRIGGERS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fires(trigger, *, measured=True, **given_facts):
    """Whether a pack's trigger fires on one account with these facts; True is an event."""
    metrics = {
        name: {1: number(value) if number(value) is not None else value}
        for name, value in given_facts.items()
        if value is not True
    }
    events = {name: {1: NOW} for name, value in given_facts.items() if value is True}
    facts = Facts(at=NOW, metrics=metrics, events=events, known_since={1: NOW}, measured=measured)
    return accounts_where(TRIGGERS[trigger]["condition"], facts) == {1}


@pytest.mark.parametrize(
    ("trigger", "facts", "expected"),
    [
        pytest.param(*case, marks=[pytest.mark.requirement(row) for row in rows], id=f"{case[0]}-{case[1]}")
        for rows, case in [
            (["FMEA-7.4"], ("fmea:health-decline", {"health_score_change": -10}, True)),
            (["FMEA-7.4"], ("fmea:health-decline", {"health_score_change": "-9.9"}, False)),
            (["FMEA-7.4"], ("fmea:health-decline", {"health_band_worsened": True}, True)),
            ([], ("fmea:critical-incident", {"open_tickets": 1}, True)),
            ([], ("fmea:critical-incident", {"open_tickets": 0}, False)),
            ([], ("fmea:low-adoption", {"active_users_pct": "49.9"}, True)),
            ([], ("fmea:low-adoption", {"active_users_pct": 50}, False)),
            ([], ("fmea:approaching-renewal", {"days_to_renewal": 90}, True)),
            ([], ("fmea:approaching-renewal", {"days_to_renewal": 91}, False)),
            ([], ("fmea:ticket-increase", {"ticket_count_change_pct": 50}, True)),
            ([], ("fmea:ticket-increase", {"ticket_count_change_pct": "49.9"}, False)),
            ([], ("fmea:stakeholder-change", {"stakeholder_changed": True}, True)),
            (["MNA-5.5"], ("mna:usage-decline", {"usage_change_pct": -20}, True)),
            (["MNA-5.5"], ("mna:usage-decline", {"usage_change_pct": "-19.9"}, False)),
            (["MNA-5.6"], ("mna:performance-issues", {"ticket_count": 2}, True)),
            (["MNA-5.6"], ("mna:performance-issues", {"ticket_count": 1}, False)),
            (["MNA-5.7"], ("mna:user-complaints", {"nps": "49.9"}, True)),
            (["MNA-5.7"], ("mna:user-complaints", {"nps": 50}, False)),
            (["MNA-5.8"], ("mna:executive-disengagement", {"missed_executive_meetings": 1}, True)),
            (["MNA-5.8"], ("mna:executive-disengagement", {"exec_response_days": 5}, False)),
            (["MNA-5.8"], ("mna:executive-disengagement", {"exec_response_days": "5.1"}, True)),
            ([], ("mna:competitive-activity", {"competitor_evaluated": True}, True)),
            ([], ("fleet:red-account", {"health_band": "red"}, True)),
            ([], ("fleet:red-account", {"health_band": "yellow"}, False)),
            ([], ("bis:no-requirements", {"new_requirements": 0}, True)),
            ([], ("bis:no-requirements", {"new_requirements": 1}, False)),
            ([], ("bis:adoption-low", {"feature_adoption_rate": 69}, True)),
            ([], ("bis:adoption-low", {"feature_adoption_rate": 70}, False)),
            ([], ("bis:slow-report", {"report_seconds": 30}, False)),
            ([], ("bis:slow-report", {"report_seconds": "30.1"}, True)),
            (["CS-5.1"], ("generic:upsell", {"health_score": 80, "nps": 1}, False)),
            (["CS-5.1"], ("generic:upsell", {"health_score": "80.1", "nps": 1}, True)),
            (["CS-5.1"], ("generic:upsell", {"health_score": "80.1"}, False)),
            ([], ("generic:upsell", {"health_score": "80.1", "executive_engagement": "strong"}, True)),
            ([], ("generic:low-engagement", {"health_band": "green"}, False)),
        ]
    ],
)
def test_pack_triggers_at_their_limits(trigger, facts, expected):
    assert fires(trigger, **facts) is expected


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_without_any_fact_no_trigger_fires(trigger):
    assert not fires(trigger)


def test_severities_are_summed_and_the_plain_metric_is_not_taken_for_them():
    condition = TRIGGERS["mna:performance-issues"]["condition"]
    columns = {
        "ticket_count": {1: Decimal(9)},
        "ticket_count:critical": {2: Decimal(1), 3: Decimal(1)},
        "ticket_count:high": {2: Decimal(1), 4: Decimal(2)},
    }

    facts = Facts(at=NOW, metrics=columns)

    assert accounts_where(condition, facts) == {2, 4}
    assert metrics_of(condition) == {"ticket_count:critical", "ticket_count:high"}
    assert named_metrics(condition) == {"ticket_count"}


@pytest.mark.parametrize(("count", "expected"), [("3", {1}), ("2", set()), (None, set())])
def test_a_rise_counts_only_over_a_least_number(count, expected):
    condition = TRIGGERS["fmea:ticket-increase"]["condition"]
    columns = {"ticket_count_change_pct": {1: Decimal(80)}}
    if count:
        columns["ticket_count"] = {1: Decimal(count)}

    assert accounts_where(condition, Facts(at=NOW, metrics=columns)) == expected


def test_an_event_is_new_for_thirty_days_and_until_it_was_handled():
    happened = {
        1: NOW - timedelta(days=30),
        2: NOW - timedelta(days=30, seconds=1),
        3: NOW - timedelta(days=1),
        4: NOW - timedelta(days=1),
    }
    handled = {3: NOW - timedelta(days=1), 4: NOW - timedelta(days=1, seconds=1)}
    facts = Facts(at=NOW, metrics={}, events={"churn_threat": happened}, handled=handled)

    assert accounts_where({"event": "churn_threat"}, facts) == {1, 4}


def test_absence_counts_from_the_last_time_or_from_when_the_account_began():
    facts = Facts(
        at=NOW,
        metrics={},
        events={"qbr": {1: NOW - timedelta(days=100), 2: NOW - timedelta(days=99), 3: NOW - timedelta(days=500)}},
        known_since={
            1: NOW - timedelta(days=900),
            2: NOW - timedelta(days=900),
            3: NOW - timedelta(days=20),
            4: NOW - timedelta(days=100),
            5: NOW - timedelta(days=99),
        },
    )

    assert accounts_where({"absent": "qbr", "days": 100}, facts) == {1, 4}


def test_between_includes_both_ends():
    column = {at: Decimal(at) for at in range(1, 6)}

    held = accounts_where({"metric": "m", "op": "between", "value": [2, 4]}, Facts(at=NOW, metrics={"m": column}))

    assert held == {2, 3, 4}


def test_a_word_never_passes_a_test_of_numbers():
    facts = Facts(at=NOW, metrics={"nps": {1: "high", 2: Decimal(10)}})

    assert accounts_where({"metric": "nps", "op": "<", "value": 50}, facts) == {2}


def test_what_a_condition_reads():
    upsell = TRIGGERS["generic:upsell"]["condition"]

    assert events_of(upsell) == {"budget_season"}
    assert named_metrics(upsell) == {"health_score", "feature_adoption_rate", "executive_engagement", "nps"}
    assert absences_of({"any": [{"absent": "qbr", "days": 9}, {"event": "x"}]}) == {"qbr"}


def _alone(condition, values):
    """The oracle: one account, by the words of packs/README.md."""
    if "any" in condition:
        return any(_alone(part, values) for part in condition["any"])
    if "all" in condition:
        return all(_alone(part, values) for part in condition["all"])
    value = values.get(condition["metric"])
    if value is None:
        return False
    limit = condition["value"]
    return {
        "<": value < limit,
        "<=": value <= limit,
        ">": value > limit,
        ">=": value >= limit,
        "==": value == limit,
    }[condition["op"]]


leaf = st.fixed_dictionaries(
    {"metric": st.sampled_from("abc"), "op": st.sampled_from(["<", "<=", ">", ">=", "=="]), "value": st.integers(0, 4)}
)
tree = st.recursive(
    leaf,
    lambda parts: st.lists(parts, min_size=2, max_size=3).flatmap(
        lambda items: st.sampled_from([{"any": items}, {"all": items}])
    ),
    max_leaves=8,
)
accounts = st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)), max_size=6)


@settings(max_examples=200, deadline=None)
@given(tree, accounts)
def test_columns_answer_what_each_account_alone_would(condition, rows):
    columns = {name: {at: Decimal(row[name]) for at, row in enumerate(rows) if name in row} for name in "abc"}

    held = accounts_where(condition, Facts(at=NOW, metrics=columns))

    assert held == {at for at, row in enumerate(rows) if _alone(condition, row)}
