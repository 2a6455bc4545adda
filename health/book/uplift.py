"""Whether accounts went better where somebody acted: two means held against each other, with their uncertainty. Pure.

Nobody drew lots over who is worked, so a difference is a hint and no proof; the page says so.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

# Under so many on either side no difference is told: a single account would decide it.
LEAST = 10
# Two-sided 95 % points of Student's t by degrees of freedom; between two of them the wider one counts.
_T = ((9, 2.262), (11, 2.201), (14, 2.145), (19, 2.093), (29, 2.045), (59, 2.001), (119, 1.980))


class Group(NamedTuple):
    """How many accounts were followed, by how much their scores moved on average (points), and the variance of it."""

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0


class Uplift(NamedTuple):
    """The worked accounts' mean move less that of the others, and half the width of its 95 % interval, in points.

    ``margin`` is None where nothing spreads on either side: such samples say nothing of their own error.
    """

    points: float
    margin: float | None

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.margin is None else (self.points - self.margin, self.points + self.margin)

    @property
    def verdict(self) -> str:
        """``better`` or ``worse`` where the whole interval lies on one side of nothing, else ``open``."""
        low, high = self.interval or (0.0, 0.0)
        if low > 0:
            return "better"
        return "worse" if high < 0 else "open"


def uplift(worked: Group, others: Group) -> Uplift | None:
    """The difference of two groups; None while one of them is too small to tell."""
    if min(worked.count, others.count) < LEAST:
        return None
    spread = sqrt(worked.variance / worked.count + others.variance / others.count)
    margin = quantile(min(worked.count, others.count) - 1) * spread if spread else None
    return Uplift(worked.mean - others.mean, margin)


def quantile(freedom: int) -> float:
    """Student's t for at least LEAST - 1 degrees of freedom, never too small."""
    return next(value for least, value in reversed(_T) if freedom >= least)
