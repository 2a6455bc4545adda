"""Scores against an independent oracle: worked examples, both sides of every edge, and any input at all."""

from decimal import Decimal
from fractions import Fraction

import pytest

from health.scoring import MILLION, check_inputs, compile_scorecard, decimal
from health.scoring.figures import band_index, millionths, shown
from tests.health import oracle
from tests.health.definitions import CARDS, best, measures_of, reaching

COMPILED = {key: compile_scorecard(card) for key, card in CARDS.items()}

ABC_LOGISTICS = {
    "login_pct": 85,
    "users_3plus_features_pct": 40,
    "users_2plus_features_pct": 75,
    "data_accuracy_pct": 92,
    "mobile_pct": 62,
    "objectives": "on_track",
    "roi_multiple": 1.5,
    "reference": "willing",
    "executive_engagement": "moderate",
    "response_pct": 85,
    "renewals": "standard",
    "tickets_month": 7,
    "resolution_hours": 48,
}
BIS_EXAMPLE = {
    "daily_active_users_percentage": 75,
    "feature_adoption_rate": 60,
    "login_frequency_weekly": 4,
    "nps": 8,
    "support_satisfaction": 85,
    "product_satisfaction": 80,
    "xla_achievement_percentage": 70,
    "roi_realization_percentage": 65,
    "efficiency_gain_percentage": 15,
    "meetings_per_quarter": 3,
    "stakeholder_engagement": 75,
    "advocacy_score": 60,
    "tickets_per_user_monthly": 1.5,
    "avg_resolution_hours": 12,
    "escalation_rate_percentage": 5,
}


def scored(key, raw):
    """(score, shown, band, coverage in per cent) of raw inputs, which must all be accepted."""
    card = COMPILED[key]
    values, refusals = check_inputs(card, raw)
    assert refusals == []
    score = card.score(values)
    if score.total is None:
        return None, None, None, decimal(score.coverage)
    return decimal(score.total), card.shown(score.total), card.bands[score.band].key, decimal(score.coverage)


def compare(key, raw):
    """Assert that the compiled card and the oracle agree on every figure of ``raw``."""
    card, definition = COMPILED[key], CARDS[key]
    values, refusals = check_inputs(card, raw)
    assert refusals == []
    score = card.score(values)
    total, band, coverage, figures = oracle.score(definition, raw)
    assert score.total == (None if total is None else millionths(total))
    assert (None if score.band is None else card.bands[score.band].key) == band
    assert score.coverage == millionths(coverage * 100)
    assert dict(zip((part.key for part in card.dimensions), score.dimensions, strict=False)) == {
        name: None if figure is None else millionths(figure) for name, figure in figures.items()
    }
    for at, (_, measure) in enumerate(measures_of(definition)):
        points, level = oracle.measure(measure, raw)
        # However many tickets: what a measure gives stops at 2,000 points.
        assert score.points[at] == (None if points is None else millionths(min(points, 2_000)))
        got = score.levels[at]
        assert (None if got is None else card.measures[at].levels[got]) == level
    return score


@pytest.mark.requirement("FLEET-7.14")
def test_abc_logistics_scores_63_with_the_data_quality_its_bands_give():
    score = compare("fleet-health", ABC_LOGISTICS)

    card = COMPILED["fleet-health"]
    points = {measure.key: decimal(score.points[at]) for at, measure in enumerate(card.measures)}
    assert list(points.values()) == [10, 7, 5, 2, 15, 5, 2, 5, 5, 3, 2, 2]
    assert scored("fleet-health", ABC_LOGISTICS) == (63, Decimal("63.0"), "red", 100)


@pytest.mark.requirement("FLEET-7.14")
@pytest.mark.requirement("FLEET-7.15")
def test_abc_logistics_is_red_with_the_printed_68_too():
    printed = {**ABC_LOGISTICS, "data_accuracy_pct": 96}

    assert scored("fleet-health", printed) == (68, Decimal("68.0"), "red", 100)


@pytest.mark.requirement("BIS-6.7")
@pytest.mark.requirement("BIS-6.15")
def test_bis_calculator_example_is_68_45_shown_68_5_at_risk():
    assert scored("calculator", BIS_EXAMPLE) == (Decimal("68.45"), Decimal("68.5"), "at-risk", 100)


