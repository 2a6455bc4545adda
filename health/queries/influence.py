"""How much each measure of a version moves: every account scored again as if nobody had read that one measure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from health.cards import CompiledCard
from health.queries.scored import Scored, capped
from health.scoring import decimal
from health.scoring.columns import NONE, score_reads


class Influence(NamedTuple):
    """One measure: its share of the card in per cent, and what its absence would do to those who have it.

    ``better`` and ``worse``: accounts whose band would be so without it. ``lifts``: points it adds on average (below
    zero: takes). Accounts that would have no score without it count in neither.
    """

    name: str
    weight: Decimal
    read: int
    better: int
    worse: int
    lifts: Decimal | None

    @property
    def crossing(self) -> int:
        return self.better + self.worse


def influences(card: CompiledCard, scored: Scored, rows: Sequence[int]) -> list[Influence]:
    """The measures by how many of the accounts at ``rows`` change band without them. No query.

    Cost: the arithmetic of a recompute for each measure; what was read is not read again.
    """
    chosen = np.array(rows, dtype=np.int64)
    return sorted(
        (_influence(card, scored, at, chosen) for at in range(len(card.card.measures))),
        key=lambda one: (-one.crossing, -abs(one.lifts or Decimal(0)), one.name),
    )


def _influence(card: CompiledCard, scored: Scored, at: int, rows: np.ndarray) -> Influence:
    scores = scored.scores
    read = scores.measures[at]
    there = np.array([reading is not None for reading in read.readings], dtype=bool)[read.codes]
    without = score_reads(card.card, scores.measures, len(scores.total), leave_out=at)
    bands = capped(without.band, scored.held)
    both = np.zeros(len(there), dtype=bool)
    both[rows] = (there & (scores.total != NONE) & (without.total != NONE))[rows]
    moved = scores.total[both] - without.total[both]
    return Influence(
        name=card.card.measures[at].name,
        weight=decimal(card.card.plan_of(1 << at).coverage),
        read=int(there[rows].sum()),
        better=int((bands[both] < scored.band[both]).sum()),
        worse=int((bands[both] > scored.band[both]).sum()),
        lifts=decimal(int(moved.mean())) if len(moved) else None,
    )
