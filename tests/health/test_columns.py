"""Scoring by columns gives every figure that scoring one account gives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from health.scoring import check_inputs
from health.scoring.columns import NONE, Coded, score_columns
from tests.health.definitions import CARDS, best
from tests.health.test_scoring import COMPILED
from tests.health.test_scoring_rules import _values


def coded(card, rows):
    """Rows of named values as coded columns, each value once."""
    columns = []
    for name in card.inputs:
        values = sorted({row[name] for row in rows if row.get(name) is not None}, key=str)
        codes = [values.index(row[name]) if row.get(name) is not None else NONE for row in rows]
        columns.append(Coded(np.array(codes, dtype=np.int64), values))
    return columns


def by_columns(card, rows):
    """The figures of every row as ``Score`` has them."""
    scores = score_columns(card, coded(card, rows), len(rows))

    def known(value):
        return None if value == NONE else int(value)

    found = []
    for at in range(len(rows)):
        readings = [read.readings[read.codes[at]] for read in scores.measures]
        found.append(
            (
                known(scores.total[at]),
                known(scores.band[at]),
                int(scores.coverage[at]),
                tuple(None if reading is None else reading[0] * 10**6 // card.scale for reading in readings),
                tuple(None if reading is None else reading[1] for reading in readings),
                tuple(known(column[at]) for column in scores.dimensions),
            )
        )
    return found


@pytest.mark.parametrize("key", CARDS)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_columns_equal_rows(key, data):
    card = COMPILED[key]
    rows = [check_inputs(card, raw)[0] for raw in data.draw(st.lists(_values(card), min_size=1, max_size=6))]

    assert by_columns(card, rows) == [tuple(card.score(row)) for row in rows]


@pytest.mark.parametrize("key", CARDS)
def test_empty_and_full_rows_beside_each_other(key):
    card = COMPILED[key]
    rows = [{}, check_inputs(card, best(CARDS[key]))[0], {}]

    assert by_columns(card, rows) == [tuple(card.score(row)) for row in rows]