@pytest.mark.parametrize(
    ("dimension", "figure"),
    [
        pytest.param("usage", "70.5", marks=pytest.mark.requirement("BIS-6.8")),
        pytest.param("satisfaction", "68.5", marks=pytest.mark.requirement("BIS-6.9")),
        pytest.param("business_value", "52", marks=pytest.mark.requirement("BIS-6.10")),
        pytest.param("relationship", "72", marks=pytest.mark.requirement("BIS-6.11")),
        pytest.param("support", "99", marks=pytest.mark.requirement("BIS-6.30")),
    ],
)
def test_bis_calculator_example_dimensions(dimension, figure):
    card = COMPILED["calculator"]
    score = compare("calculator", BIS_EXAMPLE)

    figures = dict(zip((part.key for part in card.dimensions), score.dimensions, strict=False))
    assert decimal(figures[dimension]) == Decimal(figure)


@pytest.mark.requirement("BIS-5.12")
def test_bis_framework_weights_give_70_95():
    inputs = {name: BIS_EXAMPLE[name] for name in COMPILED["framework"].inputs}

    assert scored("framework", inputs) == (Decimal("70.95"), Decimal("71.0"), "at-risk", 100)


@pytest.mark.requirement("MNA-5.1")
def test_mna_weights_give_78_5():
    inputs = {
        "technical_performance": 95,
        "business_outcomes": 80,
        "user_adoption": 70,
        "relationship_strength": 60,
    }

    assert scored("mna-health", inputs) == (Decimal("78.5"), Decimal("78.5"), "at-risk", 100)


@pytest.mark.requirement("CS-3.2")
def test_generic_with_ten_tickets_and_all_else_full_is_96():
    inputs = {**best(CARDS["generic-health"]), "tickets_month": 10}

    assert scored("generic-health", inputs)[0] == 96


@pytest.mark.requirement("CS-3.5")
def test_one_point_of_roi_moves_the_generic_total_by_a_thirtieth():
    full = best(CARDS["generic-health"])
    one_less = {**full, "roi_realization_percentage": 99}

    assert scored("generic-health", full)[0] - scored("generic-health", one_less)[0] == Decimal("0.033334")


@pytest.mark.requirement("BIS-6.30")
def test_bis_support_reaches_zero_and_two_tickets_are_free():
    card = COMPILED["calculator"]
    support = [part.key for part in card.dimensions].index("support")
    worst = {"tickets_per_user_monthly": 6, "avg_resolution_hours": 72, "escalation_rate_percentage": 100}
    free = {"tickets_per_user_monthly": 2, "avg_resolution_hours": 24, "escalation_rate_percentage": 0}

    assert card.score(check_inputs(card, worst)[0]).dimensions[support] == 0
    assert card.score(check_inputs(card, free)[0]).dimensions[support] == 100 * MILLION


# --- Edges


def _level_edges():
    for key, card in CARDS.items():
        for _, measure in measures_of(card):
            scoring = measure["scoring"]
            if scoring["kind"] == "levels":
                for test in sorted(
                    {(t["metric"], t["value"]) for level in scoring["levels"] for t in level["when"]}, key=str
                ):
                    for step in ("-0.01", "0", "0.01"):
                        value = Decimal(str(test[1])) + Decimal(step)
                        yield pytest.param(key, test[0], str(value), id=f"{key}-{measure['key']}-{value}")
            elif scoring["kind"] == "choice":
                for option in scoring["options"]:
                    yield pytest.param(key, scoring["input"], option, id=f"{key}-{measure['key']}-{option}")
            else:
                for value in _ends(scoring):
                    yield pytest.param(key, scoring["input"], value, id=f"{key}-{measure['key']}-{value}")


def _ends(scoring):
    """Values on both sides of where a continuous measure bends, within what it accepts."""
    if scoring["kind"] == "penalty":
        free = Decimal(str(scoring["free"]))
        bend = (
            [free]
            if scoring["max"] is None
            else [
                free,
                free + Decimal(str(scoring["max"])) / Decimal(str(scoring["per_unit"])) * scoring.get("unit_size", 1),
            ]
        )
        values = [edge + step for edge in bend for step in (Decimal("-0.01"), Decimal(0), Decimal("0.01"))]
        return [str(value) for value in values if value >= 0]
    if scoring["kind"] == "linear":
        full = Decimal(str(scoring["full_at"]))
        return ["0", str(full - Decimal("0.01")), str(full), str(full + Decimal("0.01"))]
    return ["-100", "0", "100"] if scoring["kind"] == "affine" else ["0", "0.01", "99.99", "100"]


