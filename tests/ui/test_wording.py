"""Keys as people say them."""

from __future__ import annotations

import pytest

from ui import wording


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("sla_elapsed_pct", "SLA time used"),
        ("tickets_month", "tickets a month"),
        ("tickets_per_user_monthly", "tickets per user a month"),
        ("users_2plus_features_pct", "users of two or more features"),
        ("s1_tickets_30d", "S1 tickets in 30 days"),
        ("open_tickets:S1", "open tickets of severity S1"),
        ("avg_resolution_hours", "average resolution time"),
        ("xla_achievement_percentage", "XLA achievement"),
        ("competitor_mentioned", "competitor mentioned"),
        ("time-to-first-value", "time to first value"),
        ("_pct", "pct"),
        ("", ""),
    ],
)
def test_a_key_is_said_in_words(key, said):
    assert wording.said(key) == said


def test_at_the_beginning_of_a_line_it_is_capital_and_keeps_its_acronyms():
    assert wording.titled("nps") == "NPS"
    assert wording.titled("usage_change_pct") == "Usage change"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("usage_change_pct", "-20.000000", "-20 %"),
        ("exec_response_days", 1, "1 day"),
        ("exec_response_days", "5", "5 days"),
        ("nps", -12, "-12"),
        ("health_band", "at_risk", "at risk"),
    ],
)
def test_a_reading_has_its_unit(key, value, told):
    assert wording.measured(key, value) == told


@pytest.mark.parametrize(("unit", "said"), [("percent", "%"), ("tickets_per_month", "tickets a month"), ("count", "")])
def test_a_unit_is_said_in_words(unit, said):
    assert wording.said_unit(unit) == said
