"""Conditions, figures and formulas are told in English, whatever the methodology calls them."""

from __future__ import annotations

import re

import pytest

from health.conditions import leaves
from health.wording import Names, fact, formula_in_words, in_words
from packs import files
from tests.health.definitions import TRIGGERS


def test(metric, op, value, **more):
    return {"metric": metric, "op": op, "value": value, **more}


test.__test__ = False  # a word of the rules, not a test of ours


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            test("usage_change_pct", "<=", -20, window_days=14, compare="previous_window"),
            "usage fell by at least 20 % over 14 days against the 14 before",
        ),
        (
            test("ticket_count_change_pct", ">=", 50, window_days=30, compare="previous_window", min_count=3),
            "tickets rose by at least 50 % over 30 days against the 30 before, with 3 tickets or more",
        ),
        (
            test("health_score_change", "<=", -10, window_days=30),
            "the health score fell by at least 10 points in 30 days",
        ),
        (test("health_score_change", ">", -3), "score change in 30 days is over -3 points"),
        (test("sla_elapsed_pct", ">=", 80), "at least 80 % of the time promised on a ticket is used up"),
        (test("days_to_renewal", "<=", 90), "the renewal is at most 90 days away"),
        (test("open_tickets", ">=", 1, severity=["S1"]), "there is at least 1 open ticket of severity S1"),
        (test("tickets_per_user_monthly", ">", 2), "there are more than 2 tickets per user and month"),
        (test("meetings_per_quarter", "<", 1), "there is fewer than 1 meeting in 90 days"),
        (test("active_users_pct", "<", 50, window_days=30), "active users are under 50 % over 30 days"),
        (test("exec_response_days", ">", 5), "executive response time is over 5 days"),
        (test("executive_engagement", "in", ["strong", "on_track"]), "executive engagement is Strong or On track"),
        (test("nps", "between", [0, 30]), "NPS is between 0 and 30"),
        (test("usage_change_pct", ">", -20), "usage change is over -20 %"),
        ({"event": "qbr_missed"}, "“QBR missed” is noted"),
        ({"event": "health_band_worsened", "window_days": 7}, "the health band got worse within 7 days"),
        ({"absent": "meeting", "days": 1}, "no meeting for 1 day"),
        ({"segment": "8f", "name": "Large"}, "the account is in the segment Large"),
        (
            {"any": [test("nps", "<", 0), {"all": [test("health_score", "<", 60), {"absent": "qbr", "days": 90}]}]},
            "NPS is under 0 or both the health score is under 60 and no QBR for 90 days",
        ),
    ],
)
def test_a_condition_is_told_in_english(condition, words):
    assert in_words(condition) == words


def test_what_the_workspace_calls_things_goes_first():
    names = Names({"plan_fit": "Fit of the plan"}, {"qbr_missed": "Missed a review"}, {"red": "Critical"})

    assert in_words(test("plan_fit", "<", 3), names) == "fit of the plan is under 3"
    assert in_words({"event": "qbr_missed"}, names) == "“Missed a review” is noted"
    assert in_words(test("health_band", "in", ["red"]), names) == "the health band is Critical"


def test_no_condition_of_a_methodology_shows_a_key():
    shown = [
        in_words(leaf)
        for pack in files.PACK_KEYS
        for trigger in files.load(pack)["triggers"]
        for leaf in leaves(trigger["condition"])
    ]

    assert len(shown) > 40
    assert [words for words in shown if re.search(r"_|\bpct\b|None|\bis is\b", words)] == []
    assert TRIGGERS  # the same conditions that the engine is tested with


def test_a_fact_is_told_with_its_unit():
    assert fact("usage_change_pct", "-27.25") == "usage change -27.2 %"
    assert fact("open_tickets:S1", "2") == "open tickets of severity S1 2"
    assert fact("health_band", "on_track") == "the health band on track"


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("login_pct / 80 × 100, at most 100", "users who log in / 80 × 100, at most 100"),
        ("good 100 if nps >= 50 and open_risks == 0; poor 0 if none of these",
         "good 100 if nps ≥ 50 and open risks = 0; poor 0 if none of these"),
        ("low 20 if objectives in ['at_risk', 'off_track']", "low 20 if objectives in at risk, off track"),
    ],
)  # fmt: skip
def test_a_formula_is_told_in_words(formula, told):
    assert formula_in_words(formula) == told
