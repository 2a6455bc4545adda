"""Grades scores against what became of the customers.

The days are cut into periods as long as the horizon that do not overlap, so that each loss counts once: the
colour at a period's beginning is the warning, the loss within it what was to be foreseen. Only periods whose
end has passed are judged. Everything in the answer is a plain number, fit for JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from health.backtest.chance import Interval, by_chance, interval
from health.backtest.outcomes import Outcomes
from health.backtest.predictors import Course, cut_offs, predictors, ranking

# Colours from good to bad, as the numbers in ``History.colour``; -1 is an account that could not be scored.
COLOURS = ("green", "yellow", "orange", "red")
UNSCORED = -1
# A loss is foreseen in time when the warning stood this many days before: less, and nothing can be done.
TIME_TO_ACT = 30
# Below this many losses, or warnings, a share says next to nothing.
FEW = 10
MILLION = 10**6
Matrix = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class History:
    """Scores replayed: ``days`` as ordinals; ``total`` (millionths) and ``colour`` over [account, day], -1: none.

    ``courses``: what each measure of the card gave on the way.
    """

    days: Sequence[int]
    total: Matrix
    colour: Matrix
    courses: Sequence[Course] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """The judged cells: which days begin a period, who was a customer then, who of them was lost within it."""

    columns: list[int]
    there: Matrix
    lost: Matrix


def sample_of(days: Sequence[int], outcomes: Outcomes, *, horizon: int, today: int) -> Sample:
    """Periods of ``horizon`` days, the last one ending by ``today``, without overlap."""
    columns: list[int] = []
    limit = today - horizon
    for place in reversed(range(len(days))):
        if days[place] <= limit:
            columns.insert(0, place)
            limit = days[place] - horizon
    there = outcomes.alive[:, columns]
    lost = np.zeros(there.shape, dtype=bool)
    for loss in outcomes.losses:
        for at, column in enumerate(columns):
            if days[column] < loss.on <= days[column] + horizon:
                lost[loss.account, at] = True
    return Sample(columns, there, lost & there)


def grade(history: History, outcomes: Outcomes, *, horizon: int, today: int) -> dict[str, Any]:
    """Everything a report says of one version; see ``docs/backtest.md`` for each figure."""
    sample = sample_of(history.days, outcomes, horizon=horizon, today=today)
    colour, total = history.colour[:, sample.columns], history.total[:, sample.columns]
    scored = sample.there & (colour != UNSCORED)
    return {
        "periods": [int(history.days[column]) for column in sample.columns],
        "judged": int(scored.sum()),
        "accounts": int(scored.any(axis=1).sum()),
        "lost": int((sample.lost & scored).sum()),
        "unscored": int((sample.there & ~scored).sum()),
        "unscored_lost": int((sample.lost & ~scored).sum()),
        "base_rate": _plain(interval(int((sample.lost & scored).sum()), int(scored.sum()))),
        "warnings": {
            COLOURS[level]: _warning(colour >= level, scored, sample.lost, history, outcomes, level)
            for level in (1, 2, 3)
        },
        "calibration": _calibration(total, scored, sample.lost),
        "ranking": ranking(total[scored], sample.lost[scored]),
        "cut_offs": cut_offs(total, scored, sample.lost),
        "measures": predictors(history.courses, sample.columns, sample.there, sample.lost),
        "colours": _colours(colour, scored, sample.lost),
    }


def _warning(
    warned: Matrix, scored: Matrix, lost: Matrix, history: History, outcomes: Outcomes, level: int
) -> dict[str, Any]:
    """The confusion matrix and what follows from it, warnings being this colour or a worse one."""
    hit, alarm = scored & warned & lost, scored & warned & ~lost
    miss, calm = scored & ~warned & lost, scored & ~warned & ~lost
    tp, fp, fn, tn = (int(cells.sum()) for cells in (hit, alarm, miss, calm))
    accounts = int((hit | alarm).any(axis=1).sum())
    columns = range(scored.shape[1])
    periods = [
        (int(scored[:, at].sum()), int((scored & lost)[:, at].sum()), int((scored & warned)[:, at].sum()))
        for at in columns
    ]
    chance = by_chance(periods, tp)
    return {
        "hit": tp,
        "alarm": fp,
        "miss": fn,
        "calm": tn,
        "precision": _plain(interval(tp, tp + fp, independent=accounts)),
        "recall": _plain(interval(tp, tp + fn)),
        "false_alarm_rate": _plain(interval(fp, fp + tn, independent=int((alarm | calm).any(axis=1).sum()))),
        "warned_accounts": accounts,
        "chance": None if chance is None else chance._asdict(),
        "few": tp + fn < FEW or accounts < FEW,
        "lead": _lead([row["lead_days"] for row in losses_seen(history, outcomes, level)]),
    }


def losses_seen(history: History, outcomes: Outcomes, level: int) -> list[dict[str, Any]]:
    """Each loss with what the score said: in time to act, at the last look, and since when it had warned."""
    days = np.array(history.days)
    rows = []
    for loss in outcomes.losses:
        if not len(days) or loss.on <= days[0]:
            continue
        last = int(np.searchsorted(days, loss.on)) - 1
        in_time = int(np.searchsorted(days, loss.on - TIME_TO_ACT, side="right")) - 1
        colours = history.colour[loss.account]
        rows.append(
            {
                "account": loss.account,
                "on": loss.on,
                "arr": loss.arr,
                "colour_in_time": _name(colours[in_time]) if in_time >= 0 else None,
                "score_in_time": _score(history.total[loss.account, in_time]) if in_time >= 0 else None,
                "colour_last": _name(colours[last]),
                "score_last": _score(history.total[loss.account, last]),
                "lead_days": _lead_days(colours, days, last, loss.on, level),
            }
        )
    return rows


def _lead_days(colours: Matrix, days: Matrix, last: int, on: int, level: int) -> int | None:
    """Days from the beginning of the unbroken warning to the loss; None where none stood at the end."""
    if colours[last] < level:
        return None
    first = last
    while first > 0 and colours[first - 1] >= level:
        first -= 1
    return int(on - days[first])


def _lead(found: Sequence[int | None]) -> dict[str, Any]:
    known = [days for days in found if days is not None]
    if not known:
        return {"losses": len(found), "warned": 0, "median": None, "low": None, "high": None, "in_time": 0}
    low, median, high = np.quantile(known, [0.25, 0.5, 0.75]).tolist()
    in_time = sum(1 for days in known if days >= TIME_TO_ACT)
    return {"losses": len(found), "warned": len(known), "median": median, "low": low, "high": high, "in_time": in_time}


def _calibration(total: Matrix, scored: Matrix, lost: Matrix) -> list[dict[str, Any]]:
    """The share lost among scores from 0 to under 10, 10 to under 20, …, 90 to 100; empty tenths are left out."""
    tenth = np.minimum(total // (10 * MILLION), 9)
    rows = []
    for step in range(10):
        cells = scored & (tenth == step)
        cases = int(cells.sum())
        if cases:
            gone = int((cells & lost).sum())
            accounts = int(cells.any(axis=1).sum())
            share = _plain(interval(gone, cases, independent=accounts))
            rows.append({"from": step * 10, "cases": cases, "lost": gone, "share": share})
    return rows


def _colours(colour: Matrix, scored: Matrix, lost: Matrix) -> list[dict[str, Any]]:
    rows = []
    for level, name in enumerate(COLOURS):
        cells = scored & (colour == level)
        cases = int(cells.sum())
        if cases:
            share = _plain(interval(int((cells & lost).sum()), cases, independent=int(cells.any(axis=1).sum())))
            rows.append({"colour": name, "cases": cases, "lost": int((cells & lost).sum()), "share": share})
    return rows


def standing(history: History, outcomes: Outcomes, level: int) -> list[dict[str, Any]]:
    """Customers who are warned of on the last day and whose end nobody knows yet, the longest warning first."""
    if not len(history.days):
        return []
    days, last = np.array(history.days), len(history.days) - 1
    flagged = np.flatnonzero(outcomes.alive[:, last] & (history.colour[:, last] >= level)).tolist()
    rows = [
        {
            "account": place,
            "colour": _name(history.colour[place, last]),
            "score": _score(history.total[place, last]),
            "days": _lead_days(history.colour[place], days, last, int(days[last]), level),
        }
        for place in flagged
    ]
    return sorted(rows, key=lambda row: (-row["days"], row["account"]))


def falls(history: History, outcomes: Outcomes, *, over: int, most: int) -> list[dict[str, Any]]:
    """Customers whose score fell most within the last ``over`` days and who are still there."""
    if not len(history.days):
        return []
    last = len(history.days) - 1
    first = max(0, int(np.searchsorted(history.days, history.days[last] - over, side="right")) - 1)
    before, after = history.total[:, first], history.total[:, last]
    there = outcomes.alive[:, last] & (before >= 0) & (after >= 0) & (after < before)
    places = np.flatnonzero(there)
    order = np.argsort(after[places] - before[places], kind="stable")[:most]
    return [
        {
            "account": int(place),
            "before": _score(before[place]),
            "after": _score(after[place]),
            "colour_before": _name(history.colour[place, first]),
            "colour": _name(history.colour[place, last]),
        }
        for place in places[order].tolist()
    ]


def _name(colour: Any) -> str | None:
    return None if colour == UNSCORED else COLOURS[int(colour)]


def _score(total: Any) -> float | None:
    return None if total < 0 else int(total) / MILLION


def _plain(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()
