"""A release of its own keeps a trigger from firing anew on a figure that wobbles about the edge. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from health.conditions import Facts
from health.judging import judge
from health.models import Trigger, TriggerVersion

BEGAN, DAY = datetime(2026, 11, 24, 12, tzinfo=UTC), timedelta(days=1)
ENTER, LEAVE = 60, 65
UNDER = {"metric": "health_score", "op": "<", "value": ENTER}
OVER = {"metric": "health_score", "op": ">", "value": LEAVE}
scores = st.lists(st.one_of(st.none(), st.integers(57, 68)), max_size=40)


def fired_on(course, **more):
    """The days on which a trigger fires, with a score a day; None: not measured."""
    definition = {"key": "low", "name": "Low", "actions": ["Call"], "condition": UNDER, **more}
    version = TriggerVersion(trigger=Trigger(pk=uuid4(), key="low"), definition=definition)
    account, states, days = uuid4(), {}, []
    for day, score in enumerate(course):
        metrics = {"health_score": {} if score is None else {account: Decimal(score)}, "health_band": {}}
        facts = Facts(at=BEGAN + day * DAY, metrics=metrics, known_since={account: None})
        outcome = judge([version], facts, {version.trigger_id: states}, {}, load=lambda *_: ())
        states.update({state.account_id: state for state in outcome.changed})
        days += [day for _ in outcome.fired]
    return days


def slow(course, *, leaves):
    """The same, told day by day without the engine."""
    days, is_on = [], False
    for day, score in enumerate(course):
        if is_on and leaves(score):
            is_on = False
        if not is_on and score is not None and score < ENTER:
            is_on = True
            days.append(day)
    return days


@given(scores)
def test_it_fires_as_told_day_by_day_and_never_more_often_with_a_release_than_without(course):
    plain, steady = fired_on(course), fired_on(course, release=OVER)
    assert plain == slow(course, leaves=lambda score: score is None or score >= ENTER)
    assert steady == slow(course, leaves=lambda score: score is not None and score > LEAVE)
    assert set(steady) <= set(plain)


@given(scores, st.integers(1, 4))
def test_nor_where_it_has_to_hold_for_days(course, hold_days):
    plain, steady = fired_on(course, hold_days=hold_days), fired_on(course, hold_days=hold_days, release=OVER)
    stretches = [
        len(list(days)) for low, days in groupby(score is not None and score < ENTER for score in course) if low
    ]
    assert len(plain) == sum(length > hold_days for length in stretches)
    assert set(steady) <= set(plain)


def test_a_score_that_wobbles_about_the_edge_fires_once():
    wobble = [59, 61, 59, 65, 58, 66, 59]
    assert fired_on(wobble) == [0, 2, 4, 6]
    assert fired_on(wobble, release=OVER) == [0, 6]
