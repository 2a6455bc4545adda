"""The order of the day: whatever the facts, a worse one never moves an entry down, and every place has its reason."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from myday import ranking
from myday.ranking import KINDS, Signals, parts_of, rank

DAYS = st.none() | st.integers(-400, 400)
SHARES = st.decimals(0, 1, places=3)
SIGNALS = st.builds(
    Signals,
    key=st.uuids(),
    kind=st.sampled_from(KINDS),
    days_left=DAYS,
    begins=st.none() | st.times(),
    priority=st.sampled_from(["", "low", "medium", "high"]),
    colour=st.sampled_from(["", "none", "green", "yellow", "orange", "red"]),
    band=st.sampled_from(["", "Red", "Green"]),
    fell=st.decimals(-100, 100, places=1),
    fell_over=st.sampled_from(["", "since yesterday"]),
    band_moved=st.sampled_from([-1, 0, 1]),
    band_before=st.sampled_from(["", "Green"]),
    renewal_days=DAYS,
    share=SHARES,
)


def points(signals):
    return sum(part.points for part in parts_of(signals))


@given(st.lists(SIGNALS, max_size=12, unique_by=lambda one: one.key), st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_reading(entries, chance):
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert rank(shuffled) == rank(entries)


@given(st.lists(SIGNALS, max_size=12, unique_by=lambda one: one.key))
def test_every_entry_has_one_place_its_points_fall_and_its_reason_is_told(entries):
    places = rank(entries)
    assert {place.key for place in places} == {entry.key for entry in entries}
    assert [place.points for place in places] == sorted((place.points for place in places), reverse=True)
    assert all(1 <= len(place.reasons) <= ranking.REASONS and all(place.reasons) for place in places)


@given(SIGNALS)
def test_the_reasons_are_those_that_weigh_most(signals):
    told = rank([signals])[0].reasons
    words = [part.words for part in parts_of(signals) if part.words]
    assert told == tuple(words[: ranking.REASONS]) or told == ("on your list",)


# Each fact with a rule that makes it worse; the entry must not fall.
WORSE = {
    "due earlier": (
        lambda s, n: replace(s, days_left=s.days_left - n), lambda s: s.days_left is not None and not s.begins,
    ),
    "due at all": (lambda s, n: replace(s, days_left=0, begins=None), lambda s: s.days_left is None),
    "higher priority": (lambda s, n: replace(s, priority="high"), lambda s: True),
    "redder account": (lambda s, n: replace(s, colour="red"), lambda s: True),
    "fell further": (lambda s, n: replace(s, fell=s.fell + n), lambda s: True),
    "band got worse": (lambda s, n: replace(s, band_moved=-1), lambda s: True),
    "renewal nearer": (
        lambda s, n: replace(s, renewal_days=s.renewal_days - n), lambda s: s.renewal_days is not None,
    ),
    "larger account": (lambda s, n: replace(s, share=min(s.share + Decimal(n) / 100, Decimal(1))), lambda s: True),
    "a meeting of today": (lambda s, n: replace(s, begins=time(9)), lambda s: s.days_left == 0),
}  # fmt: skip


@pytest.mark.parametrize("name", WORSE)
@given(signals=SIGNALS, step=st.integers(1, 60))
def test_a_worse_fact_never_lowers_an_entry(name, signals, step):
    worsen, applies = WORSE[name]
    if not applies(signals):
        signals = replace(signals, days_left=0, begins=None, renewal_days=30)
        if not applies(signals):
            signals = replace(signals, days_left=None)
    assert points(worsen(signals, step)) >= points(signals)


@given(SIGNALS)
def test_no_signal_gives_more_than_its_weight(signals):
    most = 60 + 20 + 24 + 16 + 20 + (20 + 16) + (20 + 10) + 8
    assert 0 <= points(signals) <= most


def entry(key, kind="cta", **facts):
    return Signals(key=key, kind=kind, **facts)


def test_a_morning_as_a_csm_would_order_it():
    morning = [
        entry("news", "notice"),
        entry("healthy, next week", days_left=7, priority="low", colour="green"),
        entry("red, renews soon", days_left=-1, priority="high", colour="red", renewal_days=24, fell=Decimal(18)),
        entry("meeting at ten", "step", days_left=0, begins=time(10)),
        entry("fell overnight", "account", colour="orange", band_moved=-1, fell=Decimal(9), band="Orange",
              band_before="Yellow", fell_over="since yesterday"),
        entry("ordinary task", "task", days_left=0, priority="medium"),
    ]  # fmt: skip
    random.Random(4).shuffle(morning)
    assert [place.key for place in rank(morning)] == [
        "red, renews soon", "meeting at ten", "ordinary task", "fell overnight", "news", "healthy, next week",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("signals", "reasons"),
    [
        (
            entry(1, days_left=-2, renewal_days=24, fell=Decimal("18.4"), fell_over="in 30 days"),
            ("2 days late", "score down 18 in 30 days", "renewal in 24 days"),
        ),
        (entry(2, days_left=1), ("due tomorrow",)),
        (entry(3, "step", days_left=0, begins=time(9, 30)), ("today at 09:30",)),
        (entry(4, "account", band_moved=1, band="Green", band_before="Yellow"), ("rose from Yellow to Green",)),
        (entry(5, "notice"), ("a message to review",)),
        (entry(6, days_left=30), ("on your list",)),
        (entry(7, renewal_days=0), ("renewal today",)),
        (entry(8, renewal_days=-1), ("renewal 1 day overdue",)),
        (entry(9, share=Decimal(1)), ("among your largest accounts",)),
        (entry(10, colour="red", band="Critical"), ("account in Critical",)),
        (entry(11, "call", days_left=8, renewal_days=88), ("renewal in 88 days, no call yet",)),
    ],
)
def test_reasons_are_words_a_person_would_say(signals, reasons):
    assert rank([signals])[0].reasons == reasons
