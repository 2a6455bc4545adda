"""Health arithmetic: pure, exact, without Django. Scorecard definitions are data in the packs' shape."""

from health.scoring.figures import MILLION, band_index, decimal, millionths, number, shown
from health.scoring.inputs import Refusal, check_inputs
from health.scoring.measures import KINDS, OPERATORS, Domain, Measure, Value, compile_test, inputs_of
from health.scoring.scorecard import (
    DEFAULT_MAX_AGE_DAYS,
    LEAST_COVERAGE_PCT,
    POINTS_SUM,
    WEIGHTED_AVERAGE,
    Band,
    Dimension,
    Score,
    Scorecard,
    compile_scorecard,
)
from health.scoring.trend import attainment, is_met, trend

__all__ = [
    "DEFAULT_MAX_AGE_DAYS",
    "KINDS",
    "LEAST_COVERAGE_PCT",
    "MILLION",
    "OPERATORS",
    "POINTS_SUM",
    "WEIGHTED_AVERAGE",
    "Band",
    "Dimension",
    "Domain",
    "Measure",
    "Refusal",
    "Score",
    "Scorecard",
    "Value",
    "attainment",
    "band_index",
    "check_inputs",
    "compile_scorecard",
    "compile_test",
    "decimal",
    "inputs_of",
    "is_met",
    "millionths",
    "number",
    "shown",
    "trend",
]
