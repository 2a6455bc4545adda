"""Scoring many accounts at once, column by column, with the same readers and plans as one account.

A column holds each distinct value once, with a code an account. A measure reads each distinct value (or pair
of values) once; sums run over whole columns as integers. ``tests/health/test_columns.py`` shows that every
figure equals that of ``Scorecard.score_row``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from health.scoring.figures import MILLION
from health.scoring.measures import Measure, Reading, Value
from health.scoring.scorecard import Scorecard

Integers = npt.NDArray[Any]
NONE = -1
# A product below this fits a signed 64-bit integer with room; above it Python's own integers are used.
_ROOM = 2**62


class Coded(NamedTuple):
    """One input of many accounts: ``values`` once each, ``codes`` the index an account has (-1: missing)."""

    codes: Integers
    values: Sequence[Value | None]


class Read(NamedTuple):
    """One measure of many accounts: ``codes`` into readings, whose last is that of a missing measure."""

    codes: Integers
    readings: Sequence[Reading | None]


class Scores(NamedTuple):
    """The figures of ``Score`` as arrays over accounts; -1 stands for None. ``band`` does not know red flags."""

    total: Integers
    band: Integers
    coverage: Integers
    dimensions: list[Integers]
    measures: list[Read]


def score_columns(card: Scorecard, inputs: Sequence[Coded], accounts: int) -> Scores:
    """Score ``accounts`` rows given as one coded column for each of the card's inputs."""
    by_name = dict(zip(card.inputs, inputs, strict=True))
    reads = [_read(measure, [by_name[name] for name in measure.inputs]) for measure in card.measures]
    return score_reads(card, reads, accounts)


def score_reads(card: Scorecard, reads: list[Read], accounts: int, *, leave_out: int = NONE) -> Scores:
    """Score what the measures read; ``leave_out``: as if nobody had read the measure at that place."""
    points, pattern = [], np.zeros(accounts, dtype=np.int64)
    for bit, read in enumerate(reads):
        measured = np.array([reading is not None for reading in read.readings], dtype=np.int64) * (bit != leave_out)
        pattern |= measured[read.codes] << bit
        points.append(np.array([reading[0] if reading else 0 for reading in read.readings], dtype=np.int64)[read.codes])
    total = np.full(accounts, NONE, dtype=np.int64)
    band = np.full(accounts, NONE, dtype=np.int64)
    coverage = np.zeros(accounts, dtype=np.int64)
    dimensions = [np.full(accounts, NONE, dtype=np.int64) for _ in card.dimensions]
    for present in np.unique(pattern).tolist():
        rows = np.flatnonzero(pattern == present)
        plan = card.plan_of(present)
        coverage[rows] = plan.coverage
        whole = _combine(plan, [column[rows] for column in points], rows, dimensions)
        if plan.enough:
            micro = np.array(whole * MILLION // plan.denominator, dtype=np.int64)
            total[rows] = micro
            above = np.searchsorted(np.array(card.minimums), micro, side="right")
            band[rows] = len(card.minimums) - np.maximum(above, 1)
    return Scores(total, band, coverage, dimensions, reads)


def _combine(plan: Any, points: list[Integers], rows: Integers, dimensions: list[Integers]) -> Any:
    """Write the figures of the dimensions and return the sum that makes the total."""
    largest = max([plan.denominator, *(part[2] for part in plan.dimensions if part is not None)])
    exact = 100 * largest * MILLION >= _ROOM
    if exact:
        points = [column.astype(object) for column in points]
    whole: Any = np.zeros(len(rows), dtype=object if exact else np.int64)
    for place, part in enumerate(plan.dimensions):
        if part is None:
            continue
        terms, start, denominator, most, least, share = part
        figure: Any = np.full(len(rows), start, dtype=object if exact else np.int64)
        for at, weight in terms:
            figure = figure + points[at] * weight
        if most is not None:
            figure = np.minimum(figure, most)
        if least is not None:
            figure = np.maximum(figure, least)
        dimensions[place][rows] = np.array(figure * MILLION // denominator, dtype=np.int64)
        whole = whole + figure * share
    return whole


def _read(measure: Measure, columns: Sequence[Coded]) -> Read:
    if len(columns) == 1:
        codes, values = columns[0]
        readings = [None if value is None else measure.read((value,)) for value in values]
        return Read(codes, [*readings, None])
    # There are as many pairs of values as accounts, but few of outcomes.
    columns = [_told_apart(measure, place, column) for place, column in enumerate(columns)]
    pairs = np.zeros(len(columns[0].codes), dtype=np.int64)
    for codes, values in columns:
        pairs = pairs * (len(values) + 1) + (codes + 1)
    distinct, first, inverse = np.unique(pairs, return_index=True, return_inverse=True)
    readings = []
    for row in first.tolist():
        found = [values[codes[row]] if codes[row] != NONE else None for codes, values in columns]
        readings.append(measure.read(found))
    assert len(readings) == len(distinct)
    return Read(inverse, [*readings, None])


def _told_apart(measure: Measure, place: int, column: Coded) -> Coded:
    """The column of an input with one value in place of all that the measure cannot tell apart."""
    outcomes = [None if value is None else measure.outcomes(place, value) for value in column.values]
    values = dict(zip(outcomes, column.values, strict=True))
    codes = {outcome: code for code, outcome in enumerate(values)}
    coded = np.array([*(codes[outcome] for outcome in outcomes), NONE], dtype=np.int64)
    return Coded(coded[column.codes], list(values.values()))