@pytest.mark.parametrize(("key", "metric", "value"), list(_level_edges()))
def test_both_edges_of_every_level_and_bend_agree_with_the_oracle(key, metric, value):
    compare(key, {**best(CARDS[key]), metric: value})


@pytest.mark.parametrize(
    ("measure", "metric", "worth"),
    [
        pytest.param(m, i, w, marks=pytest.mark.requirement(r), id=f"{r}-{m}")
        for r, m, i, w in [
            ("FLEET-7.2", "login-frequency", "login_pct", {"80": 5, "80.01": 10, "50": 5, "49.99": 0}),
            ("FLEET-7.5", "mobile-usage", "mobile_pct", {"70": 2, "70.01": 5, "40": 2, "39.99": 0}),
            ("FLEET-7.6", "objectives", "objectives", {"on_track": 15, "partial": 7, "off_track": 0}),
            ("FLEET-7.7", "roi", "roi_multiple", {"2": 5, "2.01": 10, "1": 5, "0.99": 0}),
            ("FLEET-7.8", "reference", "reference", {"active": 5, "willing": 2, "unwilling": 0}),
            ("FLEET-7.10", "response-to-outreach", "response_pct", {"80": 2, "80.01": 5, "50": 2, "49.99": 0}),
            ("FLEET-7.11", "renewals", "renewals", {"proactive": 5, "standard": 3, "late": 0}),
            ("FLEET-7.12", "ticket-volume", "tickets_month", {"4": 5, "5": 2, "10": 2, "11": 0}),
            ("FLEET-7.13", "time-to-resolution", "resolution_hours", {"23.99": 5, "24": 2, "72": 2, "72.01": 0}),
        ]
    ],
)
def test_fleet_measure_points_at_the_worked_values(measure, metric, worth):
    card = COMPILED["fleet-health"]
    at = [item.key for item in card.measures].index(measure)

    got = {value: card.score(check_inputs(card, {metric: value})[0]).points[at] for value in worth}

    assert got == {value: points * MILLION for value, points in worth.items()}


@pytest.mark.requirement("FLEET-7.3")
def test_85_on_two_features_and_30_on_three_is_medium():
    card = COMPILED["fleet-health"]
    values, _ = check_inputs(card, {"users_2plus_features_pct": 85, "users_3plus_features_pct": 30})

    assert card.score(values).points[1] == 7 * MILLION


@pytest.mark.requirement("FLEET-7.4")
@pytest.mark.parametrize(("errors", "points"), [("1.99", 10), ("2", 5), ("3", 5), ("5", 5), ("6", 0), (None, 10)])
def test_data_quality_is_the_worse_of_accuracy_and_errors(errors, points):
    card = COMPILED["fleet-health"]
    values, _ = check_inputs(card, {"data_accuracy_pct": 96, "data_error_rate_pct": errors})

    assert card.score(values).points[2] == points * MILLION


def _band_edges():
    for key, card in CARDS.items():
        for at, band in enumerate(card["bands"][:-1]):
            below = card["bands"][at + 1]["key"]
            yield pytest.param(key, band["min"], band["key"], below, id=f"{key}-{band['min']}")


@pytest.mark.requirement("MNA-5.2")
@pytest.mark.requirement("FLEET-5.13")
@pytest.mark.requirement("BIS-6.12")
@pytest.mark.requirement("CS-3.6")
@pytest.mark.parametrize(("key", "edge", "band", "below"), list(_band_edges()))
def test_a_band_begins_exactly_at_its_edge_and_not_before(key, edge, band, below):
    on_edge = reaching(CARDS[key], Fraction(edge))
    just_under = Fraction(edge) - (1 if CARDS[key]["method"] == "points_sum" else Fraction(1, 100))
    under = reaching(CARDS[key], just_under)

    assert scored(key, on_edge)[:3] == (edge, Decimal(f"{edge}.0"), band)
    assert scored(key, under)[2] == below
    compare(key, on_edge)
    compare(key, under)


@pytest.mark.parametrize(
    ("total", "figure"),
    [("79.96", "79.9"), ("79.94", "79.9"), ("79.95", "79.9"), ("80", "80.0"), ("16.25", "16.3"), ("99.95", "100.0")],
)
def test_the_shown_figure_is_half_up_but_never_that_of_a_better_band(total, figure):
    minimums = COMPILED["calculator"].minimums

    assert shown(millionths(Fraction(total)), minimums) == Decimal(figure)


