"""How each account's fortunes move, week by week, and the stories planted among them.

A latent figure of 0–1 per dimension and week stands behind everything that is generated: usage, value,
relationship, support and satisfaction. 0 is a customer about to leave, 1 one who would speak at our conference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

WEEKS = 78
DIMENSIONS = ("usage", "value", "relationship", "support", "satisfaction")
USAGE, VALUE, RELATIONSHIP, SUPPORT, SATISFACTION = range(5)

SPONSOR_LEFT_WEEK = 10
CLIFF_WEEK = 6
SILENT_WEEK = 11


@dataclass(slots=True)
class Trajectory:
    """``latent`` [dimension, week], 0–1, oldest week first; ``story`` names the plot, empty for none.

    ``silent_from`` is the week from which nothing arrives any more; ``churn_week`` the last one as a customer.
    """

    latent: np.ndarray
    story: str = ""
    silent_from: int | None = None
    churn_week: int | None = None
    first_week: int = 0
    notes: list[str] = field(default_factory=list)


Plot = Callable[[np.ndarray], Trajectory]


def base(rng: np.random.Generator) -> np.ndarray:
    """An ordinary account: its own level, dimensions around it, slow drift and weekly noise."""
    level = rng.beta(6.5, 1.7)
    means = np.clip(level + rng.normal(0, 0.09, 5), 0.05, 0.99)
    shocks = rng.normal(0, 0.011, (5, WEEKS))
    drift = np.zeros((5, WEEKS))
    for week in range(1, WEEKS):
        drift[:, week] = 0.96 * drift[:, week - 1] + shocks[:, week]
    slope = rng.normal(0, 0.05) * np.linspace(-1, 0, WEEKS)
    return np.clip(means[:, None] + drift + slope, 0.02, 0.99)


def ramp(latent: np.ndarray, dimensions: list[int], start: int, weeks: int, target: float) -> None:
    """Bend ``dimensions`` from where they are at week ``start`` to ``target`` within ``weeks``; they stay there."""
    for dimension in dimensions:
        begin = latent[dimension, start]
        for offset in range(WEEKS - start):
            share = min(1.0, offset / max(1, weeks))
            wobble = latent[dimension, start + offset] - latent[dimension].mean()
            latent[dimension, start + offset] = begin + (target - begin) * share + 0.2 * wobble
    np.clip(latent, 0.02, 0.99, out=latent)


def sponsor_left(latent: np.ndarray) -> Trajectory:
    latent[:] = np.maximum(latent, 0.78)
    ramp(latent, [RELATIONSHIP], WEEKS - SPONSOR_LEFT_WEEK, 5, 0.2)
    ramp(latent, [VALUE, SATISFACTION], WEEKS - SPONSOR_LEFT_WEEK + 2, 7, 0.5)
    return Trajectory(latent, "sponsor left")


def usage_cliff(latent: np.ndarray) -> Trajectory:
    latent[:] = np.maximum(latent, 0.72)
    ramp(latent, [USAGE], WEEKS - CLIFF_WEEK, 4, 0.24)
    ramp(latent, [SUPPORT, SATISFACTION], WEEKS - CLIFF_WEEK, 5, 0.4)
    return Trajectory(latent, "usage cliff")


def silent(latent: np.ndarray) -> Trajectory:
    latent[:] = np.clip(latent, 0.55, 0.85)
    ramp(latent, [RELATIONSHIP, USAGE], WEEKS - SILENT_WEEK - 6, 6, 0.3)
    return Trajectory(latent, "silent", silent_from=WEEKS - SILENT_WEEK)


def recovery(latent: np.ndarray) -> Trajectory:
    latent[:, : WEEKS - 44] = np.minimum(latent[:, : WEEKS - 44], 0.6)
    ramp(latent, list(range(5)), WEEKS - 44, 8, 0.22)
    ramp(latent, list(range(5)), WEEKS - 30, 22, 0.93)
    return Trajectory(latent, "recovery")


def green_churn(latent: np.ndarray) -> Trajectory:
    latent[:] = np.maximum(latent, 0.9)
    return Trajectory(latent, "green and lost", churn_week=WEEKS - 9)


def slow_decline(latent: np.ndarray) -> Trajectory:
    ramp(latent, list(range(5)), WEEKS - 30, 22, 0.12)
    return Trajectory(latent, "slow decline", churn_week=WEEKS - 5)


def growth(latent: np.ndarray) -> Trajectory:
    latent[:] = np.maximum(latent, 0.7)
    ramp(latent, list(range(5)), WEEKS - 40, 20, 0.97)
    return Trajectory(latent, "growth")


def newcomer(weeks: int) -> Plot:
    """Somebody who signed ``weeks`` weeks ago."""
    return lambda latent: Trajectory(latent, "new", first_week=WEEKS - weeks)


# How many accounts of a workspace follow each plot; the rest are ordinary.
PLOTS = (
    (sponsor_left, 3),
    (usage_cliff, 7),
    (silent, 3),
    (recovery, 4),
    (green_churn, 2),
    (slow_decline, 6),
    (growth, 6),
    # They come one after the other, as customers do.
    *((newcomer(weeks), 1) for weeks in (3, 5, 8, 10, 12)),
)


def trajectories(accounts: int, seed: int) -> list[Trajectory]:
    """One trajectory an account, the plotted ones first; the same for the same seed."""
    rng = np.random.default_rng(seed)
    plotted = [plot(base(rng)) for plot, count in PLOTS for _ in range(count)]
    return plotted + [Trajectory(base(rng)) for _ in range(accounts - len(plotted))]
