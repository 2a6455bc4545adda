"""How sure a share of few cases is, and what luck alone would have done."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt
from typing import NamedTuple

import numpy as np

# 95 % two-sided.
Z = 1.959964
DRAWS = 2_000
SEED = 20_260_101


class Interval(NamedTuple):
    """A share with the 95 % interval around it (Wilson), all from 0 to 1."""

    share: float
    low: float
    high: float


def interval(hits: int, cases: int, *, independent: int | None = None) -> Interval | None:
    """The share ``hits / cases``; None without cases.

    ``independent`` is how many of the cases say something new (different accounts): the same account judged
    four times is not four proofs, so the width goes by that number.
    """
    if not cases:
        return None
    share = hits / cases
    n = max(1, min(cases, cases if independent is None else independent))
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


class Chance(NamedTuple):
    """Precision with the labels shuffled: its mean, the middle 95 %, and how often luck does as well."""

    mean: float
    low: float
    high: float
    p_value: float


def by_chance(periods: Sequence[tuple[int, int, int]], hits: int) -> Chance | None:
    """What warnings given by lot would have hit. ``periods`` are (judged, lost, warned); None without warnings.

    Shuffling the labels of a period and counting the warned among the lost is a hypergeometric draw; 2,000 of
    them with a fixed seed, so that a result can be repeated.
    """
    warned = sum(period[2] for period in periods)
    if not warned:
        return None
    rng = np.random.default_rng(SEED)
    total = np.zeros(DRAWS, dtype=np.int64)
    for judged, lost, chosen in periods:
        if chosen and lost:
            total += rng.hypergeometric(lost, judged - lost, chosen, size=DRAWS)
    share = total / warned
    low, high = np.quantile(share, [0.025, 0.975]).tolist()
    return Chance(float(share.mean()), low, high, (int((total >= hits).sum()) + 1) / (DRAWS + 1))


def exact_sign(first: int, second: int) -> float:
    """How likely a split as uneven as ``first`` to ``second`` is by the toss of a coin, both ways (exact)."""
    n, least = first + second, min(first, second)
    if not n:
        return 1.0
    return min(1.0, 2 * sum(comb(n, k) for k in range(least + 1)) / 2**n)