def test_89_5_is_healthy_on_mna_and_yellow_on_fleet():
    half = millionths(Fraction("89.5"))

    names = {
        key: COMPILED[key].bands[band_index(half, COMPILED[key].minimums)].key for key in ("mna-health", "fleet-health")
    }
    assert names == {"mna-health": "healthy", "fleet-health": "yellow"}


# --- Missing, refused


def test_no_input_at_all_is_no_score_and_not_zero():
    for key, card in COMPILED.items():
        score = card.score({})
        assert (score.total, score.band, score.coverage) == (None, None, 0), key
        assert set(score.points) == set(score.dimensions) == {None}


def test_zero_is_measured_and_counts():
    zeros = {"technical_performance": 0, "business_outcomes": 0, "user_adoption": 0, "relationship_strength": 0}

    assert scored("mna-health", zeros) == (0, Decimal("0.0"), "emergency", 100)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"technical_performance": 90, "relationship_strength": 70}, (82, Decimal("82.0"), "healthy", 50)),
        ({"user_adoption": 90, "relationship_strength": 70}, (None, None, None, 40)),
    ],
)
def test_half_the_weight_is_enough_and_less_is_not(inputs, expected):
    assert scored("mna-health", inputs) == expected


@pytest.mark.requirement("FLEET-7.11")
def test_before_the_first_renewal_its_five_points_leave_the_total():
    new = {name: value for name, value in ABC_LOGISTICS.items() if name != "renewals"}

    score, figure, _, coverage = scored("fleet-health", new)

    assert score == Decimal("63.157894")
    assert (figure, coverage) == (Decimal("63.2"), 95)


@pytest.mark.requirement("CS-3.3")
def test_leaving_one_product_measure_out_rescales_the_other_three():
    card = COMPILED["generic-health"]
    inputs = {"feature_adoption_rate": 90, "workflow_completion_pct": 60, "data_quality_pct": 30}

    score = card.score(check_inputs(card, inputs)[0])

    assert score.dimensions[1] == 60 * MILLION


@pytest.mark.parametrize(
    ("key", "name", "value", "code"),
    [
        ("calculator", "nps", 100.01, "maximum"),
        ("calculator", "nps", -100.01, "minimum"),
        ("calculator", "support_satisfaction", 101, "maximum"),
        ("calculator", "escalation_rate_percentage", 101, "maximum"),
        ("calculator", "tickets_per_user_monthly", -1, "minimum"),
        ("calculator", "daily_active_users_percentage", -0.5, "minimum"),
        ("calculator", "nps", "a lot", "number"),
        ("calculator", "nps", True, "number"),
        ("calculator", "nps", "NaN", "number"),
        ("calculator", "nps", "1e400", "maximum"),
        ("calculator", "nps", [8], "number"),
        ("calculator", "npss", 8, "unknown"),
        ("fleet-health", "objectives", "great", "choice"),
        ("fleet-health", "objectives", 15, "choice"),
        ("fleet-health", "login_pct", 100.5, "maximum"),
        ("fleet-health", "tickets_month", -1, "minimum"),
    ],
)
def test_an_input_outside_its_range_is_refused_by_name_and_rule(key, name, value, code):
    values, refusals = check_inputs(COMPILED[key], {name: value})

    assert values == {}
    assert [(refusal.field, refusal.code) for refusal in refusals] == [(name, code)]
    assert refusals[0].detail.startswith(name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("nps", 100), ("nps", -100), ("daily_active_users_percentage", 140), ("avg_resolution_hours", 5000)],
)
def test_the_ends_are_accepted_and_over_100_where_a_cap_follows(name, value):
    values, refusals = check_inputs(COMPILED["calculator"], {name: value})

    assert (values, refusals) == ({name: Decimal(value)}, [])


def test_a_quotient_with_all_its_decimals_is_scored():
    card = COMPILED["mna-health"]
    values, refusals = check_inputs(card, dict.fromkeys(card.inputs, 80.00000000000001))
    assert refusals == []
    assert (card.score(values).total, card.bands[card.score(values).band].key) == (80 * MILLION, "healthy")


def test_a_value_out_of_range_in_the_store_is_left_out_like_a_missing_one():
    card = COMPILED["mna-health"]
    inputs = {"technical_performance": Decimal(500), "business_outcomes": Decimal(80), "user_adoption": Decimal(80)}

    assert card.score(inputs) == card.score({**inputs, "technical_performance": None})
