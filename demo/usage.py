"""Who used what on which day: a matrix of users and days for each account, drawn from its usage figure.

The better the figure, the larger the share of people who come at all, the more key features each of them uses
and the more of them use the phone. Weekends are quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from demo.companies import Company, monday
from demo.story import USAGE, WEEKS

DAYS = WEEKS * 7
MOBILE = "mobile"
RECENT_DAYS = 75


@dataclass(frozen=True, slots=True)
class Activity:
    """``used`` [feature, user, day] is true where a user used a feature; ``sessions`` [user, day] counts visits."""

    used: np.ndarray
    sessions: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """[user, day]: whether the user came at all."""
        return self.sessions > 0


def activity(company: Company, features: tuple[str, ...], today: date, seed: int) -> Activity:
    """The generated visits of one account over all generated days; days after ``today`` are empty."""
    rng = np.random.default_rng((seed, company.index))
    users, days = company.seats, DAYS
    figure = np.repeat(company.trajectory.latent[USAGE], 7)
    # A rank per user decides who is engaged, who explores and who is on the road; it never changes.
    engaged = (np.arange(users)[:, None] + 0.5) / users < 0.28 + 0.74 * figure[None, :]
    weekday = np.array([(monday(today) + timedelta(days=day)).weekday() < 5 for day in range(days)])
    visits = rng.random((users, days)) < np.where(weekday, 0.34 + 0.3 * figure, 0.05)
    sessions = (engaged & visits) * rng.integers(1, 5, (users, days), dtype=np.int16)
    sessions[:, ~_running(company, today)] = 0
    breadth = 0.7 + 3.6 * figure[None, :] + rng.normal(0, 0.7, users)[:, None]
    order = np.argsort(rng.random((users, len(features))), axis=1)
    used = np.zeros((len(features), users, days), dtype=bool)
    for position in range(len(features)):
        rank = order[:, position][:, None]
        used[position] = (sessions > 0) & (rank < breadth) & (rng.random((users, days)) < 0.45)
    if MOBILE in features:
        on_road = rng.permutation(users)[:, None] / users < 0.24 + 0.66 * figure[None, :]
        used[features.index(MOBILE)] = (sessions > 0) & on_road & (rng.random((users, days)) < 0.4)
    return Activity(_thinned(used, rng), sessions)


def _thinned(used: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``used`` with one feature a visit on days long ago: a third of the events, the same shares over a month."""
    old = used[:, :, :-RECENT_DAYS]
    chosen = (old * rng.random(old.shape, dtype=np.float32)).argmax(axis=0)
    used[:, :, :-RECENT_DAYS] &= np.arange(len(used))[:, None, None] == chosen
    return used


def _running(company: Company, today: date) -> np.ndarray:
    """[day]: whether the account was a customer and not silent, up to and including ``today``."""
    first = monday(today)
    day = np.arange(DAYS)
    begin = (company.since_on - first).days
    end = (today - first).days
    plot = company.trajectory
    if plot.silent_from is not None:
        end = min(end, plot.silent_from * 7 - 1)
    if company.churned_on is not None:
        end = min(end, (company.churned_on - first).days)
    return (day >= begin) & (day <= end)
