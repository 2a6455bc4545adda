"""Red flags, recommendations and trend; and any input at all against the oracle."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from health.scoring import MILLION, check_inputs, number, trend
from health.scoring.figures import band_index, millionths, shown
from tests.health.definitions import CARDS, PACKS, best, measures_of, reaching
from tests.health.test_scoring import COMPILED, compare


@pytest.mark.requirement("BIS-1.10")
def test_a_red_flag_holds_the_band_at_the_second_best_and_leaves_the_score():
    card = COMPILED["components"]
    values, _ = check_inputs(card, best(CARDS["components"]))

    free, flagged = card.score(values), card.score(values, flags=1)

    assert (free.total, card.bands[free.band].key) == (100 * MILLION, "healthy")
    assert (flagged.total, card.bands[flagged.band].key) == (100 * MILLION, "at-risk")


def test_a_red_flag_does_not_improve_a_worse_band():
    card = COMPILED["components"]
    values = {name: Decimal(10) for name in card.inputs if card.domains[name].maximum is None or name != "x"}

    assert card.score(values).band == card.score(values, flags=2).band


@pytest.mark.requirement("BIS-6.13")
def test_recommendations_come_strictly_under_their_limit():
    card = COMPILED["calculator"]
    limits = [millionths(Fraction(str(item["value"]))) for item in card.recommendations]

    assert card.recommendations_for(limits) == []
    assert [item["category"] for item in card.recommendations_for([limit - 1 for limit in limits])] == [
        "Usage",
        "Satisfaction",
        "Business Value",
        "Relationship",
        "Support",
    ]
    assert card.recommendations_for([None] * 5) == []


@pytest.mark.requirement("BIS-6.14")
@pytest.mark.parametrize(
    ("readings", "word"),
    [
        ([], "stable"),
        ([1, 2, 3], "stable"),
        ([1, 1, 1, 9, 9], "stable"),
        ([100, 100, 100, 110, 110, 110], "stable"),
        ([100, 100, 100, 110, 110, "110.01"], "improving"),
        ([100, 100, 100, 90, 90, 90], "stable"),
        ([100, 100, 100, 90, 90, "89.99"], "declining"),
        ([1, 1, 1, 100, 100, 100, 90, 90, 89], "declining"),
    ],
)
def test_trend_compares_the_last_three_readings_with_the_three_before(readings, word):
    assert trend([Decimal(str(reading)) for reading in readings]) == word


# --- Anything at all


def _values(card):
    domains = card.domains
    strategies = {}
    for name, domain in domains.items():
        if domain.options:
            strategy = st.sampled_from(domain.options)
        else:
            top = domain.maximum if domain.maximum is not None else Decimal(300)
            strategy = st.decimals(domain.minimum, top, places=3).map(str)
        strategies[name] = st.none() | strategy
    return st.fixed_dictionaries(strategies)


@pytest.mark.parametrize("key", CARDS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_inputs_score_as_the_oracle_says_and_stay_within_0_and_100(key, data):
    score = compare(key, data.draw(_values(COMPILED[key])))

    assert score.total is None or 0 <= score.total <= 100 * MILLION


@pytest.mark.parametrize("key", CARDS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_more_of_a_good_thing_never_lowers_the_score_or_worsens_the_band(key, data):
    card = COMPILED[key]
    raw = data.draw(_values(card))
    rising = [
        measure["scoring"]["input"]
        for _, measure in measures_of(CARDS[key])
        if measure["scoring"]["kind"] in ("linear", "affine", "direct")
    ]
    if not rising:
        rising = ["login_pct"]
    name = data.draw(st.sampled_from(rising))
    if raw[name] is None:
        raw[name] = "0"
    higher = {**raw, name: str(max(number(raw[name]), Decimal(100)))}

    low, high = card.score(check_inputs(card, raw)[0]), card.score(check_inputs(card, higher)[0])

    if low.total is not None:
        assert high.total >= low.total
        assert high.band <= low.band


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 100 * MILLION), st.integers(0, 100 * MILLION))
def test_bands_are_monotonic_and_the_shown_figure_lies_in_the_band(one, other):
    for card in COMPILED.values():
        low, high = sorted((one, other))
        assert band_index(low, card.minimums) >= band_index(high, card.minimums)
        figure = int(shown(one, card.minimums) * MILLION)
        assert band_index(figure, card.minimums) >= band_index(one, card.minimums)
        assert abs(figure - one) < MILLION // 10


def test_thirds_that_add_up_to_an_edge_reach_it():
    """Two means of three that are no decimals add to a whole number; rounding either would miss the band."""
    raw = reaching(CARDS["generic-health"], Fraction(80))
    raw["qbr_attendance_pct"], raw["roi_realization_percentage"] = "0", "100"

    compare("generic-health", raw)
    assert len(PACKS) == 5
